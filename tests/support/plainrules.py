"""The written rules of two policies over ``tests.support.plain``: what each says of an episode, an obligation at a time."""

# ruff: noqa: E501  (a table of rules reads best a line each)

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from tests.support.plain import FAMILY, NOT_TRIGGERED, PARENTS, Run, Said, Told, days, held_to

CFSS = {
    "referral_outcome_days": 14, "household_days": 10, "plan_update_days": 14, "assessment_update_days": 21, "family_contact_days": 14,
    "child_contact_days": 21,
}  # fmt: skip
STRENGTHENING = {
    "refusal_decision_days": 10, "discussion_days": 28, "meeting_review_days": 7, "review_days": 30, "risk_action_days": 5,
    "danger_statement_days": 14, "comprehensive_plan_days": 60, "drift_days": 21,
}  # fmt: skip
PLANS = ("safety_plan.recorded", "safety_plan.updated")
LEADERS = ("team_leader", "manager")


def covers(event: Told, *parts: str) -> bool:
    return set(parts) <= set(event.data["covers"])


def firsts(events: Iterable[Told]) -> list[Told]:
    """The first event of each plan."""
    found: dict[str, Told] = {}
    for event in events:
        found.setdefault(event.data["plan"], event)
    return list(found.values())


def gathered(events: Iterable[Told], attribute: str, *wanted: str) -> dt.date | None:
    """The day on which the last of the wanted values had come."""
    had: set[str] = set()
    for event in events:
        had |= set(event.data[attribute])
        if had >= set(wanted):
            return event.day
    return None


def before(gate: Told, events: Sequence[Told]) -> bool:
    return any(e.time <= gate.time for e in events)


def on_the_day_or_before(gate: Told, events: Sequence[Told]) -> bool:
    return any(e.day <= gate.day for e in events)


def anchor(run: Run) -> dt.date | None:
    connected, visit = run.of("service.connected")[:1], run.visits[:1]
    if connected and visit:
        return visit[0].day if visit[0].day <= connected[0].day + days(42) else connected[0].day
    return (connected or visit)[0].day if connected or visit else None


def cfss(run: Run) -> dict[str, list[Said]]:
    """Child and Family Support System."""
    connected, referrals = run.of("service.connected")[:1], run.of("referral.received")
    complete = [e for e in referrals if "source" in e.data and "reason" in e.data and e.data["children"]]
    held = run.of("visit.held", status="held")
    safe = [e for e in run.of(*PLANS) if e.data["status"] in ("completed", "final")]
    plans = [e for e in run.of("case_plan.recorded", "case_plan.updated") if e.data["status"] == "agreed"]
    assessments, snapshots = run.of("assessment.completed"), run.of("snapshot.completed")
    baselines, follow_ups = run.of("snapshot.completed", kind="baseline"), run.of("snapshot.completed", kind="follow_up")
    goals, needs = run.of("goal.achieved"), run.of("need.changed")
    in_order = sorted([*goals, *needs], key=run.events.index)
    closures = [e for e in run.closures if e.data["closure_reason"] != "opened_in_error"]
    weeks = anchor(run)

    def about(plan: str) -> list[Told]:
        return [e for e in in_order if e.data.get("plan", plan) == plan]

    def with_family(type_: str) -> list[Told]:
        return [e for e in run.of(type_) if run.roles(e) & FAMILY]

    def within(count: int, done: Sequence[Told], warn: int) -> list[Said]:
        return [NOT_TRIGGERED if weeks is None else run.by(weeks + days(7 * count), done, since=weeks, warn=warn)]

    def summaries(closure: Told) -> list[Told]:
        begin, end = run.attempt(closure)
        return [e for e in run.of("closure_summary.completed") if begin <= e.time < end]

    def at_closure(closure: Told, done: Sequence[Told]) -> Said:
        return run.by(closure.day, done, end=dt.date.max)

    def measurable(event: Told) -> bool:
        goals_of = event.data["goals"]
        return event.data["immediate_risks"] >= 1 and bool(goals_of) and all(g["measure"] and g["target"] for g in goals_of)

    def topics(attribute: str, *wanted: str) -> list[Said]:
        return [run.at_third_visit(gathered(held, attribute, *wanted)) if run.visits else NOT_TRIGGERED]

    def comparable(event: Told) -> Said:
        return held_to(before(event, [b for b in baselines if b.data["instrument"] == event.data["instrument"]]))

    def by_practitioner(event: Told, *parts: str) -> Said:
        return held_to(event.data["performer"]["role"] == "practitioner" and covers(event, *parts))

    return {
        "C01": run.each(connected, lambda e: held_to(before(e, complete))),
        "C02": run.each(connected, lambda e: held_to(before(e, [r for r in referrals if r.data["received_by"] == "pathways"]))),
        "C03": run.answered(referrals, run.of("service.connected", "referral.closed"), 14),
        "C04": run.each(connected, lambda e: run.by(e.day + days(10), [h for h in run.of("household.recorded") if h.data["members"]], since=e.day)),
        "C05": children(run) if connected else [NOT_TRIGGERED],
        "C06": topics("topics", "why_here", "what_we_do", "safety_concerns", "importance"),
        "C07": topics("covers", "story", "worries", "strengths", "hopes"),
        "C08": [run.at_third_visit(safe[0].day if safe else None)],
        "C09": run.each(firsts(safe), lambda e: held_to(bool(run.roles(e) & PARENTS) and "child" in run.roles(e))),
        "C10": run.each(firsts(safe), lambda e: held_to(measurable(e))),
        "C11": run.answered(about("safety"), with_family("safety_plan.updated"), 14),
        "C12": within(6, baselines, 7),
        "C13": run.each(snapshots, lambda e: by_practitioner(e, "circumstances", "stressors", "strengths")),
        "C14": within(8, assessments, 14),
        "C15": run.each(assessments, lambda e: by_practitioner(e, "current_situation", "chronology", "cumulative_harm")),
        "C16": run.answered(run.of("goal.achieved", "need.changed", "new_information.recorded"), run.of("assessment.updated"), 21),
        "C17": within(8, plans, 14),
        "C18": run.each(firsts(plans), lambda e: run.same_day_still_open(e, "assessment" in e.data or on_the_day_or_before(e, assessments))),
        "C19": run.each(firsts(plans), lambda e: held_to(bool(run.roles(e) & FAMILY) and {g["owner"] for g in e.data["goals"]} >= {"family", "practitioner"})),
        "C20": run.again_and_again(plans[0] if plans else None, run.visits, 14),
        "C22": run.answered(about("case"), with_family("case_plan.updated"), 14),
        "C23": run.each(closures, lambda e: at_closure(e, summaries(e))),
        "C24": run.each(run.of("closure_summary.completed"), lambda e: held_to(covers(e, "intervention", "outcomes", "goals_achieved", "ongoing_supports"))),
        "C25": run.each(closures if baselines else [], lambda e: at_closure(e, follow_ups)),
        "C26": run.each(follow_ups, comparable),
        "C28": run.each(firsts(safe), lambda e: run.same_day_still_open(e, on_the_day_or_before(e, run.visits))),
    }  # fmt: skip


