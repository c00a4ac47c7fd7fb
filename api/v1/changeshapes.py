"""From changes of policies, versions and backtests to what version 1 sends.  Pure."""

from __future__ import annotations

from typing import Any

from api.v1.shapes import instant
from rules.changes import Change
from rules.clock import iso
from rules.model import rfc3339
from rules.policy import Policy, package_of
from service.backtests.runs import Backtest
from service.policies.changes import PolicyChange


def change(found: PolicyChange) -> dict[str, Any]:
    """A change of a policy, as lists have it."""
    return {
        "id": found.id,
        "version": found.row_version,
        "policy": found.policy,
        "kind": found.kind,
        "state": found.state,
        "digest": found.digest,
        "base_digest": found.base_digest,
        "policy_version": found.version,
        "effective": found.effective.isoformat(),
        "applies_to_open": found.applies_to_open,
        "values": dict(found.values),
        "reason": found.reason,
        "proposed_by": found.proposed_name,
        "proposed_at": rfc3339(found.proposed_at),
        "decided_by": found.decided_name,
        "decided_at": instant(found.decided_at),
        "comment": found.comment,
        "backtest": found.backtest,
    }


def difference(found: Change) -> dict[str, Any]:
    """A change of meaning, in words."""
    return found.as_dict()


def version(policy: Policy) -> dict[str, Any]:
    """A version with its texts."""
    package = package_of(policy)
    return {
        "digest": policy.digest,
        "policy": policy.id,
        "version": policy.version,
        "effective": iso(policy.effective),
        "applies_to_open": policy.applies_to_open,
        "values": dict(policy.values),
        "main": package.main,
        "files": dict(package.files),
    }


def backtest(found: Backtest) -> dict[str, Any]:
    """A backtest, as it stands."""
    return {
        "id": found.id,
        "state": found.state,
        "policy": found.policy,
        "candidate": found.candidate,
        "base": list(found.base),
        "as_of": rfc3339(found.as_of),
        "known_at": rfc3339(found.known_at),
        "since": found.since,
        "total": found.total,
        "done": found.done,
        "created": rfc3339(found.created),
        "created_by": found.created_name,
        "started": instant(found.started),
        "finished": instant(found.finished),
        "report_digest": found.report_digest,
        "error": found.error,
    }
