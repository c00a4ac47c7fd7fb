"""What a catalogue says about the course of a case: which event closes it, reopens it, merges it, who its people are.

Another domain (permits, invoices, hospital stays) brings another catalogue, so none of these names stands in code.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Closes(_Part):
    event: str
    reason: str | None = None


class Reopens(_Part):
    event: str
    error_flag: str | None = None


class Moves(_Part):
    event: str
    attribute: str


class TeamOf(_Part):
    attribute: str
    moves: Moves | None = None


class Approval(_Part):
    event: str
    attribute: str
    value: str


class Revocation(_Part):
    event: str
    attribute: str
    names: str


class PauseEvents(_Part):
    event: str
    resumes: str
    approved_by: str
    approval: Approval | None = None
    revocation: Revocation | None = None


class Merges(_Part):
    event: str
    into: str


class Course(_Part):
    """Names of the events and attributes that make up the course of a case.  What is None does not exist in the domain."""

    closes: Closes | None = None
    reopens: Reopens | None = None
    closing_papers: frozenset[str] = frozenset()
    merges: Merges | None = None
    episode: str | None = None
    program: str | None = None
    office: str | None = None
    team: TeamOf | None = None
    pauses: PauseEvents | None = None


class RosterEvents(_Part):
    """The event that lists the people of a case; each new list replaces the one before it."""

    event: str
    list_: str = Field(alias="list")
    person: str
    role: str
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class LinkSource(_Part):
    """Where an id stands that links cases to one another (a child who is in two cases)."""

    event: str
    list_: str = Field(alias="list")
    id: str | None = None
    where: dict[str, list[str]] = Field(default_factory=dict)


class CourseOfCase(_Part):
    """Everything that the history needs to know of a domain."""

    course: Course = Course()
    roster: RosterEvents | None = None
    state: dict[str, tuple[Moves, ...]] = Field(default_factory=dict)
    links: dict[str, tuple[LinkSource, ...]] = Field(default_factory=dict)

    def naming(self, kind: str) -> tuple[tuple[str, ...], ...]:
        """Where an event of a type names the team, the office and the worker: paths for each, of which the first that is there counts."""
        known = self._naming.get(kind)
        if known is None:
            known = self._naming[kind] = tuple(self._paths(what, kind) for what in ("team", "office", "worker"))
        return known

    @cached_property
    def telling_owners(self) -> frozenset[str]:
        """The first steps of all of these paths: an event without any of them names nobody."""
        kinds = {source.event for sources in self.state.values() for source in sources}
        kinds |= {self.course.team.moves.event} if self.course.team is not None and self.course.team.moves is not None else {""}
        return frozenset(path.partition(".")[0] for kind in kinds for paths in self.naming(kind) for path in paths)

    @cached_property
    def _naming(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        return {}

    def _paths(self, what: str, kind: str) -> tuple[str, ...]:
        course = self.course
        if what == "team" and course.team is not None:
            moves = course.team.moves
            return (*((moves.attribute,) if moves is not None and moves.event == kind else ()), course.team.attribute)
        if what == "office" and course.office is not None:
            return (course.office,)
        return tuple(source.attribute for source in self.state.get(what, ()) if source.event == kind)

    @classmethod
    def of(cls, catalogue: Any) -> CourseOfCase:
        """Reads the sections of a loaded catalogue.  Raises pydantic.ValidationError."""
        return cls.model_validate(
            {
                "course": catalogue.course or {},
                "roster": catalogue.roster or None,
                "state": catalogue.state or {},
                "links": catalogue.links or {},
            }
        )


RECORD_EVENTS = frozenset({"event.voided", "event.corrected", "source.heartbeat"})
"""Events that speak about the record itself: known_at alone governs them, and they are no part of a case's course."""


def dig(data: Any, path: str) -> Any:
    """The value at a dotted path, or None where it is absent."""
    if "." not in path:
        return data.get(path) if isinstance(data, dict) else None
    for part in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data
