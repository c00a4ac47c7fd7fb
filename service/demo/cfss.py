"""The story of a family in the Child and Family Support System, as the client systems of a made-up agency record it.

Imports the demo's own modules only.  Each part of the story is a function; a flaw changes one thing in one part.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from service.demo.flaws import RETURN_TURN
from service.demo.journal import OUTREACH, PAPER, Journal, workday
from service.demo.people import Family

DAY = dt.timedelta(days=1)
SNAPSHOT = ["circumstances", "stressors", "strengths"]
ASSESSMENT = ["current_situation", "chronology", "cumulative_harm"]
SUMMARY = ["intervention", "outcomes", "goals_achieved", "ongoing_supports"]


@dataclass(slots=True)
class Story:
    """What the parts of the story hand on."""

    family: Family
    journal: Journal
    connected: dt.date
    ends: dt.date
    visits: list[tuple[dt.date, str]] = field(default_factory=list)

    @property
    def flaw(self) -> str:
        return self.family.flaw


def tell(family: Family, journal: Journal) -> None:
    """Writes the whole journey of the family into the journal, past and future alike."""
    if family.turn == "outreach":
        journal.source = OUTREACH
    rng = journal.rng
    connected = workday(family.begins + DAY * rng.randrange(3, 11))
    story = Story(family, journal, connected, workday(family.begins + DAY * family.lasts))
    _intake(story)
    _first_visits(story)
    if story.ends > connected + DAY * 70:
        _understanding(story)
        _working(story)
    _closing(story)
    if family.turn == RETURN_TURN:
        _again(story)


def _again(story: Story) -> None:
    """Some months after the closure the family is referred anew, and another episode begins."""
    family, journal = story.family, story.journal
    later = replace(family, begins=workday(story.ends + DAY * 75), lasts=210, turn="")
    second = Story(later, journal, workday(later.begins + DAY * 6), workday(later.begins + DAY * later.lasts))
    _intake(second)
    _first_visits(second)
    _understanding(second)
    _working(second)
    _closing(second)


def _intake(story: Story) -> None:
    family, journal = story.family, story.journal
    referral: dict[str, Any] = {
        "source": journal.rng.choice(("school", "police", "health", "child_protection", "self")),
        "children": list(family.children),
        "received_by": "other_desk" if story.flaw == "C02_other_desk" else "pathways",
    }
    if story.flaw != "C01_no_reason":
        referral["reason"] = journal.rng.choice(("neglect", "violence", "substance_use", "homelessness", "isolation"))
    journal.note("referral.received", family.begins, referral)
    start = journal.moment(story.connected, 9, 0)
    belongs = {"program": family.program, "office": family.office, "team": family.team}
    journal.note("case.opened", start, {**belongs, "worker": {"id": family.worker}})
    connection = {**belongs, "service": "intensive", "performer": family.practitioner}
    journal.note("service.connected", start + dt.timedelta(minutes=10), connection)
    journal.note("household.recorded", start + dt.timedelta(minutes=40), {"members": family.household})


def _visit(story: Story, day: dt.date, *, seen: list[str], status: str = "held", hour: int | None = None, **more: Any) -> str:
    when = story.journal.moment(day, hour)
    data = {"status": status, "mode": "in_person", "performer": story.family.practitioner, "seen": seen, "topics": [], "covers": []}
    return story.journal.note("visit.held", when, {**data, **more})


def _first_visits(story: Story) -> None:
    family, rng, flaw = story.family, story.journal.rng, story.flaw
    everyone = [*family.parents, *family.children]
    without_last = everyone[:-1]
    first = workday(story.connected + DAY * rng.randrange(1, 8))
    if rng.random() < 0.25:
        _visit(story, first, seen=[], status="attempted")
        first = workday(first + DAY * rng.randrange(2, 6))
    second = workday(first + DAY * rng.randrange(5, 10))
    third = workday(second + DAY * rng.randrange(5, 12))
    _visit(story, first, seen=without_last, purpose="engagement", topics=["why_here", "what_we_do"], covers=["story"], hour=10)
    topics = ["safety_concerns"] if flaw == "C06_topic_left_out" else ["safety_concerns", "importance"]
    _visit(story, second, seen=without_last, purpose="engagement", topics=topics, covers=["worries", "strengths"], hour=11)
    last_seen = without_last if flaw in ("C05_child_late", "C05_child_never") else everyone
    _visit(story, third, seen=last_seen, purpose="engagement", covers=[] if flaw == "C07_hopes_left_out" else ["hopes"], hour=14)
    story.visits = [(day, "") for day in (first, second, third)]
    if flaw != "C08_missing":
        planned = {"C08_late": third + DAY * rng.randrange(3, 30), "C28_plan_first": story.connected}.get(flaw)
        _safety_plan(story, workday(planned or rng.choice((second + DAY * 2, third, third - DAY))))
    if flaw == "X02_stranger_seen":
        _visit(story, workday(third + DAY * 4), seen=[*everyone, f"{family.case}-x1"])
    if flaw == "X02_future":
        story.journal.note("supervision.held", third + DAY * 9, {"kind": "clinical"}, after=-DAY * 5)


def _safety_plan(story: Story, day: dt.date) -> None:
    family, flaw = story.family, story.flaw
    content: dict[str, Any] = {
        "plan": f"{family.case}-sp",
        "kind": "immediate",
        "immediate_risks": story.journal.rng.randrange(1, 5),
        "participants": family.taking_part[:1] if flaw == "C09_no_child" else family.taking_part,
        "goals": [
            {"id": f"{family.case}-g{n}", "measure": flaw != "C10_unmeasured", "target": (day + DAY * 60 * n).isoformat()} for n in (1, 2)
        ],
    }
    if day > story.connected + DAY * 3:
        story.journal.note("safety_plan.recorded", story.journal.moment(day - DAY * 2, 16), {**content, "version": 0, "status": "draft"})
    # On the day of the third visit the plan is written afterwards.
    hour = 8 if flaw == "C28_plan_first" else 16
    story.journal.note("safety_plan.recorded", story.journal.moment(day, hour, 30), {**content, "version": 1, "status": "completed"})


def _understanding(story: Story) -> None:
    family, journal, rng, flaw = story.family, story.journal, story.journal.rng, story.flaw
    anchor = story.visits[0][0]
    snapshot_day = workday(anchor + DAY * (rng.randrange(46, 70) if flaw == "C12_late" else rng.randrange(18, 36)))
    if family.turn == "late_approval":
        snapshot_day = _paused_without_approval(story, anchor)
    if flaw == "C12_backdated":
        _backdated_snapshot(story, anchor)
    elif flaw != "C12_missing":
        aide = {"id": f"{family.worker}-aide", "role": "case_aide"}
        performer = aide if flaw == "C13_by_aide" else family.practitioner
        content = {"kind": "baseline", "instrument": "family_snapshot_1", "performer": performer, "covers": SNAPSHOT}
        snapshot = journal.note("snapshot.completed", snapshot_day, content)
        if family.turn == "correct":
            fixed = {"occurred_on": (snapshot_day - DAY).isoformat()}
            journal.note("event.corrected", snapshot_day + DAY * 4, {"target": snapshot, "set": fixed, "reason": "wrong_day"})
    assessed = workday(anchor + DAY * (rng.randrange(59, 80) if flaw == "C14_late" else rng.randrange(40, 50)))
    covers = ASSESSMENT[:2] if flaw == "C15_incomplete" else ASSESSMENT
    content = {"assessment": f"{family.case}-as1", "performer": family.practitioner, "covers": covers}
    if flaw != "C14_missing":
        journal.note("assessment.completed", journal.moment(assessed, 10), content)
    if flaw != "C17_missing":
        _case_plan(story, anchor, assessed)


def _paused_without_approval(story: Story, anchor: dt.date) -> dt.date:
    """The family is away; the pause is approved only when the snapshot is overdue.  Gives the day of the snapshot."""
    family, journal = story.family, story.journal
    journal.note("clock.paused", journal.moment(anchor + DAY * 30, 9), {"reason": "family_away"})
    journal.note("clock.resumed", journal.moment(anchor + DAY * 47, 9))
    by = {"id": family.manager, "role": "manager"}
    journal.note("approval.granted", journal.moment(workday(anchor + DAY * 49), 9), {"of": "pause", "by": by})
    return workday(anchor + DAY * 51)


def _backdated_snapshot(story: Story, anchor: dt.date) -> None:
    """Done too late, and said to have been done in time when somebody noticed."""
    done = workday(anchor + DAY * 55)
    content = {"kind": "baseline", "instrument": "family_snapshot_1", "performer": story.family.practitioner, "covers": SNAPSHOT}
    snapshot = story.journal.note("snapshot.completed", done, content)
    earlier = story.journal.moment(workday(anchor + DAY * 38)).isoformat()
    story.journal.note("event.corrected", done + DAY * 12, {"target": snapshot, "set": {"time": earlier}, "reason": "wrong_day"})


def _case_plan(story: Story, anchor: dt.date, assessed: dt.date) -> None:
    family, journal, flaw = story.family, story.journal, story.flaw
    agreed = workday(assessed + DAY * journal.rng.randrange(1, 3))
    if flaw == "C17_late":
        agreed = workday(anchor + DAY * journal.rng.randrange(60, 90))
    elif flaw in ("C14_late", "C14_missing"):
        agreed = workday(anchor + DAY * 52)
    elif flaw == "C18_plan_before_assessment":
        agreed = workday(anchor + DAY * 33)
    owners = ("family", "family") if flaw == "C19_one_sided" else ("family", "practitioner")
    content = {
        "plan": f"{family.case}-cp",
        "participants": family.taking_part,
        "goals": [{"id": f"{family.case}-h{n}", "owner": owner} for n, owner in enumerate(owners, 1)],
    }
    journal.note("case_plan.recorded", journal.moment(agreed - DAY * 3, 11), {**content, "status": "draft"})
    journal.note("case_plan.recorded", journal.moment(agreed, 11), {**content, "status": "agreed"})


def _working(story: Story) -> None:
    family, journal, rng = story.family, story.journal, story.journal.rng
    everyone = [*family.parents, *family.children][: -1 if story.flaw == "C05_child_never" else None]
    day = story.visits[-1][0]
    paused = workday(story.visits[0][0] + DAY * 90)
    while (day := workday(day + DAY * rng.randrange(9, 16))) < story.ends - DAY * 5:
        if family.turn == "pause" and paused <= day < paused + DAY * 21:
            continue
        draw = rng.random()
        if draw < 0.08:
            _visit(story, day, seen=[], status=rng.choice(("attempted", "cancelled")))
            continue
        seen = everyone if draw < 0.8 else [family.parents[0], family.children[0]]
        visit = _visit(story, day, seen=seen, purpose="ongoing")
        story.visits.append((day, visit))
        if family.turn == "echo" and rng.random() < 0.4:
            journal.echo(visit)
        if rng.random() < 0.1:
            journal.note("supervision.held", day + DAY, {"kind": rng.choice(("clinical", "cultural"))})
    if family.turn == "pause":
        manager = {"id": family.manager, "role": "manager"}
        journal.note("clock.paused", journal.moment(paused, 9), {"approved_by": manager, "reason": "family_away"})
        journal.note("clock.resumed", journal.moment(paused + DAY * 21, 9))
    if family.turn == "transfer":
        moved = {"from_team": family.team, "to_team": f"{family.team}_evening", "team": f"{family.team}_evening"}
        journal.note("case.transferred", workday(story.connected + DAY * 75), {**moved, "worker": {"id": f"{family.worker}-b"}})
    if family.turn == "void" and story.visits[3:]:
        day, visit = story.visits[3]
        journal.note("event.voided", workday(day + DAY * 6), {"target": visit, "reason": "wrong_family"})
    if family.turn == "backlog" or story.flaw == "X01_backlog":
        _paper(story)
    _progress(story)


def _paper(story: Story) -> None:
    """Visits that stood on paper only: the day without the hour, typed in by another desk; late only where that is the flaw."""
    late = story.flaw == "X01_backlog"
    for n in range(4):
        day = workday(story.connected + DAY * (78 + 9 * n))
        data = {"status": "held", "mode": "in_person", "seen": [story.family.parents[0]], "performer": story.family.practitioner}
        data |= {"topics": [], "covers": []}
        after = DAY * (story.journal.rng.randrange(15, 60) if late else 3)
        story.journal.note("visit.held", day, data, source=PAPER, day_only=True, after=after)


def _progress(story: Story) -> None:
    family, journal = story.family, story.journal
    middle = workday(story.connected + (story.ends - story.connected) * 2 // 3)
    journal.note("goal.achieved", journal.moment(middle, 10), {"plan": "case", "goal": f"{family.case}-h1"})
    update = {"plan": f"{family.case}-cp", "status": "agreed", "assessment": f"{family.case}-as1", "participants": family.taking_part}
    goals = [{"id": f"{family.case}-h1", "owner": "family"}, {"id": f"{family.case}-h2", "owner": "practitioner"}]
    if story.flaw not in ("C17_missing", "C19_one_sided"):
        journal.note("case_plan.updated", journal.moment(workday(middle + DAY * 3), 10), {**update, "goals": goals})
    journal.note("assessment.updated", journal.moment(workday(middle + DAY * 2), 10), {"assessment": f"{family.case}-as1"})
    if story.flaw not in ("C08_missing", "C09_no_child", "C10_unmeasured"):
        later = workday(middle + DAY * 6)
        journal.note("goal.achieved", journal.moment(later, 10), {"plan": "safety", "goal": f"{family.case}-g1"})
        plan = {"plan": f"{family.case}-sp", "version": 2, "status": "completed", "kind": "immediate", "immediate_risks": 1}
        remaining = [{"id": f"{family.case}-g2", "measure": True, "target": (later + DAY * 90).isoformat()}]
        changed = {**plan, "participants": family.taking_part, "goals": remaining}
        journal.note("safety_plan.updated", journal.moment(workday(later + DAY * 2), 11), changed)


def _closing(story: Story) -> None:
    family, journal, flaw = story.family, story.journal, story.flaw
    end = story.ends
    _papers(story, end, flaw)
    closed = {"closure_reason": family.ending, "performer": family.practitioner}
    journal.note("case.closed", journal.moment(end, 15, 0), closed)
    if flaw == "X02_closed_twice":
        journal.note("case.closed", journal.moment(workday(end + DAY * 5), 15, 0), closed)
    if family.turn == "reopen":
        again = workday(end + DAY * 20)
        journal.note("case.reopened", journal.moment(again, 9), {"closure_was_error": False, "reason": "new_concern"})
        for week in (1, 2, 3):
            _visit(story, workday(again + DAY * 7 * week), seen=[*family.parents, *family.children])
        _papers(story, workday(again + DAY * 60), "")
        journal.note("case.closed", journal.moment(workday(again + DAY * 60), 15, 0), closed)


def _papers(story: Story, end: dt.date, flaw: str) -> None:
    """What belongs to one closure."""
    family, journal = story.family, story.journal
    snapshot_taken = story.ends > story.connected + DAY * 70 and story.flaw != "C12_missing"
    if snapshot_taken and flaw != "C25_no_follow_up":
        instrument = "family_snapshot_2" if flaw == "C26_other_instrument" else "family_snapshot_1"
        content = {"kind": "follow_up", "instrument": instrument, "performer": family.practitioner, "covers": SNAPSHOT}
        journal.note("snapshot.completed", journal.moment(workday(end - DAY * 4), 11), content)
    if flaw != "C23_no_summary":
        day = workday(end + DAY * 12) if flaw == "C23_late" else end
        covers = SUMMARY[:3] if flaw == "C24_incomplete" else SUMMARY
        journal.note("closure_summary.completed", journal.moment(day, 13), {"covers": covers, "performer": family.practitioner})
