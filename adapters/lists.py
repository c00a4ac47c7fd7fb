"""Reading lists of records page by page from systems that change while they are read.  Imports adapters.web, adapters.listing.

Each round begins an overlap before the last watermark, since records commit late and filters are inclusive and cut to seconds; what
is read twice is known again.  Pages that are counted (page, offset) drift when records change meanwhile.  Where a list comes oldest
change first, the next page is therefore asked for by time; else a round during which the total changed, or a record was changed, is
read again from where it began, three times at most, so that what one reading passed over another has.  A page's link that has lapsed
since the last pull begins the round anew.  Times are those of the system's own clock (the Date header) where it tells it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from urllib.parse import quote

from adapters.base import AdapterError, Cursor, Page, Record, Reject
from adapters.convert import ConvertError, Formats, as_moment, as_text, blank
from adapters.fields import spread
from adapters.listing import COUNTED, Deleted, Listing, Paging, Since
from adapters.mapping_schema import look_up
from adapters.web import Answer, Web

__all__ = ["Deleted", "Expand", "Listing", "Lists", "Paging", "Since", "State"]

ROUNDS = 3
MOST_TIED = 10_000
GONE = (404, 410)
LAPSED = (400, 404, 410)


@dataclass(slots=True)
class State:
    """How far a list was read; times in ms.

    ``floor``: the watermark.  ``at``: the page at hand (a number, a cursor or a link), ``seek`` the time that it begins at where pages go
    by time.  ``read``: records of this round (or since ``seek``), ``full``: those of a full page, ``size``: how
    many are asked for where more of one moment than fit on a page are to stand on one, ``last``: the seal of the page before.
    """

    seal: str = ""
    floor: int | None = None
    at: Any = None
    seek: int | None = None
    read: int = 0
    full: int | None = None
    size: int | None = None
    last: str = ""
    began: int | None = None
    newest: int | None = None
    total: int | None = None
    moved: bool = False
    rounds: int = 0
    sweep: int = 0
    swept_at: int = 0
    sweeping: bool = False
    seen: int = 0

    def begin(self) -> None:
        """A round from where it began."""
        self.at, self.seek, self.began, self.total, self.moved = None, None, None, None, False
        self.read, self.full, self.size, self.last, self.seen = 0, None, None, "", 0


@dataclass(slots=True)
class _Cursor:
    index: int = 0
    began: int | None = None
    lists: dict[str, State] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Cursor:
        given = dict(cursor or {})
        known = {one.name for one in fields(State)}
        lists = {kind: State(**{name: part for name, part in one.items() if name in known}) for kind, one in given.get("lists", {}).items()}
        return cls(given.get("index", 0), given.get("began"), lists)

    def state(self, listing: Listing) -> State:
        """How far the list was read, if it was read in the way that it is to be read now."""
        found = self.lists.get(listing.kind)
        if found is None or found.seal != listing.seal:
            found = State(listing.seal, sweep=found.sweep if found is not None else 0)
            self.lists[listing.kind] = found
        return found


Expand = Callable[[Listing, Mapping[str, Any], Record], Sequence[Record]]
"""What belongs to a record besides itself, such as its history; given the list, the record as it came, and the record."""
Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A record as mappings can read it, of one as it came."""
Unwrap = Callable[[Listing, Any], Any]
"""An answer as its list can be described, of one as it came."""


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
        shape: Shape = lambda raw: raw,
        unwrap: Unwrap = lambda _, body: body,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._web, self._listings, self._overlap, self._formats = web, listings, overlap, formats
        self._expand, self._shape, self._unwrap, self._clock = expand, shape, unwrap, clock
        self._fresh: Any = None

    def pull(self, cursor: Cursor | None) -> Page:
        """The next page of the list whose turn it is."""
        at = _Cursor.read(cursor)
        if at.index >= len(self._listings):
            at.index = 0
        listing = self._listings[at.index]
        state = at.state(listing)
        answer = self._ask(listing, state)
        body = self._unwrap(listing, answer.json()) if answer is not None else None
        now = (answer.sent if answer is not None else None) or self._clock()
        at.began = now if at.began is None else at.began
        state.began = now if state.began is None else state.began
        raws = [self._shape(one) for one in self._list(listing, body)] if answer is not None else []
        own, refused = self._records(listing, raws)
        records = [part for raw, one in own for part in (one, *self._expand(listing, raw, one))]
        self._look(listing, state, body, [one for _, one in own], len(raws))
        present = {listing.kind: [one.ref for _, one in own if not one.gone]} if state.sweeping else {}
        state.seen += len(raws)
        further = self._further(listing, state, answer, body, [one for _, one in own], len(raws))
        if further is not None:
            state.at = self._fresh = further
            return Page(records, asdict(at), more=True, sweep=state.sweep, present=present, refused=refused)
        return replace(self._round_over(at, listing, state, now, records), present=present, refused=refused)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        """One record, with what belongs to it."""
        listing = next((one for one in self._listings if one.kind == kind), None)
        if listing is None or listing.one is None:
            return []
        answer = self._web.get(listing.one.replace("{id}", quote(ref, safe="")), missing=GONE)
        if answer is None:
            return [Record(kind, ref, gone=True)]
        body = answer.json()
        found = body if listing.one_at is None else look_up(body, listing.one_at) if isinstance(body, dict) else None
        if not isinstance(found, dict):
            raise AdapterError(f"{listing.kind}: a single record is no JSON object")
        raw = self._shape(found)
        record = self._record(listing, raw)
        if record is None or record.ref != ref:
            raise AdapterError(f"{listing.kind}: the system answers with another record than the one that was asked for")
        return [record, *self._expand(listing, raw, record)]

    def _ask(self, listing: Listing, state: State) -> Answer | None:
        """The page at hand; None where a counted page beyond the last does not exist."""
        paging = listing.paging
        if state.at is None or paging.style in COUNTED:
            beyond = paging.style in COUNTED and state.at is not None and state.at != _first(paging)
            missing = (404,) if beyond else () if state.size is None else (400, 413, 422)
            answer = self._web.get(listing.path, self._params(listing, state), missing=missing)
            if answer is None and not beyond:
                state.size, state.full = None, paging.size
                return self._ask(listing, state)
            return answer
        lapsed = () if state.at == self._fresh else LAPSED
        if paging.style == "cursor":
            answer = self._web.get(listing.path, self._params(listing, state), missing=lapsed)
        else:
            answer = self._web.get(str(state.at), missing=lapsed)
        if answer is None:
            state.begin()
            return self._ask(listing, state)
        return answer

    def _params(self, listing: Listing, state: State) -> dict[str, Any]:
        paging = listing.paging
        params: dict[str, Any] = dict(listing.params)
        floor = _floor(state)
        if listing.since is not None and floor is not None:
            params[listing.since.parameter] = listing.since.template.replace("{since}", self._since(listing.since, floor))
        if paging.size_parameter is not None:
            params[paging.size_parameter] = state.size or paging.size
        if paging.parameter is not None and paging.style in COUNTED:
            params[paging.parameter] = state.at if state.at is not None else _first(paging)
        elif paging.parameter is not None and paging.style == "cursor" and state.at is not None:
            if paging.alone:
                return {paging.parameter: state.at}
            params[paging.parameter] = state.at
        return params

    def _list(self, listing: Listing, body: Any) -> list[dict[str, Any]]:
        found = body if listing.records is None else look_up(body, listing.records) if isinstance(body, dict) else None
        if found is None and isinstance(body, dict) and listing.optional:
            found = []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise AdapterError(f"{listing.path}: the answer holds no list of records{f' at {listing.records}' if listing.records else ''}")
        return found

    def _records(self, listing: Listing, raws: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[Mapping[str, Any], Record]], list[Reject]]:
        """The records of a page, and those that have no id; where none has one, or none a time that can be read, the settings are wrong."""
        own: list[tuple[Mapping[str, Any], Record]] = []
        refused: list[Reject] = []
        for number, raw in enumerate(raws, start=1):
            record = self._record(listing, raw)
            if record is None:
                refused.append(Reject(listing.path, number, "", "no_id", f"a record has no {listing.id} by which it could be known again"))
            else:
                own.append((raw, record))
        if refused and not own:
            raise AdapterError(f"{listing.path}: no record has the id {listing.id}")
        given = [one for raw, one in own if not blank(look_up(spread(raw), listing.updated))]
        if given and all(one.changed is None for one in given):
            raise AdapterError(f"{listing.path}: {listing.updated} holds no time in a form that is declared")
        return own, refused

    def _record(self, listing: Listing, raw: Mapping[str, Any]) -> Record | None:
        names = spread(raw)
        found = look_up(names, listing.id)
        ident = None if blank(found) else _word(found)
        if ident is None:
            return None
        gone = False
        if listing.deleted is not None:
            word = look_up(names, listing.deleted.field)
            known = listing.deleted.any_of
            gone = not blank(word) and word is not False and (known is None or _word(word) in known)
        return Record(listing.kind, ident, raw, gone=gone, changed=self._changed(listing, names))

    def _changed(self, listing: Listing, names: Mapping[str, Any]) -> int | None:
        given = look_up(names, listing.updated)
        try:
            return None if blank(given) else int(as_moment(given, self._formats).instant.timestamp() * 1000)
        except (ValueError, OverflowError):
            return None

    def _look(self, listing: Listing, state: State, body: Any, own: Sequence[Record], count: int) -> None:
        """Notes the newest change, and whether the list moved while it was read."""
        began = state.began or 0
        for one in own:
            if one.changed is not None:
                state.newest = max(state.newest or one.changed, one.changed)
                state.moved = state.moved or (not listing.ordered and one.changed >= began - began % 1000)
        total = look_up(body, listing.total) if listing.total is not None and isinstance(body, dict) else None
        if isinstance(total, int) and not isinstance(total, bool):
            state.moved = state.moved or (state.total is not None and total != state.total)
            state.total = total
        if count == 0 and state.total is not None and state.read < state.total:
            state.moved = True

    def _further(self, listing: Listing, state: State, answer: Answer | None, body: Any, own: Sequence[Record], count: int) -> Any:
        """Where the next page is; None: this was the last."""
        paging = listing.paging
        if paging.style in COUNTED:
            return self._counted(listing, state, own, count)
        if paging.style == "none":
            return None
        try:
            given = (
                (answer.next if answer else None)
                if paging.style == "link"
                else look_up(body, paging.at or "")
                if isinstance(body, dict)
                else None
            )
            found = None if blank(given) else as_text(given)
        except ConvertError:
            raise AdapterError(f"{listing.path}: what leads to the next page is no text") from None
        if found is not None and found == state.at:
            raise AdapterError(f"{listing.path}: the next page is the one that was just read")
        if found is not None and self._web.reveals(found):
            raise AdapterError(f"{listing.path}: the link to the next page holds our secret, which must not be remembered")
        return found

    def _counted(self, listing: Listing, state: State, own: Sequence[Record], count: int) -> int | None:
        paging = listing.paging
        seal = hashlib.sha256("\n".join(f"{one.ref} {one.changed}" for one in own).encode()).hexdigest()[:16]
        if count == 0 or seal == state.last:  # some systems give the last page for every number beyond it
            return None
        full = (state.size or paging.size) if state.full is None else state.full
        if state.last and state.read and count > 0 and state.read < full:
            full = state.full = state.read  # a page that was not full, and yet was not the last: the system gives less than is asked for
        state.read, state.last = state.read + count, seal
        if state.total is not None and state.read >= state.total and count < full:
            return None
        times = [one.changed for one in own]
        if listing.ordered and listing.since is not None and count >= full and None not in times:
            known = [when for when in times if when is not None]
            seek, floor = known[-1] - 1000, _floor(state)
            later = floor is None or (seek > floor and self._since(listing.since, seek) != self._since(listing.since, floor))
            if later and [when // 1000 for when in known] == sorted(when // 1000 for when in known):
                state.seek, state.read, state.size, state.last, state.total = seek, 0, None, "", None
                return _first(paging)
            more = (state.size or paging.size) * 4
            if not later and paging.size_parameter is not None and state.full is None and more <= MOST_TIED:
                state.read, state.size, state.last = 0, more, ""  # all of one moment, in no order to rely on: they must fit on one page
                return _first(paging)
        number = int(state.at if state.at is not None else _first(paging))
        return number + (1 if paging.style == "page" else count)

    def _round_over(self, at: _Cursor, listing: Listing, state: State, now: int, records: Sequence[Record]) -> Page:
        several = state.at is not None
        began, swept, seen = state.began or now, state.sweeping, state.seen
        again = several and listing.paging.style in COUNTED and state.moved and state.rounds + 1 < ROUNDS
        state.begin()
        if again:
            state.rounds += 1
            return Page(records, asdict(at), more=True, sweep=state.sweep)
        if state.newest is not None and not swept:
            floor = min(state.newest, began) - self._overlap * 1000
            state.floor = max(floor, state.floor or floor)
        state.newest, state.rounds = None, 0
        if swept:
            state.sweeping, state.swept_at = False, now
        elif state.swept_at == 0:
            state.swept_at = now  # the first reading was of everything
        elif listing.sweep_hours is not None and now - state.swept_at >= listing.sweep_hours * 3_600_000:
            state.sweep, state.sweeping = state.sweep + 1, True
            return Page(records, asdict(at), more=True, sweep=state.sweep)
        ended = [listing.kind] if swept and seen else []  # of a list that is suddenly empty, nothing is taken back
        at.index += 1
        if at.index < len(self._listings):
            return Page(records, asdict(at), more=True, sweep=state.sweep, swept=ended)
        complete = (at.began or now) - self._overlap * 1000
        at.index, at.began = 0, None
        return Page(records, asdict(at), complete_until=complete, sweep=state.sweep, swept=ended)

    def _since(self, since: Since, floor: int) -> str:
        """The watermark as the system takes it, cut down to whole seconds or days; never later than it is, whatever a clock change does."""
        if since.form == "epoch":
            return str(floor // 1000)
        if since.form == "epoch_ms":
            return str(floor)
        when = dt.datetime.fromtimestamp(floor // 1000, dt.UTC)
        if since.form == "iso":
            return when.strftime("%Y-%m-%dT%H:%M:%SZ")
        zone = self._formats.zone
        if zone is None:  # west of Greenwich the day before may still be going on
            return (when - dt.timedelta(days=1)).strftime("%Y-%m-%d" if since.form == "date" else "%Y-%m-%dT%H:%M:%S")
        local = when.astimezone(zone)
        if since.form == "date":
            return local.strftime("%Y-%m-%d")
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return (local - dt.timedelta(hours=1) if twice else local).strftime("%Y-%m-%dT%H:%M:%S")


def _word(given: Any) -> str | None:
    try:
        return as_text(given)
    except ConvertError:
        return None


def _first(paging: Paging) -> int:
    return paging.first if paging.style == "page" else 0


def _floor(state: State) -> int | None:
    """The time from which the page at hand is asked for."""
    return state.seek if state.seek is not None else None if state.sweeping else state.floor
