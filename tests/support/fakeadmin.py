"""The made-up accounts, keys and access log of the fake desk: one in every state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from api.web.admin.views import (
    AccountPage,
    AccountRow,
    AccountsPage,
    KeyPage,
    KeyRow,
    KeysPage,
    LogFilters,
    LogLine,
    LogPage,
    Offer,
    OverviewPage,
    PlaceLine,
    PlacesPage,
    RoleLine,
    RolesPage,
    Secret,
    SigningPage,
)
from api.web.views import Choice
from rules.model import to_ms
from service.access import ROLES, SCOPES, Access
from service.errors import Flaw, Invalid, NotFound, NotPossible

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
DAY = 86_400_000
Limits = Collection[str] | None

_KIM = AccountRow("u1", "kim", "kim@example.org", ["administrator", "manager"], None, None, "good", NOW - 90 * DAY, NOW - 60_000)
ACCOUNTS = (
    _KIM,
    AccountRow("u2", "robin", "", ["reviewer"], ["north", "south"], None, "good", NOW - 80 * DAY, NOW - DAY),
    AccountRow("u3", "sam", "sam@example.org", ["team_leader"], ["north"], ["alice_springs"], "locked", NOW - DAY, NOW - DAY, NOW + 60_000),
    AccountRow("u4", "new person", "", ["viewer"], None, None, "new", NOW - DAY, None),
    AccountRow(
        "u5", "somebody who left, with a long name", "", ["reviewer", "operator"], None, None, "off", NOW - 900 * DAY, NOW - 90 * DAY
    ),
)
_FEED = KeyRow("k3jq8w2m5n7p", "case register", ["events:write"], None, None, "good", NOW - 90 * DAY, None, None, NOW - 60_000)
KEYS = (
    _FEED,
    KeyRow("a2b3c4d5e6f7", "figures for the board", ["breaches:read"], ["north"], None, "ending", NOW - DAY, NOW + 3 * DAY, None, None),
    KeyRow("z9y8x7w6v5u4", "old register", ["events:write"], None, None, "revoked", NOW - 900 * DAY, None, NOW - 90 * DAY, NOW - 91 * DAY),
)
_LINE = LogLine(9, NOW - 60_000, "robin", "user:u2", "Read a breach", "on the pages", "done", "FAM-2001", "b0001", "", None)
LOG = (
    _LINE,
    replace(_LINE, id=8, what="Looked at a list of breaches", case="", breach="", count=50),
    replace(_LINE, id=7, what="Reviewed a breach or commented on it", outcome="not_done"),
    replace(
        _LINE,
        id=6,
        who="API key case register",
        actor="key:k3jq8w2m5n7p",
        what="Sent events",
        via="through the API",
        case="",
        breach="",
        count=10_000,
    ),
    replace(_LINE, id=5, what="Read a case", outcome="not_found", case="", breach=""),
)


class FakeAdmin:
    """``admin_refusing``: why the next change is not possible."""

    def __init__(self) -> None:
        self.held_accounts = {row.id: row for row in ACCOUNTS}
        self.held_keys = {row.id: row for row in KEYS}
        self.admin_refusing = ""
        self.admin_done: list[tuple[object, ...]] = []

    def _admin(self, access: Access, *change: object) -> None:
        access.require("users:admin")
        if change:
            if self.admin_refusing:
                raise NotPossible(self.admin_refusing)
            self.admin_done.append(change)

    def administration(self, access: Access) -> OverviewPage:
        self._admin(access)
        return OverviewPage(
            NOW,
            ZONE,
            4,
            2,
            True,
            [("new person has not signed in yet", "web.account", "u4"), ("One key ends soon", "web.api_key", KEYS[1].id)],
        )

    def accounts(self, access: Access, *, find: str) -> AccountsPage:
        self._admin(access)
        rows = [row for row in self.held_accounts.values() if find in row.name]
        return AccountsPage(NOW, ZONE, rows, find, len(rows))

    def account(self, access: Access, account: str) -> AccountPage:
        self._admin(access)
        if account not in self.held_accounts:
            raise NotFound("there is no such account")
        row = self.held_accounts[account]
        return AccountPage(NOW, ZONE, replace(row, own=access.actor == f"user:{row.name}"), self.offer(access))

    def offer(self, access: Access) -> Offer:
        self._admin(access)
        return Offer(
            [Choice(role, role) for role in ROLES], [Choice(code, told) for code, told in SCOPES.items()], ["north", "south"], ["darwin"]
        )

    def make_account(self, access: Access, *, name: str, email: str, roles: Collection[str], teams: Limits, offices: Limits) -> Secret:
        if name in {row.name for row in self.held_accounts.values()}:
            raise Invalid(Flaw("name", "taken", "there is an account of this name"))
        self._admin(access, "make", name, tuple(roles), teams, offices)
        return Secret(
            NOW,
            ZONE,
            f"The account {name} has been made",
            "One-time password",
            "once-only-words",
            "/administration/accounts/u4",
            ["Hand it over."],
        )

    def change_account(self, access: Access, account: str, *, roles: Collection[str], teams: Limits, offices: Limits) -> None:
        self._admin(access, "change", account, tuple(roles), teams, offices)

    def lock_account(self, access: Access, account: str) -> None:
        self._admin(access, "lock", account)

    def let_in(self, access: Access, account: str) -> None:
        self._admin(access, "let in", account)

    def reset_password(self, access: Access, account: str) -> Secret:
        self._admin(access, "reset", account)
        return Secret(NOW, ZONE, "robin has a new one-time password", "One-time password", "once-only-words", "/administration/accounts/u2")

    def roles_page(self, access: Access) -> RolesPage:
        self._admin(access)
        return RolesPage(
            NOW,
            ZONE,
            [RoleLine(role, [(scope, SCOPES[scope]) for scope in sorted(scopes)], ["low"], True, 1) for role, scopes in ROLES.items()],
        )

    def places_page(self, access: Access) -> PlacesPage:
        self._admin(access)
        return PlacesPage(NOW, ZONE, [PlaceLine("", 3, 1, 0, 0), PlaceLine("north", 210, 41, 2, 1), PlaceLine("nroth", 0, 0, 1, 0)], [])

    def keys_page(self, access: Access) -> KeysPage:
        self._admin(access)
        return KeysPage(NOW, ZONE, list(self.held_keys.values()))

    def key_page(self, access: Access, key: str) -> KeyPage:
        self._admin(access)
        if key not in self.held_keys:
            raise NotFound("there is no such key")
        return KeyPage(NOW, ZONE, self.held_keys[key], SCOPES, [Choice("0", "At once"), Choice("86400000", "After a day")])

    def make_key(
        self, access: Access, *, name: str, scopes: Collection[str], teams: Limits, offices: Limits, expires: dt.date | None
    ) -> Secret:
        self._admin(access, "make key", name, tuple(scopes), teams, offices, expires)
        return Secret(NOW, ZONE, f"The key {name} has been made", "Key", "dk_once_only", "/administration/keys/k3jq8w2m5n7p")

    def rotate_key(self, access: Access, key: str, *, overlap: int) -> Secret:
        self._admin(access, "rotate", key, overlap)
        return Secret(NOW, ZONE, "case register has a new key", "Key", "dk_once_only", "/administration/keys/k3jq8w2m5n7p")

    def revoke_key(self, access: Access, key: str) -> None:
        self._admin(access, "revoke", key)

    def signing_page(self, access: Access) -> SigningPage:
        self._admin(access)
        return SigningPage(
            NOW, ZONE, [("Passwords", [("Length", "at least 12 characters")]), ("Single sign-on", [("State", "not set up")])]
        )

    def access_log(self, access: Access, filters: LogFilters) -> LogPage:
        self._admin(access)
        rows = [row for row in LOG if filters.case in row.case]
        more = "5" if len(rows) == len(LOG) and not filters.cursor else ""
        return LogPage(
            NOW,
            ZONE,
            rows,
            12_000 if rows else 0,
            bool(rows),
            more,
            [Choice("user:u2", "robin")],
            [("Readings", [Choice("breach.read", "Read a breach")])],
        )

    def access_log_rows(self, access: Access, filters: LogFilters) -> Iterator[Sequence[str]]:
        self._admin(access)
        return iter([("time", "who"), ("2026-04-09T00:43:00Z", "robin")])
