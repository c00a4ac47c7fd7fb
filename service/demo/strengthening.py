"""The story of a family in Strengthening Families, with the child protection case that came before it.

Imports the demo's own modules only.  Each part of the story is a function; a flaw changes one thing in one part.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from service.demo.journal import PAPER, Journal, workday
from service.demo.people import Family

DAY = dt.timedelta(days=1)
TOLD = ["network_participation", "timeframes", "agency_role"]


@dataclass(slots=True)
class Story:
    """What the parts of the story hand on."""

    family: Family
    journal: Journal
    protection: Journal
    opened: dt.date
    ends: dt.date
    version: int = 1
    visits: list[tuple[dt.date, str]] = field(default_factory=list)

    @property
    def flaw(self) -> str:
        return self.family.flaw

    @property
    def danger(self) -> str:
        return f"{self.family.case}-d1"

    @property
    def goals(self) -> list[dict[str, Any]]:
        target = (self.opened + DAY * 200).isoformat()
        return [{"id": f"{self.family.case}-g{n}", "measure": True, "target": target, "danger_statement": self.danger} for n in (1, 2)]


def tell(family: Family, journal: Journal, protection: Journal) -> None:
    """Writes the family's whole journey, past and future alike; ``protection`` is the companion case's journal."""
    opened = workday(family.begins + DAY * journal.rng.randrange(18, 30))
    story = Story(family, journal, protection, opened, workday(family.begins + DAY * max(family.lasts, 90)))
    _before(story)
    _opening(story)
    _meetings(story)
    _contact(story)
    if family.ending == "safety_achieved":
        _final(story)
    _closing(story)


def _before(story: Story) -> None:
    """The investigation, in the child protection case, and the parents' agreement."""
    family, journal, other, flaw = story.family, story.journal, story.protection, story.flaw
    other.note("referral.received", family.begins, {"source": "police", "reason": "neglect", "children": list(family.children)})
    worker = {"id": f"demo-protection-{family.office}"}
    belongs = {"program": "child_protection", "office": family.office, "team": "protection", "worker": worker}
    other.note("case.opened", family.begins + DAY, belongs)
    if flaw != "S01_no_investigation":
        outcome = "none" if flaw == "S02_outcome_none" else other.rng.choice(("future_harm", "need_of_protection"))
        found = {"outcome": outcome, "safe_at_home": True, "performer": {**worker, "role": "investigator"}}
        other.note("investigation.completed", other.moment(story.opened - DAY * 5, 11), found)
    closed = story.opened + DAY * 45 if flaw == "S03_left_open" else story.opened
    other.note("case.closed", other.moment(workday(closed), 8, 30), {"closure_reason": "other"})
    journal.note("household.recorded", story.opened - DAY * 4, {"members": family.household})
    for parent in family.parents:
        consent: dict[str, Any] = {"person": parent, "decision": "agree", "undertaking": flaw != "S04_no_undertaking"}
        if flaw == "S04_refused" and parent == family.parents[-1]:
            consent = {"person": parent, "decision": "refuse", "undertaking": False}
        journal.note("consent.recorded", journal.moment(story.opened - DAY * 3), consent, after=dt.timedelta(hours=1))
    if flaw == "S04_refused":
        considered = {"considered": ["support_service", "statutory"], "outcome": "support_service"}
        journal.note("decision.recorded", story.opened - DAY * 2, considered)


def _opening(story: Story) -> None:
    family, journal, flaw = story.family, story.journal, story.flaw
    belongs = {"program": family.program, "office": family.office, "team": family.team, "worker": {"id": family.worker}}
    journal.note("case.opened", journal.moment(story.opened, 9, 0), belongs)
    topics = TOLD[:2] if flaw == "S06_not_told" else TOLD
    journal.note("discussion.recorded", workday(story.opened + DAY * 3), {"audience": ["parents"], "topics": topics})
    journal.note("discussion.recorded", workday(story.opened + DAY * 8), {"audience": ["network"], "topics": TOLD})
    journal.note("danger_statement.recorded", workday(story.opened + DAY * 5), {"statement": story.danger})
    risk = {"instrument": "risk_scale_1", "level": 7, "performer": family.practitioner}
    journal.note("risk.assessed", workday(story.opened + DAY * 5), risk)
    kind = "immediate" if flaw == "S14_no_comprehensive" else "comprehensive"
    plan = {"plan": f"{family.case}-sp", "version": 1, "status": "completed", "kind": kind, "immediate_risks": 3}
    content = {**plan, "participants": family.taking_part, "goals": story.goals}
    journal.note("safety_plan.recorded", workday(story.opened + DAY * 24), content)
    if flaw != "S10_no_plan":
        _agreed_plan(story)


