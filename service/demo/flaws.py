"""What can go wrong in a made-up case, one name for each, with the rule that should find it.  Imports the standard library only.

A flaw is named after the rule and what is wrong; the stories look for these names.  A test judges the whole population
and checks that each rule here is breached at least once.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.demo.people import CFSS, STRENGTHENING


@dataclass(frozen=True, slots=True)
class Flaw:
    """``rule`` should find it, in a case of ``program`` (None: either) that is at least ``days`` old (None: closed)."""

    name: str
    rule: str
    program: str | None
    days: int | None


def _cfss(days: int | None, *names: str) -> list[Flaw]:
    return [Flaw(name, name[:3], CFSS, days) for name in names]


def _strengthening(days: int | None, *names: str) -> list[Flaw]:
    return [Flaw(name, name[:3], STRENGTHENING, days) for name in names]


FLAWS: tuple[Flaw, ...] = (
    *_cfss(30, "C01_no_reason", "C02_other_desk"),
    *_cfss(75, "C05_child_late", "C05_child_never", "C06_topic_left_out", "C07_hopes_left_out", "C28_plan_first"),
    *_cfss(75, "C08_late", "C08_missing", "C08_late", "C09_no_child", "C10_unmeasured"),
    *_cfss(110, "C12_late", "C12_missing", "C13_by_aide", "C14_late", "C14_missing", "C15_incomplete", "C17_late", "C17_missing"),
    *_cfss(110, "C18_plan_before_assessment", "C19_one_sided", "C12_backdated"),
    *_cfss(None, "C23_no_summary", "C23_late", "C24_incomplete", "C25_no_follow_up", "C26_other_instrument"),
    *_strengthening(40, "S01_no_investigation", "S02_outcome_none", "S03_left_open", "S04_refused", "S04_no_undertaking"),
    *_strengthening(75, "S06_not_told", "S07_without_parent", "S10_no_due_day", "S11_overdue", "S11_never"),
    *_strengthening(None, "S10_no_plan", "S14_no_comprehensive", "S15_no_professional", "S16_untested", "S18_goal_open"),
    *_strengthening(None, "S19_no_final_meeting", "S20_no_minutes", "S21_old_plan", "S22_no_approval", "S22_revoked"),
    *_strengthening(None, "S23_not_discussed", "S24_own_case"),
    Flaw("X01_backlog", "X01", None, 60),
    Flaw("X02_stranger_seen", "X02", None, 60),
    Flaw("X02_future", "X02", None, 60),
    Flaw("X02_closed_twice", "X02", None, None),
)

TURNS: tuple[str, ...] = (
    "transfer",
    "pause",
    "reopen",
    "void",
    "correct",
    "echo",
    "echo",
    "backlog",
    "late_approval",
    "undated",
    "merged",
    "large",
)
"""What happens to cases without anything being wrong, in the order in which it is dealt out."""

RETURN_TURN = "returns"
"""The turn of families that are referred anew after their case was closed."""

QUIET_TURN = "outreach"
"""The turn of families about whom only the app reports that goes quiet."""
