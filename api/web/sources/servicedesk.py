"""The pages about sources over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from adapters.fields import spread
from adapters.interpret import Interpreted, Made
from api.web import words
from api.web.sources.views import FeedPage, FeedRow, FeedsPage, RejectLine, TrialPage, TriedEvent, TriedRecord
from rules.errors import Problem
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.logs import get
from service.sources import pull as pulling
from service.sources import rejects, sweeps
from service.sources.definitions import Configured
from service.sources.health import Feed, feeds
from service.sources.trial import trial
from store.models import RejectRow
from store.queries import upkeep

SCOPE = "sources:admin"
SHOWN = 50
TRIED = 10
"""Records that a page tries the mapping on."""
TRIED_PAGES = 5
LONGEST = 200
"""Characters of a value that are shown."""

_log = get("sources")


class SourceServiceDesk:
    """See ``api.web.sources.desk.SourceDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def sources(self, access: Access) -> FeedsPage:
        access.require(SCOPE)
        with self.service.reading() as session:
            rows = [_row(one) for one in feeds(self.service, session) if one.stored.adapter != "demo"]
        faults = [str(fault) for fault in self.service.feeds.current().faults]
        return FeedsPage(self.service.now(), self.zone, rows, faults)

    def source(self, access: Access, source: str, *, settled: bool, cursor: str) -> FeedPage:
        found = self._found(access, source)
        with self.service.reading() as session:
            row = self._row_of(session, found)
            page = upkeep.list_rejects(session, source=found.uri, replayed=settled, limit=SHOWN, cursor=cursor or None)
            lines = [_line(one) for one in page.items]
        return FeedPage(
            self.service.now(),
            self.zone,
            row,
            found.path,
            found.mapping.name,
            found.signed is not None,
            settled,
            lines,
            page.next_cursor or "",
            _full(access),
            sweeps.missing(self.service, found),
        )

    def ask_now(self, access: Access, source: str) -> None:
        found = self._found(access, source)
        if not found.asked:
            raise NotPossible("this source is not switched on")
        pulling.nudge(self.service, found)

    def confirm_gone(self, access: Access, source: str) -> None:
        sweeps.confirm(self.service, self._found(access, source), by=access.actor)

    def replay(self, access: Access, source: str) -> tuple[int, int, str]:
        done = rejects.replay(self.service, self._found(access, source))
        return done.counts["records"], done.counts["refused"], done.error or ""

    def dismiss(self, access: Access, source: str, reject: str) -> None:
        found = self._found(access, source)
        number = int(reject) if reject.isascii() and reject.isdigit() and len(reject) < 18 else -1
        if not rejects.dismiss(self.service, found, number, by=access.actor):
            raise NotFound("there is no such reject that waits")

    def try_out(self, access: Access, source: str, *, values: bool) -> TrialPage:
        found = self._found(access, source)
        full = _full(access)
        if values:
            access.require("cases:read")
            if not full:
                raise NotPossible("values are shown only to those who may see every case")
            _log.info("values_shown", source=found.name, by=access.actor)
        tried = list(trial(self.service, found, limit=TRIED, pages=TRIED_PAGES))
        with self.service.reading() as session:
            row = self._row_of(session, found)
        zone = found.mapping.layout.zone or self.zone
        return TrialPage(self.service.now(), row, zone, [_tried(one, zone, values=values, full=full) for one in tried], values, full)

    def _found(self, access: Access, source: str) -> Configured:
        access.require(SCOPE)
        return self.service.feeds.current().get(source)

    def _row_of(self, session: Session, found: Configured) -> FeedRow:
        return _row(next(one for one in feeds(self.service, session) if one.stored.source == found.uri))


def _full(access: Access) -> bool:
    """Whether somebody may see what stands in cases of every team and office."""
    return access.allows("cases:read") and access.teams is None and access.offices is None


def _row(feed: Feed) -> FeedRow:
    stored = feed.stored
    return FeedRow(
        name=feed.name or "",
        uri=stored.source,
        title=feed.title,
        adapter=stored.adapter or "",
        state=feed.state.value,
        heard=feed.heard,
        last_good=stored.last_good_pull,
        last_event=stored.last_event,
        complete_until=stored.complete_until,
        next_pull=stored.next_pull_at,
        every=feed.every,
        records=stored.records,
        rejects=stored.rejects,
        conflicts=stored.conflicts,
        failures=stored.failures,
        error=stored.last_error or "",
    )


def _line(row: RejectRow) -> RejectLine:
    settled = row.replayed_at if row.replayed_at is not None else row.dismissed_at
    how = "taken in" if row.replayed_at is not None else "set aside" if row.dismissed_at is not None else ""
    problems = [_problem(each["pointer"], each["message"]) for each in row.problems]
    return RejectLine(row.id, row.kind, row.ref, row.received, problems, settled, how)


def _problem(pointer: str, message: str) -> str:
    """``data.status: holds a word that ...``."""
    return f"{pointer.strip('/').replace('/', '.')}: {message}" if pointer.strip("/") else words.sentence_case(message)


def _tried(one: Interpreted, zone: str, *, values: bool, full: bool) -> TriedRecord:
    fields = spread(one.record.fields)
    read = sorted(set(fields) - set(one.unread))
    return TriedRecord(
        kind=one.record.kind,
        ref=one.record.ref,
        gone=one.record.gone,
        fields=[(name, _shown(fields[name]) if values else "") for name in read],
        unread=one.unread,
        events=[_event(made, zone, full=full) for made in one.events],
        problems=_problems(one.problems),
    )


def _problems(problems: Sequence[Problem]) -> list[str]:
    return [_problem(one.pointer, one.message) for one in problems]


def _event(made: Made, zone: str, *, full: bool) -> TriedEvent:
    event = made.parsed.event
    assert event is not None
    return TriedEvent(
        type=event.type,
        id=event.id if full else "",
        case=event.case if full else "",
        time=words.short_moment(event.time, zone) if full else "",
        recorded=(words.short_moment(event.recorded, zone) if event.recorded_given else "when it is read") if full else "",
        data=[(path, _shown(value) if full else "") for path, value in event.data.items()],
        dropped=made.parsed.dropped,
    )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
