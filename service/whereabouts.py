"""Where a case belongs now: program, office, team and worker, for lists and limits of access.  Pure; imports rules/ and service.policies.

A finding keeps the team that owned it on its due day; this is about the case itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules.course import CourseOfCase, dig
from rules.model import CaseFile
from rules.record import Fact, standing
from service.policies.policyset import PolicySet


@dataclass(frozen=True, slots=True)
class Whereabouts:
    program: str | None = None
    office: str | None = None
    team: str | None = None
    worker: str | None = None
    withdrawn: bool = False
    """Events were filed under the case and none of them stands: all were voided.  Then nobody knows whose it is, either."""


def whereabouts(policies: PolicySet, file: CaseFile, *, now: int) -> Whereabouts:
    """What the case's own events have said last, by ``now`` (ms)."""
    group = next((group for group in policies.groups if any(event.type in group.own_types for event in file.events)), None)
    if group is None:
        return Whereabouts()
    facts, _ = standing((event for event in file.events if event.type in group.catalogue.types), now, group.catalogue)
    own = [fact for fact in facts if fact.event.case == file.case]
    if not own:
        return Whereabouts(withdrawn=_withdrawn(policies, file, now))
    past = [fact for fact in own if fact.time <= now]
    past.sort(key=lambda fact: (fact.time, fact.event.recorded, fact.event.source, fact.event.id))
    return _last(past, group.domain)


def _withdrawn(policies: PolicySet, file: CaseFile, now: int) -> bool:
    """Whether something of the case was known by ``now`` and, whatever domain it is of, stands no more."""
    told = [event for event in file.events if event.case == file.case and event.recorded <= now]
    if not any(event.type in group.own_types for group in policies.groups for event in told):
        return False
    parts = [(group.catalogue, [event for event in file.events if event.type in group.catalogue.types]) for group in policies.groups]
    return not any(fact.event.case == file.case for catalogue, part in parts for fact in standing(part, now, catalogue)[0])


def _last(facts: list[Fact], domain: CourseOfCase) -> Whereabouts:
    course = domain.course
    moves = course.team.moves if course.team is not None else None
    found: dict[str, Any] = {"program": None, "office": None, "team": None, "worker": None}
    paths = {"program": course.program, "office": course.office, "team": course.team.attribute if course.team is not None else None}
    for fact in facts:
        for name, path in paths.items():
            if path is not None and isinstance(value := dig(fact.data, path), str):
                found[name] = value
        if moves is not None and fact.event.type == moves.event and isinstance(value := dig(fact.data, moves.attribute), str):
            found["team"] = value
        for source in domain.state.get("worker", ()):
            if fact.event.type == source.event and isinstance(value := dig(fact.data, source.attribute), str):
                found["worker"] = value
    return Whereabouts(**found)
