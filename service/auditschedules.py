"""Schedules of audits: a cron expression in a zone, fired once however many machines run.

Imports store/, rules/, service/ and cronsim.
"""

from __future__ import annotations

from service.access import Access
from service.audits import SAMPLE
from service.bootstrap import Service
from store.audits import AuditScope
from store.auditschedules import Schedule


def add(
    svc: Service,
    access: Access,
    *,
    name: str,
    cron: str,
    zone: str,
    kind: str = "incremental",
    scope: AuditScope | None = None,
    sample: int = SAMPLE,
) -> Schedule:
    """Have an audit made at every time that ``cron`` (five fields) names in ``zone``.  Raises Forbidden and Invalid."""
    raise NotImplementedError


def listing(svc: Service, access: Access) -> list[Schedule]:
    """All schedules that the caller may see, by name.  Raises Forbidden."""
    raise NotImplementedError


def pause(svc: Service, access: Access, schedule: str) -> Schedule:
    """Make none until it is resumed.  Raises Forbidden and NotFound."""
    raise NotImplementedError


def resume(svc: Service, access: Access, schedule: str) -> Schedule:
    """Go on with the next time.  Raises Forbidden and NotFound."""
    raise NotImplementedError


def remove(svc: Service, access: Access, schedule: str) -> None:
    """Forget a schedule; the audits that it made stay.  Raises Forbidden and NotFound."""
    raise NotImplementedError


def times(cron: str, zone: str, *, after: int, count: int = 3) -> list[int]:
    """The next instants (ms) that an expression names.  Raises Invalid."""
    raise NotImplementedError


def fire_due(svc: Service) -> list[str]:
    """Make the audits whose time has come; their ids.  For the sweeper: whoever comes first makes each, once."""
    raise NotImplementedError
