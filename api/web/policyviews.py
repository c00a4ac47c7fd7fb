"""Policies as people read them: each rule with its source, how it is reckoned, and what its owner has yet to decide.

Imports rules/ and this package's words, views and present.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from api.web import words
from api.web.present import plain
from api.web.views import Parameter, PolicyPage, PolicyRow, Reading, RuleView
from rules.policy import Policy, Rule
from rules.wording import requires_words


def policy_row(policy: Policy) -> PolicyRow:
    """A policy in the list."""
    return PolicyRow(
        id=policy.id,
        title=policy.title,
        version=policy.version,
        digest=policy.digest,
        effective=dt.date.fromordinal(policy.effective),
        zone=policy.zone_name,
        rules=len(policy.rules),
        unset=len(policy.unset()),
    )


def policy_page(policy: Policy) -> PolicyPage:
    """A policy with all its rules, readable."""
    parameters = {name: _parameter(policy, name) for name in policy.parameters}
    return PolicyPage(
        row=policy_row(policy),
        rules=[_rule(policy, rule, parameters) for rule in policy.rules],
        unset=[parameters[name] for name in policy.unset()],
        readings=[Reading(question.about, question.reading) for question in policy.questions],
        people=policy.for_a_person,
    )


def _parameter(policy: Policy, name: str) -> Parameter:
    value = policy.values.get(name)
    return Parameter(name, "" if value is None else words.count(value, "day"), policy.parameters[name].question)


def _rule(policy: Policy, rule: Rule, parameters: Mapping[str, Parameter]) -> RuleView:
    dumped = str([clause.model_dump() for clause in rule.clauses])
    limits = []
    for one in rule.clauses:
        limits.append(one.about)
        asked = getattr(one, "requires", None)
        if asked is not None:
            limits.append(plain(f"Asks for {requires_words(asked, policy)}.", policy.catalogue))
    return RuleView(
        id=rule.id,
        title=rule.title,
        guidance=rule.guidance,
        citation=f"{policy.documents.get(rule.citation.document, rule.citation.document)}, {rule.citation.at}",
        severity=rule.severity,
        status=rule.status,
        limits=list(dict.fromkeys(limits)),
        parameters=[parameter for name, parameter in parameters.items() if f"${name}'" in dumped],
    )
