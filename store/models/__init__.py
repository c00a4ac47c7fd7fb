"""The tables of duecare, one class a table.  Imports sqlalchemy only."""

from __future__ import annotations

from store.models.access import ApiKeyRow, UserRow
from store.models.accesslog import OUTCOMES, AccessLogRow
from store.models.audits import (
    AUDIT_KINDS,
    AUDIT_STATES,
    AuditChunkRow,
    AuditDiffersRow,
    AuditPrintsRow,
    AuditRow,
    AuditScheduleRow,
    AuditSignatureRow,
)
from store.models.backtests import BACKTEST_STATES, BacktestChunkRow, BacktestRow
from store.models.base import Base
from store.models.duefeeds import DueFeedRow
from store.models.events import CaseHoldRow, CaseLinkRow, ConflictRow, EventRow, HeartbeatRow, RejectRow, SourceRecordRow, SourceRow
from store.models.findings import CONDITIONS, OPEN, REVIEWS, WAIVER_STATES, BreachHistoryRow, BreachRow, VerdictRow, WaiverRow
from store.models.notices import NOTICE_STATES, NoticeRow, ReceiverRow
from store.models.policies import CHANGE_KINDS, CHANGE_STATES, INSTALLATION, PolicyChangeRow, PolicyVersionRow
from store.models.retention import LegalHoldRow, RemovalCaseRow, RemovalLineRow, RemovalRow, RemovedCountRow, TombstoneRow
from store.models.seals import SealRow
from store.models.tallies import TallyStateRow, VerdictTallyRow
from store.models.websessions import WAYS_IN, WebSessionRow
from store.models.work import CaseStateRow, DirtyRow, OutboxRow
from store.models.worklist import SavedViewRow

__all__ = [
    "AUDIT_KINDS",
    "AUDIT_STATES",
    "BACKTEST_STATES",
    "CHANGE_KINDS",
    "CHANGE_STATES",
    "CONDITIONS",
    "INSTALLATION",
    "NOTICE_STATES",
    "OPEN",
    "OUTCOMES",
    "REVIEWS",
    "WAIVER_STATES",
    "WAYS_IN",
    "AccessLogRow",
    "ApiKeyRow",
    "AuditChunkRow",
    "AuditDiffersRow",
    "AuditPrintsRow",
    "AuditRow",
    "AuditScheduleRow",
    "AuditSignatureRow",
    "BacktestChunkRow",
    "BacktestRow",
    "Base",
    "BreachHistoryRow",
    "BreachRow",
    "CaseHoldRow",
    "CaseLinkRow",
    "CaseStateRow",
    "ConflictRow",
    "DirtyRow",
    "DueFeedRow",
    "EventRow",
    "HeartbeatRow",
    "LegalHoldRow",
    "NoticeRow",
    "OutboxRow",
    "PolicyChangeRow",
    "PolicyVersionRow",
    "ReceiverRow",
    "RejectRow",
    "RemovalCaseRow",
    "RemovalLineRow",
    "RemovalRow",
    "RemovedCountRow",
    "SavedViewRow",
    "SealRow",
    "SourceRecordRow",
    "SourceRow",
    "TallyStateRow",
    "TombstoneRow",
    "UserRow",
    "VerdictRow",
    "VerdictTallyRow",
    "WaiverRow",
    "WebSessionRow",
]
