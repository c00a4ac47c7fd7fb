"""Who is asking, and what they may see and do.  Imports service.errors only.

Scopes say what may be done, teams and offices whose cases it may be done to.  Roles are what people hold; each brings its
scopes.  Approving a waiver or a change of a policy takes a role, not a scope: it is a person's responsibility.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from service.errors import Flaw, Forbidden, Invalid

SCOPES = {
    "events:write": "send events",
    "cases:read": "read cases, their events and their verdicts",
    "cases:export": "take out everything that is held about a case, whoever may read which part of it otherwise",
    "breaches:read": "read lists of verdicts and breaches, policies and statistics",
    "breaches:review": "acknowledge, uphold or dismiss breaches, comment, ask for waivers",
    "audits:run": "run audits and read their reports",
    "policies:write": "propose and decide changes of policies, try them on the stored cases",
    "sources:admin": "look after the client systems: health, rejects, pulls, quarantine",
    "users:admin": "look after people's accounts and API keys",
    "metrics": "read /metrics",
}

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset({"cases:read", "breaches:read"}),
    "reviewer": frozenset({"cases:read", "breaches:read", "breaches:review"}),
    "team_leader": frozenset({"cases:read", "breaches:read", "breaches:review"}),
    "manager": frozenset({"cases:read", "cases:export", "breaches:read", "breaches:review", "audits:run", "policies:write"}),
    "policy_owner": frozenset({"cases:read", "breaches:read", "policies:write"}),
    "operator": frozenset({"sources:admin", "metrics"}),
    "administrator": frozenset(SCOPES) - {"events:write"},
}
"""An administrator runs the installation; whoever is to approve waivers holds team_leader or manager as well."""

ROLE_GRANT = "role:"
"""An API key that may decide like a person of a role carries ``role:manager`` among its scopes."""

APPROVERS = {
    "low": frozenset({"team_leader", "manager"}),
    "medium": frozenset({"team_leader", "manager"}),
    "high": frozenset({"manager"}),
    "critical": frozenset({"manager"}),
    "advisory": frozenset({"team_leader", "manager"}),
}
"""Which roles may approve a waiver of a breach of each severity."""

POLICY_DECIDERS = frozenset({"policy_owner", "manager", "administrator"})
"""Which roles may approve or reject a change of a policy; nobody approves a change of their own."""


@dataclass(frozen=True, slots=True)
class Access:
    """A caller who has been recognised.  ``teams`` and ``offices`` of None mean all of them."""

    actor: str
    """``key:ID`` or ``user:ID``, as histories record it."""
    name: str
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] | None = None
    offices: frozenset[str] | None = None
    must_change: bool = False
    """The password was given by somebody else: nothing but changing it is allowed."""

    def require(self, scope: str) -> None:
        """Raises Forbidden, naming the scope, unless the caller holds it."""
        if self.must_change:
            raise Forbidden("the password must be changed first")
        if scope not in self.scopes:
            raise Forbidden(f"this needs the scope {scope}")

    def allows(self, scope: str) -> bool:
        """Whether ``require`` would pass."""
        return not self.must_change and scope in self.scopes

    def may_approve(self, severity: str) -> bool:
        """Whether the caller's role may approve waivers of breaches of this severity."""
        return not self.must_change and bool(self.roles & APPROVERS.get(severity, frozenset()))

    def may_decide_policies(self) -> bool:
        """Whether the caller's role may approve or reject changes of policies that others have proposed."""
        return not self.must_change and bool(self.roles & POLICY_DECIDERS)

    def sees(self, *, team: str | None, office: str | None) -> bool:
        """Whether something of this team and office lies within the caller's limits.  What names no team lies in no team's limits."""
        return (self.teams is None or team in self.teams) and (self.offices is None or office in self.offices)


def system(actor: str = "system") -> Access:
    """The product itself, and a person at the command line of its machine: no limits."""
    return Access(actor=actor, name=actor, scopes=frozenset(SCOPES), roles=frozenset(ROLES))


def check_scopes(scopes: Collection[str], *, field: str = "scopes") -> frozenset[str]:
    """The scopes, if each exists.  Raises Invalid."""
    return _checked(scopes, known=set(SCOPES) | {ROLE_GRANT + role for role in ROLES}, word="scope", field=field)


def check_roles(roles: Collection[str], *, field: str = "roles") -> frozenset[str]:
    """The roles, if each exists.  Raises Invalid."""
    return _checked(roles, known=set(ROLES), word="role", field=field)


def _checked(given: Collection[str], *, known: Collection[str], word: str, field: str) -> frozenset[str]:
    listed = ", ".join(sorted(known))
    wrong = sorted(set(given) - set(known))
    if wrong:
        raise Invalid(Flaw(field, "unknown", f"not a {word}: {', '.join(wrong)}; {word}s are {listed}"))
    if not given:
        raise Invalid(Flaw(field, "missing", f"give at least one of {listed}"))
    return frozenset(given)
