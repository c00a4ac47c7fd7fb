"""The policies in force, as programs read them.  Thin over service.policies.changes and the service's policy set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from api.access import current_access, service
from api.operations import Answer, Operations
from api.v1 import changeshapes, schemas, shapes
from rules.diff import diff
from rules.policy import Policy, Rule
from rules.reading import read_aloud
from service.errors import NotFound, NotPossible
from service.policies.book import version
from service.policies.changes import InForce, OpenQuestion, changes, history_of, questions
from service.policies.questions import needed_by
from store.models import INSTALLATION

operations = Operations(
    "policies", "The rules by which cases are judged. They hold no case data: every key with the scope reads all of them."
)


@operations.get("/v1/policies", scope="breaches:read", answers={200: Answer("All policies in force.", schemas.PolicyList)})
def list_policies() -> Any:
    """List the policies in force: since when, who approved what changed last, and what is approved for a later day."""
    svc = service()
    waiting = changes(svc, state="proposed")
    ids = sorted({policy.id for policy in svc.policies.policies})
    return {"items": [_row(_of_today(name), history_of(svc, name), sum(one.policy == name for one in waiting)) for name in ids]}


@operations.get("/v1/policies/{policy}", scope="breaches:read", answers={200: Answer("The policy.", schemas.Policy)})
def show_policy(policy: str) -> Any:
    """Show a policy: its rules read aloud, its parameters, its open questions, and every version that was ever in force."""
    svc = service()
    found = _of_today(policy)
    history = history_of(svc, policy)
    waiting = {one.parameter: one for one in questions(svc, current_access()) if one.policy == policy}
    row = _row(found, history, len(changes(svc, policy=policy, state="proposed")))
    return row | {
        "rules": [_rule(found, rule) for rule in found.rules],
        "parameters": [_parameter(found, name, waiting) for name in found.parameters],
        "questions": [{"about": question.about, "reading": question.reading} for question in found.questions],
        "for_a_person": list(found.for_a_person),
        "versions": [_version(line) | {"changes": _told(line)} for line in history],
    }


@operations.get(
    "/v1/policies/{policy}/versions/{digest}", scope="breaches:read", answers={200: Answer("The version.", schemas.PolicyPackage)}
)
def show_policy_version(policy: str, digest: str) -> Any:
    """Show a version with its texts: all that it takes to judge by it again.

    Every verdict and every line of a breach's history names the digest of the version that judged.
    """
    found = version(service(), digest)
    if found.id != policy:
        raise NotFound("there is no such version of this policy")
    return changeshapes.version(found)


def _of_today(policy: str) -> Policy:
    """The version that judges what begins today; where none does yet, the first that will."""
    line = sorted((one for one in service().policies.policies if one.id == policy), key=lambda one: one.effective)
    if not line:
        raise NotFound("there is no such policy")
    begun = [one for one in line if one.effective <= one.zone.day_of(service().now())]
    return begun[-1] if begun else line[0]


def _row(policy: Policy, history: Sequence[InForce], proposals: int) -> dict[str, Any]:
    last = max(history, key=lambda line: line.change.decided_at or 0, default=None)
    return {
        "id": policy.id,
        "title": policy.title,
        "version": policy.version,
        "digest": policy.digest,
        "effective": dt.date.fromordinal(policy.effective).isoformat(),
        "zone": policy.zone_name,
        "rule_count": len(policy.rules),
        "unset": policy.unset(),
        "last_change": _version(last) if last is not None else None,
        "upcoming": [_version(line) for line in history if line.state == "upcoming"],
        "proposals": proposals,
    }


def _version(line: InForce) -> dict[str, Any]:
    one = line.change
    installed = one.decided_by in {None, INSTALLATION}
    return {
        "digest": one.digest,
        "version": one.version,
        "effective": one.effective.isoformat(),
        "until": None if line.until is None else line.until.isoformat(),
        "state": line.state,
        "applies_to_open": one.applies_to_open,
        "change": one.id,
        "activated_at": shapes.instant(one.decided_at),
        "proposed_by": one.proposed_name,
        "approved_by": None if installed else one.decided_name,
        "reason": one.reason,
    }


def _told(line: InForce) -> list[dict[str, Any]]:
    """What a version changed against the one that it followed."""
    if line.before is None:
        return []
    try:
        return [changeshapes.difference(one) for one in diff(version(service(), line.before), version(service(), line.digest))]
    except (NotFound, NotPossible):
        return []


def _rule(policy: Policy, rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "guidance": rule.guidance,
        "citation": {"document": policy.documents.get(rule.citation.document, rule.citation.document), "at": rule.citation.at},
        "severity": rule.severity,
        "status": rule.status,
        "kind": rule.kind,
        "read_aloud": read_aloud(policy, rule),
        "false_alarm": rule.false_alarm,
        "parameters": [name for name, rules in needed_by(policy).items() if rule.id in rules],
    }


def _parameter(policy: Policy, name: str, waiting: Mapping[str, OpenQuestion]) -> dict[str, Any]:
    parameter = policy.parameters[name]
    question = waiting.get(name)
    return {
        "name": name,
        "unit": parameter.unit,
        "value": policy.values.get(name),
        "question": parameter.question,
        "rules": list(needed_by(policy)[name]),
        "waiting_cases": question.waiting_cases if question is not None else None,
    }
