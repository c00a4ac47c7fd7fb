"""Says no to new work, in time, while too much of what was accepted waits to be judged.  Imports store.queue and service.errors.

What was accepted is on disk and is never given up; so the only honest answer to more than the workers can judge is "not now".  The
rows that wait are counted once a second, and for every request once there are many; in between, what this process has taken in is
added.  Events of cases that wait already add no work, and pass: a new version of a policy, which lets every case wait, stops nobody
who reports on them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from sqlalchemy.orm import Session, sessionmaker

from service.errors import Overloaded
from store.queue import count_waiting, wait_already

LOOK_EVERY = 1_000
"""ms for which a count is good."""
NEAR = 0.5
"""From this part of the limit on, every request counts anew: other processes take events in too."""
ROOM = 0.9
"""The part of the limit to which the work should have gone down when a sender comes again."""
SOONEST, LATEST, UNKNOWN = 1, 60, 5
"""Seconds that a sender is told to wait: at least, at most, and where it cannot be foreseen."""


class Gate:
    """The limit of one process.  ``limit``: cases that may wait; 0: any number."""

    def __init__(self, readers: sessionmaker[Session], now: Callable[[], int], *, limit: int) -> None:
        self._readers, self._now, self.limit = readers, now, limit
        self._lock = threading.Lock()
        self._looked: int | None = None
        self._waiting = 0
        self._speed = 0.0
        """Cases by which the work goes down in a ms, as last seen."""

    def admit(self, cases: Collection[str]) -> None:
        """Let events of these cases pass.  Raises Overloaded where too much waits and they would add to it."""
        if not self.limit or not cases or self.waiting() < self.limit:
            return
        with self._readers() as session:
            adds = len(set(cases)) - wait_already(session, set(cases))
        if adds:
            raise Overloaded(self._retry_after(), self.limit)

    @property
    def full(self) -> bool:
        """Whether whoever fetches events by himself should rather do so later."""
        return bool(self.limit) and self.waiting() >= self.limit

    def waiting(self) -> int:
        """How many cases wait, or a few more where some of them waited before; no more than twice the limit are counted."""
        now = self._now()
        with self._lock:
            fresh = self._looked is not None and 0 <= now - self._looked < LOOK_EVERY
            if fresh and self._waiting < NEAR * self.limit:
                return self._waiting
            before, at = self._waiting, self._looked
            with self._readers() as session:
                self._waiting = count_waiting(session, most=2 * self.limit)
            if at is not None and now > at:
                self._speed = (before - self._waiting) / (now - at)
            self._looked = now
            return self._waiting

    def taken(self, cases: int) -> None:
        """So many cases wait since this process took events in."""
        with self._lock:
            self._waiting += cases

    def _retry_after(self) -> int:
        over = self._waiting - ROOM * self.limit
        seconds = over / self._speed / 1000 if self._speed > 0 else UNKNOWN
        return int(min(max(seconds, SOONEST), LATEST))
