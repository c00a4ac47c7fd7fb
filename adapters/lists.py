"""Reading lists of records page by page from systems that change while they are read.  Imports adapters.web.

Each round begins an overlap before the last watermark, since records commit late and filters are inclusive and cut to seconds; what
is read twice is known again.  Pages that are counted (page, offset) drift when records change meanwhile: a round during which the
total changed, or a record was changed, is read again from where it began, three times at most, so that what one reading
passed over another has.  Times are those of the system's own clock (the Date header) where it tells it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.base import AdapterError, Cursor, Page, Record
from adapters.convert import Formats, as_moment, as_text, blank
from adapters.mapping import spread
from adapters.mapping_schema import look_up
from adapters.web import Answer, Web

ROUNDS = 3
COUNTED = ("page", "offset")
GONE = (404, 410)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Paging(_Model):
    """How the list goes on.

    page, offset: ``parameter`` counts pages (from ``first``) or records; cursor: ``parameter`` takes what the answer holds at ``at``;
    next: the answer holds the next page's link at ``at``; link: the Link header does; none: it is all on one page.
    """

    style: Literal["page", "offset", "cursor", "next", "link", "none"] = "none"
    parameter: str | None = None
    first: int = 1
    at: str | None = None
    size_parameter: str | None = None
    size: int = Field(default=100, ge=1, le=10_000)


class Since(_Model):
    """The parameter by which only what was changed since then is asked for; ``template`` where more than the time stands in it."""

    parameter: str
    form: Literal["iso", "date", "epoch", "epoch_ms"] = "iso"
    template: str = "{since}"


class Deleted(_Model):
    """How a record says that it was deleted, or is a mistake: a field that holds one of these words (or anything, where none is given)."""

    field: str
    any_of: list[str] | None = None


class Listing(_Model):
    """One list of records."""

    kind: str
    path: str
    records: str | None = None
    """Where in the answer the list is; the answer itself unless told."""
    id: str
    updated: str
    """When the record was changed last: a field of it."""
    since: Since | None = None
    paging: Paging = Field(default_factory=Paging)
    total: str | None = None
    """Where in the answer the number of all records is, by which drifting pages are found out."""
    params: dict[str, str | int | bool] = Field(default_factory=dict)
    """Further parameters, such as the order: the oldest change first."""
    deleted: Deleted | None = None
    one: str | None = None
    """The path of one record, with {id}."""
    one_at: str | None = None
    """Where in the answer that record is; the answer itself unless told."""
    sweep_hours: int | None = Field(default=None, ge=1, le=8_760)
    """Where records are deleted without a trace: how often to read the whole list to find out which are gone."""

    @model_validator(mode="after")
    def _asks_before(self) -> Self:
        if self.sweep_hours is not None and self.one is None:
            raise ValueError("sweep_hours needs `one`: what a list has passed over is asked for before it counts as gone")
        return self


@dataclass(slots=True)
class State:
    """How far a list was read.  ``floor``, ``newest``, ``began`` in ms; ``at``: the page at hand (a number, a cursor or a link)."""

    floor: int | None = None
    at: Any = None
    began: int | None = None
    newest: int | None = None
    total: int | None = None
    moved: bool = False
    rounds: int = 0
    sweep: int = 0
    swept_at: int = 0
    sweeping: bool = False


@dataclass(slots=True)
class _Cursor:
    index: int = 0
    began: int | None = None
    lists: dict[str, State] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Cursor:
        given = dict(cursor or {})
        return cls(given.get("index", 0), given.get("began"), {kind: State(**one) for kind, one in given.get("lists", {}).items()})


Expand = Callable[[Listing, Mapping[str, Any], Record], Sequence[Record]]
"""What belongs to a record besides itself, such as its history; given the list, the record as it came, and the record."""


class Lists:
    """The lists of one system, read one after the other.  ``overlap`` in seconds; ``formats``: how the system writes times."""

    def __init__(
        self,
        web: Web,
        listings: Sequence[Listing],
        *,
        overlap: int,
        formats: Formats,
        expand: Expand = lambda *_: (),
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._web, self._listings, self._overlap, self._formats = web, listings, overlap, formats
        self._expand, self._clock = expand, clock

    def pull(self, cursor: Cursor | None) -> Page:
        """The next page of the list whose turn it is."""
        at = _Cursor.read(cursor)
        if at.index >= len(self._listings):
            at.index = 0
        listing = self._listings[at.index]
        state = at.lists.setdefault(listing.kind, State())
        answer = self._ask(listing, state)
        body = answer.json()
        now = answer.sent or self._clock()
        at.began = now if at.began is None else at.began
        state.began = now if state.began is None else state.began
        found = self._list(listing, body)
        own = [self._record(listing, one) for one in found]
        records = [part for one, raw in zip(own, found, strict=True) for part in (one, *self._expand(listing, raw, one))]
        self._look(listing, state, body, own)
        present = {listing.kind: [one.ref for one in own if not one.gone]} if state.sweeping else {}
        further = self._further(listing, state, answer, body, len(found))
        if further is not None:
            if further == state.at:
                raise AdapterError(f"{listing.path}: the next page is the one that was just read")
            state.at = further
            return Page(records, asdict(at), more=True, sweep=state.sweep, present=present)
        return replace(self._round_over(at, listing, state, now, records), present=present)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        """One record, with what belongs to it."""
        listing = next((one for one in self._listings if one.kind == kind), None)
        if listing is None or listing.one is None:
            return []
        answer = self._web.get(listing.one.replace("{id}", quote(ref, safe="")), missing=GONE)
        if answer is None:
            return [Record(kind, ref, gone=True)]
        found = answer.json() if listing.one_at is None else look_up(answer.json(), listing.one_at)
        if not isinstance(found, dict):
            raise AdapterError(f"{listing.kind}: a single record is no JSON object")
        record = self._record(listing, found)
        return [record, *self._expand(listing, found, record)]

    def _ask(self, listing: Listing, state: State) -> Answer:
        paging = listing.paging
        if paging.style in ("next", "link") and state.at is not None:
            answer = self._web.get(str(state.at))
        else:
            params: dict[str, Any] = dict(listing.params)
            if listing.since is not None and state.floor is not None and not state.sweeping:
                params[listing.since.parameter] = listing.since.template.replace("{since}", _since(listing.since, state.floor))
            if paging.size_parameter is not None:
                params[paging.size_parameter] = paging.size
            if paging.style in COUNTED and paging.parameter is not None:
                params[paging.parameter] = state.at if state.at is not None else paging.first if paging.style == "page" else 0
            elif paging.style == "cursor" and paging.parameter is not None and state.at is not None:
                params[paging.parameter] = state.at
            answer = self._web.get(listing.path, params)
        assert answer is not None
        return answer

    def _list(self, listing: Listing, body: Any) -> list[dict[str, Any]]:
        found = body if listing.records is None else look_up(body, listing.records) if isinstance(body, dict) else None
        if found is None and isinstance(body, dict) and listing.records is not None:
            found = []  # an empty list that is left out
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise AdapterError(f"{listing.path}: the answer holds no list of records{f' at {listing.records}' if listing.records else ''}")
        return found

    def _record(self, listing: Listing, raw: Mapping[str, Any]) -> Record:
        fields = spread(raw)
        ident = look_up(fields, listing.id)
        if blank(ident):
            raise AdapterError(f"{listing.path}: a record has no {listing.id}")
        gone = False
        if listing.deleted is not None:
            word = look_up(fields, listing.deleted.field)
            known = listing.deleted.any_of
            gone = not blank(word) and word is not False and (known is None or as_text(word) in known)
        return Record(listing.kind, as_text(ident), raw, gone=gone, changed=self._changed(listing, fields))

    def _changed(self, listing: Listing, fields: Mapping[str, Any]) -> int | None:
        given = look_up(fields, listing.updated)
        if blank(given):
            return None
        try:
            return int(as_moment(given, self._formats).instant.timestamp() * 1000)
        except ValueError:
            raise AdapterError(f"{listing.path}: {listing.updated} holds no time in a form that is declared") from None

    def _look(self, listing: Listing, state: State, body: Any, found: Sequence[Record]) -> None:
        """Notes the newest change, and whether the list moved while it was read."""
        began = state.began or 0
        for one in found:
            if one.changed is not None:
                state.newest = max(state.newest or one.changed, one.changed)
                state.moved = state.moved or one.changed >= began - began % 1000
        total = look_up(body, listing.total) if listing.total is not None and isinstance(body, dict) else None
        if isinstance(total, int):
            state.moved = state.moved or (state.total is not None and total != state.total)
            state.total = total

    def _further(self, listing: Listing, state: State, answer: Answer, body: Any, count: int) -> Any:
        """Where the next page is; None: this was the last."""
        paging = listing.paging
        if paging.style == "link":
            return answer.next
        if paging.style in ("next", "cursor"):
            found = look_up(body, paging.at or "next") if isinstance(body, dict) else None
            return None if blank(found) else as_text(found)
        if paging.style not in COUNTED or count == 0:
            return None
        if paging.style == "offset":
            read = int(state.at or 0) + count
            return read if (read < state.total if state.total is not None else count >= paging.size) else None
        page = int(state.at if state.at is not None else paging.first)
        read = (page - paging.first + 1) * paging.size
        return page + 1 if (read < state.total if state.total is not None else count >= paging.size) else None

    def _round_over(self, at: _Cursor, listing: Listing, state: State, now: int, records: Sequence[Record]) -> Page:
        several = state.at is not None
        began, swept = state.began or now, state.sweeping
        again = several and listing.paging.style in COUNTED and state.moved and state.rounds + 1 < ROUNDS
        state.at, state.began, state.total, state.moved = None, None, None, False
        if again:
            state.rounds += 1
            return Page(records, asdict(at), more=True, sweep=state.sweep)
        if state.newest is not None and not swept:
            floor = min(state.newest, began) - self._overlap * 1000
            state.floor = max(floor, state.floor or floor)
        state.newest, state.rounds = None, 0
        if swept:
            state.sweeping, state.swept_at = False, now
        elif listing.sweep_hours is not None and now - state.swept_at >= listing.sweep_hours * 3_600_000:
            state.sweep, state.sweeping = state.sweep + 1, True
            return Page(records, asdict(at), more=True, sweep=state.sweep)
        ended = [listing.kind] if swept else []
        at.index += 1
        if at.index < len(self._listings):
            return Page(records, asdict(at), more=True, sweep=state.sweep, swept=ended)
        complete = (at.began or now) - self._overlap * 1000
        at.index, at.began = 0, None
        return Page(records, asdict(at), complete_until=complete, sweep=state.sweep, swept=ended)


def _since(since: Since, floor: int) -> str:
    """The watermark as the system takes it, cut down to whole seconds or days."""
    when = dt.datetime.fromtimestamp(floor // 1000, dt.UTC)
    if since.form == "epoch":
        return str(floor // 1000)
    if since.form == "epoch_ms":
        return str(floor)
    return when.strftime("%Y-%m-%d") if since.form == "date" else when.strftime("%Y-%m-%dT%H:%M:%SZ")
