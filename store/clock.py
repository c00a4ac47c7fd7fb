"""The database's clock, for all machines that share it.  Imports store.engine.

"Now" decides what is due, so machines that disagree about it would find breaches that there are not.  Where several machines may
serve one database, its clock is the one that counts: it is asked now and then, and in between the time that has gone by is added, which
no step of a machine's own clock changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from store.engine import make_engine

EVERY = 30.0
"""Seconds between two looks at the database's clock."""
AGAIN = 5.0
"""Seconds after a look that failed."""
PATIENCE = "3"
"""Seconds that a connection may take to be made."""
_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")


class DatabaseClock:
    """Gives ms since 1970 when called.  Before the database has answered for the first time it is this machine's clock (``own``)."""

    def __init__(self, url: str, own: Callable[[], int], *, every: float = EVERY, steady: Callable[[], float] = time.monotonic) -> None:
        self._engine = make_engine(_patient(url), pool_size=1)
        self._own, self._every, self._steady = own, every, steady
        self._lock = threading.Lock()
        self._next: float | None = None
        self._base: tuple[int, float] | None = None
        self.apart = 0
        """ms by which this machine's clock was ahead of the database's when it was last looked at."""

    def __call__(self) -> int:
        here = self._steady()
        if (self._next is None or here >= self._next) and self._lock.acquire(blocking=self._base is None):
            try:
                if self._next is None or here >= self._next:
                    self._look()
            finally:
                self._lock.release()
        if self._base is None:
            return self._own()
        then, at = self._base
        return then + int((self._steady() - at) * 1000)

    def _look(self) -> None:
        """On a connection of its own, which is not kept: whoever asks for the time may hold all others."""
        try:
            with self._engine.connect() as connection:
                before = self._steady()
                told = int(connection.scalar(_NOW) or 0)
                after = self._steady()
            self._base = (told, (before + after) / 2)
            self.apart = self._own() - told - int((self._steady() - (before + after) / 2) * 1000)
            self._next = after + self._every
        except SQLAlchemyError:
            self._next = self._steady() + AGAIN
        finally:
            self._engine.dispose()


def _patient(url: str) -> str:
    return make_url(url).update_query_dict({"connect_timeout": PATIENCE}).render_as_string(hide_password=False)
