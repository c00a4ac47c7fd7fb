"""The current verdicts of a case: read for comparison, and replaced by what differs.  Imports store.models and rules.model.

An evaluation that finds what stands already writes nothing: instants of judging are no part of a verdict's digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.model import Outcome, Verdict
from store.ids import Key, digest_of, finding_id
from store.models import VerdictRow
from store.severity import rank
from store.sql import Bulk, Statement

NO_DUE_DAY = "9999-12-31"


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
    rows = session.scalars(select(VerdictRow).where(VerdictRow.case_id == case_id).execution_options(populate_existing=True))
    return {found.key: found for found in map(as_verdict, rows)}


def replace_verdicts(session: Session, case_id: str, verdicts: Sequence[Verdict], *, now: int) -> Replaced:
    """Makes ``verdicts`` the current ones of the case, writing those that differ.  Raises ValueError for another case's verdict.

    Who has read what stands, and holds the claim on the case, is better served by ``store.outcomes.write_verdicts``.
    """
    fresh = {verdict.key: verdict for verdict in verdicts}
    if len(fresh) != len(verdicts) or any(key[0] != case_id for key in fresh):
        raise ValueError("verdicts of one case, one for each obligation, are needed")
    stored: dict[Key, str] = {
        (case_id, row.episode, row.policy, row.rule, row.obligation): row.digest for row in _STORED.on(session, case_id=case_id)
    }
    result = Replaced(
        added=tuple(key for key in fresh if key not in stored),
        changed=tuple(key for key, verdict in fresh.items() if key in stored and stored[key] != verdict_digest(verdict)),
        removed=tuple(key for key in stored if key not in fresh),
    )
    write_rows(session, [fresh[key] for key in (*result.added, *result.changed)], gone=result.removed, now=now)
    return result


def write_rows(session: Session, verdicts: Sequence[Verdict], *, gone: Sequence[Key], now: int) -> None:
    """Writes ``verdicts``, of whatever cases, over what stands under their keys, and deletes those of the keys ``gone``."""
    if gone:
        _REMOVE.on(session, ids=[finding_id(key) for key in gone])
    _WRITE.write(session, [_row(verdict, now) for verdict in verdicts])


def as_verdict(row: Any) -> Verdict:
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
        curable=bool(row.curable),
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


_STORED = Statement("SELECT episode, policy, rule, obligation, digest FROM verdict WHERE case_id = :case_id")
_REMOVE = Statement("DELETE FROM verdict WHERE id IN LISTED(:ids)")
_WRITE = Bulk(VerdictRow, key=("case_id", "episode", "policy", "rule", "obligation"), keep=("id",))


def verdict_digest(verdict: Verdict) -> str:
    """Of everything that a verdict says but the instants at which it was looked at."""
    return digest_of(
        [
            verdict.policy_digest,
            verdict.verdict.value,
            verdict.reason,
            verdict.severity,
            verdict.status,
            verdict.activated_on,
            verdict.due_on,
            verdict.due_soon_on,
            verdict.satisfied_on,
            verdict.days_late,
            verdict.curable,
            verdict.evidence,
            verdict.rejected,
            verdict.team,
            verdict.office,
            verdict.worker,
            verdict.contested,
        ]
    )


def _row(verdict: Verdict, now: int) -> Mapping[str, Any]:
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
        "digest": verdict_digest(verdict),
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
        "evidence": verdict.evidence,
        "rejected": verdict.rejected,
        "team": verdict.team,
        "office": verdict.office,
        "worker": verdict.worker,
        "contested": verdict.contested,
    }