def _agreed_plan(story: Story) -> None:
    """The family's plan with its actions; most are done in time."""
    family, journal, rng, flaw = story.family, story.journal, story.journal.rng, story.flaw
    start = workday(story.opened + DAY * 26)
    days = [workday(start + DAY * rng.randrange(20 + 25 * n, 40 + 25 * n)) for n in range(3)]
    actions: list[dict[str, Any]] = [
        {"id": f"{family.case}-a{n}", "owner": family.parents[0] if n % 2 else family.worker, "due_on": day.isoformat()}
        for n, day in enumerate(days, 1)
    ]
    if flaw == "S10_no_due_day":
        del actions[-1]["due_on"]
    journal.note("sf_plan.recorded", start, {"plan": f"{family.case}-pl", "agreed_by": [family.parents[0]], "actions": actions})
    for n, day in enumerate(days, 1):
        late = flaw == "S11_overdue" and n == 2
        if flaw == "S11_never" and n == 2:
            continue
        done = workday(day + DAY * rng.randrange(6, 25)) if late else day - DAY * rng.randrange(0, 9)
        journal.note("action.completed", done, {"action": f"{family.case}-a{n}"})
        if n == 3 and rng.random() < 0.2:
            moved = {"action": f"{family.case}-a{n}", "due_on": (day + DAY * 7).isoformat()}
            journal.note("action.rescheduled", day - DAY * 12, moved)


def _participants(story: Story, *, parent: bool = True) -> list[dict[str, str]]:
    family = story.family
    who = [{"person": f"{family.case}-n1", "role": "network"}, {"person": family.children[0], "role": "child"}]
    if story.flaw != "S15_no_professional":
        who.append({"person": f"{family.case}-t1", "role": "professional"})
    return [{"person": family.parents[0], "role": "parent"}, *who] if parent else who


def _meetings(story: Story) -> None:
    """A network meeting every five to seven weeks, the safety plan reviewed and the risk judged at each."""
    family, journal, rng = story.family, story.journal, story.journal.rng
    day, level, number = workday(story.opened + DAY * rng.randrange(15, 22)), 7, 0
    while day < story.ends - DAY * 40:
        number += 1
        meeting = f"{family.case}-m{number}"
        parent = not (story.flaw == "S07_without_parent" and number == 2)
        held = {"meeting": meeting, "final": False, "participants": _participants(story, parent=parent)}
        journal.note("network_meeting.held", journal.moment(day, 10), held)
        if day > story.opened + DAY * 28:
            journal.note("safety_plan.reviewed", journal.moment(day, 12), {"plan": f"{family.case}-sp", "meeting": meeting})
        level = max(1, level - rng.choice((0, 1, 1, 2)))
        journal.note(
            "risk.assessed", journal.moment(day, 13), {"instrument": "risk_scale_1", "level": level, "performer": family.practitioner}
        )
        journal.note("action_taken.recorded", workday(day + DAY * 2), {"kind": "plan_change", "rationale": True})
        day = workday(day + DAY * rng.randrange(35, 50))


def _contact(story: Story) -> None:
    family, journal, rng = story.family, story.journal, story.journal.rng
    day, everyone = story.opened, [*family.parents, *family.children]
    # With S16_untested nobody goes to see whether the last version of the plan holds.
    until = story.ends - DAY * (35 if story.flaw == "S16_untested" else 6)
    while (day := workday(day + DAY * rng.randrange(8, 16))) < until:
        draw = rng.random()
        seen = everyone if draw < 0.7 else [family.parents[0], family.children[-1]]
        if story.flaw == "X02_stranger_seen" and not story.visits:
            seen = [*seen, f"{family.case}-x1"]
        status = "held" if draw > 0.06 else "attempted"
        data = {"status": status, "mode": "in_person", "purpose": "ongoing", "performer": family.practitioner}
        visit = journal.note("visit.held", day, {**data, "seen": seen if status == "held" else []})
        story.visits.append((day, visit))
        if family.turn == "echo" and status == "held" and rng.random() < 0.4:
            journal.echo(visit)
    _turns(story)


def _turns(story: Story) -> None:
    family, journal = story.family, story.journal
    if family.turn == "transfer":
        moved = {"from_team": family.team, "to_team": f"{family.team}_outreach", "team": f"{family.team}_outreach"}
        journal.note("case.transferred", workday(story.opened + DAY * 70), {**moved, "worker": {"id": f"{family.worker}-b"}})
    if family.turn == "void" and len(story.visits) > 2:
        day, visit = story.visits[2]
        journal.note("event.voided", workday(day + DAY * 5), {"target": visit, "reason": "wrong_family"})
    if family.turn == "pause":
        manager = {"id": family.manager, "role": "manager"}
        paused = workday(story.opened + DAY * 48)
        journal.note("clock.paused", journal.moment(paused, 9), {"approved_by": manager, "reason": "sorry_business"})
        journal.note("clock.resumed", journal.moment(paused + DAY * 14, 9))
    if family.turn == "backlog" or story.flaw == "X01_backlog":
        for n in range(3):
            day = workday(story.opened + DAY * (28 + 10 * n))
            data = {"status": "held", "mode": "in_person", "seen": [family.parents[0]], "performer": family.practitioner}
            after = DAY * (journal.rng.randrange(15, 60) if story.flaw == "X01_backlog" else 4)
            journal.note("visit.held", day, data, source=PAPER, day_only=True, after=after)
    if story.flaw == "X02_future":
        journal.note("consultation.recorded", story.opened + DAY * 40, {"with_role": "team_leader"}, after=-DAY * 4)


