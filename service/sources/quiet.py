"""Which cases a source's heartbeat concerns.  Imports store/ and rules.model.

Most heartbeats change no verdict.  Two do: the first one of a source, since from then on "not recorded" can be in doubt; and
one that reaches the due day of something that could not be judged because the source had gone quiet.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rules.model import EPOCH, Outcome
from store.cases import neighbours
from store.models import EventRow, HeartbeatRow, VerdictRow

STALE = "source_stale"
_ZONES = dt.timedelta(hours=14)
"""A local day begins up to so much before the UTC day of the same date."""


def caught_up(session: Session, source: str, complete_until: int) -> set[str]:
    """The cases to judge again once ``source`` says that it is complete until then; call it before the heartbeat is stored."""
    furthest = session.scalar(select(func.max(HeartbeatRow.complete_until)).where(HeartbeatRow.source == source))
    if furthest is None:
        return set(session.scalars(select(EventRow.case_id).where(EventRow.source == source).distinct()))
    if complete_until <= furthest:
        return set()
    reached = (EPOCH + dt.timedelta(milliseconds=complete_until) + _ZONES).date().isoformat()
    doubtful = set(
        session.scalars(
            select(VerdictRow.case_id)
            .where(VerdictRow.verdict == Outcome.UNKNOWN.value, VerdictRow.reason == STALE, VerdictRow.due_key <= reached)
            .distinct()
        )
    )
    # What is in doubt may rest on a linked case: there too it is enough that the source has ever spoken.
    around = neighbours(session, doubtful)
    spoken = set(_spoken(session, source, doubtful.union(*around.values())))
    return {case for case in doubtful if case in spoken or around.get(case, frozenset()) & spoken}


def _spoken(session: Session, source: str, cases: set[str]) -> set[str]:
    """Those of ``cases`` of which the source has ever delivered an event."""
    found: set[str] = set()
    ordered = sorted(cases)
    for start in range(0, len(ordered), 500):
        some = ordered[start : start + 500]
        found.update(session.scalars(select(EventRow.case_id).where(EventRow.case_id.in_(some), EventRow.source == source).distinct()))
    return found
