"""What the pages of what is due ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service for who is asking and what a calendar is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from api.web.due.views import CalendarsPage, DueFilters, MonthPage, OwnersPage, SheetPage
from api.web.views import DueRow, Listing
from service.access import Access
from service.duefeeds import Calendar


class DueDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each but ``calendar`` needs the scope ``breaches:read``."""

    def due_soon(self, access: Access, filters: DueFilters) -> Listing[DueRow]:
        """What is still to be done, the soonest first."""
        ...

    def due_month(self, access: Access, filters: DueFilters, month: str) -> MonthPage:
        """The month (``YYYY-MM``; empty: the present one).  Raises NotFound for a month that is past or too far ahead."""
        ...

    def due_owners(self, access: Access, filters: DueFilters) -> OwnersPage:
        """By team and worker."""
        ...

    def due_sheet(self, access: Access, filters: DueFilters) -> SheetPage:
        """A sheet to print."""
        ...

    def calendars(self, access: Access) -> CalendarsPage:
        """The calendars that the viewer may revoke."""
        ...

    def make_calendar(self, access: Access, *, team: str) -> str:
        """A new calendar's token, which is shown once; an empty ``team``: of all that the viewer sees.  Raises Invalid or NotPossible."""
        ...

    def revoke_calendar(self, access: Access, feed: str) -> None:
        """End a calendar.  Raises NotFound."""
        ...

    def calendar(self, token: str, *, address_of: Callable[[str], str]) -> Calendar:
        """What the holder of a token is given.  Raises NotFound."""
        ...
