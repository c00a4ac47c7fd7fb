"""What the worlds of all systems that answer over HTTP have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.adapters.contract import Row, World
from tests.support.webworld import Ask, Say, Site


class System(Protocol):
    """A made-up system; ``broken``: it answers nothing that could be used."""

    broken: bool

    def __call__(self, ask: Ask) -> Say: ...


class Online(World):
    """A world whose system answers on loopback, and whose clock the system goes by.  ``slow``: hours from each answer to the next."""

    slow = 0

    def __init__(self, system: System) -> None:
        super().__init__()
        self._system = system
        self.site = Site(system)
        self.site.now = lambda: int(self.clock.timestamp() * 1000) + len(self.site.asked) * self.slow * 3_600_000
        self.site.__enter__()

    @property
    def where(self) -> dict[str, Any]:
        """The settings that lead to the system."""
        return {"base": self.site.base, "allow_private": True}

    def write(self, row: Row) -> None:
        self.late(row)()

    def breaks(self) -> Callable[[], None]:
        self._system.broken = True

        def mend() -> None:
            self._system.broken = False

        return mend

    def close(self) -> None:
        self.site.__exit__()
