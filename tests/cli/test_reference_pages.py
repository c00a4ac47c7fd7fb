"""The reference of the policy language names all that there is, with examples that are policy and answers that are judged."""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml

from cli import rulepages
from cli.kindpages import _TRIED, conditions_page, kinds_page, verdicts_page
from rules.conditions import Test, Where
from rules.kinds import registry
from rules.lint import REFUSALS, checks
from rules.model import Line, Outcome
from rules.policy import load_policy, shipped
from rules.timelines import Check, Timeline, TimelineEvent


@cache
def rules_page() -> str:
    return rulepages.rules_page()


def sections(page, level="## "):
    """The text below each heading."""
    return {part.partition("\n")[0]: part for part in re.split(rf"^{level}", page, flags=re.MULTILINE)[1:]}


def test_every_kind_is_described_with_an_example_of_its_own():
    page = sections(kinds_page())
    for name, kind in registry().items():
        (example,) = re.findall(r"```yaml\n(.*?)```", page[name], re.DOTALL)
        assert kind.model_validate(yaml.safe_load(example)).name == name
        assert kind.about in page[name]
        assert all(f"| `{field}` |" in page[name] for field in kind.model_fields if field != "kind")


def test_every_test_of_a_condition_is_described_and_tried():
    page = conditions_page()
    words = {field.alias or name for name, field in Test.model_fields.items()}
    assert all(f"| `{word}` |" in page for word in words)
    tried = {
        field.alias or name
        for condition, _ in _TRIED
        for test in Where.model_validate(yaml.safe_load(condition)).tests.values()
        for name, field in Test.model_fields.items()
        if getattr(test, name) is not None
    }
    assert tried == words


def test_every_condition_that_is_tried_holds_of_some_data_and_does_not_of_other():
    answers: dict[str, set[str]] = {}
    for condition, answer in re.findall(r"^\| `(.*?)` \| `.*?` \| (holds|does not hold|cannot be told)", conditions_page(), re.MULTILINE):
        answers.setdefault(condition, set()).add(answer)
    assert set(answers) == {condition for condition, _ in _TRIED}
    absence_decides = {"{outcome: {present: true}}", "{outcome: {present: false}}"}
    for condition, found in answers.items():
        wanted = {"holds", "does not hold"} | (set() if condition in absence_decides else {"cannot be told"})
        assert found == wanted, condition


def test_every_verdict_and_line_is_listed():
    page = verdicts_page()
    assert all(f"| `{outcome.value}` |" in page for outcome in Outcome)
    assert all(f"| `{line.value}` |" in page for line in Line)


@pytest.mark.parametrize("name", list(shipped()))
def test_every_rule_has_its_source_its_reading_a_false_alarm_and_tests(name):
    page = sections(rules_page(), "### ")
    policy = load_policy(shipped()[name])
    for rule in policy.rules:
        text = page[f"{rule.id} {rule.title}"]
        assert f", {rule.citation.at}." in text
        assert "**Read aloud**: " in text
        assert rule.counted or "**A false alarm?** " in text, rule.id
        assert rule.counted or all(f"- `{verdict}`: " in text for verdict in ("met", "breached")), rule.id


def test_links_between_rules_lead_to_their_headings():
    page = rules_page()
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= anchors


def test_every_field_of_a_policy_test_is_described():
    page = sections(rulepages.tests_page())
    for model in (Timeline, TimelineEvent, Check):
        assert all(re.search(rf"^\| `{field}` \|.*\| .+ \|$", page[model.__name__.lower()], re.MULTILINE) for field in model.model_fields)


def test_every_code_of_lint_and_of_loading_is_listed(duecare, tmp_path):
    assert duecare("docs", "--to", tmp_path).code == 0
    page = (tmp_path / "lint.md").read_text("utf-8")
    assert all(f"| {check.code} |" in page for check in checks())
    assert all(f"| `{code}` |" in page for code in REFUSALS)
