"""Random cases for the plain model: complete data and exact moments, in any order that a year may bring.  Seeded."""

# ruff: noqa: E501  (a table of makers reads best a line each)

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.plain import Data, Told

DAY = 86_400_000
PEOPLE = {"m1": "parent", "f1": "carer", "c1": "child", "c2": "child", "n1": "network"}
BEGINNINGS = (dt.date(2026, 1, 20), dt.date(2026, 3, 2), dt.date(2026, 9, 1))
"""Of these, the second and the third run over a change of the clocks in Adelaide."""
Make = Callable[[random.Random], Data]


def some(rnd: random.Random, *words: str, least: int = 0) -> list[str]:
    return rnd.sample(words, rnd.randint(least, len(words)))


def people(rnd: random.Random) -> list[Data]:
    return [{"person": p, "role": rnd.choice((PEOPLE[p], PEOPLE[p], "family", "professional"))} for p in some(rnd, *PEOPLE)]


def performer(rnd: random.Random) -> Data:
    return {"id": rnd.choice(("w1", "w2")), "role": rnd.choice(("practitioner", "practitioner", "manager"))}


def safety_plan(rnd: random.Random) -> Data:
    goals = [{"id": goal, "measure": rnd.random() < 0.8, "target": "2026-06-01"} for goal in some(rnd, "g1", "g2")]
    return {
        "plan": rnd.choice(("sp", "sp", "sp2")), "version": rnd.randint(1, 3), "status": rnd.choice(("draft", "completed", "final")),
        "kind": rnd.choice(("immediate", "comprehensive")), "immediate_risks": rnd.randint(0, 2), "participants": people(rnd), "goals": goals,
    }  # fmt: skip


def case_plan(rnd: random.Random) -> Data:
    named = {"assessment": "as1"} if rnd.random() < 0.2 else {}
    goals = [{"id": goal, "owner": rnd.choice(("family", "practitioner"))} for goal in ("g1", "g2")]
    return {
        "plan": rnd.choice(("cp", "cp2")),
        "status": rnd.choice(("draft", "agreed")),
        "participants": people(rnd),
        "goals": goals,
        **named,
    }


def sf_plan(rnd: random.Random) -> Data:
    listed = [{"id": a, "owner": "m1", "due_on": f"2026-0{rnd.randint(3, 6)}-{rnd.randint(10, 28)}"} for a in some(rnd, "a1", "a2")]
    return {"plan": "sf", "agreed_by": some(rnd, *PEOPLE), "actions": listed}


def referral(rnd: random.Random) -> Data:
    lost = rnd.choice((None, None, None, "source", "reason"))
    data = {"source": "school", "reason": "neglect", "received_by": rnd.choice(("pathways", "other")), "children": some(rnd, "c1", "c2")}
    return {name: value for name, value in data.items() if name != lost}


def visit(rnd: random.Random) -> Data:
    return {
        "status": rnd.choice(("held", "held", "held", "attempted")), "mode": rnd.choice(("in_person", "school", "phone")), "seen": some(rnd, *PEOPLE),
        "topics": some(rnd, "why_here", "what_we_do", "safety_concerns", "importance"), "covers": some(rnd, "story", "worries", "strengths", "hopes"),
        "performer": performer(rnd),
    }  # fmt: skip


def household(rnd: random.Random) -> Data:
    members = [{"person": p, "role": PEOPLE[p]} for p in some(rnd, "m1", "f1", "c1", "c2")]
    for member in members:
        if rnd.random() < 0.15:
            member["from"] = f"2026-0{rnd.randint(2, 4)}-15"
        if rnd.random() < 0.15:
            member["to"] = f"2026-0{rnd.randint(4, 9)}-15"
    return {"members": members}


def risk(rnd: random.Random) -> Data:
    return {"instrument": rnd.choice("ab"), "level": rnd.randint(1, 3), **({"person": "c1"} if rnd.random() < 0.3 else {})}


def by(rnd: random.Random) -> Data:
    return {"id": rnd.choice(("w1", "w2", "m9")), "role": rnd.choice(("team_leader", "manager", "practitioner"))}


