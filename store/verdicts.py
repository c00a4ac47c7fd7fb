"""The current verdicts of a case: read for comparison, and replaced by what differs.  Imports store.models and rules.model.

An evaluation that finds what stands already writes nothing: instants of judging are no part of a verdict's digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rules.model import Outcome, Verdict
from store.ids import Key, digest_of, finding_id
from store.models import VerdictRow
from store.severity import rank
from store.sql import chunks, upsert

NO_DUE_DAY = "9999-12-31"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Replaced:
    """What ``replace_verdicts`` wrote: keys of new, changed and vanished verdicts."""

    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def verdicts_of_case(session: Session, case_id: str) -> dict[Key, Verdict]:
    """The case's verdicts as they stand, by key.  ``next_change`` is not stored and is None."""
    rows = session.scalars(select(VerdictRow).where(VerdictRow.case_id == case_id))
    return {found.key: found for found in map(as_verdict, rows)}


def replace_verdicts(session: Session, case_id: str, verdicts: Sequence[Verdict], *, now: int) -> Replaced:
    """Makes ``verdicts`` the current ones of the case, writing those that differ.  Raises ValueError for another case's verdict."""
    fresh = {verdict.key: verdict for verdict in verdicts}
    if len(fresh) != len(verdicts) or any(key[0] != case_id for key in fresh):
        raise ValueError("verdicts of one case, one for each obligation, are needed")
    digests = {key: _digest(verdict) for key, verdict in fresh.items()}
    stored: dict[Key, str] = {
        (case_id, row.episode, row.policy, row.rule, row.obligation): row.digest
        for row in session.execute(
            select(VerdictRow.episode, VerdictRow.policy, VerdictRow.rule, VerdictRow.obligation, VerdictRow.digest).where(
                VerdictRow.case_id == case_id
            )
        )
    }
    result = Replaced(
        added=tuple(key for key in fresh if key not in stored),
        changed=tuple(key for key in fresh if key in stored and stored[key] != digests[key]),
        removed=tuple(key for key in stored if key not in fresh),
    )
    _remove(session, result.removed)
    writing = upsert(session, VerdictRow)
    keep = {"case_id", "episode", "policy", "rule", "obligation", "id"}
    changes = {column.name: writing.excluded[column.name] for column in VerdictRow.__table__.columns if column.name not in keep}
    writing = writing.on_conflict_do_update(index_elements=["case_id", "episode", "policy", "rule", "obligation"], set_=changes)
    for keys in chunks((*result.added, *result.changed), _BATCH):
        session.execute(writing, [_row(fresh[key], digests[key], now) for key in keys])
    return result


def as_verdict(row: VerdictRow) -> Verdict:
    """The verdict that a row holds."""
    return Verdict(
        case=row.case_id,
        episode=row.episode,
        rule=row.rule,
        policy=row.policy,
        policy_digest=row.policy_digest,
        obligation=row.obligation,
        verdict=Outcome(row.verdict),
        reason=row.reason,
        activated_on=row.activated_on,
        due_on=row.due_on,
        due_soon_on=row.due_soon_on,
        satisfied_on=row.satisfied_on,
        days_late=row.days_late,
        curable=row.curable,
        evidence=tuple(row.evidence),
        rejected=tuple((event, why) for event, why in row.rejected),
        as_of=row.as_of,
        known_at=row.known_at,
        severity=row.severity,
        status=row.status,
        team=row.team,
        office=row.office,
        worker=row.worker,
        contested=row.contested,
    )


def _remove(session: Session, keys: Collection[Key]) -> None:
    for some in chunks(keys, _BATCH):
        session.execute(delete(VerdictRow).where(VerdictRow.id.in_([finding_id(key) for key in some])))


def _content(verdict: Verdict) -> dict[str, Any]:
    return {
        "policy_digest": verdict.policy_digest,
        "verdict": verdict.verdict.value,
        "reason": verdict.reason,
        "severity": verdict.severity,
        "status": verdict.status,
        "activated_on": verdict.activated_on,
        "due_on": verdict.due_on,
        "due_soon_on": verdict.due_soon_on,
        "satisfied_on": verdict.satisfied_on,
        "days_late": verdict.days_late,
        "curable": verdict.curable,
        "evidence": list(verdict.evidence),
        "rejected": [list(pair) for pair in verdict.rejected],
        "team": verdict.team,
        "office": verdict.office,
        "worker": verdict.worker,
        "contested": verdict.contested,
    }


def _digest(verdict: Verdict) -> str:
    return digest_of(_content(verdict))


def _row(verdict: Verdict, digest: str, now: int) -> Mapping[str, Any]:
    return {
        "case_id": verdict.case,
        "episode": verdict.episode,
        "policy": verdict.policy,
        "rule": verdict.rule,
        "obligation": verdict.obligation,
        "id": finding_id(verdict.key),
        "severity_rank": rank(verdict.severity),
        "due_key": verdict.due_on or NO_DUE_DAY,
        "as_of": verdict.as_of,
        "known_at": verdict.known_at,
        "changed_at": now,
        "digest": digest,
        **_content(verdict),
    }
