"""Everything that the store holds about one case, table by table.  Imports store.models, store.ids and store.sql.

Each table of the store stands in one of the two lists below, with how its rows are found or why none of them is about a case; a test
asks for a decision on every new one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlalchemy.orm import Session

from store.ids import case_ref
from store.models.base import Base
from store.sql import dialect

PARTS: dict[str, str] = {
    "event": "What source systems sent about the case, and what they sent elsewhere to void or correct it",
    "case_link": "What joins the case to other cases",
    "conflict": "Deliveries that were refused because their id was taken by other content",
    "case_hold": "Records about the case that were refused, and since when the source counts as incomplete for it",
    "reject": "Those refused records themselves",
    "dirty": "That the case waits to be judged",
    "case_state": "What the last judgement found",
    "verdict": "The verdict of each rule",
    "breach": "The breaches",
    "breach_history": "What became of each breach, who did it and what they wrote",
    "waiver": "Requests that a breach be excused, and the answers",
    "legal_hold": "Words that nothing of the case may be removed, who gave them, and who lifted them",
    "outbox": "Messages to other systems",
    "notice": "Messages to people and other systems",
    "access_log": "Who read or changed something of the case",
    "audit_differs": "Audits that found the stored findings of the case to differ",
    "audit": "Reports of audits that name the case (only which they are: they are about all cases)",
    "backtest": "Reports of trials of policies that name the case (only which they are)",
}
"""The parts of an export and what each holds."""
LEFT_OUT: dict[str, str] = {
    "source_record": "digests by which it is known what has been read; no content",
    "audit_prints": "digests of what an audit found, a list for thousands of cases at a time",
    "audit_chunk": "work in hand", "backtest_chunk": "work in hand",
    "verdict_tally": "counts of all cases", "tally_state": "counts of all cases",
    "seal": "digests of lines; no content",
    "removal": "certificates of what was removed", "removal_line": "digests of lines that were removed", "removal_case": "work in hand",
    "tombstone": "keyed digests of cases that were removed", "removed_count": "counts of what was removed",
    "heartbeat": "of sources", "source": "of sources",
    "policy_version": "of policies", "policy_change": "of policies",
    "audit_schedule": "of audits", "audit_signature": "of audits",
    "user_account": "of people's accounts", "api_key": "of keys", "saved_view": "of people's lists", "due_feed": "of calendars",
    "web_session": "where people are signed in", "receiver": "of receivers of messages",
}  # fmt: skip
"""The tables that hold nothing about a case by itself, and what they are."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about a case: by table the rows, each by column."""

    case: str
    parts: dict[str, list[dict[str, Any]]]

    def empty(self) -> bool:
        """Whether the store has nothing about the case but who asked for it."""
        return not any(rows for name, rows in self.parts.items() if name != "access_log")


def held_about(session: Session, case: str) -> Held:
    """Everything that the store holds about a case, as of one instant.  The case itself alone, not those that it is linked with."""
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS if name in Base.metadata.tables}
    if "\x00" in case:
        return Held(case, parts)
    event, breach, waiver = _t("event"), _t("breach"), _t("waiver")
    own = list(_rows(session, event, event.c.case_id == case))
    parts["event"] = own + _spoken_of(session, event, own)
    for name in ("case_link", "conflict", "case_hold", "dirty", "case_state", "verdict", "audit_differs", "legal_hold"):
        parts[name] = list(_rows(session, _t(name), _t(name).c.case_id == case))
    reject = _t("reject")
    for hold in {(one["source"], one["kind"], one["ref"]): one for one in parts["case_hold"]}:
        parts["reject"] += _rows(session, reject, and_(reject.c.source == hold[0], reject.c.kind == hold[1], reject.c.ref == hold[2]))
    parts["breach"] = list(_rows(session, breach, breach.c.case_id == case))
    breaches = [one["id"] for one in parts["breach"]]
    parts["breach_history"] = _of(session, "breach_history", "breach_id", breaches)
    parts["waiver"] = list(_rows(session, waiver, waiver.c.breach_id.in_(breaches))) if breaches else []
    things = [*breaches, *(one["id"] for one in parts["waiver"])]
    for name in ("outbox", "notice"):
        if name in parts:
            parts[name] = _of(session, name, "key", [case, *breaches])
    log = _t("access_log")
    lines = {one["id"]: one for one in _rows(session, log, log.c.case_ref == case_ref(case))}
    lines.update((one["id"], one) for one in _of(session, "access_log", "thing", things))
    parts["access_log"] = [lines[number] for number in sorted(lines)]
    for name in ("audit", "backtest"):
        parts[name] = _naming(session, _t(name), case)
    return Held(case, parts)


def _spoken_of(session: Session, event: Table, own: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events filed under other cases that void or correct those of this one."""
    known = {(one["source"], one["id"]) for one in own}
    ids = sorted({name for _, name in known})
    found = []
    for first in range(0, len(ids), _AT_ONCE):
        words = _rows(session, event, event.c.target.in_(ids[first : first + _AT_ONCE]))
        found += [one for one in words if (one["source"], one["target"]) in known and (one["source"], one["id"]) not in known]
    return found


def _naming(session: Session, table: Table, case: str) -> list[dict[str, Any]]:
    """Which reports hold the case's id as a text of its own."""
    place = func.strpos if dialect(session) == "postgresql" else func.instr
    texts = {json.dumps(case), json.dumps(case, ensure_ascii=False)}
    named = or_(*(place(table.c.report, one) > 0 for one in sorted(texts)))
    rows = session.execute(select(table.c.id, table.c.created).where(named).order_by(table.c.id))
    return [{"id": row.id, "created": row.created} for row in rows]


def _of(session: Session, name: str, column: str, values: Collection[str]) -> list[dict[str, Any]]:
    table, wanted = _t(name), sorted(set(values))
    found: list[dict[str, Any]] = []
    for first in range(0, len(wanted), _AT_ONCE):
        found += _rows(session, table, table.c[column].in_(wanted[first : first + _AT_ONCE]))
    return found


def _rows(session: Session, table: Table, where: ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    for row in session.execute(select(*table.columns).where(where).order_by(*table.primary_key)):
        yield dict(zip(names, row, strict=True))


def _t(name: str) -> Table:
    return Base.metadata.tables[name]
