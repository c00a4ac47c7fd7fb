"""The pages of administration over the real product: asks service/, and hands the answers on as views.

No SQL and no decisions here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from flask import url_for

from api.web import words
from api.web.admin.logdesk import LogServiceDesk
from api.web.admin.views import (
    AccountPage,
    AccountRow,
    AccountsPage,
    KeyPage,
    KeyRow,
    KeysPage,
    Offer,
    OverviewPage,
    PlaceLine,
    PlacesPage,
    RoleLine,
    RolesPage,
    Secret,
    SigningPage,
)
from api.web.signon.facts import sign_on_facts
from api.web.views import Choice
from rules.clock import zone as zone_of
from service import administration as admin
from service import users
from service.access import APPROVERS, POLICY_DECIDERS, ROLE_GRANT, ROLES, SCOPES, Access
from service.accesslog import SCOPE, may_read
from service.administration import Held
from service.errors import Forbidden
from service.keys import ApiKey
from service.users import User
from service.websessions import IDLE, LONGEST

SOON = 14 * 86_400_000
"""ms before its expiry at which a key is said to end soon."""
Limits = Collection[str] | None


class AdminServiceDesk(LogServiceDesk):
    """See ``api.web.admin.desk.AdminDesk``."""

    def administration(self, access: Access) -> OverviewPage:
        svc, now = self.service, self.service.now()
        people = [_account(one, access, now) for one in admin.accounts(svc, access)]
        held = [_key(one, now) for one in admin.api_keys(svc, access)]
        needs = [(f"{one.name} is locked after wrong passwords", "web.account", one.id) for one in people if one.state == "locked"]
        needs += [(f"{one.name} has not signed in yet", "web.account", one.id) for one in people if one.state == "new"]
        needs += [(f"The key {one.name} ends soon", "web.api_key", one.id) for one in held if one.state == "ending"]
        needs += [(f"The key {one.name} is void: the secret key is another", "web.api_key", one.id) for one in held if one.state == "void"]
        if sum("administrator" in one.roles and one.state != "off" and one.teams is None and one.offices is None for one in people) == 1:
            needs.append(("There is one administrator only: a second one can help when the first is away", "web.new_account", ""))
        active = sum(one.state not in {"revoked", "expired", "void"} for one in held)
        return OverviewPage(now, self.zone, sum(one.state != "off" for one in people), active, _reads_log(access), needs)

    # --- accounts ----------------------------------------------------------------------------------------------------

    def accounts(self, access: Access, *, find: str) -> AccountsPage:
        now, sought = self.service.now(), find.casefold()
        everybody = [_account(one, access, now) for one in admin.accounts(self.service, access)]
        rows = [one for one in everybody if sought in " ".join((one.name, one.email, *one.roles)).casefold()]
        return AccountsPage(now, self.zone, rows, find, len(rows))

    def account(self, access: Access, account: str) -> AccountPage:
        user, now = admin.account(self.service, access, account), self.service.now()
        return AccountPage(now, self.zone, _account(user, access, now), self.offer(access))

    def offer(self, access: Access) -> Offer:
        teams, offices = (
            [one.code for one in admin.found(self.service, access, kind) if one.code is not None] for kind in ("team", "office")
        )
        able = admin.grantable(access)
        return Offer(
            roles=[Choice(code, words.word("role", code)) for code in ROLES],
            scopes=[Choice(code, told) for code, told in _meanings().items() if code in able],
            teams=teams,
            offices=offices,
            all_teams=access.teams is None,
            all_offices=access.offices is None,
        )

    def make_account(self, access: Access, *, name: str, email: str, roles: Collection[str], teams: Limits, offices: Limits) -> Secret:
        user, password = admin.make_account(self.service, access, name=name, email=email or None, roles=roles, teams=teams, offices=offices)
        return self._password(user, password, f"The account {user.name} has been made")

    def change_account(self, access: Access, account: str, *, roles: Collection[str], teams: Limits, offices: Limits) -> None:
        admin.change_account(self.service, access, account, roles=roles, teams=teams, offices=offices)

    def lock_account(self, access: Access, account: str) -> None:
        admin.lock_account(self.service, access, account)

    def let_in(self, access: Access, account: str) -> None:
        admin.let_in(self.service, access, account)

    def reset_password(self, access: Access, account: str) -> Secret:
        user, password = admin.reset_password(self.service, access, account)
        return self._password(user, password, f"{user.name} has a new one-time password")

    def _password(self, user: User, password: str, heading: str) -> Secret:
        lines = (
            "Hand it over in person or by telephone, not in the same message as the user name.",
            "It is good for one thing: at the first sign-in its owner has to choose a password of their own.",
        )
        return Secret(self.service.now(), self.zone, heading, "One-time password", password, url_for("web.account", account=user.id), lines)

    # --- roles, teams and offices ------------------------------------------------------------------------------------

    def roles_page(self, access: Access) -> RolesPage:
        people = admin.accounts(self.service, access)
        lines = [
            RoleLine(
                code,
                [(scope, words.sentence_case(SCOPES[scope])) for scope in SCOPES if scope in scopes],
                [severity for severity, roles in APPROVERS.items() if code in roles],
                code in POLICY_DECIDERS,
                sum(code in one.roles for one in people if not one.disabled),
            )
            for code, scopes in ROLES.items()
        ]
        return RolesPage(self.service.now(), self.zone, lines)

    def places_page(self, access: Access) -> PlacesPage:
        teams, offices = ([_place(one) for one in admin.found(self.service, access, kind)] for kind in ("team", "office"))
        return PlacesPage(self.service.now(), self.zone, teams, offices)

    # --- keys --------------------------------------------------------------------------------------------------------

    def keys_page(self, access: Access) -> KeysPage:
        now = self.service.now()
        return KeysPage(now, self.zone, [_key(one, now) for one in admin.api_keys(self.service, access)])

    def key_page(self, access: Access, key: str) -> KeyPage:
        now = self.service.now()
        overlaps = [Choice(str(ms), words.sentence_case(told)) for ms, told in admin.OVERLAPS.items()]
        return KeyPage(now, self.zone, _key(admin.api_key(self.service, access, key), now), _meanings(), overlaps)

    def make_key(
        self, access: Access, *, name: str, scopes: Collection[str], teams: Limits, offices: Limits, expires: dt.date | None
    ) -> Secret:
        until = None if expires is None else zone_of(self.zone).end_of(expires.toordinal())
        key, token = admin.make_key(self.service, access, name=name, scopes=scopes, teams=teams, offices=offices, expires=until)
        return self._token(key, token, f"The key {key.name} has been made")

    def rotate_key(self, access: Access, key: str, *, overlap: int) -> Secret:
        made, token = admin.rotate_key(self.service, access, key, overlap=overlap)
        return self._token(made, token, f"{made.name} has a new key", f"The old key ends {admin.OVERLAPS[overlap]}.")

    def revoke_key(self, access: Access, key: str) -> None:
        admin.revoke_key(self.service, access, key)

    def _token(self, key: ApiKey, token: str, heading: str, *lines: str) -> Secret:
        told = ("Put it where the other system keeps its secrets. It is kept here as a hash only.", *lines)
        return Secret(self.service.now(), self.zone, heading, "Key", token, url_for("web.api_key", key=key.id), told)

    # --- signing in --------------------------------------------------------------------------------------------------

    def signing_page(self, access: Access) -> SigningPage:
        access.require(SCOPE)
        settings = self.service.settings
        kept = "given by DUECARE_SECRET_KEY" if settings.secret_key is not None else "made at the first start, in a file under DUECARE_HOME"
        doubled = f"{words.span(users.FIRST_LOCK)}, doubled each time up to {words.span(users.LONGEST_LOCK)}"
        passwords = [
            ("Kept as", "argon2id hash; nobody can read a password back"),
            ("Length", f"{users.LEAST_PASSWORD} to {users.MOST_PASSWORD} characters, not made of the user name or of few characters"),
            ("Wrong passwords", f"after {users.TRIES} in a row the account is locked for {doubled}"),
            ("One-time passwords", "have to be changed at the first sign-in, before anything else"),
        ]
        held = [
            ("End without use", f"after {words.span(IDLE)}"),
            ("End in any case", f"after {words.span(LONGEST)}"),
            ("End by hand", "each by its owner, under Your account; signing out ends the one session"),
            ("End all at once", "when the account is switched off, or its roles, limits or password change"),
            ("Cookie", "closed to scripts and to other sites; sent by https only, where the service is reached by https"),
            ("Secret key", f"{kept}; never shown"),
        ]
        counted = "in all processes together" if settings.redis is not None else "in each process"
        rate = f"{settings.rate_limit} for each caller, {counted}" if settings.rate_limit else "none is set (DUECARE_RATE_LIMIT)"
        machines = [
            ("Kept as", "HMAC-SHA256 of 256 random bits; nobody can read a key back"),
            ("Last use", "noted once a minute at most"),
            ("Rate limit", rate),
        ]
        groups = [("Passwords", passwords), ("Sessions", held), ("API keys", machines), ("Single sign-on", sign_on_facts(self.service))]
        return SigningPage(self.service.now(), self.zone, groups)


def _meanings() -> Mapping[str, str]:
    roles = {ROLE_GRANT + role: f"decide as a person with the role {words.word('role', role).lower()} may" for role in ROLES}
    return {code: words.sentence_case(told) for code, told in (SCOPES | roles).items()}


def _reads_log(access: Access) -> bool:
    try:
        may_read(access)
    except Forbidden:
        return False
    return True


def _account(user: User, access: Access, now: int) -> AccountRow:
    locked = user.locked_until is not None and user.locked_until > now
    waits = ("new" if user.last_login is None else "must_change") if user.must_change else "good"
    return AccountRow(
        id=user.id,
        name=user.name,
        email=user.email or "",
        roles=[role for role in ROLES if role in user.roles],
        teams=None if user.teams is None else sorted(user.teams),
        offices=None if user.offices is None else sorted(user.offices),
        state="off" if user.disabled else "locked" if locked else waits,
        created=user.created,
        last_login=user.last_login,
        locked_until=user.locked_until if locked else None,
        own=access.actor == f"user:{user.id}",
        single=user.single,
    )


def _key(key: ApiKey, now: int) -> KeyRow:
    state: str = key.state(now)
    if state in {"good", "unproved"} and key.expires is not None and key.expires - now <= SOON:
        state = "ending"
    elif state == "good" and key.last_used is None:
        state = "unused"
    return KeyRow(
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        teams=None if key.teams is None else sorted(key.teams),
        offices=None if key.offices is None else sorted(key.offices),
        state=state,
        created=key.created,
        expires=key.expires,
        revoked=key.revoked,
        last_used=key.last_used,
    )


def _place(one: Held) -> PlaceLine:
    return PlaceLine(one.code or "", one.cases, one.open_breaches, one.people, one.keys)
