"""What the pages about cases ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, and service.access for who is asking.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from api.web.cases.views import CaseFilters, CaseList, CasePage
from service.access import Access


class CaseDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``cases:read``."""

    def case(
        self, access: Access, case: str, *, as_of: dt.date | None, known_at: dt.date | None, show: str = "", rule: str = ""
    ) -> CasePage:
        """A case, judged at the ends of these days of its own place; None: now.

        ``show``: which part the picture is of.  ``rule``: its verdicts are told with their reasons, however many there are.
        """
        ...

    def cases(self, access: Access, filters: CaseFilters) -> CaseList:
        """The list of cases, one page of it."""
        ...
