"""What administrators do: accounts and API keys, within their own limits, and never for themselves.  Imports store/ and service/.

The rules, in one place.  An administrator who is limited to teams or offices looks after accounts and keys whose limits lie within
their own; all others do not exist for them.  Nobody changes their own roles or limits.  A key is given no scope that its maker does
not hold (sending events apart) and no role that is not the maker's own: else a key would be a second person.  An administrator
without limits is always left (service/users.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from service import keys, users
from service.access import ROLE_GRANT, Access
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible
from service.keys import ApiKey
from service.users import User
from store.queries.narrow import Scope
from store.queries.places import Kind, Place, places

SCOPE = "users:admin"
PLACE_LIMIT = 200
OVERLAPS = {0: "at once", 86_400_000: "after a day", 7 * 86_400_000: "after a week"}
"""How long the old key may hold beside the one that takes its place (ms), and how that is said."""


@dataclass(frozen=True, slots=True)
class Held:
    """A team or an office: its cases, and who is limited to it."""

    code: str | None
    """None: cases that name none."""
    cases: int
    open_breaches: int
    people: int
    keys: int


# --- accounts --------------------------------------------------------------------------------------------------------


def accounts(svc: Service, access: Access) -> list[User]:
    """The accounts that the caller looks after, by name.  Raises Forbidden, as all of these do."""
    access.require(SCOPE)
    return [user for user in users.listed(svc) if _within(access, user.teams, user.offices)]


def account(svc: Service, access: Access, user_id: str) -> User:
    """One of them.  Raises NotFound."""
    access.require(SCOPE)
    user = users.get(svc, user_id)
    if not _within(access, user.teams, user.offices):
        raise NotFound("there is no such account")
    return user


def make_account(
    svc: Service,
    access: Access,
    *,
    name: str,
    roles: Collection[str],
    email: str | None = None,
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
) -> tuple[User, str]:
    """A new account and its one-time password, which nobody can be shown again.  Raises Invalid."""
    access.require(SCOPE)
    _check_limits(access, teams, offices)
    if email is not None and (len(email) > 200 or "@" not in email or not email.isprintable() or " " in email):
        raise Invalid(Flaw("email", "wrong_value", "give an address like name@example.org, or leave it empty"))
    user, password = users.create(svc, name=name, roles=roles, email=email, teams=teams, offices=offices)
    assert password is not None
    return user, password


def change_account(
    svc: Service,
    access: Access,
    user_id: str,
    *,
    roles: Collection[str],
    teams: Collection[str] | None,
    offices: Collection[str] | None,
) -> User:
    """What an account may do and see; its sessions end.  Raises NotFound, Invalid and NotPossible."""
    user = _other(svc, access, user_id, "another administrator changes your roles and limits")
    _check_limits(access, teams, offices)
    return users.change(svc, name=user.name, roles=roles, teams=teams, offices=offices, unlimited=True)


def lock_account(svc: Service, access: Access, user_id: str) -> User:
    """Switch an account off; whoever uses it is out at once.  Raises NotFound and NotPossible."""
    user = _other(svc, access, user_id, "you cannot switch your own account off")
    return users.change(svc, name=user.name, disabled=True)


def let_in(svc: Service, access: Access, user_id: str) -> User:
    """Let an account in again that was switched off or locked after wrong passwords.  Raises NotFound."""
    return users.let_in(svc, name=account(svc, access, user_id).name)


def reset_password(svc: Service, access: Access, user_id: str) -> tuple[User, str]:
    """A one-time password for an account, to be changed at the next sign-in; its sessions end.  Raises NotFound and NotPossible."""
    user = _other(svc, access, user_id, "change your own password on its own page")
    password = users.reset_password(svc, name=user.name)
    return users.get(svc, user.id), password


# --- keys ------------------------------------------------------------------------------------------------------------


def api_keys(svc: Service, access: Access) -> list[ApiKey]:
    """The keys that the caller looks after, the latest first."""
    access.require(SCOPE)
    return [key for key in reversed(keys.listed(svc)) if _within(access, key.teams, key.offices)]


def api_key(svc: Service, access: Access, key_id: str) -> ApiKey:
    """One of them.  Raises NotFound."""
    access.require(SCOPE)
    key = keys.get(svc, key_id)
    if not _within(access, key.teams, key.offices):
        raise NotFound("there is no such key")
    return key


def grantable(access: Access) -> frozenset[str]:
    """The scopes that the caller may give to a key."""
    return access.scopes | {"events:write"} | {ROLE_GRANT + role for role in access.roles}


def make_key(
    svc: Service,
    access: Access,
    *,
    name: str,
    scopes: Collection[str],
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
    expires: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, which nobody can be shown again.  Raises Invalid."""
    access.require(SCOPE)
    _check_limits(access, teams, offices)
    _check_grant(access, scopes)
    return keys.create(svc, name=name, scopes=scopes, teams=teams, offices=offices, expires=expires)