def _final(story: Story) -> None:
    """From the last version of the plan to the final meeting's minutes."""
    family, journal, flaw, end = story.family, story.journal, story.flaw, story.ends
    story.version = 2
    content = {"plan": f"{family.case}-sp", "version": 2, "status": "final", "kind": "comprehensive", "immediate_risks": 0}
    if flaw == "S14_no_comprehensive":
        content["kind"] = "immediate"
    update = {**content, "participants": family.taking_part, "goals": story.goals}
    journal.note("safety_plan.updated", journal.moment(workday(end - DAY * 32), 11), update)
    for n, goal in enumerate(story.goals):
        if not (flaw == "S18_goal_open" and n == 1):
            journal.note("goal.achieved", workday(end - DAY * 20), {"plan": "safety", "goal": goal["id"]})
    if flaw != "S16_untested":
        everyone = [*family.parents, *family.children]
        visit = {"status": "held", "mode": "in_person", "purpose": "ongoing", "performer": family.practitioner, "seen": everyone}
        journal.note("visit.held", journal.moment(workday(end - DAY * 22), 15), visit)
    if flaw == "S19_no_final_meeting":
        return
    meeting, day = f"{family.case}-final", workday(end - DAY * 12)
    held = {"meeting": meeting, "final": True, "participants": _participants(story)}
    journal.note("network_meeting.held", journal.moment(day, 10), held)
    journal.note("safety_plan.reviewed", journal.moment(day, 12), {"plan": f"{family.case}-sp", "meeting": meeting})
    if flaw != "S20_no_minutes":
        plan = {"plan": f"{family.case}-sp", "version": 1 if flaw == "S21_old_plan" else 2, "status": "final"}
        minutes = {"meeting": meeting, "template": "network_meeting_minutes", "goals_achieved": True, "safety_plan": plan}
        journal.note("minutes.recorded", journal.moment(workday(day + DAY), 10), minutes)


def _closing(story: Story) -> None:
    family, journal, flaw = story.family, story.journal, story.flaw
    closed = {"closure_reason": family.ending, "performer": family.practitioner}
    # Typed in from paper, approval and closure of one day: nobody can say any more which came first.
    undated = family.turn == "undated"
    _approval(story, story.ends, flaw)
    journal.note("case.closed", journal.moment(story.ends, 15, 0), closed, day_only=undated)
    if flaw == "X02_closed_twice":
        journal.note("case.closed", journal.moment(workday(story.ends + DAY * 5), 15, 0), closed)
    if family.turn == "reopen":
        again = workday(story.ends + DAY * 20)
        journal.note("case.reopened", journal.moment(again, 9), {"closure_was_error": False, "reason": "new_concern"})
        visit = {"status": "held", "mode": "in_person", "performer": family.practitioner, "seen": [family.parents[0]]}
        journal.note("visit.held", again + DAY, visit)
        _approval(story, workday(again + DAY * 45), "")
        journal.note("case.closed", journal.moment(workday(again + DAY * 45), 15, 0), {**closed, "closure_reason": "moved"})


def _approval(story: Story, end: dt.date, flaw: str) -> None:
    """Request, consultation and approval of one closure."""
    family, journal = story.family, story.journal
    asked = workday(end - DAY * 7)
    journal.note("closure.requested", journal.moment(asked, 9), {"requested_by": {"id": family.worker}})
    if flaw != "S23_not_discussed":
        journal.note("consultation.recorded", journal.moment(asked, 11), {"with_role": "team_leader"})
    by = {"id": family.leader, "role": "team_leader"}
    if flaw == "S24_own_case":
        by = {"id": family.worker, "role": "team_leader"}
    if flaw != "S22_no_approval":
        undated = family.turn == "undated"
        day = end if undated else workday(end - DAY * 3)
        approval = journal.note("approval.granted", journal.moment(day, 10), {"of": "closure", "by": by}, day_only=undated)
        if flaw == "S22_revoked":
            journal.note("approval.revoked", journal.moment(end, 9), {"of": "closure", "approval": approval})
