"""What goes by its age alone: old lines of the access log, refused records of unknown cases, digests by which old audits are compared.

Imports store/ and service/.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from service.bootstrap import Service
from service.retention.rules import Keep, RetentionFile
from store import leftovers, oldlines, oldrejects
from store.models import RemovalRow

PORTION = 5_000


def before(now: int, keep: Keep) -> int:
    """The instant (ms) before which something that is kept so long goes: the start of the UTC day, so many years ago."""
    today = dt.datetime.fromtimestamp(now / 1000, dt.UTC).date()
    try:
        then = today.replace(year=max(today.year - keep.years, dt.MINYEAR))
    except ValueError:
        then = dt.date(today.year - keep.years, 2, 28)
    return int(dt.datetime(then.year, then.month, then.day, tzinfo=dt.UTC).timestamp() * 1000)


def old_lines(svc: Service, rules: RetentionFile) -> int:
    """How many lines of the access log are old enough to go."""
    if rules.access_log is None:
        return 0
    with svc.reading() as session:
        return oldlines.count(session, before=before(svc.now(), rules.access_log))


def age_log(session: Session, row: RemovalRow, rules: RetentionFile, now: int) -> int:
    """Takes the next lines of the access log that are old enough; how many."""
    return 0 if rules.access_log is None else oldlines.remove(session, row, before=before(now, rules.access_log), most=PORTION)


def old_rejects(svc: Service, rules: RetentionFile) -> int:
    """How many refused records about unknown cases are old enough to go."""
    if rules.refused_records is None:
        return 0
    with svc.reading() as session:
        return oldrejects.count(session, before=before(svc.now(), rules.refused_records))


def age_rejects(session: Session, row: RemovalRow, rules: RetentionFile, now: int) -> int:
    """Takes the next refused records about unknown cases that are old enough; how many."""
    return 0 if rules.refused_records is None else oldrejects.remove(session, row, before=before(now, rules.refused_records), most=PORTION)


def age_audits(session: Session, row: RemovalRow, rules: RetentionFile, now: int) -> int:
    """Forgets the digests by case of old audits; how many lists of them."""
    return 0 if rules.audit_details is None else leftovers.old_prints(session, row, before=before(now, rules.audit_details))
