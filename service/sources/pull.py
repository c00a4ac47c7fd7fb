"""Asking client systems: page by page, each page in one transaction with its cursor, its events and what was refused.

One process at a time asks a source (a lease in the database, across all machines).  Killed at any point, the next pull goes on from
the last page that is on record; what was read twice is known again by its record and changes nothing.  A record that was edited
takes its earlier event back (event.voided) and puts another in its place, so that what was known when stays true.
Imports adapters/, rules/, store/ and service/.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from adapters.base import Adapter, AdapterError
from rules.envelope import Parsed
from rules.model import Heartbeat
from service import ingest
from service.bootstrap import Service
from service.logs import get
from service.sources import sweeps
from service.sources.ahead import Ahead
from service.sources.definitions import Configured
from service.sources.taking import Pulled, take
from service.sources.turn import LEASE_MS, renewing
from store import sources
from store.engine import retrying
from store.errors import LeaseLost, StoreError
from store.sources import Turn

AT_A_TIME = 60.0
"""Seconds that a worker asks one source before others have their turn."""
LONGEST_BACK_OFF = 3_600
BEAT_EVERY = 300_000
"""ms by which a source's word on its completeness must have moved to be written down."""

_log = get("pull")


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
        sweeps.settle(svc, source, adapter, turn)
        with closing(Ahead(svc, source, adapter)) as ahead:
            complete = _pages(svc, source, adapter, ahead, turn, done, told, stop)
        done.error = sweeps.doubt(svc, source)
        if done.unfinished:
            wait = 0.0
        elif done.error is not None:
            _log.warning("pull_in_doubt", source=source.name, why=done.error)
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
    if not source.asked or svc.gate.full:
        return None
    until = time.monotonic() + AT_A_TIME
    return pull(svc, source, due_only=True, stop=lambda: time.monotonic() > until or svc.gate.full)


def due(svc: Service) -> list[str]:
    """The sources whose time has come to be asked, and whom nobody asks."""
    found = [one for one in svc.feeds.current().items.values() if one.asked]
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


def _pages(
    svc: Service,
    source: Configured,
    adapter: Adapter,
    ahead: Ahead,
    turn: Turn,
    done: Pulled,
    told: Callable[[Pulled], object],
    stop: Callable[[], bool],
) -> int | None:
    """All pages there are; how far the system then is complete (ms)."""
    ahead.begin(turn.cursor)
    while True:
        with renewing(svc, turn):
            ready = ahead.wait()
        page = ready.page
        for kind in page.swept:  # before the page is on record: whoever dies here does this again
            sweeps.take_back(svc, source, adapter, turn, page, kind)
        if page.more:
            ahead.begin(page.cursor)
        counts = take(svc, source, page.records, turn, page, ready.found)
        done.pages += 1
        done.counts.update(counts)
        for name, count in counts.items():
            svc.metrics.pulled.labels(source.name, name).inc(count)
        told(done)
        if not page.more:
            return page.complete_until
        if stop():
            done.unfinished = True
            return None


def _beat(svc: Service, source: Configured, complete: int) -> None:
    """The source's word on how far it is complete; what was refused and may be about any case holds it back until it is settled."""
    now = svc.now()
    with svc.reading() as session:
        oldest = sources.held_back_to(session, source.uri)
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
