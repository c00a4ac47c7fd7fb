"""What the work list means by its filters, for pages and programs alike: ages in local days, ``me``, and who can be given work.

Imports rules/, store/ and service/.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rules.clock import Zone, zone
from service import users
from service.access import Access
from service.bootstrap import Service
from store.errors import QueryError
from store.queries.narrow import NONE, Age, Scope

DEFAULT_ZONE = "Australia/Darwin"
ME = "me"
"""As an assignee in a filter: whoever reads the list, so that one address serves everybody."""
NOBODY = NONE
AGES = {"today": 0, "week": 7, "month": 30, "quarter": 90, "older": None}
"""Names of ages, the youngest first, and the days up to which each reaches, counted from today; None: no end."""
SCOPE = "breaches:review"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be given breaches to look into.  ``actor`` is ``user:ID``, as histories name people."""

    actor: str
    name: str


def zone_of_lists(svc: Service) -> Zone:
    """The zone whose days count in lists, which hold findings of several policies: that of the first policy."""
    policies = svc.policies.policies
    return policies[0].zone if policies else zone(DEFAULT_ZONE)


def ages(svc: Service) -> tuple[Age, ...]:
    """How long ago a breach was found, in whole local days before today: today, 1 to 7 days, 8 to 30, 31 to 90, more."""
    where = zone_of_lists(svc)
    today = where.day_of(svc.now())
    found: list[Age] = []
    end: int | None = None
    for name, days in AGES.items():
        start = None if days is None else where.start_of(today - days)
        found.append(Age(name, start, end))
        end = start
    return tuple(found)


def chosen_ages(svc: Service, names: Collection[str]) -> tuple[Age, ...]:
    """The ages of these names.  Raises QueryError for one that does not exist."""
    if not set(names) <= set(AGES):
        raise QueryError("age", f"must be one of {', '.join(AGES)}")
    return tuple(age for age in ages(svc) if age.name in names) if names else ()


def assignees(access: Access, values: Sequence[str]) -> tuple[str, ...]:
    """The values of an assignee filter as the store has them: ``me`` is the caller."""
    return tuple(access.actor if value == ME else value for value in values)


def scope_of(access: Access) -> Scope:
    """What the caller may see, as the store takes it."""
    return Scope(teams=access.teams, offices=access.offices)


def people(svc: Service, access: Access) -> list[Person]:
    """Who can be given breaches that the caller sees, by name: people who review and whose limits meet the caller's."""
    return [Person(found.actor, found.name) for found in _reviewers(svc) if _meet(found, access)]


def reviewer(svc: Service, assignee: str) -> Access | None:
    """Somebody who can be given breaches, by ``user:ID`` or by name; None: there is nobody like that."""
    found = _reviewers(svc)
    by_actor = next((one for one in found if one.actor == assignee), None)
    return by_actor or next((one for one in found if one.name == assignee), None)


def _reviewers(svc: Service) -> list[Access]:
    return [who for who in (users.access_of(user) for user in users.listed(svc) if not user.disabled) if SCOPE in who.scopes]


def _meet(one: Access, other: Access) -> bool:
    pairs = ((one.teams, other.teams), (one.offices, other.offices))
    return all(mine is None or theirs is None or mine & theirs for mine, theirs in pairs)
