"""What the pages of administration ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from api.web.admin.views import (
    AccountPage,
    AccountsPage,
    KeyPage,
    KeysPage,
    LogFilters,
    LogPage,
    Offer,
    OverviewPage,
    PlacesPage,
    RolesPage,
    Secret,
    SigningPage,
)
from service.access import Access

Limits = Collection[str] | None
"""Teams or offices; None: all of them."""


class AdminDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``users:admin``."""

    def administration(self, access: Access) -> OverviewPage:
        """What there is to look after, and what needs somebody."""
        ...

    def accounts(self, access: Access, *, find: str) -> AccountsPage:
        """The accounts whose name, address or role holds ``find``."""
        ...

    def account(self, access: Access, account: str) -> AccountPage:
        """One account."""
        ...

    def offer(self, access: Access) -> Offer:
        """What a form for a new account or key offers."""
        ...

    def make_account(self, access: Access, *, name: str, email: str, roles: Collection[str], teams: Limits, offices: Limits) -> Secret:
        """A new account.  Raises Invalid."""
        ...

    def change_account(self, access: Access, account: str, *, roles: Collection[str], teams: Limits, offices: Limits) -> None:
        """What it may do and see.  Raises Invalid and NotPossible."""
        ...

    def lock_account(self, access: Access, account: str) -> None:
        """Switch it off.  Raises NotPossible."""
        ...

    def let_in(self, access: Access, account: str) -> None:
        """Let it in again."""
        ...

    def reset_password(self, access: Access, account: str) -> Secret:
        """A one-time password.  Raises NotPossible."""
        ...

    def roles_page(self, access: Access) -> RolesPage:
        """What each role brings."""
        ...

    def places_page(self, access: Access) -> PlacesPage:
        """The teams and offices."""
        ...

    def keys_page(self, access: Access) -> KeysPage:
        """The API keys."""
        ...

    def key_page(self, access: Access, key: str) -> KeyPage:
        """One API key."""
        ...

    def make_key(
        self, access: Access, *, name: str, scopes: Collection[str], teams: Limits, offices: Limits, expires: dt.date | None
    ) -> Secret:
        """A new key, good to the end of ``expires``.  Raises Invalid and Forbidden."""
        ...

    def rotate_key(self, access: Access, key: str, *, overlap: int) -> Secret:
        """A key in its place; the old one ends after ``overlap`` ms.  Raises Invalid, Forbidden and NotPossible."""
        ...

    def revoke_key(self, access: Access, key: str) -> None:
        """End it at once."""
        ...

    def signing_page(self, access: Access) -> SigningPage:
        """How people sign in."""
        ...

    def access_log(self, access: Access, filters: LogFilters) -> LogPage:
        """A page of the access log, the latest line first.  Raises Invalid for days that cannot be."""
        ...

    def access_log_rows(self, access: Access, filters: LogFilters) -> Iterator[Sequence[str]]:
        """All lines, as rows of a table, its head first.  Raises before the first."""
        ...
