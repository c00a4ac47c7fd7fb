"""An oracle for missing data: small cases without holes, holes made in them, and every way in which the holes may be filled.

The principle that it serves: a verdict is unknown exactly when the ways in which the missing data may turn out lead to different
verdicts.  It knows no rule.  A hole is an attribute taken away, or a moment of which only the day is left; its completions are all
values of a small domain, or moments before, between and after whatever else happened on that day.
"""

# ruff: noqa: E501  (a table of domains reads best a line each)

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

from rules.clock import Zone
from rules.model import CaseFile, Event

DAY = 86_400_000
HOUR = 3_600_000
FIRST_DAY = 739_676  # 1 March 2026

PARENT, CARER = {"person": "m1", "role": "parent"}, {"person": "f1", "role": "carer"}
CHILD, CHILD2 = {"person": "c1", "role": "child"}, {"person": "c2", "role": "child"}
NETWORK, PROFESSIONAL = {"person": "n1", "role": "network"}, {"person": "p1", "role": "professional"}
PEOPLE = ([], [PARENT], [CHILD], [PARENT, CHILD], [NETWORK], [PARENT, NETWORK], [CHILD, NETWORK], [PARENT, CHILD, NETWORK, PROFESSIONAL])
GOALS = (
    [],
    [{"id": "g1", "measure": True, "target": "2026-06-01"}],
    [{"id": "g1", "measure": False, "target": "2026-06-01"}],
    [{"id": "g1", "measure": True, "target": "2026-06-01"}, {"id": "g2", "measure": True, "target": "2026-06-01"}],
)
OWNED = ([], [{"id": "g1", "owner": "family"}], [{"id": "g1", "owner": "family"}, {"id": "g2", "owner": "practitioner"}])
TOPICS = ([], ["why_here", "what_we_do"], ["safety_concerns", "importance"], ["why_here", "what_we_do", "safety_concerns", "importance"])
COVERS = ([], ["story", "worries"], ["strengths", "hopes"], ["story", "worries", "strengths", "hopes"])

Path = tuple[str | int, ...]
Domain = Mapping[str, Sequence[Any]]
_PLAN: Domain = {
    "plan": ("sp", "sp", "sp2"),
    "version": (1, 2),
    "status": ("draft", "completed"),
    "kind": ("immediate", "comprehensive"),
    "immediate_risks": (0, 1),
    "participants": PEOPLE[:4],
    "goals": GOALS,
}
_CASE_PLAN: Domain = {"plan": ("cp",), "status": ("draft", "agreed"), "participants": PEOPLE[:3], "goals": OWNED}
_APPROVAL: Domain = {"of": ("closure", "case_plan"), "by.id": ("w1", "m9"), "by.role": ("manager", "practitioner")}