def children(run: Run) -> list[Said]:
    home = run.household(run.visits[2].day if len(run.visits) >= 3 else run.end or run.today)
    if home is None:
        return [Said("unknown", "missing household")]
    seen = {name: [v.day for v in run.visits if name in v.data["seen"]] for name, role in home.items() if role == "child"}
    return [run.at_third_visit(min(on, default=None)) for on in seen.values()] or [NOT_TRIGGERED]


def strengthening(run: Run) -> dict[str, list[Said]]:
    """Strengthening Families."""
    opened, meetings, plans = run.of("case.opened")[:1], run.of("network_meeting.held"), run.of(*PLANS)
    final = [e for e in meetings if e.data["final"]]
    approvals = run.of("approval.granted", of="closure")
    achieved = [e for e in run.closures if e.data["closure_reason"] == "safety_achieved"]
    enquiries = run.of("investigation.completed")

    def reviewed(event: Told) -> Said:
        done = [e for e in run.of("safety_plan.reviewed", meeting=event.data["meeting"]) if e.day >= event.day]
        return run.by(event.day + days(7), done, since=event.day)

    def considered(event: Told) -> Said:
        done = [
            e for e in run.of("decision.recorded") if set(e.data["considered"]) >= {"support_service", "statutory"} and e.day >= event.day
        ]
        again = [e for e in run.of("consent.recorded", person=event.data["person"], decision="agree") if e.time > event.time]
        due = event.day + days(10)
        due += days(run.moved(event.day, due))
        first = min((e.day for e in done), default=None)
        if again and again[0].day <= due and (first is None or first > due):
            return Said("not_applicable", "ended_before_due", due)
        return run.by(event.day + days(10), done, since=event.day)

    def tested(event: Told) -> Said:
        last = [p.time for p in plans if p.time <= event.time][-1:]
        return held_to(bool(last) and any(last[0] <= e.time <= event.time for e in [*run.of("safety_plan.reviewed"), *run.visits]))

    def goals_achieved(event: Told) -> Said:
        latest = {p.data["plan"]: p for p in plans if p.day <= event.day}
        if not latest:
            return Said("unknown", "missing goals")
        done = {e.data["goal"] for e in run.of("goal.achieved", plan="safety") if e.day <= event.day}
        return run.same_day_still_open(event, {goal["id"] for plan in latest.values() for goal in plan.data["goals"]} <= done)

    def met_at_last(event: Told) -> Said:
        begin, end = run.attempt(event)
        mine = [run.roles(m) for m in final if begin <= m.time < end and m.day <= event.day]
        return run.same_day_still_open(event, any(roles & (PARENTS | {"family"}) and "network" in roles for roles in mine))

    def approved(event: Told) -> Said:
        begin, _ = run.attempt(event)
        revocations = [(e.data["approval"], e.time) for e in run.of("approval.revoked") if e.time <= event.time]
        kept = False
        for told in run.of("approval.granted", "approval.rejected", of="closure"):
            if begin <= told.time <= event.time:
                counts = (
                    told.type == "approval.granted"
                    and told.data["by"]["role"] in LEADERS
                    and not any(name == told.id and at >= told.time for name, at in revocations)
                )
                kept = counts or (kept and told.type == "approval.granted")
        return held_to(kept)

    def not_the_author(event: Told) -> Said:
        workers = [e.data["worker"]["id"] for e in run.of("case.opened", "case.transferred") if e.time <= event.time][-1:]
        askers = [e.data["requested_by"]["id"] for e in run.of("closure.requested") if e.time <= event.time][-1:]
        if event.data["by"]["id"] in workers + askers:
            return held_to(False)
        return held_to(True) if workers else Said("unknown", "missing worker")

    return {
        "S01": run.each(opened, lambda e: held_to(before(e, enquiries))),
        "S02": run.each(opened, lambda e: fits(e, enquiries)),
        "S04": agreements(run, opened[0]) if opened else [NOT_TRIGGERED],
        "S05": run.each([e for e in run.of("consent.recorded") if e.data["decision"] in ("refuse", "withdraw")], considered),
        "S07": run.each(meetings, lambda e: held_to(bool(run.roles(e) & PARENTS))),
        "S08": run.each([e for e in meetings if before(e, plans)], reviewed),
        "S09": run.again_and_again(next(iter(run.of("safety_plan.recorded")), None), run.of("risk.assessed", "safety_plan.reviewed"), 30),
        "S11": actions(run),
        "S12": run.answered(unchanged_risks(run), run.of("action_taken.recorded", rationale=True), 5),
        "S16": run.each(final, tested),
        "S18": run.each(achieved, goals_achieved),
        "S19": run.each(achieved, met_at_last),
        "S22": run.each(run.closures, approved),
        "S23": run.each(approvals, lambda e: run.same_day_still_open(e, on_the_day_or_before(e, [c for c in run.of("consultation.recorded") if c.data["with_role"] in LEADERS]))),
        "S24": run.each(approvals, not_the_author),
    }  # fmt: skip


