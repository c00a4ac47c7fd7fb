"""The tables of duecare, one class a table.  Imports sqlalchemy only."""

from __future__ import annotations

from store.models.access import ApiKeyRow, PolicyVersionRow, UserRow
from store.models.base import Base
from store.models.events import CaseLinkRow, ConflictRow, EventRow, HeartbeatRow, RejectRow, SourceRow
from store.models.findings import CONDITIONS, REVIEWS, WAIVER_STATES, BreachHistoryRow, BreachRow, VerdictRow, WaiverRow
from store.models.work import AuditCaseRow, AuditRow, CaseStateRow, DirtyRow, OutboxRow

__all__ = [
    "CONDITIONS",
    "REVIEWS",
    "WAIVER_STATES",
    "ApiKeyRow",
    "AuditCaseRow",
    "AuditRow",
    "Base",
    "BreachHistoryRow",
    "BreachRow",
    "CaseLinkRow",
    "CaseStateRow",
    "ConflictRow",
    "DirtyRow",
    "EventRow",
    "HeartbeatRow",
    "OutboxRow",
    "PolicyVersionRow",
    "RejectRow",
    "SourceRow",
    "UserRow",
    "VerdictRow",
    "WaiverRow",
]