COURSE: dict[str, tuple[float, Make]] = {
    "case.closed": (2, lambda r: {"closure_reason": r.choice(("safety_achieved", "moved", "opened_in_error"))}),
    "case.reopened": (1.5, lambda r: {"closure_was_error": r.random() < 0.4}),
    "case.transferred": (1, lambda r: {"to_team": "b", "worker": {"id": "w2"}}),
    "household.recorded": (3, household),
    "safety_plan.recorded": (2, safety_plan),
    "safety_plan.updated": (2, safety_plan),
    "clock.paused": (0.5, lambda r: {"approved_by": {"id": "m9", "role": "manager"}}),
    "clock.resumed": (0.5, lambda r: {}),
}
CFSS = COURSE | {
    "referral.received": (3, referral),
    "referral.closed": (1, lambda r: {"outcome": "no_service"}),
    "service.connected": (2, lambda r: {"service": "intensive"}),
    "visit.held": (10, visit),
    "case_plan.recorded": (1.5, case_plan),
    "case_plan.updated": (1.5, case_plan),
    "goal.achieved": (2, lambda r: {"plan": r.choice(("safety", "case")), "goal": "g1"}),
    "need.changed": (1, lambda r: r.choice(({}, {"plan": "safety"}, {"plan": "case"}))),
    "new_information.recorded": (1, lambda r: {}),
    "snapshot.completed": (3, lambda r: {"kind": r.choice(("baseline", "follow_up")), "instrument": r.choice("ab"), "performer": performer(r), "covers": some(r, "circumstances", "stressors", "strengths", least=2)}),
    "assessment.completed": (2, lambda r: {"assessment": "as1", "performer": performer(r), "covers": some(r, "current_situation", "chronology", "cumulative_harm", least=2)}),
    "assessment.updated": (1, lambda r: {"assessment": "as1"}),
    "closure_summary.completed": (2, lambda r: {"covers": some(r, "intervention", "outcomes", "goals_achieved", "ongoing_supports", least=3)}),
}  # fmt: skip
STRENGTHENING = COURSE | {
    "case.opened": (3, lambda r: {"worker": {"id": "w1"}}),
    "investigation.completed": (2, lambda r: {"outcome": r.choice(("future_harm", "need_of_protection", "none")), "safe_at_home": r.random() < 0.8}),
    "consent.recorded": (5, lambda r: {"person": r.choice(("m1", "f1")), "decision": r.choice(("agree", "agree", "refuse", "withdraw")), "undertaking": r.random() < 0.8}),
    "consent.excused": (0.5, lambda r: {"person": r.choice(("m1", "f1")), "approved_by": {"id": "m9", "role": "manager"}}),
    "decision.recorded": (2, lambda r: {"considered": some(r, "support_service", "statutory", least=1)}),
    "visit.held": (3, visit),
    "safety_plan.reviewed": (3, lambda r: {"plan": "sp", "meeting": r.choice(("n1", "n2"))}),
    "sf_plan.recorded": (2, sf_plan),
    "sf_plan.updated": (1, sf_plan),
    "goal.achieved": (3, lambda r: {"plan": r.choice(("safety", "safety", "case")), "goal": r.choice(("g1", "g2"))}),
    "action.completed": (2, lambda r: {"action": r.choice(("a1", "a2"))}),
    "action.rescheduled": (1, lambda r: {"action": r.choice(("a1", "a2")), "due_on": "2026-05-20"}),
    "risk.assessed": (5, risk),
    "action_taken.recorded": (4, lambda r: {"kind": "escalation", "rationale": r.random() < 0.8}),
    "network_meeting.held": (4, lambda r: {"meeting": r.choice(("n1", "n2", "n3")), "final": r.random() < 0.5, "participants": people(r)}),
    "closure.requested": (1, lambda r: {"requested_by": {"id": r.choice(("w1", "w2"))}}),
    "consultation.recorded": (1, lambda r: {"with_role": r.choice(("manager", "peer", "team_leader"))}),
    "approval.granted": (3, lambda r: {"of": r.choice(("closure", "closure", "closure", "assessment")), "by": by(r)}),
    "approval.rejected": (1, lambda r: {"of": r.choice(("closure", "assessment")), "by": by(r)}),
    "approval.revoked": (1, lambda r: {"of": "closure", "approval": f"e{r.randint(0, 30)}"}),
}  # fmt: skip


def instant(zone: ZoneInfo, day: dt.date, hour: int, minute: int = 0, second: int = 0) -> int:
    """UTC ms of a local time."""
    return int(dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).timestamp() * 1000)


def make(rnd: random.Random, makers: dict[str, tuple[float, Make]], program: str, zone: ZoneInfo) -> tuple[list[Told], int, int]:
    """Events of one case, and an ``as_of`` and ``known_at`` (ms) to judge it at."""
    begin, events = rnd.choice(BEGINNINGS), []
    kinds = rnd.choices(list(makers), [weight for weight, _ in makers.values()], k=rnd.randint(4, 34))
    for number, kind in enumerate(kinds):
        day = rnd.randint(20, 140) if kind in ("case.closed", "case.reopened") else int(rnd.betavariate(1.2, 2) * 130)
        time = instant(zone, begin + dt.timedelta(day), rnd.choice((0, 0, 9, 10, 15, 23)), rnd.choice((0, 30, 59)), number)
        events.append(
            Told(f"e{number}", kind, time, time + rnd.choice((0, 0, 0, 1, 3, 12, 40)) * DAY, {**makers[kind][1](rnd), "program": program})
        )
    for number in range(rnd.choice((0, 0, 1, 2, 4))):
        target = rnd.choice(events)
        at = target.recorded + rnd.randint(0, 30) * DAY
        if target.type == "event.voided" or (target.type != "event.corrected" and rnd.random() < 0.5):
            events.append(Told(f"r{number}", "event.voided", at, at, {"target": target.id}))
        elif target.type != "event.corrected":
            to = instant(zone, begin + dt.timedelta(rnd.randint(0, 100)), 11)
            events.append(Told(f"r{number}", "event.corrected", at, at, {"target": target.id, "set": {"time": to}}))
    as_of = instant(zone, begin + dt.timedelta(rnd.randint(5, 220)), rnd.choice((0, 12, 23)), 59)
    return events, as_of, as_of if rnd.random() < 0.5 else as_of + 400 * DAY


def core_data(told: Told) -> dict[str, Any]:
    """The data of an event as the core takes it."""
    if told.type != "event.corrected":
        return told.data
    at = dt.datetime.fromtimestamp(told.data["set"]["time"] / 1000, dt.UTC).isoformat()
    return {**told.data, "set": {"time": at}}
