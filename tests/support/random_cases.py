"""Random cases for property tests and fuzzes: any event of the catalogue, plausible or not, with holes, day-only times, voids,
corrections, pauses, merges and quiet sources.  Seeded: the same seed gives the same case on every machine."""

# ruff: noqa: E501  (a table of makers reads best a line each)

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from rules.clock import zone
from rules.model import CaseFile, Event, Heartbeat

DAY = 86_400_000
ADELAIDE = zone("Australia/Adelaide")
START = ADELAIDE.start_of(739_676)  # 2 March 2026
SOURCES = ("urn:desk", "urn:paper")
PEOPLE = ("m1", "f1", "c1", "c2", "n1")
ROLES = {"m1": "parent", "f1": "carer", "c1": "child", "c2": "child", "n1": "network"}

Make = Callable[[random.Random], dict[str, Any]]


def _some(rnd: random.Random, words: tuple[str, ...], least: int = 0) -> list[str]:
    return rnd.sample(words, rnd.randint(least, len(words)))


def _participants(rnd: random.Random) -> list[dict[str, Any]]:
    return [_thin(rnd, {"person": person, "role": rnd.choice((ROLES[person], "family", "professional"))}) for person in _some(rnd, PEOPLE)]


def _goals(rnd: random.Random) -> list[dict[str, Any]]:
    makers = [
        {"id": goal, "measure": rnd.random() < 0.8, "target": "2026-06-01", "danger_statement": "d1"} for goal in _some(rnd, ("g1", "g2"))
    ]
    return [_thin(rnd, goal) for goal in makers]


def _case_goals(rnd: random.Random) -> list[dict[str, Any]]:
    return [_thin(rnd, {"id": goal, "owner": rnd.choice(("family", "practitioner"))}) for goal in _some(rnd, ("g1", "g2"))]


def _thin(rnd: random.Random, data: dict[str, Any], loss: float = 0.06) -> dict[str, Any]:
    return {key: value for key, value in data.items() if rnd.random() >= loss}


def _plan(rnd: random.Random) -> dict[str, Any]:
    return {
        "plan": rnd.choice(("sp", "sp", "sp2")), "version": rnd.randint(1, 3), "status": rnd.choice(("draft", "completed", "final")),
        "kind": rnd.choice(("immediate", "comprehensive")), "immediate_risks": rnd.randint(0, 2), "participants": _participants(rnd), "goals": _goals(rnd),
    }  # fmt: skip


def _case_plan(rnd: random.Random) -> dict[str, Any]:
    named = {"assessment": "as1"} if rnd.random() < 0.2 else {}
    return {"plan": "cp", "status": rnd.choice(("draft", "agreed")), "participants": _participants(rnd), "goals": _case_goals(rnd), **named}


def _actions(rnd: random.Random) -> dict[str, Any]:
    listed = [
        _thin(rnd, {"id": name, "owner": "m1", "due_on": f"2026-0{rnd.randint(3, 6)}-{rnd.randint(10, 28)}"})
        for name in _some(rnd, ("a1", "a2"))
    ]
    return {"plan": "sf", "agreed_by": _some(rnd, PEOPLE), "actions": listed}


def _visit(rnd: random.Random) -> dict[str, Any]:
    return {
        "status": rnd.choice(("held", "held", "held", "attempted")), "mode": rnd.choice(("in_person", "school", "phone")), "seen": _some(rnd, PEOPLE),
        "topics": _some(rnd, ("why_here", "what_we_do", "safety_concerns", "importance")), "covers": _some(rnd, ("story", "worries", "strengths", "hopes")),
        "performer": {"id": rnd.choice(("w1", "w2")), "role": "practitioner"},
    }  # fmt: skip


def _by(rnd: random.Random) -> dict[str, Any]:
    return _thin(rnd, {"id": rnd.choice(("w1", "m9")), "role": rnd.choice(("team_leader", "manager", "practitioner"))})


def _members(rnd: random.Random) -> dict[str, Any]:
    lines = []
    for person in _some(rnd, PEOPLE[:4], 1):
        line = _thin(rnd, {"person": person, "role": ROLES[person]}, 0.02)
        if rnd.random() < 0.15:
            line["from"] = f"2026-0{rnd.randint(2, 4)}-15"
        if rnd.random() < 0.15:
            line["to"] = f"2026-0{rnd.randint(4, 7)}-15"
        lines.append(line)
    return {"members": lines}


