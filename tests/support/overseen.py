"""Worker processes that are started again whenever they end, and a hand that kills them.  Ends only what it started."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

from workers import process


class Overseen:
    """``count`` processes of one command, as `duecare worker` would look after them."""

    def __init__(self, command: list[str], count: int, env: dict[str, str]) -> None:
        self.pids: list[int] = []
        self.kills = 0
        self._count = count
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=process.keep_running, args=(command, count, self._stop), kwargs={"started": self.pids.append, "env": env}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(120)

    def kill_one(self, rng: random.Random) -> None:
        """SIGKILL to one of those that were started last."""
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(rng.choice(self.pids[-self._count :]), signal.SIGKILL)
            self.kills += 1


@contextlib.contextmanager
def killing(*overseen: Overseen, kills: int, every: float, seed: int) -> Iterator[None]:
    """Kills processes at random moments, ``every`` so many seconds on average; ends after the last of the ``kills``."""
    rng, given_up = random.Random(seed), threading.Event()

    def work() -> None:
        while sum(one.kills for one in overseen) < kills and not given_up.wait(rng.uniform(0.5, 1.5) * every):
            rng.choice(overseen).kill_one(rng)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
        thread.join()
    finally:
        given_up.set()
        thread.join(120)


def until(condition: Callable[[], bool], seconds: float = 120.0, *, pause: float = 0.005) -> float:
    """Waits until ``condition()`` holds; how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come to pass"
        time.sleep(pause)
    return time.monotonic() - began
