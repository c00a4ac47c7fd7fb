"""Items that documents list: which are current, which are done, when they are due."""

from __future__ import annotations

from typing import Any

import pytest

from rules.clock import iso, parse_day
from rules.collections import Items, all_done, current, dated_items, done, versions
from rules.model import Event, Fit
from rules.policy import load_shipped
from rules.view import View
from tests.support.core import ev, view_of

POLICY = load_shipped("strengthening_families")
GOALS, ACTIONS = POLICY.collections["safety_goals"], POLICY.collections["plan_actions"]
OPENED = ev("o", "case.opened", "03-01 09:00", program="strengthening_families")


def view(*events: Event) -> View:
    return view_of([OPENED, *events], policy=POLICY)


def plan(name: str, when: str, *goals: str, plan: str | None = "sp", **data: Any) -> Event:
    listed = None if goals == ("none",) else [{"id": goal} for goal in goals]
    return ev(name, data.pop("type_", "safety_plan.updated"), when, plan=plan, goals=listed, **data)


def achieved(name: str, when: str, goal: str | None = "g1", plan: str | None = "safety") -> Event:
    return ev(name, "goal.achieved", when, plan=plan, goal=goal)


def ids(items: Items) -> tuple[list[str], list[str], str]:
    return sorted(i["id"] for i in items.items), sorted(i["id"] for i in items.maybe), items.missing or items.doubt


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([], ([], [], "")),
        ([plan("a", "03-02 09:00", "g1", "g2")], (["g1", "g2"], [], "")),
        ([plan("a", "03-02 09:00", "g1", "g2"), plan("b", "03-03 09:00", "g2", "g3")], (["g2", "g3"], [], "")),  # the latest version counts
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-03 09:00", "g2", plan="other")], (["g1", "g2"], [], "")),  # of each document
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-03 09:00")], ([], [], "")),  # an empty list is a list
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-03 09:00", "none")], ([], [], "goals")),
        ([plan("a", "03-02 09:00", "g1", plan=None), plan("b", "03-03 09:00", "g2", plan=None)], (["g2"], [], "")),  # one plan, never named
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-03 09:00", "g2", plan=None)], (["g2"], ["g1"], "plan")),
        ([plan("a", "03-02 09:00", "g1", plan=None), plan("b", "03-03 09:00", "g2")], (["g2"], ["g1"], "plan")),
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-02", "g2")], ([], ["g1", "g2"], "day_without_moment")),
        ([plan("a", "03-02 09:00", "g1"), plan("b", "03-03", "g2")], (["g2"], [], "")),
    ],
)
def test_the_items_of_the_latest_versions_are_current(events: list[Event], wanted: tuple[list[str], list[str], str]) -> None:
    assert ids(current(view(*events), GOALS)) == wanted


def test_an_item_without_an_id_is_missing() -> None:
    assert ids(current(view(ev("a", "safety_plan.recorded", "03-02 09:00", plan="sp", goals=[{"id": "g1"}, {}])), GOALS)) == (
        ["g1"],
        [],
        "goals.id",
    )


def test_only_versions_that_count_are_looked_at() -> None:
    seen = view(plan("a", "03-02 09:00", "g1"), plan("b", "03-05 09:00", "g2"))
    assert ids(current(seen, GOALS, lambda entry: entry.id == "a")) == (["g1"], [], "")
    assert [entry.id for entry in versions(seen, GOALS)] == ["a", "b"]


def test_an_item_is_done_by_the_event_that_names_it() -> None:
    seen = view(
        achieved("x", "03-02 09:00"),
        achieved("y", "03-03 09:00", "g2"),
        achieved("z", "03-04 09:00", None),
        achieved("w", "03-05 09:00", plan="case"),
    )
    assert [(hit.entry.id, hit.fit) for hit in done(seen, GOALS, {"id": "g1"})] == [("x", Fit.YES), ("z", Fit.UNCLEAR)]


# ---------------------------------------------------------------------------------------------------------------------------- all done
def when_done(*events: Event) -> tuple[list[str | None], str]:
    entries, missing = all_done(view(*events), "safety_goals")
    return [None if entry is None else entry.id for entry in entries], missing


