"""Answers that take long and change slowly, kept for some seconds.  Imports the standard library.

What was quick to find is not kept, so that small installations always see the present.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
SLOW = 0.02
"""Seconds from which on an answer counts as slow."""
TIMES = 200
"""A slow answer is kept so many times as long as it took."""
LONGEST = 60.0
MOST = 500


class Kept:
    """Answers by what was asked.  One a process; threads may share it, at worst one asks twice."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}

    def of(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer to ``key``, asked for anew where none is kept."""
        began = time.monotonic()
        until, answer = self._answers.get(key, (0.0, None))
        if until > began:
            return answer  # type: ignore[no-any-return]
        found = ask()
        now = time.monotonic()
        if now - began >= SLOW:
            if len(self._answers) >= MOST:
                self._answers.clear()
            self._answers[key] = (now + min(LONGEST, TIMES * (now - began)), found)
        return found
