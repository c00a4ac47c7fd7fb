"""An audit is over.  Imports store/."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rules.model import rfc3339
from store import audits
from store.ids import digest_of
from store.outbox import Message, put

FINISHED = "audit.finished"


def ended(session: Session, audit: str, state: str, now: int) -> None:
    """An audit is over (done, failed or cancelled): other systems are owed the news, and what came to nothing is forgotten."""
    told = audits.get(session, audit)
    if told is None:
        return
    if state != "done":
        audits.forget_partial(session, audit)
    body = {
        "id": audit,
        "state": state,
        "kind": told.kind,
        "as_of": rfc3339(told.as_of),
        "known_at": rfc3339(told.known_at),
        "position": told.position,
        "schedule": told.schedule,
        "report_digest": told.report_digest,
    }
    identity = digest_of([FINISHED, audit])[:32]
    put(session, [Message(identity, FINISHED, audit, {"at": rfc3339(now), "audit": body}, available_at=now)], now=now)
