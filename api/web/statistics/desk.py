"""What the pages of statistics ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

from typing import Protocol

from api.web.statistics.views import StatFilters, StatisticsPage, VerdictFilters, VerdictsPage
from service.access import Access


class StatisticsDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``breaches:read``."""

    def statistics(self, access: Access, filters: StatFilters) -> StatisticsPage:
        """Rates over what the viewer may see."""
        ...

    def verdicts(self, access: Access, filters: VerdictFilters) -> VerdictsPage:
        """One page of the list of verdicts of enforced rules."""
        ...
