"""Counts of who asked how often, in Redis for all processes of an installation together; each process counts by itself while Redis is away.

flask-limiter has a fallback of its own, but requests that meet a Redis that is away at the same moment are answered 500 but for the
first: so the falling back stands here, where the storage is asked.  Nobody is refused and nobody waits because of Redis: what it does not
answer within ``PATIENCE`` is counted in memory, and then one request in ``AGAIN`` seconds tries whether it is back.
Imports limits, redis and service.logs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from limits.storage import MemoryStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.logs import get

SCHEME = "duecare"
PATIENCE = 0.25
"""Seconds that Redis has for an answer."""
AGAIN = 5.0
"""Seconds between two tries to reach a Redis that is away."""
PREFIX = "duecare:asked"

_Answer = TypeVar("_Answer")
_log = get("limits")


class SharedCounts(RedisStorage):
    """The moving windows of all callers; for ``Limiter(storage_uri="duecare://", storage_options=...)``.

    ``address`` is Redis' URL.  ``now`` gives ms since 1970 and has to be the same on all machines, or one whose clock is wrong would use up
    what callers may ask of the others; ``steady`` gives seconds.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as in the library

    def __init__(self, _uri: str, *, address: str, now: Callable[[], int], steady: Callable[[], float] = time.monotonic) -> None:
        options: Any = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry": Retry(NoBackoff(), 0)}
        super().__init__(address, key_prefix=PREFIX, **options)
        self._now, self._steady = now, steady
        self._here = MemoryStorage()
        self._lock = threading.Lock()
        self._next_try: float | None = None

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether ``amount`` more are allowed within ``expiry`` seconds; they are counted then."""

        def together() -> bool:
            window = [self._now() / 1000, limit, expiry, amount]
            return bool(self.lua_acquire_moving_window([self.prefixed_key(key)], window))

        return self._asked(together, lambda: self._here.acquire_entry(key, limit, expiry, amount))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest that counts came, by this machine's clock (s), and how many count."""

        def together() -> tuple[float, int]:
            now, here = self._now() / 1000, time.time()
            window: Any = self.lua_moving_window([self.prefixed_key(key)], [now - expiry, limit])
            return (float(window[0]) - now + here, int(window[1])) if window else (here, 0)

        return self._asked(together, lambda: self._here.get_moving_window(key, limit, expiry))

    def _asked(self, together: Callable[[], _Answer], alone: Callable[[], _Answer]) -> _Answer:
        if self._next_try is not None and not self._may_try():
            return alone()
        try:
            answer = together()
        except (redis.RedisError, OSError) as error:
            self._away(error)
            return alone()
        if self._next_try is not None:
            self._back()
        return answer

    def _may_try(self) -> bool:
        """Whether it is this request's turn to try; nobody else's for a while then."""
        with self._lock:
            if self._next_try is not None and self._steady() < self._next_try:
                return False
            self._next_try = self._steady() + AGAIN
            return True

    def _away(self, error: Exception) -> None:
        with self._lock:
            first, self._next_try = self._next_try is None, self._steady() + AGAIN
        if first:
            _log.warning("rates_counted_by_process", exc_info=error)

    def _back(self) -> None:
        with self._lock:
            first, self._next_try = self._next_try is not None, None
        if first:
            _log.info("rates_counted_together")
