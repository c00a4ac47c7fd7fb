"""The state of a case after its last evaluation, and which policy texts were judged by.  Imports store.models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.ids import case_ref
from store.models import CaseStateRow, PolicyVersionRow
from store.sql import Bulk, upsert


@dataclass(frozen=True, slots=True)
class CaseState:
    """What an evaluation leaves behind.  Instants in ms; ``queries`` and ``summary`` are JSON values.

    ``summary`` holds counts of its verdicts, the case's metrics, a short digest of what was found, for audits, and whether all events of
    the case were withdrawn (``withdrawn``), in which case it has no program, team, office or worker.

    ``next_check_at``: when time itself may change a verdict; None: never.  ``position``: of the last event that was judged.
    """

    case: str
    evaluated_at: int
    as_of: int
    position: int
    next_check_at: int | None
    open_breaches: int
    program: str | None = None
    team: str | None = None
    office: str | None = None
    worker: str | None = None
    summary: Any = None
    queries: Sequence[Mapping[str, Any]] = ()


def state_of(session: Session, case_id: str) -> CaseState | None:
    """The state after the last evaluation; None before the first."""
    row = session.scalar(select(CaseStateRow).where(CaseStateRow.case_id == case_id).execution_options(populate_existing=True))
    if row is None:
        return None
    return CaseState(
        case=row.case_id,
        evaluated_at=row.evaluated_at,
        as_of=row.as_of,
        position=row.position,
        next_check_at=row.next_check_at,
        open_breaches=row.open_breaches,
        program=row.program,
        team=row.team,
        office=row.office,
        worker=row.worker,
        summary=row.summary,
        queries=tuple(row.queries),
    )


def write_state(session: Session, state: CaseState) -> None:
    """Makes ``state`` the case's state."""
    write_states(session, [state])


def write_states(session: Session, states: Sequence[CaseState]) -> None:
    """``write_state`` for many cases, in one statement."""
    _WRITE.write(
        session,
        [
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
                "queries": list(state.queries),
                "query_count": len(state.queries),
            }
            for state in states
        ],
    )


_WRITE = Bulk(CaseStateRow, key=("case_id",), keep=("id",))


def note_policy(session: Session, *, digest: str, policy: str, version: str, effective: str | None, text: Any, now: int) -> None:
    """Keeps a policy's package by its version's digest; one that is kept already stays as it is, unless only a part of it was kept."""
    row = {"digest": digest, "policy": policy, "version": version, "effective": effective, "text": text, "first_used": now}
    partly = PolicyVersionRow.text["files"].as_string().is_(None)
    insert = upsert(session, PolicyVersionRow).values(**row)
    session.execute(insert.on_conflict_do_update(index_elements=["digest"], set_={"text": insert.excluded.text}, where=partly))
