"""The parameters that nobody has set yet: what each decides, and how many cases wait for it.  Imports rules/, store/ and service/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from rules.policy import Policy
from rules.reading import parameters_of
from service.access import Access
from service.bootstrap import Service
from store.models import VerdictRow
from store.queries import Scope

REMEMBERED = 64
_needed: dict[str, Mapping[str, tuple[str, ...]]] = {}


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A parameter that is not set.  ``rules`` need it and leave ``waiting_cases`` within the caller's limits undecided."""

    policy: str
    parameter: str
    question: str
    unit: str
    rules: tuple[str, ...]
    waiting_cases: int


def questions(svc: Service, access: Access) -> list[OpenQuestion]:
    """The open questions of the versions in force today, by policy in the order of its parameters.  Raises Forbidden."""
    access.require("breaches:read")
    scope = Scope(access.teams, access.offices)
    found = []
    with svc.reading() as session:
        for policy in _of_today(svc):
            for name in policy.unset():
                rules = needed_by(policy)[name]
                waiting = select(func.count(VerdictRow.case_id.distinct())).where(
                    VerdictRow.policy == policy.id,
                    VerdictRow.rule.in_(rules),
                    VerdictRow.reason == "parameter_unset",
                    *scope.conditions(VerdictRow.team, VerdictRow.office),
                )
                own = policy.parameters[name]
                found.append(OpenQuestion(policy.id, name, own.question, own.unit, rules, session.scalar(waiting) or 0))
    return found


def needed_by(policy: Policy) -> Mapping[str, tuple[str, ...]]:
    """The ids of the rules that need each parameter.  Remembered by digest: looking for them takes longer than a page may take."""
    found = _needed.get(policy.digest)
    if found is None:
        names = {rule.id: set(parameters_of(policy, rule)) for rule in policy.rules}
        found = {name: tuple(rule for rule, own in names.items() if name in own) for name in policy.parameters}
        while len(_needed) >= REMEMBERED:
            _needed.pop(next(iter(_needed)), None)
        _needed[policy.digest] = found
    return found


def _of_today(svc: Service) -> list[Policy]:
    today = {policy.id: policy for policy in svc.policies.policies if policy.effective <= policy.zone.day_of(svc.now())}
    return [today[name] for name in sorted(today)]