TWO = plan("p", "03-02 09:00", "g1", "g2")


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([TWO], ([], "")),
        ([TWO, achieved("a", "03-05 09:00")], ([], "")),
        ([TWO, achieved("a", "03-05 09:00"), achieved("b", "03-06 09:00", "g2")], (["b"], "")),
        ([TWO, achieved("b", "03-06 09:00", "g2"), achieved("a", "03-05 09:00")], (["b"], "")),
        ([TWO, achieved("a", "03-05 09:00"), achieved("a2", "03-09 09:00"), achieved("b", "03-06 09:00", "g2")], (["b"], "")),
        ([TWO, achieved("a", "03-05 09:00"), plan("p2", "03-10 09:00", "g1")], (["p2"], "")),  # the open goal was dropped
        (
            [TWO, achieved("a", "03-05 09:00"), achieved("b", "03-06 09:00", "g2"), plan("p2", "03-10 09:00", "g1", "g2", "g3")],
            ([], ""),
        ),  # a goal was added
        (
            [TWO, achieved("a", "03-05 09:00"), achieved("b", "03-06 09:00", "g2"), plan("p2", "03-10 09:00", "g1")],
            (["b"], ""),
        ),  # it held all the while
        ([achieved("a", "03-01 10:00"), plan("p", "03-02 09:00", "g1")], (["p"], "")),  # achieved before it was listed
        ([plan("p", "03-02 09:00")], ([], "")),  # no goals, nothing to achieve
        ([], ([], "")),
        ([plan("p", "03-02 09:00", "none")], ([], "")),  # nothing was achieved, so not all was
        ([plan("p", "03-02 09:00", "none"), achieved("a", "03-05 09:00")], ([None, "a"], "goals")),
        ([plan("p", "03-02 09:00", "g1"), achieved("a", "03-05 09:00", None)], ([None, "a"], "goal")),
        ([TWO, achieved("a", "03-05 09:00", None)], ([], "")),  # one event achieves one goal
        ([plan("p", "03-02 09:00", "g1"), plan("q", "03-03 09:00", "g2", plan=None), achieved("a", "03-05 09:00")], ([], "")),
        (
            [plan("p", "03-02 09:00", "g1"), plan("q", "03-03 09:00", "g1", plan=None), achieved("a", "03-05 09:00")],
            (["a"], "plan"),
        ),
        (
            [plan("p", "03-02 09:00", "none"), achieved("a", "03-05 09:00"), plan("q", "03-10 09:00", "g1")],
            (["a", "q"], "goals"),
        ),  # what was current before q is not known, and so not since when all of it was done
        (
            [
                plan("p", "03-02 09:00", "none"),
                achieved("a", "03-05 09:00"),
                plan("q", "03-10 09:00", "g1", "g2"),
                achieved("b", "03-12 09:00", "g2"),
            ],
            (["b"], ""),
        ),  # it does not matter: from q to b there was an open goal
        (
            [plan("p", "03-02 09:00", "g1"), achieved("x", "03-04 09:00", None), achieved("a", "03-08 09:00")],
            (["x", "a"], "goal"),
        ),  # x may have been the one
        (
            [
                plan("p", "03-02 09:00", "g1"),
                achieved("x", "03-04 09:00", None),
                achieved("a", "03-08 09:00"),
                plan("q", "03-10 09:00", "g1"),
            ],
            (["x", "a"], "goal"),
        ),  # but not the new version: by then it was surely done
    ],
)
def test_when_every_current_item_was_done(events: list[Event], wanted: tuple[list[str | None], str]) -> None:
    assert when_done(*events) == wanted


# --------------------------------------------------------------------------------------------------------------------------- own dates
def actions(name: str, when: str, **due: str | None) -> Event:
    listed = [{"id": item, **({} if on is None else {"due_on": f"2026-{on}"})} for item, on in due.items()]
    return ev(name, "sf_plan.recorded", when, plan="sf", actions=listed)


def moved(name: str, when: str, item: str | None = "a1", on: str | None = "04-20") -> Event:
    return ev(name, "action.rescheduled", when, action=item, due_on=None if on is None else f"2026-{on}")


def dated(*events: Event) -> dict[str, tuple[str | None, str, bool, str]]:
    found = dated_items(view(*events), ACTIONS, parse_day)
    return {i.id: (iso(i.due), i.stated.id, i.contested is not None, i.missing) for i in found}


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([actions("p", "03-02 09:00", a1="04-01")], {"a1": ("2026-04-01", "p", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01", a2=None)], {"a1": ("2026-04-01", "p", False, "")}),  # a2 has no date
        ([actions("p", "03-02 09:00", a1="04-01"), moved("m", "03-20 09:00")], {"a1": ("2026-04-20", "m", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01"), moved("m", "04-01 23:00")], {"a1": ("2026-04-20", "m", False, "")}),  # still in time
        (
            [actions("p", "03-02 09:00", a1="04-01"), moved("m", "04-02 09:00")],
            {"a1": ("2026-04-20", "m", True, "")},
        ),  # after it had passed
        ([actions("p", "03-02 09:00", a1="04-01"), actions("q", "03-20 09:00", a1="03-25")], {"a1": ("2026-03-25", "q", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01"), actions("q", "04-05 09:00", a1="04-01")], {"a1": ("2026-04-01", "p", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01"), actions("q", "03-20 09:00", a1=None)], {"a1": ("2026-04-01", "p", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01"), actions("q", "03-20 09:00")], {"a1": ("2026-04-01", "p", False, "")}),
        ([actions("p", "03-02 09:00", a1="04-01"), moved("m", "03-20 09:00", on=None)], {"a1": ("2026-04-01", "p", False, "due_on")}),
        (
            [actions("p", "03-02 09:00", a1="04-01"), moved("m", "03-20 09:00", on=None), moved("n", "03-21 09:00")],
            {"a1": ("2026-04-20", "n", False, "")},
        ),
        (
            [actions("p", "03-02 09:00", a1="04-01"), moved("m", "03-20 09:00", "a9")],
            {"a1": ("2026-04-01", "p", False, ""), "a9": ("2026-04-20", "m", False, "")},
        ),
        ([moved("m", "03-20 09:00", None)], {}),
        ([], {}),
    ],
)
def test_the_date_that_was_stated_last_counts(events: list[Event], wanted: dict[str, tuple[str | None, str, bool, str]]) -> None:
    assert dated(*events) == wanted


def test_a_collection_without_dates_has_no_dated_items() -> None:
    assert dated_items(view(TWO), GOALS, parse_day) == []


def test_an_item_without_an_id_is_kept_apart() -> None:
    event = ev("p", "sf_plan.recorded", "03-02 09:00", plan="sf", actions=[{"due_on": "2026-04-01"}, {"id": "a2", "due_on": "2026-04-02"}])
    assert set(dated(event)) == {"?1", "a2"}
