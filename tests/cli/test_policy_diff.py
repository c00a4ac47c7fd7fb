"""`duecare policy diff` and `duecare policy read`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rules.policy import HERE


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A copy of the shipped policies in which C12 has 8 weeks."""
    folder = tmp_path / "mine"
    shutil.copytree(HERE, folder)
    file = folder / "cfss.yaml"
    file.write_text(file.read_text().replace("within: {weeks: 6}\n    warn", "within: {weeks: 8}\n    warn"))
    return file


def test_the_same_policy_does_not_differ(duecare):
    result = duecare("policy", "diff", "cfss", "cfss")
    assert result.code == 0
    assert result.out.strip() == "Both mean the same."


def test_a_changed_limit_is_told_and_the_exit_code_says_so(duecare, changed):
    result = duecare("policy", "diff", "cfss", str(changed))
    assert result.code == 1
    assert "C12: the limit is now 8 weeks instead of 6 weeks: later, fewer breaches possible." in result.out
    assert "1 change, of which 1 can change verdicts." in result.out


def test_a_parameter_can_be_set_for_the_comparison(duecare):
    result = duecare("policy", "diff", "cfss", "cfss", "--param", "family_contact_days=14", "--format", "json")
    assert result.code == 1
    assert json.loads(result.out) == [
        {
            "rule": "C20",
            "what": "the parameter family contact days",
            "before": "not set",
            "after": "14 days",
            "effect": "can breach from now on",
            "changes_verdicts": True,
            "words": "C20: the parameter family contact days is now 14 days instead of not set: can breach from now on.",
        }
    ]


def test_an_unknown_policy_is_told_with_the_nearest_name(duecare):
    result = duecare("policy", "diff", "cfs", "cfss")
    assert result.code == 2
    assert "Did you mean cfss?" in result.err


def test_rules_are_read_aloud(duecare):
    result = duecare("policy", "read", "cfss", "C08")
    assert result.code == 0
    assert result.out.startswith("C08: A safety plan by the end of the 3rd visit.\n")
    assert "That must be done by the end of the day of the 3rd qualifying visit; while there are fewer, it is not due." in result.out
    everything = json.loads(duecare("policy", "read", "cfss", "--format", "json").out)
    assert len(everything) == 28


def test_an_unknown_rule_is_told_with_the_nearest_name(duecare):
    result = duecare("policy", "read", "cfss", "C8")
    assert result.code == 2
    assert "Did you mean" in result.err
