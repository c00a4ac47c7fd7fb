"""A diff of two versions of a policy: a sentence for each change, with what it does."""

# ruff: noqa: E501  (a table of sentences reads best a line each)

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.changes import TEXT_ONLY, Change, apart
from rules.diff import diff
from rules.policy import Policy, load_package, load_shipped, package_of

CFSS, SF = load_shipped("cfss"), load_shipped("strengthening_families")


def changed(policy: Policy, *swaps: tuple[str, str], name: str | None = None) -> Policy:
    """The policy with words of its text (or of another file of its package) replaced once each."""
    package = package_of(policy)
    file = name or package.main
    text = package.files[file]
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return load_package({**package.files, file: text}, package.main)


@pytest.mark.parametrize(
    ("policy", "old", "new", "wanted"),
    [
        (CFSS, "within: {weeks: 6}\n    warn", "within: {weeks: 8}\n    warn", "C12: the limit is now 8 weeks instead of 6 weeks: later, fewer breaches possible."),
        (CFSS, "warn: {weeks: 1}", "warn: {weeks: 2}", "C12: the warning window is now 2 weeks instead of 1 week: warned earlier, no breach more or fewer."),
        (CFSS, "severity: critical", "severity: medium", "C08: the severity is now medium instead of critical: weighs less, no breach more or fewer; a team leader may now approve a waiver."),
        (CFSS, "immediate_risks: {at_least: 1}", "immediate_risks: {at_least: 2}", "C10: what must hold is now the number of immediate risks is at least 2 instead of the number of immediate risks is at least 1: asks for more, more breaches possible."),
        (CFSS, "      performer.role: practitioner\n", "", "C13: what must hold, gone: the role of the person who did it is practitioner: asks for less, fewer breaches possible."),
        (CFSS, "mode: [in_person, school]", "mode: [in_person, school, video]", "The term qualifying visit is now the way of meeting is in person, at school or by video instead of the way of meeting is in person or at school: more events count; concerns C05, C06, C07, C08, C12, C14, C17, C20, C21 and C28."),
        (CFSS, "if_within: {weeks: 6}", "if_within: {weeks: 8}", ": counts from the same day or later, fewer breaches possible; concerns C12, C14 and C17."),
        (CFSS, "zone: Australia/Adelaide", "zone: Australia/Perth", "Whose days count is now Perth instead of Adelaide: days begin and end at another moment, so that what is done near midnight may fall on another day."),
        (CFSS, "effective: 2020-01-01", "effective: 2026-07-01", "The day from which it is in force is now Wed 1 July 2026 instead of Wed 1 January 2020: later: what began before is left to the version before."),
        (CFSS, "compare: day", "compare: moment", ": the same day no longer counts, more breaches possible."),
        (CFSS, "title: Every referral reaches an outcome", "title: Each referral reaches an outcome", "C03: the title is now Each referral reaches an outcome instead of Every referral reaches an outcome: text only: no verdict changes."),
        (SF, "per: [parent, carer]", "per: [parent]", "S04: for whom it is asked is now each parent of the household instead of each parent or carer of the household: asked for fewer people, fewer breaches possible."),
        (SF, "by.role: [team_leader, manager]", "by.role: [manager]", ": less counts as evidence, more breaches possible."),
        (SF, "\n    at_latest: closure", "", "S14: the latest day is now none instead of the day on which the case is closed: has no latest day any more, fewer breaches possible."),
    ],
)  # fmt: skip
def test_a_change_is_told_with_what_it_does(policy: Policy, old: str, new: str, wanted: str) -> None:
    (change,) = diff(policy, changed(policy, (old, new)))
    assert change.words.endswith(wanted), change.words


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (None, 14, "can breach from now on"),
        (14, None, "can no longer breach"),
        (14, 21, "later, fewer breaches possible"),
        (14, 7, "earlier, more breaches possible"),
    ],
)
def test_a_parameter_is_told_for_each_rule_that_rests_on_it(before: int | None, after: int | None, effect: str) -> None:
    old, new = (CFSS.with_parameters({"plan_update_days": days}) for days in (before, after))
    found = diff(old, new)
    assert [(change.rule, change.what, change.effect) for change in found] == [
        ("C11", "the parameter plan update days", effect),
        ("C22", "the parameter plan update days", effect),
    ]
    told: dict[int | None, str] = {None: "not set"}
    assert (found[0].before, found[0].after) == (told.get(before, f"{before} days"), told.get(after, f"{after} days"))


def test_a_rule_with_a_latest_day_is_due_without_its_number_too() -> None:
    (change,) = diff(SF, SF.with_parameters({"comprehensive_plan_days": 30}))
    assert change.effect == "due by the number too, more breaches possible"
    (back,) = diff(SF.with_parameters({"comprehensive_plan_days": 30}), SF)
    assert back.effect == "due on the latest day only, fewer breaches possible"


def test_rules_that_come_and_go_are_told() -> None:
    fewer = replace(CFSS, rules=CFSS.rules[1:])
    (gone,) = diff(CFSS, fewer)
    (come,) = diff(fewer, CFSS)
    assert (gone.rule, gone.after, gone.effect) == ("C01", "there is none", "gone: nothing is judged by it, fewer breaches possible")
    assert (come.rule, come.before, come.effect) == ("C01", "there was none", "new, enforced, more breaches possible")


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        ("shadow", "is judged as before, but opens no breach"),
        ("draft", "draft: judges nothing"),
        ("retired", "retired: judges nothing"),
    ],
)
def test_the_status_is_told(status: str, effect: str) -> None:
    rule = replace(CFSS.rules[0], status=status)
    other = replace(CFSS, rules=(rule, *CFSS.rules[1:]))
    (change,) = diff(CFSS, other)
    assert change.effect == effect
    (back,) = diff(other, CFSS)
    assert back.effect == ("opens breaches from now on" if status == "shadow" else "enforced, more breaches possible")


def test_the_order_of_rules_and_of_keys_is_no_change() -> None:
    assert diff(CFSS, replace(CFSS, rules=tuple(reversed(CFSS.rules)))) == []
    assert diff(CFSS, changed(CFSS, ("{status: held, mode: [in_person, school]", "{mode: [in_person, school], status: held"))) == []


def test_what_is_only_said_is_told_apart() -> None:
    (change,) = diff(CFSS, changed(CFSS, ("A draft does not count.", "A draft is no plan.")))
    assert change.effect == TEXT_ONLY
    assert not change.changes_verdicts
    assert change.as_dict()["changes_verdicts"] is False


def test_a_holiday_that_comes_or_goes_is_told() -> None:
    day = CFSS.calendars["sa"].holidays
    gone = min(day)
    other = replace(CFSS, calendars={"sa": replace(CFSS.calendars["sa"], holidays=frozenset(day - {gone}))})
    (change,) = diff(CFSS, other)
    assert change.what == "holidays of the calendar sa"
    assert change.after == "none of these"


def test_two_lists_are_told_apart() -> None:
    assert apart(["a", "b"], ["b", "c"]) == (["a"], ["c"])
    assert Change("R", "what", "", "x", "does").words == "R: what, new: x: does."
    assert Change(None, "what", "x.", "y.", "does").words == "What is now y instead of x: does."
