"""A seeded population of plain cfss cases of about 30 events, for benchmarks.  Made up; clean enough for a hand-written judge."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rules.clock import zone
from rules.model import CaseFile, Event

DAY, HOUR = 86_400_000, 3_600_000
_ZONE = zone("Australia/Adelaide")
FIRST_DAY = 739_676
"""2 March 2026, as an ordinal."""


def plain_case(seed: int, *, case: str = "case-1") -> CaseFile:
    """One family's case: always the same for a seed."""
    rnd = random.Random(seed)
    events: list[Event] = []

    def add(kind: str, day: int, data: dict[str, Any], hour: int = 9) -> None:
        time = _ZONE.start_of(FIRST_DAY + day) + hour * HOUR
        events.append(Event("urn:bench", f"{case}-{len(events)}", kind, case, time, time + rnd.randint(0, 9) * DAY, True, data))

    def maybe(share: float) -> bool:
        return rnd.random() < share

    people = [{"person": "m1", "role": "parent"}, {"person": "c1", "role": "child"}]
    received_by = "pathways" if maybe(0.9) else "desk"
    add("referral.received", -rnd.randint(1, 9), {"source": "school", "reason": "neglect", "received_by": received_by, "children": ["c1"]})
    add("service.connected", 0, {"program": "cfss", "service": "intensive"})
    add("household.recorded", 0, {"members": people}, 10)
    day = rnd.randint(0, 3)
    for number in range(15):
        status, mode = ("held", "in_person") if maybe(0.85) else rnd.choice((("attempted", "in_person"), ("held", "phone")))
        add(
            "visit.held",
            day,
            {"status": status, "mode": mode, "seen": ["m1", "c1"], "topics": ["why_here"], "covers": ["story"]},
            11 + number % 4,
        )
        day += rnd.randint(4, 10)
    for version in range(1, rnd.randint(2, 4)):
        status = "completed" if version > 1 or maybe(0.5) else "draft"
        plan = {
            "plan": "sp",
            "version": version,
            "status": status,
            "immediate_risks": int(maybe(0.9)),
            "participants": people if maybe(0.9) else people[:1],
            "goals": [{"id": "g1", "measure": maybe(0.9), "target": "2026-06-01"}],
        }
        add("safety_plan.recorded" if version == 1 else "safety_plan.updated", rnd.randint(2, 20) + 20 * version - 20, plan, 15)
    complete = ["circumstances", "stressors", "strengths"]
    practitioner = {"id": "w1", "role": "practitioner"}
    if maybe(0.9):
        add(
            "snapshot.completed",
            rnd.randint(25, 50),
            {"kind": "baseline", "instrument": "fs1", "performer": practitioner, "covers": complete},
        )
    if maybe(0.9):
        add("assessment.completed", rnd.randint(38, 62), {"assessment": "as1", "performer": practitioner, "covers": ["current_situation"]})
    if maybe(0.9):
        add(
            "case_plan.recorded",
            rnd.randint(40, 64),
            {"plan": "cp", "status": "agreed", "participants": people, "goals": [{"id": "h", "owner": "family"}]},
        )
    for _ in range(3):
        add("new_information.recorded", rnd.randint(30, 100), {})
    add("goal.achieved", rnd.randint(60, 100), {"plan": "safety", "goal": "g1"})
    if maybe(0.5):
        end = rnd.randint(day, day + 20)
        if maybe(0.8):
            add("closure_summary.completed", end - rnd.randint(-3, 2), {"covers": ["intervention", "outcomes"]})
        if maybe(0.7):
            add(
                "snapshot.completed",
                end - rnd.randint(-2, 1),
                {"kind": "follow_up", "instrument": "fs1", "performer": practitioner, "covers": complete},
            )
        add("case.closed", end, {"closure_reason": "moved"}, 16)
    return CaseFile(case, tuple(events))


def awkward_case(seed: int, *, case: str = "case-1") -> CaseFile:
    """A case as `plain_case` makes them, with one thing that hand-written code for plain cases does not know; the kinds take turns."""
    rnd = random.Random(seed)
    events = list(plain_case(seed, case=case).events)
    add, change = AWKWARD[seed % len(AWKWARD)]
    at = rnd.randrange(3, len(events))
    if change is not None:
        events[at] = replace(events[at], data={**events[at].data, **change(events[at])})
        events[at] = replace(events[at], data={name: value for name, value in events[at].data.items() if value is not None})
    for number, (kind, days, data) in enumerate(add):
        target = events[at]
        time = target.time + days * DAY + HOUR
        source = target.source if kind.startswith("event.") else "urn:bench"
        told = {name: target.id if value == "@target" else value for name, value in data.items()}
        events.append(Event(source, f"{case}-a{number}", kind, case, time, time + HOUR, True, told))
    return CaseFile(case, tuple(events))


_Added = tuple[tuple[str, int, dict[str, Any]], ...]
AWKWARD: tuple[tuple[_Added, Callable[[Event], dict[str, Any]] | None], ...] = (
    ((("event.voided", 2, {"target": "@target"}),), None),
    ((("event.corrected", 2, {"target": "@target", "set": {"occurred_on": "2026-03-20"}}),), None),
    ((("clock.paused", 1, {"approved_by": {"id": "m9"}}), ("clock.resumed", 15, {})), None),
    ((("case.closed", 5, {"closure_reason": "moved"}), ("case.reopened", 9, {"closure_was_error": False})), None),
    ((("case.closed", 5, {"closure_reason": "moved"}), ("visit.held", 60, {"status": "held", "mode": "in_person", "seen": ["c1"]})), None),
    ((), lambda _: dict.fromkeys(("status", "mode", "kind", "participants"))),
    ((), lambda event: {"occurred_on": _ZONE.local(event.time).date().isoformat()}),
    ((("case.transferred", 3, {"to_team": "b"}),), lambda _: {"team": "a"}),
    ((("household.recorded", 3, {"members": [{"person": "m1", "role": "parent"}]}),), None),
    ((("visit.held", 0, {"status": "held", "mode": "in_person", "seen": ["c1"], "episode": "E1"}),), None),
)
"""What is added after an event (type, days later, data), and what of the event itself is changed (None: left out)."""
