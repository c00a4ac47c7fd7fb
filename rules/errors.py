"""The errors of the pure core.  Each carries where it was found, so that a person can go and mend it."""

from __future__ import annotations

from dataclasses import dataclass


class RulesError(Exception):
    """Root of everything that rules/ raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a text that a person wrote: `file:line:col CODE message`.

    ``line`` and ``col`` count from 1; 0 means that the place is the whole file.
    """

    file: str
    line: int
    col: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col} {self.code} {self.message}"


class PolicyError(RulesError):
    """A policy, catalogue, calendar or test file that cannot be used.  All faults at once, never only the first."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in an event that somebody sent: ``pointer`` is an RFC 6901 JSON pointer into what they sent."""

    pointer: str
    code: str
    message: str


class EventRefused(RulesError):
    """An event that cannot be taken in, with every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.pointer or '/'}: {p.message}" for p in problems))
        self.problems = problems


class ParameterError(RulesError):
    """A policy parameter that does not exist, or a value that it cannot take."""


class EngineError(RulesError):
    """A decider did not give exactly one verdict for each obligation: nothing that it said is used."""
