"""From a policy to what the pages show of it: rows, rules in groups, one rule read aloud, its parameters.

Imports rules/ and this package's views and timelines; asks the store nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from api.web import words
from api.web.policies.timelines import shown
from api.web.policies.views import Figure, Parameter, PolicyRow, Reading, RuleGroup, RuleLine, RulePage, VersionLine
from rules.errors import PolicyError
from rules.policy import HERE, Policy, Rule
from rules.policytest import collect
from rules.reading import FALSE_ALARM, RESTS_ON, read_aloud
from rules.timelines import Timeline
from service.policies.questions import needed_by

JUDGED = ("met", "late", "breached", "due_soon", "pending", "unknown", "excused", "not_applicable")


def policy_row(policy: Policy, **more: object) -> PolicyRow:
    """A policy in the list; ``more`` is what the store knows of it."""
    return PolicyRow(
        id=policy.id,
        title=policy.title,
        version=policy.version,
        digest=policy.digest,
        effective=dt.date.fromordinal(policy.effective),
        zone=policy.zone_name,
        rules=len(policy.rules),
        unset=len(policy.unset()),
        **more,  # type: ignore[arg-type]
    )


def value_words(policy: Policy, name: str, value: int | None) -> str:
    """A parameter's value with its unit; empty: not set."""
    unit = policy.parameters[name].unit if name in policy.parameters else "days"
    return "" if value is None else words.count(value, unit.removesuffix("s"))


def parameter(policy: Policy, name: str, *, waiting: int | None = None, coming: str = "") -> Parameter:
    """A parameter with what it decides."""
    own = policy.parameters[name]
    return Parameter(
        name=name,
        value=value_words(policy, name, policy.values.get(name)),
        question=own.question,
        unit=own.unit,
        rules=[(rule, policy.rule(rule).title) for rule in needed_by(policy)[name]],
        coming=coming,
        waiting=waiting,
    )


def groups(policy: Policy) -> list[RuleGroup]:
    """The rules by the step or section of the document that they rest on, in the policy's order."""
    found: dict[str, list[RuleLine]] = {}
    unset = {rule for name in policy.unset() for rule in needed_by(policy)[name]}
    for rule in policy.rules:
        found.setdefault(rule.citation.at, []).append(RuleLine(rule.id, rule.title, rule.severity, rule.status, rule.id in unset))
    return [RuleGroup(title, rules) for title, rules in found.items()]


def citation(policy: Policy, rule: Rule) -> str:
    """Where the rule comes from."""
    return f"{policy.documents.get(rule.citation.document, rule.citation.document)}, {rule.citation.at}"


def readings(policy: Policy) -> list[Reading]:
    """Choices that the document leaves open."""
    return [Reading(question.about, question.reading) for question in policy.questions]


def aloud(policy: Policy, rule: Rule) -> tuple[list[str], list[str]]:
    """The rule read aloud, without what has its place elsewhere on its page; and what the words in it mean."""
    elsewhere = (f"{rule.id}: ", RESTS_ON, FALSE_ALARM)
    lines = [line for line in read_aloud(policy, rule) if not line.startswith(elsewhere)]
    meanings = [line for line in lines if line.startswith(("By a ", "By an ")) and " is meant " in line]
    return [line for line in lines if line not in meanings], meanings


@lru_cache(maxsize=16)
def _folder(folder: Path) -> tuple[Timeline, ...]:
    try:
        return tuple(collect([folder]))
    except PolicyError:
        return ()


def tests_of(policy: Policy, installed: Iterable[Policy]) -> tuple[Sequence[Timeline], bool]:
    """The tests of a policy, and whether they are of its very text.

    They come with the files of the installation, and with those that are shipped.
    """
    own = [one for one in installed if one.id == policy.id and one.path]
    folders = dict.fromkeys([*(Path(one.path).parent / "tests" for one in own), HERE / "tests"])
    return [each for folder in folders for each in _folder(folder)], any(one.text_digest == policy.text_digest for one in own)


def rule_page(
    policy: Policy,
    row: PolicyRow,
    rule: Rule,
    *,
    figures: Mapping[str, int],
    breaches: Mapping[str, int],
    installed: Iterable[Policy] = (),
    versions: Sequence[VersionLine] = (),
    parameters: Sequence[Parameter] = (),
    may_propose: bool = False,
) -> RulePage:
    """A rule.  ``figures`` are current verdicts by outcome, ``breaches`` those on record by condition; both the reader's own."""
    order = [one.id for one in policy.rules]
    at = order.index(rule.id)
    lines, meanings = aloud(policy, rule)
    tests, fit = tests_of(policy, installed)
    return RulePage(
        policy=row,
        id=rule.id,
        title=rule.title,
        unmet=rule.unmet,
        guidance=rule.guidance,
        citation=citation(policy, rule),
        severity=rule.severity,
        status=rule.status,
        kinds=list(dict.fromkeys(clause.name for clause in rule.clauses)),
        aloud=lines,
        meanings=meanings,
        false_alarm=rule.false_alarm,
        parameters=parameters,
        readings=readings(policy),
        people=policy.for_a_person,
        tests=shown(tests, policy.id, rule.id),
        tests_fit=fit,
        figures=[Figure(outcome, figures.get(outcome, 0), _href(rule, outcome, breaches)) for outcome in JUDGED],
        versions=versions,
        before=order[at - 1] if at else "",
        after=order[at + 1] if at + 1 < len(order) else "",
        may_propose=may_propose,
    )


def _href(rule: Rule, outcome: str, breaches: Mapping[str, int]) -> str:
    condition = {"breached": "open", "late": "remedied"}.get(outcome)
    return f"/breaches?condition={condition}&rule={rule.id}" if condition and breaches.get(condition) else ""
