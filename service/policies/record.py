"""Changes of policies as they are shown: read from the store, one by one and in lists.  Imports store/ and service/."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.clock import parse_day
from rules.policy import Policy
from service.bootstrap import Service
from service.errors import NotFound
from service.policies.book import version
from store.models import PolicyChangeRow

SCOPE = "policies:write"
REASON_LIMIT = 4_000
"""Characters of a reason or a comment."""
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change as it stands.  Instants in ms.

    ``kind``: installed, version or parameters; ``state``: proposed, active, rejected or withdrawn.  ``values``: the parameters that it
    names.  ``row_version``: what whoever decides must have seen.
    """

    id: str
    policy: str
    kind: str
    state: str
    digest: str
    base_digest: str | None
    version: str
    effective: dt.date
    applies_to_open: bool
    values: Mapping[str, int | None]
    reason: str
    proposed_by: str
    proposed_name: str
    proposed_at: int
    decided_by: str | None
    decided_name: str | None
    decided_at: int | None
    comment: str | None
    backtest: str | None
    row_version: int


def changes(svc: Service, *, policy: str | None = None, state: str | None = None) -> list[PolicyChange]:
    """Changes, the newest first, at most ``MOST_LISTED``."""
    query = select(PolicyChangeRow).order_by(PolicyChangeRow.proposed_at.desc(), PolicyChangeRow.id).limit(MOST_LISTED)
    if policy is not None:
        query = query.where(PolicyChangeRow.policy == policy)
    if state is not None:
        query = query.where(PolicyChangeRow.state == state)
    with svc.reading() as session:
        return [shown(row) for row in session.scalars(query)]


def change(svc: Service, change_id: str) -> PolicyChange:
    """The change.  Raises NotFound."""
    with svc.reading() as session:
        return shown(found(session, change_id))


def candidate(svc: Service, change_id: str) -> Policy:
    """The version that the change would put, or has put, in force.  Raises NotFound."""
    return version(svc, change(svc, change_id).digest)


def found(session: Session, change_id: str, *, lock: bool = False) -> PolicyChangeRow:
    """The row of a change, locked where it is to be decided.  Raises NotFound."""
    row = session.get(PolicyChangeRow, change_id, with_for_update=lock or None)
    if row is None:
        raise NotFound("there is no such change")
    return row


def shown(row: PolicyChangeRow) -> PolicyChange:
    """A row as it is shown."""
    return PolicyChange(
        id=row.id,
        policy=row.policy,
        kind=row.kind,
        state=row.state,
        digest=row.digest,
        base_digest=row.base_digest,
        version=row.version,
        effective=dt.date.fromordinal(parse_day(row.effective)),
        applies_to_open=row.applies_to_open,
        values=dict(row.values),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_name=row.proposed_name,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_name=row.decided_name,
        decided_at=row.decided_at,
        comment=row.comment,
        backtest=row.backtest,
        row_version=row.row_version,
    )


def day_text(ordinal: int) -> str:
    """A day as the store writes it."""
    return dt.date.fromordinal(ordinal).isoformat()
