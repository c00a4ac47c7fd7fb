"""What the pages ask of the product: a narrow protocol, so that they can be drawn from a made-up desk in tests.

Every question takes who is asking; what lies outside their teams and offices is answered like what does not exist.
Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

from typing import Protocol

from api.web.account.desk import AccountDesk
from api.web.admin.desk import AdminDesk
from api.web.audits.desk import AuditDesk
from api.web.cases.desk import CaseDesk
from api.web.due.desk import DueDesk
from api.web.notices.desk import NoticeDesk
from api.web.policies.desk import PolicyDesk
from api.web.retention.desk import RetentionDesk
from api.web.signon.desk import SignOnDesk
from api.web.sources.desk import SourceDesk
from api.web.statistics.desk import StatisticsDesk
from api.web.today.desk import TodayDesk
from api.web.views import BreachPage, StatusPage
from api.web.waivers.desk import WaiverDesk
from api.web.worklist.desk import WorkDesk
from api.web.worklist.views import WorkFilters
from service.access import Access


class Desk(
    CaseDesk,
    DueDesk,
    PolicyDesk,
    SignOnDesk,
    SourceDesk,
    StatisticsDesk,
    TodayDesk,
    WaiverDesk,
    AccountDesk,
    AdminDesk,
    AuditDesk,
    WorkDesk,
    NoticeDesk,
    RetentionDesk,
    Protocol,
):
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

    def breach(self, access: Access, breach: str) -> BreachPage:
        """Everything about one breach."""
        ...

    def review(self, access: Access, breach: str, *, action: str, reason: str, comment: str, version: int) -> None:
        """``action``: acknowledge, uphold, dismiss or comment.  Raises StaleVersion, Forbidden, NotPossible or Invalid."""
        ...

    def assign(self, access: Access, breach: str, *, to: str, version: int) -> None:
        """Give the breach to a person (``user:ID``), or take it from everybody (empty).  Raises as ``review`` does."""
        ...

    def neighbours(self, access: Access, breach: str, filters: WorkFilters) -> tuple[str | None, str | None]:
        """The ids of the breaches before and after this one in the work list; None at its ends.  Raises store.errors.QueryError."""
        ...

    def status(self, access: Access) -> StatusPage:
        """Whether what the pages show can be relied on."""
        ...
