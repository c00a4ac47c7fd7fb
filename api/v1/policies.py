"""The policies in use, as programs read them.  Thin over the service's policy set."""

from __future__ import annotations

from typing import Any

from api.access import service
from api.operations import Answer, Operations
from api.v1 import schemas
from rules.clock import iso
from rules.policy import Policy
from service.errors import NotFound

operations = Operations(
    "policies", "The rules by which cases are judged. They hold no case data: every key with the scope reads all of them."
)


@operations.get("/v1/policies", scope="breaches:read", answers={200: Answer("All policies in use.", schemas.PolicyList)})
def list_policies() -> Any:
    """List the policies in use."""
    return {"items": [_row(policy) for policy in sorted(service().policies.policies, key=lambda p: p.id)]}


@operations.get("/v1/policies/{policy}", scope="breaches:read", answers={200: Answer("The policy.", schemas.Policy)})
def show_policy(policy: str) -> Any:
    """Show a policy: its rules, its parameters and its open questions."""
    found = service().policies.get(policy)
    if found is None:
        raise NotFound("there is no such policy")
    rules = [
        {
            "id": rule.id,
            "title": rule.title,
            "guidance": rule.guidance,
            "citation": {"document": found.documents.get(rule.citation.document, rule.citation.document), "at": rule.citation.at},
            "severity": rule.severity,
            "status": rule.status,
            "kind": rule.kind,
        }
        for rule in found.rules
    ]
    parameters = [
        {"name": name, "unit": parameter.unit, "value": found.values.get(name), "question": parameter.question}
        for name, parameter in found.parameters.items()
    ]
    return _row(found) | {
        "rules": rules,
        "parameters": parameters,
        "questions": [{"about": question.about, "reading": question.reading} for question in found.questions],
        "for_a_person": list(found.for_a_person),
    }


def _row(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "title": policy.title,
        "version": policy.version,
        "digest": policy.digest,
        "effective": iso(policy.effective),
        "zone": policy.zone_name,
        "rule_count": len(policy.rules),
        "unset": policy.unset(),
    }
