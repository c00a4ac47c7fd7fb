"""How a version of a policy follows the one before: what it takes over, when it may take effect, which rules begin to accuse.

Imports rules/ and store/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rules.policy import Policy
from service.policies.book import loaded
from store.policychanges import Activated, activated

ENFORCED = "enforced"


@dataclass(frozen=True, slots=True)
class InLine:
    """A version in the line of those that judge a policy, in the order of their effective days."""

    activated: Activated
    policy: Policy


def line(session: Session, memory: dict[str, Policy], policy_id: str) -> list[InLine]:
    """The versions that judge; of two that take effect on one day, the one that was decided later."""
    by_day = {one.effective: one for one in activated(session) if one.policy == policy_id}
    versions = loaded(session, [one.digest for one in by_day.values()], memory)
    return [InLine(by_day[day], versions[by_day[day].digest]) for day in sorted(by_day)]


def newest(session: Session, memory: dict[str, Policy], policy_id: str) -> Policy | None:
    """The last version in the line: what a new one follows.  None where nothing judges by this policy yet."""
    found = line(session, memory, policy_id)
    return found[-1].policy if found else None


def set_by_people(policy: Policy) -> dict[str, int | None]:
    """The parameters whose values are not those of the policy's own text."""
    return {name: value for name, value in policy.values.items() if value != policy.parameters[name].default}


def carried_over(policy: Policy, base: Policy, named: Mapping[str, int | None] | None = None) -> Policy:
    """The policy with the parameters that people have set for ``base``, as far as it has them, and with those ``named`` now."""
    kept = {name: value for name, value in set_by_people(base).items() if name in policy.parameters}
    return policy.with_parameters({**kept, **(named or {})})


def moved(policy: Policy, base: Policy | None, *, today: int) -> Policy:
    """The policy, taking effect on its own day, or today, or with the version before it: whichever is the latest."""
    day = max(policy.effective, today, base.effective if base is not None else 0)
    return policy if day == policy.effective else policy.taking_effect(day, applies_to_open=policy.applies_to_open)


def newly_enforced(policy: Policy, base: Policy | None) -> list[str]:
    """The rules that can accuse by ``policy`` and could not by ``base``."""
    before = {rule.id for rule in base.rules if rule.status == ENFORCED} if base is not None else set()
    return [rule.id for rule in policy.rules if rule.status == ENFORCED and rule.id not in before]
