"""Asking client systems: page by page, each page in one transaction with its cursor, its events and what was refused.

One process at a time asks a source (a lease in the database, across all machines).  Killed at any point, the next pull goes on from
the last page that is on record; what was read twice is known again by its record and changes nothing.  A record that was edited
takes its earlier event back (event.voided) and puts another in its place, so that what was known when stays true.
Imports adapters/, rules/, store/ and service/.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from adapters.base import Adapter, AdapterError, Page, Record, Withheld
from adapters.interpret import GONE
from rules.envelope import Parsed
from rules.model import Heartbeat
from service import ingest
from service.bootstrap import Service
from service.logs import get
from service.records import Plan
from service.sources import Configured
from service.turn import LEASE_MS, renewing
from store import sources
from store.engine import retrying
from store.errors import LeaseLost, StoreError
from store.events import Intake
from store.sources import Turn

AT_A_TIME = 60.0
"""Seconds that a worker asks one source before others have their turn."""
LONGEST_BACK_OFF = 3_600
SWEPT_AT_ONCE = 200
BEAT_EVERY = 300_000
"""ms by which a source's word on its completeness must have moved to be written down."""

_log = get("pull")


@dataclass(slots=True)
class Pulled:
    """What a pull did: records read, those that were new or changed, events taken in, records refused; and why it ended early."""

    source: str
    counts: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    error: str | None = None
    busy: bool = False
    """Somebody else was asking the source."""
    unfinished: bool = False
    """There is more: it was told to stop."""