DOMAINS: Mapping[str, Domain] = {
    "referral.received": {"source": ("school",), "reason": ("neglect",), "received_by": ("pathways", "other"), "children": ([], ["c1"])},
    "referral.closed": {"outcome": ("no_service",)},
    "service.connected": {"service": ("intensive",)},
    "case.opened": {"worker.id": ("w1", "m9")},
    "case.transferred": {"worker.id": ("w1", "m9")},
    "case.closed": {"closure_reason": ("safety_achieved", "moved", "opened_in_error")},
    "case.reopened": {"closure_was_error": (True, False, False)},
    "household.recorded": {"members": ([PARENT, CHILD], [PARENT, CARER, CHILD, CHILD2], [CHILD, CHILD2], [PARENT], [])},
    "investigation.completed": {"outcome": ("future_harm", "none"), "safe_at_home": (True, False)},
    "consent.recorded": {"person": ("m1", "f1"), "decision": ("agree", "refuse"), "undertaking": (True, False)},
    "consent.excused": {"person": ("m1", "f1")},
    "discussion.recorded": {"audience": (["parents"], ["network"], ["parents", "network"]), "topics": (["network_participation", "timeframes", "agency_role"], ["timeframes"])},
    "decision.recorded": {"considered": (["support_service", "statutory"], ["statutory"])},
    "visit.held": {"status": ("held", "attempted"), "mode": ("in_person", "phone"), "seen": ([], ["c1"], ["m1"], ["c1", "c2"]), "topics": TOPICS, "covers": COVERS, "performer.id": ("w1", "w2")},
    "safety_plan.recorded": _PLAN,
    "safety_plan.updated": _PLAN,
    "safety_plan.reviewed": {"plan": ("sp",), "meeting": ("n1", "n2")},
    "case_plan.recorded": _CASE_PLAN,
    "case_plan.updated": _CASE_PLAN,
    "goal.achieved": {"plan": ("safety", "case"), "goal": ("g1", "g2")},
    "need.changed": {"plan": ("safety", "case")},
    "new_information.recorded": {},
    "snapshot.completed": {"kind": ("baseline", "follow_up"), "instrument": ("fs1", "fs2"), "performer.role": ("practitioner", "other"), "covers": (["circumstances", "stressors", "strengths"], ["strengths"])},
    "assessment.completed": {"assessment": ("as1",), "performer.role": ("practitioner", "other"), "covers": (["current_situation", "chronology", "cumulative_harm"], ["chronology"])},
    "assessment.updated": {"assessment": ("as1",)},
    "danger_statement.recorded": {"statement": ("d1",)},
    "risk.assessed": {"instrument": ("ra", "rb"), "level": (1, 2, 3)},
    "action_taken.recorded": {"kind": ("escalation",), "rationale": (True, False)},
    "network_meeting.held": {"meeting": ("n1", "n2"), "final": (True, False), "participants": PEOPLE},
    "minutes.recorded": {"meeting": ("n1", "n2"), "template": ("network_meeting_minutes", "other"), "goals_achieved": (True,), "safety_plan.plan": ("sp",), "safety_plan.status": ("final", "draft"), "safety_plan.version": (1, 2)},
    "closure.requested": {"requested_by.id": ("w1", "m9")},
    "consultation.recorded": {"with_role": ("manager", "peer")},
    "approval.granted": _APPROVAL,
    "approval.rejected": _APPROVAL,
    "approval.revoked": {"of": ("closure", "case_plan")},
    "closure_summary.completed": {"covers": (["intervention", "outcomes", "goals_achieved", "ongoing_supports"], ["outcomes"])},
}  # fmt: skip
"""What an attribute may be.  Holes are made where there is a choice of two or more."""

INNER: Mapping[tuple[str, str], Sequence[Any]] = {
    ("participants", "role"): ("parent", "child", "network", "professional"),
    ("members", "role"): ("parent", "child", "other"),
    ("goals", "measure"): (True, False),
    ("goals", "owner"): ("family", "practitioner"),
}
"""The same for attributes of the objects in a list."""


MORE: Mapping[str, Sequence[Any]] = {
    "level": (0, 4),
    "instrument": ("fs9",),
    "meeting": ("n9",),
    "goal": ("g9",),
    "person": ("z9",),
    "performer.id": ("w9",),
    "version": (0, 3),
    "safety_plan.version": (0, 3),
    "by.id": ("x7",),
    "requested_by.id": ("x7",),
    "worker.id": ("x8",),
    "goals": ([{"id": "g2", "measure": True, "target": "2026-06-01"}], [{"id": "g3", "measure": True, "target": "2026-06-01"}]),
}
"""Values that no event of a case has, and that a hole may yet stand for."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What is missing of an event: the attribute at ``path``, or (``path`` empty) the moment within its day."""

    index: int
    path: Path = ()

    @property
    def name(self) -> str:
        return ".".join(part for part in self.path if isinstance(part, str)) or "moment"


def put(data: dict[str, Any], path: Path, value: Any) -> None:
    here: Any = data
    for step in path[:-1]:
        here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
    here[path[-1]] = value


def take(data: dict[str, Any], path: Path) -> None:
    here: Any = data
    for step in path[:-1]:
        here = here[step]
    del here[path[-1]]


def an_event(rnd: random.Random, index: int, type_: str, time: int, *, source: str, program: str, case: str) -> Event:
    """An event with every attribute of its domain."""
    data: dict[str, Any] = {"program": program}
    for path, values in DOMAINS[type_].items():
        put(data, tuple(path.split(".")), copy.deepcopy(rnd.choice(list(values))))
    return Event(source, f"e{index}", type_, case, time, time, True, data)


@dataclass(frozen=True, slots=True)
class Focus:
    """What a random case is about: how likely each type of event is, and which it has in any event."""

    program: str
    weights: Mapping[str, int]
    must: tuple[str, ...] = ()
    most: int = 7
    beside: tuple[str, ...] = ()
    """Events of a child protection case of the same children."""


