"""What the pages about audits ask of the product; part of ``api.web.desk.Desk``.

Imports this package's views, service.access for who is asking, and service.audits.exports for what a file is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from api.web.audits.views import AuditPage, AuditsPage, ComparePage, SchedulesPage
from service.access import Access
from service.audits.exports import Export


@dataclass(frozen=True, slots=True)
class Wish:
    """An audit that somebody asks for; empty tuples and None: no limit, and now."""

    kind: str = "full"
    as_of: dt.date | None = None
    known_at: dt.date | None = None
    policies: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None


class AuditDesk(Protocol):
    """Each method may raise service.errors.ServiceError; each needs the scope ``audits:run``."""

    def audits(self, access: Access) -> AuditsPage:
        """The newest audits that the viewer may read."""
        ...

    def start_audit(self, access: Access, wish: Wish) -> str:
        """Put one into the queue; its id.  Raises Invalid."""
        ...

    def audit(self, access: Access, audit: str) -> AuditPage:
        """One audit with its report, cut to what the viewer may see."""
        ...

    def cancel_audit(self, access: Access, audit: str) -> None:
        """End one that is under way.  Raises NotPossible where it is over."""
        ...

    def sign_audit(self, access: Access, audit: str, *, digest: str, comment: str) -> None:
        """Sign the report of this digest off.  Raises Invalid, Forbidden and NotPossible."""
        ...

    def judge_again(self, access: Access, audit: str) -> int:
        """Have the cases judged anew whose stored findings differ; how many."""
        ...

    def audit_file(self, access: Access, audit: str, form: str) -> Export:
        """The report as a file.  Raises NotPossible where a form cannot be made here."""
        ...

    def compare_audits(self, access: Access, before: str, after: str, *, start: str) -> ComparePage:
        """What differs between two reports, and which events and versions made it differ."""
        ...

    def audit_schedules(self, access: Access) -> SchedulesPage:
        """When which audits are made."""
        ...

    def add_schedule(self, access: Access, *, name: str, cron: str, zone: str, wish: Wish) -> None:
        """Raises Invalid, and NotPossible where there is one of this name."""
        ...

    def change_schedule(self, access: Access, schedule: str, action: str) -> None:
        """``action``: pause, resume or remove."""
        ...