MAKERS: dict[str, tuple[int, Make]] = {
    "referral.received": (3, lambda r: {"source": "school", "reason": "neglect", "received_by": r.choice(("pathways", "other")), "children": _some(r, ("c1", "c2"))}),
    "referral.closed": (1, lambda r: {"outcome": "no_service"}),
    "service.connected": (3, lambda r: {"service": "intensive", "program": "cfss"}),
    "case.opened": (3, lambda r: {"worker": {"id": "w1"}, "program": "strengthening_families"}),
    "case.closed": (3, lambda r: {"closure_reason": r.choice(("safety_achieved", "safety_achieved", "moved", "opened_in_error"))}),
    "case.reopened": (1, lambda r: {"closure_was_error": r.random() < 0.3}),
    "case.transferred": (1, lambda r: {"to_team": r.choice(("a", "b")), "worker": {"id": "w2"}}),
    "household.recorded": (3, _members),
    "investigation.completed": (2, lambda r: {"outcome": r.choice(("future_harm", "none")), "safe_at_home": r.random() < 0.8}),
    "consent.recorded": (4, lambda r: {"person": r.choice(("m1", "f1")), "decision": r.choice(("agree", "agree", "refuse", "withdraw")), "undertaking": r.random() < 0.8}),
    "consent.excused": (1, lambda r: {"person": r.choice(("m1", "f1"))}),
    "discussion.recorded": (2, lambda r: {"audience": _some(r, ("parents", "network")), "topics": _some(r, ("network_participation", "timeframes", "agency_role"))}),
    "decision.recorded": (1, lambda r: {"considered": _some(r, ("support_service", "statutory"))}),
    "visit.held": (10, _visit),
    "safety_plan.recorded": (3, _plan),
    "safety_plan.updated": (3, _plan),
    "safety_plan.reviewed": (2, lambda r: {"plan": "sp", "meeting": r.choice(("n1", "n2"))}),
    "case_plan.recorded": (2, _case_plan),
    "case_plan.updated": (1, _case_plan),
    "sf_plan.recorded": (2, _actions),
    "sf_plan.updated": (1, _actions),
    "goal.achieved": (3, lambda r: {"plan": r.choice(("safety", "case")), "goal": r.choice(("g1", "g2"))}),
    "need.changed": (1, lambda r: {"plan": r.choice(("safety", "case"))}),
    "new_information.recorded": (1, lambda r: {}),
    "action.completed": (2, lambda r: {"action": r.choice(("a1", "a2"))}),
    "action.rescheduled": (1, lambda r: {"action": "a1", "due_on": "2026-05-20"}),
    "snapshot.completed": (3, lambda r: {"kind": r.choice(("baseline", "follow_up")), "instrument": "fs1", "performer": {"role": "practitioner"}, "covers": _some(r, ("circumstances", "stressors", "strengths"), 2)}),
    "assessment.completed": (2, lambda r: {"assessment": "as1", "performer": {"role": "practitioner"}, "covers": _some(r, ("current_situation", "chronology", "cumulative_harm"), 2)}),
    "assessment.updated": (1, lambda r: {"assessment": "as1"}),
    "danger_statement.recorded": (1, lambda r: {"statement": "d1"}),
    "risk.assessed": (2, lambda r: {"instrument": "ra", "level": r.randint(1, 3)}),
    "action_taken.recorded": (1, lambda r: {"kind": "escalation", "rationale": r.random() < 0.8}),
    "network_meeting.held": (3, lambda r: {"meeting": r.choice(("n1", "n2")), "final": r.random() < 0.5, "participants": _participants(r)}),
    "minutes.recorded": (2, lambda r: {"meeting": r.choice(("n1", "n2")), "template": "network_meeting_minutes", "goals_achieved": True, "safety_plan": {"plan": "sp", "version": r.randint(1, 3), "status": "final"}}),
    "closure.requested": (1, lambda r: {"requested_by": {"id": "w1"}}),
    "consultation.recorded": (1, lambda r: {"with_role": r.choice(("manager", "peer"))}),
    "approval.granted": (3, lambda r: {"of": r.choice(("closure", "closure", "pause")), "by": _by(r)}),
    "approval.rejected": (1, lambda r: {"of": "closure", "by": _by(r)}),
    "approval.revoked": (1, lambda r: {"of": "closure"}),
    "closure_summary.completed": (2, lambda r: {"covers": _some(r, ("intervention", "outcomes", "goals_achieved", "ongoing_supports"), 3)}),
    "supervision.held": (1, lambda r: {"kind": r.choice(("clinical", "cultural"))}),
    "clock.paused": (1, lambda r: {"approved_by": {"id": "m9"}} if r.random() < 0.6 else {}),
    "clock.resumed": (1, lambda r: {}),
}  # fmt: skip
_TYPES = tuple(MAKERS)
_WEIGHTS = tuple(weight for weight, _ in MAKERS.values())