def pull(
    svc: Service,
    source: Configured,
    *,
    due_only: bool = False,
    told: Callable[[Pulled], object] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Pulled:
    """Ask a source for all that is new.  ``told`` hears of each page; ``stop`` ends it after the page at hand.

    Whatever the client system does wrong ends in ``error`` and in the source's health; only the store's own errors are raised.
    """
    done = Pulled(source.name)
    with svc.writing() as session:
        turn = sources.begin(session, source.uri, adapter=source.kind.name, now=svc.now(), lease_ms=LEASE_MS, due_only=due_only)
    if turn is None:
        done.busy = True
        return done
    wait = float(source.every)
    adapter: Adapter | None = None
    try:
        adapter = source.adapter()
        complete = _pages(svc, source, adapter, turn, done, told, stop)
        if done.unfinished:
            wait = 0.0
        elif complete is not None:
            _beat(svc, source, complete)
    except AdapterError as error:
        done.error = str(error)
        wait = _back_off(svc, source, error)
    except LeaseLost:
        done.busy = True
        return done
    except Exception as error:
        done.error = f"{type(error).__name__} while it was read"
        wait = _back_off(svc, source, error)
        _log.error("pull_broke", source=source.name, exc_info=error)
        if isinstance(error, StoreError):
            raise
    except BaseException:  # Ctrl-C, or a worker that is told to end at once
        done.error, wait = "it was interrupted", 0.0
        raise
    finally:
        if adapter is not None:
            adapter.close()
        with svc.writing() as session:
            now = svc.now()
            sources.end(session, turn, now=now, next_at=now + int(wait * 1000), error=done.error)
    outcome = "failed" if done.error is not None else "good"
    svc.metrics.pulls.labels(source.name, outcome).inc()
    _log.info("pulled", source=source.name, outcome=outcome, pages=done.pages, **done.counts)
    return done


def pull_due(svc: Service, name: str) -> Pulled | None:
    """What a worker does at a hint: ask the source if its time has come, for a minute or so; None where it is not to be asked.

    While too much waits to be judged, it stays due.

    Raises NotFound and PolicyError where the source's file has gone or cannot be used.
    """
    source = svc.feeds.get(name)
    if not source.enabled or svc.gate.full:
        return None
    until = time.monotonic() + AT_A_TIME
    return pull(svc, source, due_only=True, stop=lambda: time.monotonic() > until or svc.gate.full)


def due(svc: Service) -> list[str]:
    """The sources whose time has come to be asked, and whom nobody asks."""
    found = [one for one in svc.feeds.current().items.values() if one.enabled]
    if not found:
        return []
    with svc.reading() as session:
        waiting = set(sources.due(session, [one.uri for one in found], svc.now()))
    return [one.name for one in found if one.uri in waiting]


def nudge(svc: Service, source: Configured) -> None:
    """Ask the source soon: at the next round of the scheduler.  Any number of nudges until then are one."""
    with svc.writing() as session:
        sources.ask_soon(session, source.uri, adapter=source.kind.name, now=svc.now())


def forget(svc: Service, source: Configured) -> None:
    """Read the source from the beginning at its next pull."""
    with svc.writing() as session:
        sources.forget(session, source.uri)


def dismiss(svc: Service, source: Configured, reject: int, *, by: str) -> bool:
    """Set a refused record aside for good; whether it was on the list."""
    with svc.writing() as session:
        return sources.dismiss(session, source.uri, reject, by=by, now=svc.now())


def take_one(svc: Service, source: Configured, kind: str, ref: str) -> Pulled:
    """Take one record in as it stands now, beside the pulls.  Raises AdapterError."""
    adapter = source.adapter()
    try:
        records = adapter.fetch(kind, ref)
    finally:
        adapter.close()
    return _take_records(svc, source, records)


def replay(svc: Service, source: Configured) -> Pulled:
    """Try every record of the source's reject list again, under the mapping as it is now."""
    done = Pulled(source.name)
    last = 0
    while True:
        with svc.reading() as session:
            rows = sources.open_rejects(session, source.uri, after=last)
            kept = [(row.id, row.kind, row.ref, row.payload) for row in rows]
        if not kept:
            return done
        last = kept[-1][0]
        records = [Record(kind, ref, payload) for _, kind, ref, payload in kept if payload is not None]
        done.counts.update(_take_records(svc, source, records).counts)
        for _, kind, ref, payload in kept:
            if payload is None:  # it was too large to be kept: the system is asked for it again
                try:
                    done.counts.update(take_one(svc, source, kind, ref).counts)
                except AdapterError as error:
                    done.error = str(error)


def _take_records(svc: Service, source: Configured, records: Sequence[Record], turn: Turn | None = None) -> Pulled:
    done = Pulled(source.name)
    now = svc.now()
    taken = retrying(lambda: _in_one(svc, source, records, now, turn, None))
    done.counts.update(taken.counts)
    svc.hints.send(sorted(taken.dirty))
    return done


def _pages(
    svc: Service,
    source: Configured,
    adapter: Adapter,
    turn: Turn,
    done: Pulled,
    told: Callable[[Pulled], object],
    stop: Callable[[], bool],
) -> int | None:
    """All pages there are; how far the system then is complete (ms)."""
    cursor = turn.cursor
    while True:
        with renewing(svc, turn):
            page = adapter.pull(cursor)
        for kind in page.swept:  # before the page is on record: whoever dies here does this again
            _present(svc, source, turn, page)
            _take_back_absent(svc, source, adapter, turn, kind, page.sweep)
        now = svc.now()
        taken = retrying(lambda page=page, now=now: _in_one(svc, source, page.records, now, turn, page))  # type: ignore[misc]
        svc.hints.send(sorted(taken.dirty))
        cursor = page.cursor
        done.pages += 1
        done.counts.update(taken.counts)
        for name, count in taken.counts.items():
            svc.metrics.pulled.labels(source.name, name).inc(count)
        told(done)
        if not page.more:
            return page.complete_until
        if stop():
            done.unfinished = True
            return None


def _present(svc: Service, source: Configured, turn: Turn, page: Page) -> None:
    """What a page of a sweep has found to be there."""
    with svc.writing() as session:
        sources.hold(session, turn, now=svc.now(), lease_ms=LEASE_MS)
        _note_present(session, source, page)


def _note_present(session: Session, source: Configured, page: Page) -> None:
    read = [(record.kind, record.ref) for record in page.records]
    for kind in sorted({*page.present, *(kind for kind, _ in read)}):
        refs = [*page.present.get(kind, ()), *(ref for other, ref in read if other == kind)]
        sources.note_present(session, source.uri, kind, refs, page.sweep)


def _take_back_absent(svc: Service, source: Configured, adapter: Adapter, turn: Turn, kind: str, sweep: int) -> None:
    """Records that a sweep did not find, each asked for once more: what the system no longer knows is gone."""
    while True:
        with svc.reading() as session:
            refs = sources.absent(session, source.uri, kind, sweep, gone=GONE, limit=SWEPT_AT_ONCE)
        if not refs:
            return
        found: list[Record] = []
        with renewing(svc, turn):
            for ref in refs:
                found += _asked_for_again(adapter, kind, ref)
        taken = _take_records(svc, source, found, turn)
        with svc.writing() as session:
            sources.note_present(session, source.uri, kind, refs, sweep)
        svc.metrics.pulled.labels(source.name, "gone").inc(taken.counts["accepted"])


def _asked_for_again(adapter: Adapter, kind: str, ref: str) -> list[Record]:
    """A record as it stands, or gone; none where we may no longer read it: what is known of it stays as it is."""
    try:
        found = adapter.fetch(kind, ref)
    except Withheld:
        return []
    return [one for one in found if (one.kind, one.ref) == (kind, ref)] or [Record(kind, ref, gone=True)]


@dataclass(frozen=True, slots=True)
class _Taken:
    counts: Counter[str]
    dirty: set[str]


def _in_one(svc: Service, source: Configured, records: Sequence[Record], now: int, turn: Turn | None, page: Page | None) -> _Taken:
    """One transaction: events, what has become of the records, rejects, and the cursor."""
    counts: Counter[str] = Counter(records=len(records))
    with svc.writing() as session:
        if turn is not None:
            sources.hold(session, turn, now=now, lease_ms=LEASE_MS)
        else:
            sources.lock(session, source.uri, adapter=source.kind.name)
        plan = Plan.of(session, source, records, now, fixed=page is not None and page.fixed)
        for reject in page.refused if page is not None else ():
            plan.cannot_read(reject)
        receipts, dirty = ingest.take(svc, session, plan.items, now) if plan.items else ([], set())
        for item, receipt in zip(plan.items, receipts, strict=True):
            counts[receipt.status.value] += 1
            if receipt.status is Intake.CONFLICT:
                plan.clash(item)
        sources.remember(session, source.uri, plan.known, sweep=page.sweep if page is not None else 0)
        if page is not None and page.sweep:
            _note_present(session, source, page)
        sources.refuse(session, source.uri, plan.refused(), now)
        sources.settle(session, source.uri, plan.good, now)
        if turn is not None and page is not None:
            sources.advance(session, source.uri, cursor=page.cursor, records=len(records), now=svc.now(), lease_ms=LEASE_MS)
    counts["unchanged"] = plan.unchanged
    counts["refused"] = len(plan.problems)
    return _Taken(counts, dirty)


def _beat(svc: Service, source: Configured, complete: int) -> None:
    """The source's word on how far it is complete; what was refused and is not settled yet holds it back."""
    now = svc.now()
    with svc.reading() as session:
        oldest = sources.oldest_reject(session, source.uri)
        last = sources.complete_until(session, source.uri)
    until = min(complete, now, oldest if oldest is not None else complete)
    if last is not None and until < last + BEAT_EVERY:
        return
    beat = Parsed(None, Heartbeat(source.uri, now, until), (), "")

    def write() -> set[str]:
        with svc.writing() as session:
            return ingest.take(svc, session, [beat], now)[1]

    svc.hints.send(sorted(retrying(write)))


def _back_off(svc: Service, source: Configured, error: Exception) -> float:
    """Seconds until the next try: what the system asks for, else twice as long after each failure."""
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return float(min(max(asked, 1.0), LONGEST_BACK_OFF))
    with svc.reading() as session:
        failures = sources.failures(session, source.uri)
    return float(min(max(source.every, 5) * 2 ** min(failures, 10), max(LONGEST_BACK_OFF, source.every)))
