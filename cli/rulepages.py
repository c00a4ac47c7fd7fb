"""The reference page of the shipped rules, and that of the format of policy tests.  Imports rules.* and cli.pagetables."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cli.pagetables import fields, table, ticks

if TYPE_CHECKING:
    from rules.policy import Policy, Rule
    from rules.timelines import Timeline

_SHOWN = 2
"""Tests that are named for each verdict of a rule."""


def rules_page() -> str:
    """Every rule of the shipped policies: where it comes from, what it says, what would be a false alarm, and the tests that show it."""
    from rules.policy import load_policy, shipped

    lead = (
        "Each rule as it is judged: what is read aloud is made of the rule itself, with the parameters as shipped (`duecare policy read`"
        " does it for any policy). Tests are timelines in the folder `rules/policies/tests`.\n"
    )
    parts = ["# Rules of the shipped policies\n", lead]
    for path in shipped().values():
        parts += _policy(load_policy(path))
    return "\n".join(parts)


def _policy(policy: Policy) -> Iterable[str]:
    yield f"## {policy.id}: {policy.title}\n"
    yield f"Version {policy.version}; days are those of {policy.zone_name}.\n"
    rows = [[f"[{r.id}](#{_anchor(r)})", r.title, f"[{r.kind}](kinds.md#{r.kind})", r.severity, r.status] for r in policy.rules]
    yield table(["rule", "requirement", "kind", "severity", "status"], rows)
    for rule in policy.rules:
        yield from _rule(policy, rule)
    if policy.parameters:
        yield f"### Parameters of {policy.id}\n"
        rows = []
        for name, parameter in policy.parameters.items():
            default = "not set" if parameter.default is None else f"{parameter.default} {parameter.unit}"
            rows.append([f"`{policy.id}.{name}`", default, parameter.question])
        yield table(["parameter", "as shipped", "question to the policy's owner"], rows)
    if policy.questions:
        yield f"### How the text of {policy.id} is read\n"
        yield table(["about", "reading"], [[question.about, question.reading] for question in policy.questions])
    if policy.for_a_person:
        yield f"### For a person to judge, beside {policy.id}\n"
        yield "\n".join(f"- {sentence}" for sentence in policy.for_a_person) + "\n"


def _anchor(rule: Rule) -> str:
    import re

    return re.sub(r"[^\w\- ]", "", f"{rule.id} {rule.title}".lower()).replace(" ", "-")


def _rule(policy: Policy, rule: Rule) -> Iterable[str]:
    from rules.reading import parameters_read
    from rules.saying import Saying

    document = policy.documents.get(rule.citation.document, rule.citation.document)
    say = Saying(policy)
    yield f"### {rule.id} {rule.title}\n"
    yield f"{' '.join(rule.guidance.split())}\n"
    yield f"**Source**: {document}, {rule.citation.at}.\n"
    spoken = [sentence for clause in rule.clauses for sentence in clause.read_aloud(say)]
    yield f"**Read aloud**: {' '.join(dict.fromkeys([*spoken, *parameters_read(policy, rule)]))}\n"
    if rule.false_alarm:
        yield f"**A false alarm?** {' '.join(rule.false_alarm.split())}\n"
    if shown := _shown_by(policy.id, rule.id):
        yield "**Shown by tests**\n"
        yield "\n".join(f"- {line}" for line in shown) + "\n"


@cache
def _timelines() -> Sequence[Timeline]:
    from cli.policytests import shipped_tests
    from rules.policytest import collect

    return collect([shipped_tests()])


def _shown_by(policy: str, rule: str) -> list[str]:
    """For each verdict that tests expect of the rule, the tests that are most about it, and how many more there are."""
    from rules.model import Outcome

    found: dict[str, dict[str, int]] = {outcome.value: {} for outcome in Outcome}
    for timeline in _timelines():
        if policy in timeline.policies:
            for check in timeline.checks:
                expected = timeline.expected(check).get(rule)
                for verdict in () if expected is None else expected.verdicts:
                    found[verdict][timeline.name] = len({name for one in timeline.checks for name in one.expect})
    lines = []
    for verdict, names in found.items():
        if names:
            first = sorted(names, key=lambda name: names[name])[:_SHOWN]
            more = f"; and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            lines.append(f"`{verdict}`: {'; '.join(first)}{more}")
    return lines


def tests_page() -> str:
    """The format of policy tests."""
    from rules import policytest
    from rules.timelines import Check, Timeline, TimelineEvent

    lead = ticks(inspect.getdoc(policytest) or "").replace("::\n", ":\n").split("\n", 1)[1].strip()
    parts = [
        "# Policy tests\n",
        "Timelines in YAML, each with what is expected of it. `duecare policy test PATH...` runs them.\n",
        lead + "\n",
    ]
    for heading, model in (("timeline", Timeline), ("timelineevent", TimelineEvent), ("check", Check)):
        parts += [f"## {heading}\n", ticks(inspect.getdoc(model) or "") + "\n", fields(model.model_json_schema())]
    parts += ["## What a check expects of a rule\n", table(["written", "expects"], _EXPECTED)]
    return "\n".join(parts)


_EXPECTED = (
    ("`C08: breached`", "one verdict, and no other of this rule"),
    ("`C08: {verdict: late, days_late: 2, due_on: 03-23}`", "one verdict with these fields; those not named may be anything"),
    ("`S04: [met, {verdict: breached, obligation: person:p2}]`", "these verdicts, in any order, and no other of this rule"),
    ("`X01: {counts: {met: 5, late: 1}}`", "so many of each, and no other of this rule"),
    ("`C08: {verdict: pending, due_on: null}`", "a field that has no value"),
)
