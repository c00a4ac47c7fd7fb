"""Every timeline in rules/policies/tests is a test here, as `duecare policy test` runs it; together they reach all of the policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.policytests import run, shipped_tests
from rules.coverage import Reached
from rules.policy import shipped
from rules.policytest import Result, collect

TIMELINES = collect([shipped_tests()])


@pytest.fixture(scope="module")
def ran() -> tuple[list[Result], dict[str, Reached]]:
    """The result of each timeline, and what all of them reach of each policy."""
    results, covered = run(TIMELINES, coverage=True, shipped=True)
    return results, {one.policy.id: one for one in covered}


@pytest.mark.parametrize("number", range(len(TIMELINES)), ids=[timeline.name for timeline in TIMELINES])
def test_timeline(ran, number: int):
    result = ran[0][number]
    assert not result.failures, "\n" + "\n".join(f"{failure.place}  {failure}" for failure in result.failures)
    assert result.passed


@pytest.mark.parametrize("policy", sorted(shipped()))
def test_the_timelines_reach_everything_that_the_policy_says(ran, policy):
    """Each enforced rule met, breached and (where it can be) unknown, and each answer of each part of its conditions."""
    found = ran[1][policy]
    assert [f"{', '.join(one.rules)}: {one.words}; try {one.idea}" for one in found.missing] == []
    assert found.percent == 100


def test_no_breach_is_passed_over_without_saying_which_rule_and_why():
    assert [timeline.place() for timeline in TIMELINES if "others" in timeline.tolerated] == []


def test_the_folder_is_the_one_that_is_shipped():
    assert shipped_tests() == Path(__file__).parents[2] / "rules" / "policies" / "tests"
