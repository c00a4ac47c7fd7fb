"""What the pages ask of the product: a narrow protocol, so that they can be drawn from a made-up desk in tests.

Every question takes who is asking; what lies outside their teams and offices is answered like what does not exist.
Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from api.web.cases.desk import CaseDesk
from api.web.policies.desk import PolicyDesk
from api.web.sources.desk import SourceDesk
from api.web.today.desk import TodayDesk
from api.web.views import BreachPage, BreachRow, DueRow, Filters, Listing, StatusPage
from service.access import Access


class Desk(CaseDesk, PolicyDesk, SourceDesk, TodayDesk, Protocol):
    """Any method may raise service.errors.ServiceError: NotFound becomes the 404 page, StaleVersion the page that tells who was first."""

    def now(self) -> int:
        """The present instant (ms), by the product's one clock."""
        ...

    def banner(self) -> str:
        """Words for the made-up-data banner; empty: the data is real."""
        ...

    def deciders(self) -> str:
        """``both``, or ``table`` where durable-rules cannot be used: the pages say so."""
        ...

    def sign_in(self, name: str, password: str) -> tuple[str, Access]:
        """The user's id, and who that is.  Raises Unauthorised or LockedOut."""
        ...

    def session(self, user: str, began: int) -> Access | None:
        """Who a session that began at ``began`` (ms) belongs to; None: it is over."""
        ...

    def change_password(self, user: str, *, old: str, new: str) -> None:
        """Raises Unauthorised (the old one is wrong) or Invalid."""
        ...

    def breaches(self, access: Access, filters: Filters) -> Listing[BreachRow]:
        """The work list, one page of it."""
        ...

    def breach(self, access: Access, breach: str) -> BreachPage:
        """Everything about one breach."""
        ...

    def review(self, access: Access, breach: str, *, action: str, reason: str, comment: str, version: int) -> None:
        """``action``: acknowledge, uphold, dismiss or comment.  Raises StaleVersion, Forbidden, NotPossible or Invalid."""
        ...

    def ask_waiver(self, access: Access, breach: str, *, reason: str, comment: str, ends_on: dt.date, version: int) -> None:
        """Ask that the breach be excused to the end of ``ends_on``; another person has to approve it."""
        ...

    def settle_waiver(self, access: Access, waiver: str, *, approve: bool) -> None:
        """Approve or refuse what another person asked for."""
        ...

    def due_soon(self, access: Access, filters: Filters) -> Listing[DueRow]:
        """What is inside its warning window, the soonest first."""
        ...

    def status(self, access: Access) -> StatusPage:
        """Whether what the pages show can be relied on."""
        ...
