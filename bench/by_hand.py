"""Ten of the cfss rules as one would write them by hand for plain cases: the peer that the general engine is measured against.

It knows no day-only times, missing attributes, voids, corrections, episodes, pauses or quiet sources; on the population of
`bench.population` it gives the same verdicts, which the benchmark checks before it prints a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rules.model import Event

ZONE = ZoneInfo("Australia/Adelaide")
RULES = ("C01", "C02", "C08", "C09", "C10", "C12", "C14", "C17", "C23", "C25")


def day_of(ms: int) -> int:
    """The local day of an instant (ms), as an ordinal."""
    return dt.datetime.fromtimestamp(ms / 1000, ZONE).toordinal()


def judge(events: Sequence[Event], as_of: int) -> dict[str, str]:  # noqa: C901 - one loop over everything, as one writes it by hand
    """Rule -> verdict of one case at an instant (ms)."""
    today = day_of(as_of)
    referrals, visits, plans, snapshots, assessments, case_plans, summaries = [], [], [], [], [], [], []
    connected = closed = None
    for e in sorted(events, key=lambda e: (e.time, e.recorded, e.source, e.id)):
        if e.time > as_of:
            continue
        kind, data = e.type, e.data
        if kind == "visit.held":
            if data["status"] == "held" and data["mode"] in ("in_person", "school") and data["seen"]:
                visits.append(e)
        elif kind == "referral.received":
            referrals.append(e)
        elif kind == "service.connected":
            connected = connected or e
        elif kind in ("safety_plan.recorded", "safety_plan.updated"):
            if data["status"] in ("completed", "final"):
                plans.append(e)
        elif kind == "snapshot.completed":
            snapshots.append(e)
        elif kind == "assessment.completed":
            assessments.append(e)
        elif kind in ("case_plan.recorded", "case_plan.updated"):
            if data["status"] == "agreed":
                case_plans.append(e)
        elif kind == "closure_summary.completed":
            summaries.append(e)
        elif kind == "case.closed":
            closed = e
    found: dict[str, str] = {}
    na = "not_applicable"
    if connected is None:
        found["C01"] = found["C02"] = na
    else:
        before = [r for r in referrals if r.time <= connected.time]
        found["C01"] = "met" if any("source" in r.data and "reason" in r.data and r.data["children"] for r in before) else "breached"
        found["C02"] = "met" if any(r.data["received_by"] == "pathways" for r in before) else "breached"
    closed_day = day_of(closed.time) if closed else None
    found["C08"] = _third_visit(visits, plans, today, closed_day)
    if plans:
        roles = {p["role"] for p in plans[0].data["participants"]}
        found["C09"] = "met" if "parent" in roles and ("child" in roles or "reason" in plans[0].data) else "breached"
        goals = plans[0].data["goals"]
        whole = plans[0].data["immediate_risks"] >= 1 and goals and all(g["measure"] and "target" in g for g in goals)
        found["C10"] = "met" if whole else "breached"
    else:
        found["C09"] = found["C10"] = na
    anchor = None
    if connected is not None:
        anchor = day_of(connected.time)
        if visits and day_of(visits[0].time) <= anchor + 42:
            anchor = day_of(visits[0].time)
    elif visits:
        anchor = day_of(visits[0].time)
    baselines = [s for s in snapshots if s.data["kind"] == "baseline"]
    found["C12"] = na if anchor is None else _by(baselines, anchor + 42, anchor + 35, today, closed_day)
    found["C14"] = na if anchor is None else _by(assessments, anchor + 56, anchor + 42, today, closed_day)
    found["C17"] = na if anchor is None else _by(case_plans, anchor + 56, anchor + 42, today, closed_day)
    if closed_day is None:
        found["C23"] = found["C25"] = na
    else:
        found["C23"] = _by(summaries, closed_day, closed_day - 7, today, None)
        follow_ups = [s for s in snapshots if s.data["kind"] == "follow_up"]
        found["C25"] = _by(follow_ups, closed_day, closed_day - 7, today, None) if baselines else na
    return found


def _third_visit(visits: list[Event], plans: list[Event], today: int, closed_day: int | None) -> str:
    if len(visits) < 3:
        return "met" if plans else "not_applicable" if closed_day is not None else "due_soon" if len(visits) == 2 else "pending"
    return _by(plans, day_of(visits[2].time), day_of(visits[1].time), today, closed_day)


def _by(done: list[Event], due: int, soon: int, today: int, closed_day: int | None) -> str:
    if done:
        day = day_of(done[0].time)
        if day <= due:
            return "met"
    if closed_day is not None and closed_day < due:
        return "not_applicable"
    if today <= due:
        return "due_soon" if today >= soon else "pending"
    return "late" if done else "breached"
