"""What the pages of administration show, as plain values; see ``api.web.views``.  Times are UTC milliseconds.

Imports the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.web.views import Choice


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account.  ``teams`` and ``offices`` of None: all of them."""

    id: str
    name: str
    email: str
    roles: Sequence[str]
    teams: Sequence[str] | None
    offices: Sequence[str] | None
    state: str
    """off, locked, new (a one-time password, not used yet), must_change or good."""
    created: int
    last_login: int | None
    locked_until: int | None = None
    own: bool = False
    """It is the viewer's own."""
    single: bool = False
    """Its owner signs in with their organisation's account."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An API key, without its secret."""

    id: str
    name: str
    scopes: Sequence[str]
    teams: Sequence[str] | None
    offices: Sequence[str] | None
    state: str
    """revoked, expired, void (made with another secret key), ending (within two weeks), unproved (as in service.keys), unused or good."""
    created: int
    expires: int | None
    revoked: int | None
    last_used: int | None


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role, and what it brings."""

    code: str
    scopes: Sequence[tuple[str, str]]
    """Code and meaning."""
    approves: Sequence[str]
    """Severities of breaches whose waivers it may approve."""
    decides: bool
    """It may answer changes of policies."""
    people: int


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A team or an office."""

    code: str
    """Empty: cases that name none."""
    cases: int
    open_breaches: int
    people: int
    keys: int


@dataclass(frozen=True, slots=True)
class AdminPage:
    """What all of these pages have."""

    as_of: int
    zone: str


@dataclass(frozen=True, slots=True)
class OverviewPage(AdminPage):
    """Where everything is, and what needs somebody."""

    accounts: int
    keys: int
    may_read_log: bool
    needs: Sequence[tuple[str, str, str]]
    """Words, and where they lead: an endpoint and, for one account or key, its id."""


@dataclass(frozen=True, slots=True)
class AccountsPage(AdminPage):
    """The accounts."""

    rows: Sequence[AccountRow]
    find: str
    total: int


@dataclass(frozen=True, slots=True)
class AccountPage(AdminPage):
    """One account, and the form for what it may do."""

    row: AccountRow
    offer: Offer


@dataclass(frozen=True, slots=True)
class Offer:
    """What a form of limits, roles and scopes offers."""

    roles: Sequence[Choice] = ()
    scopes: Sequence[Choice] = ()
    teams: Sequence[str] = ()
    offices: Sequence[str] = ()
    all_teams: bool = True
    """Whether the viewer can give access to all teams."""
    all_offices: bool = True


@dataclass(frozen=True, slots=True)
class RolesPage(AdminPage):
    """What each role brings."""

    lines: Sequence[RoleLine]


@dataclass(frozen=True, slots=True)
class PlacesPage(AdminPage):
    """The teams and offices."""

    teams: Sequence[PlaceLine]
    offices: Sequence[PlaceLine]


@dataclass(frozen=True, slots=True)
class KeysPage(AdminPage):
    """The API keys."""

    rows: Sequence[KeyRow]


@dataclass(frozen=True, slots=True)
class KeyPage(AdminPage):
    """One API key."""

    row: KeyRow
    meanings: Mapping[str, str]
    overlaps: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Secret(AdminPage):
    """A one-time password or a key, the only time that it is shown."""

    heading: str
    what: str
    secret: str = field(repr=False)
    onward: str
    """The address of the account or key."""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SigningPage(AdminPage):
    """How people sign in: what is set, in words."""

    groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class LogFilters:
    """The filters of the access log, as they stand in the address; an empty one does not narrow."""

    actor: str = ""
    case: str = ""
    action: str = ""
    since: str = ""
    until: str = ""
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the access log."""

    id: int
    at: int
    who: str
    actor: str
    what: str
    via: str
    outcome: str
    case: str
    breach: str
    thing: str
    count: int | None


@dataclass(frozen=True, slots=True)
class LogPage(AdminPage):
    """A page of the access log."""

    rows: Sequence[LogLine]
    total: int
    more: bool
    next_cursor: str
    people: Sequence[Choice]
    actions: Sequence[tuple[str, Sequence[Choice]]]
