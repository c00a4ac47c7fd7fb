"""What the pages of waivers ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from api.web.waivers.views import AskPage, WaiverFilters, WaiverItem, WaiversPage
from service.access import Access


class WaiverDesk(Protocol):
    """Each method may raise service.errors.ServiceError; reading needs ``breaches:read``, asking and answering ``breaches:review``."""

    def waivers(self, access: Access, filters: WaiverFilters) -> WaiversPage:
        """One page of the list of waivers."""
        ...

    def waiver(self, access: Access, waiver: str) -> WaiverItem:
        """One waiver.  Raises NotFound."""
        ...

    def asking(self, access: Access, breach: str) -> AskPage:
        """What the form that asks for a waiver shows.  Raises NotFound or Forbidden."""
        ...

    def ask_waiver(self, access: Access, breach: str, *, reason: str, comment: str, ends_on: dt.date, version: int) -> None:
        """Ask that the breach be excused to the end of ``ends_on``; another person has to approve it."""
        ...

    def settle_waiver(self, access: Access, waiver: str, *, approve: bool, comment: str) -> None:
        """Approve or refuse what another person asked for, or take back (refuse) one's own request."""
        ...
