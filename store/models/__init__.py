"""The tables of duecare, one class a table.  Imports sqlalchemy only."""

from __future__ import annotations

from store.models.access import ApiKeyRow, UserRow
from store.models.accesslog import OUTCOMES, AccessLogRow
from store.models.backtests import BACKTEST_STATES, BacktestChunkRow, BacktestRow
from store.models.base import Base
from store.models.events import CaseLinkRow, ConflictRow, EventRow, HeartbeatRow, RejectRow, SourceRecordRow, SourceRow
from store.models.findings import CONDITIONS, REVIEWS, WAIVER_STATES, BreachHistoryRow, BreachRow, VerdictRow, WaiverRow
from store.models.policies import CHANGE_KINDS, CHANGE_STATES, INSTALLATION, PolicyChangeRow, PolicyVersionRow
from store.models.work import AuditCaseRow, AuditRow, CaseStateRow, DirtyRow, OutboxRow
from store.models.worklist import SavedViewRow

__all__ = [
    "BACKTEST_STATES",
    "CHANGE_KINDS",
    "CHANGE_STATES",
    "CONDITIONS",
    "INSTALLATION",
    "OUTCOMES",
    "REVIEWS",
    "WAIVER_STATES",
    "AccessLogRow",
    "ApiKeyRow",
    "AuditCaseRow",
    "AuditRow",
    "BacktestChunkRow",
    "BacktestRow",
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
    "PolicyChangeRow",
    "PolicyVersionRow",
    "RejectRow",
    "SavedViewRow",
    "SourceRecordRow",
    "SourceRow",
    "UserRow",
    "VerdictRow",
    "WaiverRow",
]
