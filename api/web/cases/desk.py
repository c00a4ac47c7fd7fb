"""What the pages about cases ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, service.access for who is asking, and service.caseexport for the shape of a file.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from api.web.cases.views import CaseFilters, CaseList, CasePage
from service.access import Access
from service.caseexport import Export


class CaseDesk(Protocol):
    """Each method may raise service.errors.ServiceError; the first two need the scope ``cases:read``."""

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

    def case_export(self, access: Access, case: str, form: str) -> Export:
        """Everything that is held about a case as a file, ``json`` or ``zip``; needs ``cases:export`` and no limits."""
        ...