def random_event(rnd: random.Random, index: int, case: str = "case-1") -> Event:
    kind = rnd.choices(_TYPES, _WEIGHTS)[0]
    data = _thin(rnd, MAKERS[kind][1](rnd))
    day = int(rnd.betavariate(1.2, 2.0) * 130) if kind not in ("case.closed", "case.reopened") else rnd.randint(30, 140)
    time = ADELAIDE.start_of(ADELAIDE.day_of(START) + day) + rnd.choice((0, 9, 9, 12, 15, 23)) * 3_600_000
    if rnd.random() < 0.12:
        data["occurred_on"] = f"{ADELAIDE.local(time):%Y-%m-%d}"
    if rnd.random() < 0.02:
        data["episode"] = rnd.choice(("E1", "E2"))
    recorded = time + rnd.choice((0, 0, 0, 1, 3, 12, 40)) * DAY
    return Event(rnd.choice(SOURCES[:1] * 4 + SOURCES[1:]), f"e{index}", kind, case, time, recorded, rnd.random() < 0.9, data)


def random_case(rnd: random.Random, *, case: str = "case-1", least: int = 5, most: int = 36) -> list[Event]:
    """Events of one case; a tenth of them speak about others (voids and corrections)."""
    events = [random_event(rnd, index, case) for index in range(rnd.randint(least, most))]
    if rnd.random() < 0.9:
        program = rnd.choice(("cfss", "cfss", "strengthening_families", "other"))
        events[0] = Event(
            events[0].source,
            events[0].id,
            events[0].type,
            case,
            events[0].time,
            events[0].recorded,
            True,
            {**events[0].data, "program": program},
        )
    for index in range(rnd.choice((0, 0, 1, 2, 4))):
        target = rnd.choice(events)
        recorded = target.recorded + rnd.randint(0, 30) * DAY
        if target.type == "event.voided" or rnd.random() < 0.5:
            events.append(Event(target.source, f"r{index}", "event.voided", case, recorded, recorded, True, {"target": target.id}))
        elif target.type != "event.corrected":
            changes: dict[str, Any] = rnd.choice(
                ({"occurred_on": "2026-04-06"}, {"time": "2026-03-20T09:00:00+10:30"}, {"status": "held"}, {"team": "b"})
            )
            events.append(
                Event(target.source, f"r{index}", "event.corrected", case, recorded, recorded, True, {"target": target.id, "set": changes})
            )
    return events


def random_file(rnd: random.Random) -> CaseFile:
    """A case, sometimes with a child protection case of the same child, a merged one, and heartbeats."""
    events = random_case(rnd)
    linked: dict[str, tuple[Event, ...]] = {}
    if rnd.random() < 0.3:
        other = random_case(rnd, case="case-2", most=8)
        first = other[0]
        other[0] = Event(
            first.source, first.id, first.type, "case-2", first.time, first.recorded, True, {**first.data, "program": "child_protection"}
        )
        linked["case-2"] = tuple(Event(e.source, f"x{e.id}", e.type, e.case, e.time, e.recorded, e.recorded_given, e.data) for e in other)
        if rnd.random() < 0.3:
            at = START + rnd.randint(10, 120) * DAY
            linked["case-2"] += (Event(SOURCES[0], "xm", "case.merged", "case-2", at, at, True, {"into": "case-1"}),)
    beats = tuple(Heartbeat(source, at := START + rnd.randint(0, 140) * DAY, at) for source in SOURCES if rnd.random() < 0.25)
    return CaseFile("case-1", tuple(events), linked, beats)


PARAMETERS = {
    "cfss": {"referral_outcome_days": 14, "household_days": 10, "plan_update_days": 14, "assessment_update_days": 21, "family_contact_days": 14, "child_contact_days": 21},
    "strengthening_families": {
        "refusal_decision_days": 10, "discussion_days": 28, "meeting_review_days": 7, "review_days": 30, "risk_action_days": 5, "danger_statement_days": 14,
        "comprehensive_plan_days": 60, "drift_days": 21,
    },
    "record_quality": {},
}  # fmt: skip
