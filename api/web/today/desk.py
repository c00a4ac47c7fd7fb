"""What the first page asks of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

from typing import Protocol

from api.web.today.views import TodayPage
from service.access import Access


class TodayDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``breaches:read``."""

    def home(self, access: Access) -> TodayPage:
        """What needs somebody today."""
        ...
