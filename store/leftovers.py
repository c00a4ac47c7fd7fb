"""What still names cases that were removed, inside documents about many: reports, digests by case, records of sources, kept views.

Gone through once at the end of a removal, one document after the other, each in a transaction of its own.  Imports store.models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store import removals
from store.ids import case_ref
from store.models import (
    AuditPrintsRow,
    AuditRow,
    BacktestRow,
    RejectRow,
    RemovalCaseRow,
    RemovalRow,
    SavedViewRow,
    SourceRecordRow,
)
from store.removals import GoneLine
from store.sealed import NAMED

Rewrite = Callable[[str, Mapping[str, str]], tuple[str, str] | None]
"""Of a report's text and the pseudonyms by case: the text without these cases and its digest; None where it names none of them."""
_PORTION = 2_000


def pseudonyms(session: Session) -> dict[str, str]:
    """What stands for the cases that the running removal has taken."""
    return {row.case_id: row.pseudonym for row in session.scalars(select(RemovalCaseRow))}


def reports(session: Session, kind: str) -> list[str]:
    """The ids of all reports: of audits or of backtests."""
    table = AuditRow if kind == "audit" else BacktestRow
    return list(session.scalars(select(table.id).where(table.state == "done").order_by(table.id)))


def rewrite_audit(session: Session, row: RemovalRow, audit: str, names: Mapping[str, str], rewrite: Rewrite) -> bool:
    """Takes the cases out of an audit's report; its digest before and after is written down.  Whether it named any."""
    told = session.get(AuditRow, audit)
    made = None if told is None or told.report is None else rewrite(told.report, names)
    if told is None or made is None:
        return False
    kind = NAMED["audit_report"]
    before = kind.digests(session, [audit])
    old_report = told.report_digest or ""
    told.report, told.report_digest = made
    session.flush()
    after = kind.digests(session, [audit])
    lines = [GoneLine("audit_report", audit, before[audit], after[audit]), GoneLine("audit_digest", audit, old_report, made[1])]
    removals.write_down(session, row, lines)
    removals.tally(row, {"audit": {"changed": 1}})
    return True


def rewrite_backtest(session: Session, row: RemovalRow, backtest: str, names: Mapping[str, str], rewrite: Rewrite) -> bool:
    """The same of a backtest's report."""
    told = session.get(BacktestRow, backtest)
    made = None if told is None or told.report is None else rewrite(told.report, names)
    if told is None or made is None:
        return False
    removals.write_down(session, row, [GoneLine("backtest_digest", backtest, told.report_digest or "", made[1])])
    told.report, told.report_digest = made
    removals.tally(row, {"backtest": {"changed": 1}})
    return True


def prints(session: Session) -> list[tuple[str, int]]:
    """All lists of digests by case."""
    found = session.execute(select(AuditPrintsRow.audit, AuditPrintsRow.number).order_by(AuditPrintsRow.audit, AuditPrintsRow.number))
    return [(row.audit, row.number) for row in found]


def has_prints(session: Session, audit: str) -> bool:
    """Whether the digests by case of an audit are still kept."""
    return session.scalar(select(AuditPrintsRow.number).where(AuditPrintsRow.audit == audit).limit(1)) is not None


def forget_prints(session: Session, row: RemovalRow, audit: str, number: int, names: Mapping[str, str]) -> bool:
    """Takes the cases out of one list of digests; whether any was in it."""
    told = session.get(AuditPrintsRow, (audit, number))
    if told is None or names.keys().isdisjoint(told.prints):
        return False
    told.prints = {case: one for case, one in told.prints.items() if case not in names}
    removals.tally(row, {"audit_prints": {"changed": 1}})
    return True


def old_prints(session: Session, row: RemovalRow, *, before: int) -> int:
    """Forgets the digests by case of audits made before an instant (ms); how many lists."""
    old = select(AuditRow.id).where(AuditRow.created < before, AuditRow.state.in_(("done", "failed", "cancelled")))
    gone = session.execute(delete(AuditPrintsRow).where(AuditPrintsRow.audit.in_(old)).returning(AuditPrintsRow.number)).all()
    removals.tally(row, {"audit_prints": {"removed": len(gone)}})
    return len(gone)


def forget_records(
    session: Session, names: Mapping[str, str], after: tuple[str, str, str] | None
) -> tuple[tuple[str, str, str] | None, int]:
    """Forgets, of the next records of sources, those that became events of the cases; where to go on, and how many."""
    key = (SourceRecordRow.source, SourceRecordRow.kind, SourceRecordRow.ref)
    chosen = select(*key, SourceRecordRow.events).order_by(*key).limit(_PORTION)
    if after is not None:
        source, kind, ref = after
        later = (key[0] > source) | ((key[0] == source) & ((key[1] > kind) | ((key[1] == kind) & (key[2] > ref))))
        chosen = chosen.where(later)
    rows = session.execute(chosen).all()
    gone = 0
    for row in rows:
        if any(len(stands) > 2 and stands[2] in names for stands in row.events.values()):
            here = (SourceRecordRow.source == row.source, SourceRecordRow.kind == row.kind, SourceRecordRow.ref == row.ref)
            session.execute(delete(SourceRecordRow).where(*here))
            session.execute(delete(RejectRow).where(RejectRow.source == row.source, RejectRow.kind == row.kind, RejectRow.ref == row.ref))
            gone += 1
    return ((rows[-1].source, rows[-1].kind, rows[-1].ref) if len(rows) == _PORTION else None), gone


def forget_views(session: Session, row: RemovalRow, names: Mapping[str, str]) -> int:
    """Puts pseudonyms for the cases that kept views name, so that no view shows more than before."""
    changed = 0
    for view in session.scalars(select(SavedViewRow).order_by(SavedViewRow.id)):
        filters = {name: [names.get(value, value) for value in values] for name, values in view.content.get("filters", {}).items()}
        if filters != view.content.get("filters", {}):
            view.content = {**view.content, "filters": filters}
            changed += 1
    removals.tally(row, {"saved_view": {"changed": changed}})
    return changed


def forget_cases(session: Session) -> None:
    """Forgets which cases were taken: nothing names them any more."""
    session.execute(delete(RemovalCaseRow))


def references(names: Mapping[str, str], replaced: Mapping[str, str]) -> dict[str, str]:
    """For the access log: by the reference of a case what stands for it.  ``replaced``: by case."""
    return {case_ref(case): replaced[case] for case in names}
