"""What every adapter has in common: results, rejects, the protocol, the registry.  Imports rules.

An adapter never invents an id or a time, and one record that it cannot read never stops the others: it becomes a Reject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from rules.envelope import Parsed
from rules.errors import EventRefused


class AdapterError(Exception):
    """An adapter that cannot work at all: wrong configuration, no connection, no permission.  The message is fit to be shown."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not taken in, and why.  ``reason`` names columns and attributes, never what stood in them.

    ``file`` is the file or the source, ``line`` counts from 1 (0: the file as a whole); ``pointer`` is an RFC 6901 pointer into
    the event that the record would have become.
    """

    file: str
    line: int
    pointer: str
    code: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.pointer + ' ' if self.pointer else ''}{self.reason} [{self.code}]"


Result: TypeAlias = Parsed | Reject
Cursor: TypeAlias = Mapping[str, Any]
"""Where a pull got to, as plain JSON; it holds positions and times, never a secret."""


@dataclass(frozen=True, slots=True)
class Page:
    """One bounded page of a pull.  ``cursor`` is stored in the transaction that stores ``results``; ``more``: ask again at once."""

    results: Sequence[Result]
    cursor: Cursor
    more: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """What ``check`` found: whether the system answers, as whom we are known there, and what may be read."""

    ok: bool
    identity: str | None = None
    readable: Sequence[str] = field(default_factory=tuple)
    problem: str | None = None


@runtime_checkable
class Adapter(Protocol):
    """A client system that is asked for its records.  Both calls may raise AdapterError."""

    name: str

    def check(self) -> Connection:
        """Can I connect, as whom, what may I read.  Reads no record."""
        ...

    def pull(self, cursor: Cursor | None, *, received: int) -> Page:
        """The next page after ``cursor`` (None: from the beginning); ``received`` (ms) stands in for a missing recordedtime."""
        ...


Factory: TypeAlias = Callable[[Mapping[str, Any]], Adapter]
_FACTORIES: dict[str, Factory] = {}


def register(kind: str, factory: Factory) -> None:
    """Makes a kind of adapter known by the name that a source's configuration uses.  Raises ValueError where it is taken."""
    if kind in _FACTORIES:
        raise ValueError(f"an adapter is registered as {kind!r} already")
    _FACTORIES[kind] = factory


def make(kind: str, configuration: Mapping[str, Any]) -> Adapter:
    """An adapter of a registered kind.  Raises AdapterError for a kind that nobody registered."""
    factory = _FACTORIES.get(kind)
    if factory is None:
        raise AdapterError(f"there is no adapter {kind!r}; known are {', '.join(kinds()) or 'none'}")
    return factory(configuration)


def kinds() -> list[str]:
    """The registered kinds of adapter, sorted."""
    return sorted(_FACTORIES)


def rejects(refused: EventRefused, *, file: str, line: int) -> list[Reject]:
    """One Reject for each problem of an event that was refused."""
    return [Reject(file, line, problem.pointer, problem.code, problem.message) for problem in refused.problems]