def a_case(rnd: random.Random, focus: Focus, zone: Zone) -> list[Event]:
    """A few events without holes, on few days, so that days collide often; no two at the same moment."""
    least = max(0, 2 - len(focus.must))
    types = [
        *focus.must,
        *rnd.choices(list(focus.weights), list(focus.weights.values()), k=rnd.randint(least, focus.most - len(focus.must))),
    ]
    days = rnd.sample((0, 1, 3, 7, 14, 21, 28, 43, 56, 57), rnd.randint(2, 5))
    minutes = rnd.sample(range(60), len(types) + len(focus.beside))
    events = []
    for index, type_ in enumerate((*types, *focus.beside)):
        time = zone.start_of(FIRST_DAY + rnd.choice(days)) + rnd.choice((9, 12, 15)) * HOUR + minutes[index] * 60_000
        source = rnd.choice(("urn:desk", "urn:desk", "urn:desk", "urn:paper"))
        own = index < len(types)
        program, case = (focus.program, "case-1") if own else ("child_protection", "case-2")
        events.append(an_event(rnd, index, type_, time, source=source, program=program, case=case))
    return events


def file_of(events: Sequence[Event]) -> CaseFile:
    """The case, with the one beside it."""
    other = tuple(event for event in events if event.case == "case-2")
    return CaseFile("case-1", tuple(e for e in events if e.case == "case-1"), {"case-2": other} if other else {})


def holes_of(event: Event, index: int) -> Iterator[Hole]:
    """Every hole that can be made in an event."""
    yield Hole(index)
    for dotted, values in DOMAINS[event.type].items():
        path = tuple(dotted.split("."))
        if len(values) > 1:
            yield Hole(index, path)
        listed = event.data.get(dotted)
        for at, element in enumerate(listed if isinstance(listed, list) else ()):
            for name, inner in INNER:
                if name == dotted and isinstance(element, dict) and inner in element:
                    yield Hole(index, (dotted, at, inner))


def punched(events: Sequence[Event], holes: Sequence[Hole], zone: Zone) -> list[Event]:
    """The case with the holes in it."""
    out = list(events)
    for hole in holes:
        event = out[hole.index]
        data = copy.deepcopy(dict(event.data))
        if hole.path:
            take(data, hole.path)
        else:
            data["occurred_on"] = f"{zone.local(event.time):%Y-%m-%d}"
        out[hole.index] = replace(event, data=data)
    return out


def completions(events: Sequence[Event], holes: Sequence[Hole], zone: Zone) -> Iterator[list[Event]]:
    """Every way in which the holes may turn out."""
    choices = [_fillings(events, hole, number, holes, zone) for number, hole in enumerate(holes)]
    for fillings in product(*choices):
        out = list(events)
        for fill, hole in zip(fillings, holes, strict=True):
            out[hole.index] = fill(out[hole.index])
        yield out


def _fillings(events: Sequence[Event], hole: Hole, number: int, holes: Sequence[Hole], zone: Zone) -> list[Callable[[Event], Event]]:
    event = events[hole.index]
    if hole.path:
        domain = DOMAINS[event.type].get(".".join(map(str, hole.path)))
        values = [*(domain if domain is not None else INNER[str(hole.path[0]), str(hole.path[-1])]), *MORE.get(hole.name, ())]
        return [_setter(hole.path, value) for value in _distinct(values)]
    return [_mover(at) for at in moments(events, hole, number, holes, zone)]


def _distinct(values: Sequence[Any]) -> list[Any]:
    return [value for index, value in enumerate(values) if value not in values[:index]]


def _setter(path: Path, value: Any) -> Callable[[Event], Event]:
    def fill(event: Event) -> Event:
        data = copy.deepcopy(dict(event.data))
        put(data, path, copy.deepcopy(value))
        return replace(event, data=data)

    return fill


def _mover(at: int) -> Callable[[Event], Event]:
    return lambda event: replace(event, time=at)


def moments(events: Sequence[Event], hole: Hole, number: int, holes: Sequence[Hole], zone: Zone) -> list[int]:
    """Moments of the day before, between and after all that happened on it; two holes of one day come in either order."""
    day = zone.day_of(events[hole.index].time)
    loose = {h.index for h in holes if not h.path}
    fixed = {e.time for i, e in enumerate(events) if i not in loose and zone.day_of(e.time) == day}
    edges = sorted({zone.start_of(day), zone.end_of(day) - 1, *fixed})
    parts = ((1, 3), (2,))[number % 2] if len(loose) > 1 else (2,)
    found = {low + (high - low) * part // 4 for low, high in pairwise(edges) for part in parts}
    return sorted(found | set(edges))