def rotate_key(svc: Service, access: Access, key_id: str, *, overlap: int) -> tuple[ApiKey, str]:
    """A key in place of this one, and its token; the old one ends after ``overlap`` ms, one of ``OVERLAPS``.

    Raises NotFound, Invalid and NotPossible.
    """
    key = api_key(svc, access, key_id)
    if overlap not in OVERLAPS:
        raise Invalid(Flaw("overlap", "unknown", "choose when the old key ends"))
    _check_grant(access, key.scopes)
    return keys.rotate(svc, key.id, overlap=overlap)


def revoke_key(svc: Service, access: Access, key_id: str) -> ApiKey:
    """The key is of no use from now on.  Raises NotFound."""
    return keys.revoke(svc, api_key(svc, access, key_id).id)


# --- teams and offices -----------------------------------------------------------------------------------------------


def found(svc: Service, access: Access, kind: Kind) -> list[Held]:
    """The teams, or the offices, that cases name or that somebody is limited to."""
    access.require(SCOPE)
    with svc.reading() as session:
        named = {place.code: place for place in places(session, kind, scope=Scope(teams=access.teams, offices=access.offices))}
    held = [(one.teams if kind == "team" else one.offices) or frozenset() for one in accounts(svc, access)]
    machines = [(one.teams if kind == "team" else one.offices) or frozenset() for one in api_keys(svc, access) if one.revoked is None]
    codes = {*named, *(code for group in (*held, *machines) for code in group)}
    return [_held(code, named.get(code), held, machines) for code in sorted(codes, key=lambda code: (code is not None, code or ""))]


def _held(code: str | None, place: Place | None, people: list[frozenset[str]], machines: list[frozenset[str]]) -> Held:
    return Held(
        code=code,
        cases=place.cases if place else 0,
        open_breaches=place.open_breaches if place else 0,
        people=sum(code in group for group in people),
        keys=sum(code in group for group in machines),
    )


# --- the rules -------------------------------------------------------------------------------------------------------


def _other(svc: Service, access: Access, user_id: str, told: str) -> User:
    user = account(svc, access, user_id)
    if access.actor == f"user:{user.id}":
        raise NotPossible(told)
    return user


def _within(access: Access, teams: frozenset[str] | None, offices: frozenset[str] | None) -> bool:
    pairs = ((access.teams, teams), (access.offices, offices))
    return all(own is None or (given is not None and given <= own) for own, given in pairs)


def _check_limits(access: Access, teams: Collection[str] | None, offices: Collection[str] | None) -> None:
    flaws = []
    for field, given, own in (("teams", teams, access.teams), ("offices", offices, access.offices)):
        if given is not None and (not given or any(not _code(code) for code in given)):
            flaws.append(Flaw(field, "wrong_value", f"choose at least one, each of at most {PLACE_LIMIT} printable characters"))
        elif own is not None and (given is None or not set(given) <= own):
            flaws.append(Flaw(field, "not_allowed", f"you can give your own {field} alone"))
    if flaws:
        raise Invalid(*flaws)


def _code(text: str) -> bool:
    return 0 < len(text) <= PLACE_LIMIT and text.isprintable() and text == text.strip()


def _check_grant(access: Access, scopes: Collection[str]) -> None:
    beyond = sorted(set(scopes) - grantable(access))
    if beyond:
        raise Forbidden(f"a key is given no more than its maker holds: {', '.join(beyond)}")