def fits(opened: Told, enquiries: Sequence[Told]) -> Said:
    last = [e for e in enquiries if e.time <= opened.time][-1:]
    if not last:
        return NOT_TRIGGERED
    return held_to(last[0].data["outcome"] in ("future_harm", "need_of_protection") and last[0].data["safe_at_home"])


def agreements(run: Run, opened: Told) -> list[Said]:
    home = run.household(opened.day)
    if home is None:
        return [Said("unknown", "missing household")]

    def of(person: str) -> Said:
        if on_the_day_or_before(opened, run.of("consent.excused", person=person)):
            return NOT_TRIGGERED
        last = [e for e in run.of("consent.recorded", person=person) if e.day <= opened.day][-1:]
        agreed = bool(last) and last[0].data["decision"] == "agree" and bool(last[0].data["undertaking"])
        return run.same_day_still_open(opened, agreed)

    return [of(person) for person, role in home.items() if role in PARENTS] or [NOT_TRIGGERED]


def actions(run: Run) -> list[Said]:
    """Each action by the day that was told last."""
    due: dict[str, str] = {}
    since: dict[str, dt.date] = {}
    for event in run.of("sf_plan.recorded", "sf_plan.updated", "action.rescheduled"):
        moved = event.type == "action.rescheduled"
        due |= {event.data["action"]: event.data["due_on"]} if moved else {one["id"]: one["due_on"] for one in event.data["actions"]}
        since = dict.fromkeys(due, event.day) | since
    done = {name: run.of("action.completed", action=name) for name in due}
    return [run.by(dt.date.fromisoformat(day), done[name], since=since[name]) for name, day in due.items()] or [NOT_TRIGGERED]


def unchanged_risks(run: Run) -> list[Told]:
    """Assessments that are not lower than the one before them, by the same instrument and of the same person."""
    last: dict[tuple[str, str], int] = {}
    found = []
    for event in run.of("risk.assessed"):
        key = event.data["instrument"], event.data.get("person", "")
        if event.data["level"] >= last.get(key, 10**9):
            found.append(event)
        last[key] = event.data["level"]
    return found
