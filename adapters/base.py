"""What every adapter has in common: results, rejects, the protocol, the registry.  Imports rules.

An adapter never invents an id or a time, and one record that it cannot read never stops the others: it becomes a Reject.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel

from rules.envelope import Parsed
from rules.errors import EventRefused


class AdapterError(Exception):
    """An adapter that cannot work now: wrong configuration, no connection, no permission.  The message is fit to be shown.

    ``retry_after`` (seconds): the system itself has said when to come back.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Withheld(AdapterError):
    """What was asked for may not be read by us.  Of a single record: it may be there still, so what is known of it stays as it is."""


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
"""Where a pull got to, as plain JSON; it holds positions, times and record ids, never a secret."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a client system, as it stands there now.

    ``kind`` is which of the system's tables or resources it comes from, ``ref`` what it is called there (unique within its kind,
    the same for ever); by both it is known again when it has changed.  ``gone``: it was deleted, or is declared to be a mistake.
    ``changed`` is when the system changed it last (ms), where it says so.
    """

    kind: str
    ref: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One bounded page of a pull.  ``cursor`` is stored in the transaction that stores what became of ``records``.

    ``more``: ask again at once.  ``complete_until`` (ms), on a last page: everything that the system had recorded up to then has
    been delivered; None where it cannot say.  A sweep finds records that vanished without a word: it has a number (``sweep``,
    growing), names the refs that are there (``present``, by kind), and in the end the kinds that it has gone through (``swept``).
    ``fixed``: these records never change (lines of a file that is taken once), so what became of each need not be remembered.
    ``refused``: what could not even be read as a record, by its place.
    """

    records: Sequence[Record]
    cursor: Cursor
    more: bool = False
    complete_until: int | None = None
    sweep: int = 0
    present: Mapping[str, Sequence[str]] = field(default_factory=dict)
    swept: Sequence[str] = ()
    fixed: bool = False
    refused: Sequence[Reject] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """What ``check`` found: as whom we are known there, and what may be read (None: it may not, with why in ``problems``)."""

    identity: str | None = None
    readable: Mapping[str, str] = field(default_factory=dict)
    """By kind of record, in words: how much there is, how new it is."""
    problems: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


@runtime_checkable
class Adapter(Protocol):
    """A client system that is asked for its records.  Every call may raise AdapterError, and none writes to the system."""

    def check(self) -> Connection:
        """Can I connect, as whom, what may I read."""
        ...

    def pull(self, cursor: Cursor | None) -> Page:
        """The next page after ``cursor`` (None: from the beginning).  The same cursor may be given again, after a crash."""
        ...

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        """One record as it stands now, with what belongs to it; ``gone`` where the system says that it is, empty where it knows none.

        Raises Withheld where we may not read it.
        """
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


@dataclass(frozen=True)
class Kind:
    """A kind of client system: the name by which a source's file asks for it, what its ``settings`` may hold, how one is made.

    ``about`` is a sentence for people; ``asked``: whether there is anything to be asked for.  Adapters of others are found by the
    entry point group ``duecare.adapters``.
    """

    name: str
    about: str
    settings: type[BaseModel]
    make: Callable[[Any], Adapter]
    asked: bool = True


ENTRY_POINTS = "duecare.adapters"


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Kind]:
    """Every kind of client system, by name: one module each in adapters/systems, then those that other packages bring.

    Raises AdapterError where an entry point cannot be loaded, or brings something else than a Kind.
    """
    import adapters.systems as home

    found: dict[str, Kind] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(home.__path__)):
        kind = getattr(importlib.import_module(f"{home.__name__}.{module}"), "KIND", None)
        if isinstance(kind, Kind):
            found[kind.name] = kind
    for point in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda one: one.name):
        try:
            kind = point.load()
        except Exception as error:
            raise AdapterError(f"the adapter {point.name!r} of another package cannot be loaded: {type(error).__name__}") from error
        if not isinstance(kind, Kind):
            raise AdapterError(f"the entry point {point.name!r} of group {ENTRY_POINTS} is no adapters.base.Kind")
        found.setdefault(kind.name, kind)
    return found


def rejects(refused: EventRefused, *, file: str, line: int) -> list[Reject]:
    """One Reject for each problem of an event that was refused."""
    return [Reject(file, line, problem.pointer, problem.code, problem.message) for problem in refused.problems]
