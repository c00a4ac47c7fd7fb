"""Every timeline in rules/policies/tests is a test here, as `duecare policy test` runs it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cli.common import policy_path
from cli.policytests import shipped_tests
from rules.policy import Policy, load_policy
from rules.policytest import Result, collect, run_timeline

_LOADED: dict[str, Policy] = {}


def _policy(name: str) -> Policy:
    if name not in _LOADED:
        _LOADED[name] = load_policy(policy_path(name))
    return _LOADED[name]


TIMELINES = collect([shipped_tests()])


@cache
def _result(number: int) -> Result:
    return run_timeline(TIMELINES[number], _policy)


@pytest.mark.parametrize("number", range(len(TIMELINES)), ids=[timeline.name for timeline in TIMELINES])
def test_timeline(number: int):
    result = _result(number)
    assert not result.failures, "\n" + "\n".join(f"{failure.place}  {failure}" for failure in result.failures)
    assert result.passed


def test_every_rule_that_is_enforced_is_tested_both_ways():
    """Each rule is met in some timeline, and breached (or late) in another; a metric has no verdicts."""
    seen = {(policy, rule, verdict) for number in range(len(TIMELINES)) for policy, rule, verdict in _result(number).seen}
    missing = []
    for name in ("cfss", "strengthening_families", "record_quality"):
        for rule in _policy(name).rules:
            if rule.kind == "metric" or rule.status != "enforced":
                continue
            if not any((name, rule.id, verdict) in seen for verdict in ("met",)):
                missing.append(f"{rule.id} is never met")
            if not any((name, rule.id, verdict) in seen for verdict in ("breached", "late")):
                missing.append(f"{rule.id} is never breached")
    assert missing == []


def test_the_folder_is_the_one_that_is_shipped():
    assert shipped_tests() == Path(__file__).parents[2] / "rules" / "policies" / "tests"
