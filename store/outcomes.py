"""What an evaluation of many cases leaves behind, written with as few statements as for one.  Imports store.*.

The per-case functions of store.verdicts and store.states say the same for one case; these are for the worker, which holds the
claims of fifty cases and knows what stands on record for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from rules.model import Verdict
from store.ids import Key, case_ref, finding_id
from store.models import CaseStateRow, VerdictRow
from store.sql import chunks, dialect
from store.states import CaseState
from store.verdicts import _digest, _row, as_verdict

_BATCH = 1_000
_KEY_COLUMNS = {"case_id", "episode", "policy", "rule", "obligation", "id"}
_content = attrgetter(*(field.name for field in fields(Verdict) if field.name not in {"as_of", "known_at", "next_change"}))


def verdicts_of_cases(session: Session, case_ids: Sequence[str]) -> dict[str, dict[Key, Verdict]]:
    """The current verdicts of many cases, by case and key."""
    found: dict[str, dict[Key, Verdict]] = {case: {} for case in case_ids}
    rows: Any = session.connection().execute(_SELECT, {"cases": list(case_ids)})
    for row in rows:
        verdict = as_verdict(row)
        found[verdict.case][verdict.key] = verdict
    return found


def write_verdicts(session: Session, cases: Sequence[tuple[Mapping[Key, Verdict], Sequence[Verdict]]], *, now: int) -> int:
    """For each case, of which the first are on record, makes the second the current ones; how many rows were touched.

    Right only for who holds the claims on the cases: what is given as on record must still be.
    """
    rows: list[Mapping[str, Any]] = []
    gone: list[str] = []
    for before, after in cases:
        keys = set()
        for verdict in after:
            key = verdict.key
            keys.add(key)
            stands = before.get(key)
            if stands is None or _content(stands) != _content(verdict):
                rows.append(_row(verdict, _digest(verdict), now))
        gone += [finding_id(key) for key in before if key not in keys]
    for some in chunks(gone, _BATCH):
        session.connection().execute(_DELETE, {"ids": some})
    for chunk in chunks(rows, _BATCH):
        session.connection().execute(_upsert(dialect(session), "verdict"), chunk)
    return len(rows) + len(gone)


def write_states(session: Session, states: Sequence[CaseState]) -> None:
    """Makes these the states of their cases."""
    rows = [
        {
            "case_id": state.case,
            "id": case_ref(state.case),
            "next_check_at": state.next_check_at,
            "evaluated_at": state.evaluated_at,
            "position": state.position,
            "as_of": state.as_of,
            "program": state.program,
            "team": state.team,
            "office": state.office,
            "worker": state.worker,
            "open_breaches": state.open_breaches,
            "summary": {} if state.summary is None else state.summary,
            "queries": [dict(query) for query in state.queries],
            "query_count": len(state.queries),
        }
        for state in states
    ]
    if rows:
        session.connection().execute(_upsert(dialect(session), "case_state"), rows)


_TABLES: dict[str, Any] = {"verdict": VerdictRow.__table__, "case_state": CaseStateRow.__table__}
_KEYS = {"verdict": ["case_id", "episode", "policy", "rule", "obligation"], "case_state": ["case_id"]}
_SELECT = select(*VerdictRow.__table__.columns).where(VerdictRow.case_id.in_(bindparam("cases", expanding=True)))
_DELETE = delete(_TABLES["verdict"]).where(_TABLES["verdict"].c.id.in_(bindparam("ids", expanding=True)))


@cache
def _upsert(kind: str, name: str) -> Any:
    """INSERT ... ON CONFLICT DO UPDATE of a whole row, built once for each database and table."""
    table = _TABLES[name]
    insert: Any = postgresql.insert(table) if kind == "postgresql" else sqlite.insert(table)
    changes = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in _KEY_COLUMNS}
    return insert.on_conflict_do_update(index_elements=_KEYS[name], set_=changes)
