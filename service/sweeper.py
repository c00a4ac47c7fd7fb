"""Finds what no hint has told: cases that time has made due, lost hints, cases whose workers died, backtests, counts, messages.

It also seals what has been added.  Imports store/ and service/.  Every round is idempotent and any number of sweepers may run at
once: rows are the truth, and what one has done the other finds done.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service import evaluate, seals, statistics, websessions
from service.audits import schedules as auditschedules
from service.audits import work as auditwork
from service.backtests import work as backtestwork
from service.bootstrap import Service
from service.logs import get
from service.notify import upkeep as notify
from service.policies.register import register
from service.retention import work as removing
from service.sources import pull
from store import clocksteps
from store.errors import StoreError
from store.models import DirtyRow
from store.queue import DIED, pardon, requeue_due, stale

DUE_AT_ONCE = 5_000
HINTS_AT_ONCE = 500
LONGEST_PAUSE = 30.0
TIDY_EVERY = 3600.0
"""Seconds between two looks for messages that arrived, and sessions that were over, long ago."""
ASK_AGAIN = 15.0
"""Seconds until a source, or a count, that no worker has taken up is put forward again."""

SET_BACK = 1_000
"""ms that the clock must have lost to count as set back."""
MEND_EVERY = 600.0
"""Seconds between two looks for what is dated in the future, where no clock was seen to be set back."""

_log = get("sweeper")


@dataclass
class Sweeper:
    """One sweeper's memory: since when it has known the cases on probation (monotonic seconds)."""

    svc: Service
    probation: float
    """Seconds until a case that is in quarantine only because its workers died is tried again: what killed them may be over."""
    _aside: dict[str, float] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _registered: bool = False
    _tidied: float | None = None
    _counting: float = -ASK_AGAIN
    _sealed: float | None = None
    _clocks: tuple[int, float] | None = None
    _mended: float = 0.0

    def sweep(self) -> int:
        """One round; how many cases were put forward.  Raises sqlalchemy.exc.SQLAlchemyError where the store fails."""
        svc = self.svc
        # At the start whatever waits has been left over; later, a hint is given some time to be heard.
        patience = int(svc.settings.sweep_seconds * 1000) if self._registered else 0
        if not self._registered:
            register(svc)
            self._registered = True
        svc.refresh()
        self._mind_the_clock()
        found = 0
        while True:
            with svc.writing() as session:
                due = requeue_due(session, svc.now(), limit=DUE_AT_ONCE)
            self._put_forward(due, "due")
            found += len(due)
            if len(due) < DUE_AT_ONCE:
                break
        found += self._release_from_probation()
        with svc.reading() as session:
            waiting = stale(session, svc.now(), HINTS_AT_ONCE, waiting_ms=patience)
        self._put_forward(waiting, "waiting")
        if waiting and not svc.hints.reachable:
            # The queue is away: slower than the workers, but nobody waits for it to come back.
            evaluate.drain(svc)
        backtestwork.put_forward(svc)
        auditschedules.fire_due(svc)
        auditwork.put_forward(svc)
        self._ask_sources()
        self._tell()
        self._count()
        self._seal()
        removing.keep_up(svc)
        svc.metrics.sweeps.labels("done").inc()
        return found + len(waiting)

    def _mind_the_clock(self) -> None:
        """Where the clock was set back (and now and then in any case, as it may have been while nothing ran): see store.clocksteps."""
        svc, now, steady = self.svc, self.svc.now(), time.monotonic()
        before, self._clocks = self._clocks, (now, steady)
        if before is not None:
            lost = (steady - before[1]) * 1000 - (now - before[0])
            if lost < SET_BACK and steady - self._mended < MEND_EVERY:
                return
        with svc.writing() as session:
            mended = clocksteps.make_good(session, svc.now(), lease_ms=svc.settings.lease_seconds * 1000)
        self._mended = steady
        if "audit_schedule" in mended:
            auditschedules.reset_those_ahead(svc)
        if mended:
            _log.warning("clock_was_ahead", **mended)

    def _count(self) -> None:
        """By a worker, where one can be told, so that nothing waits for it; a count that fails is made another time."""
        now = time.monotonic()
        if now - self._counting < ASK_AGAIN:
            return
        try:
            if statistics.due(self.svc):
                if self.svc.hints.count():
                    self._counting = now
                else:
                    statistics.refresh(self.svc)
        except SQLAlchemyError as error:
            _log.warning("not_counted", exc_info=error)

    def _seal(self) -> None:
        """What was added lately; where that fails, or somebody is still writing, the next round tries again."""
        now = time.monotonic()
        if self._sealed is not None and now - self._sealed < self.svc.settings.seal_seconds:
            return
        try:
            if seals.seal(self.svc) is not None:
                self._sealed = now
        except (SQLAlchemyError, StoreError) as error:
            _log.warning("not_sealed", exc_info=error)

    def _tell(self) -> None:
        """Pass on what is owed, and have it sent; what fails here is done another time."""
        now = time.monotonic()
        try:
            notify.keep_up(self.svc)
            if self._tidied is None or now - self._tidied > TIDY_EVERY:
                notify.tidy(self.svc)
                websessions.tidy(self.svc)
                self._tidied = now
        except SQLAlchemyError as error:
            _log.warning("not_passed_on", exc_info=error)

    def _ask_sources(self) -> None:
        """Client systems whose time has come; one that waits for a worker is not put forward at each round anew."""
        now = time.monotonic()
        self._asked = {name: since for name, since in self._asked.items() if now - since < ASK_AGAIN}
        for name in pull.due(self.svc):
            if name not in self._asked:
                self.svc.hints.ask(name)
                self._asked[name] = now

    def _put_forward(self, cases: list[str], why: str) -> None:
        if cases:
            self.svc.hints.send(cases)
            self.svc.metrics.swept.labels(why).inc(len(cases))

    def _release_from_probation(self) -> int:
        now = time.monotonic()
        with self.svc.reading() as session:
            aside = set(
                session.scalars(select(DirtyRow.case_id).where(DirtyRow.quarantined, DirtyRow.last_error == DIED).limit(HINTS_AT_ONCE))
            )
        self._aside = {case: self._aside.get(case, now) for case in aside}
        released = [case for case, since in self._aside.items() if now - since >= self.probation]
        for case in released:
            with self.svc.writing() as session:
                pardon(session, case)
            _log.warning("quarantine_retried", case=case)
        self._put_forward(released, "probation")
        return len(released)


def run(svc: Service, stop: threading.Event) -> None:
    """Sweep every ``sweep_seconds`` until told to stop; a store that is away is waited for."""
    sweeper = Sweeper(svc, svc.settings.probation_seconds)
    pause = svc.settings.sweep_seconds
    while not stop.is_set():
        try:
            sweeper.sweep()
            pause = svc.settings.sweep_seconds
        except SQLAlchemyError as error:
            svc.metrics.sweeps.labels("failed").inc()
            pause = min(max(pause, 0.5) * 2, LONGEST_PAUSE)
            _log.warning("sweep_failed", exc_info=error, again_in=pause)
        except Exception as error:  # noqa: BLE001 - a sweeper that ends would leave the house without one
            svc.metrics.sweeps.labels("failed").inc()
            _log.error("sweep_failed", exc_info=error)
        stop.wait(pause)
