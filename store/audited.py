"""What an audit reads about cases besides their events: what is stored of them, waivers, and what became of their breaches.

Imports store.sql.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from store.ids import Key
from store.sql import Statement

Light = Row[*tuple[Any, ...]]
"""A stored verdict without evidence: the columns of ``_VERDICTS``, each by its name."""


@dataclass(frozen=True, slots=True)
class Covering:
    """A waiver that held, with the obligation that it covers."""

    id: str
    breach_id: str
    key: Key
    evidence_digest: str
    ends_at: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of a case.  ``waits``: something has come since, or is being judged now."""

    evaluated_at: int | None
    next_check_at: int | None
    program: str | None
    team: str | None
    office: str | None
    queries: tuple[str, ...]
    """The codes of its data queries."""
    waits: bool

    def why_not(self, *, as_of: int, known_at: int) -> str | None:
        """None where it says what judging at these instants would say; else why it does not."""
        if self.waits:
            return "waiting"
        if self.evaluated_at is None:
            return "never_judged"
        if self.evaluated_at > min(as_of, known_at):
            return "judged_since"
        if self.next_check_at is not None and self.next_check_at <= max(as_of, known_at):
            return "waiting"
        return None


NOTHING_KEPT = Kept(None, None, None, None, None, (), waits=False)


@dataclass(frozen=True, slots=True)
class Moved:
    """How often something became of a breach.  ``kind`` as in its history."""

    key: Key
    severity: str
    team: str | None
    office: str | None
    kind: str
    reason: str | None
    times: int


def kept(session: Session, cases: Collection[str]) -> dict[str, Kept]:
    """What is stored of each of the cases."""
    found: dict[str, Kept] = {}
    for row in _KEPT.on(session, cases=cases):
        codes = tuple(query["code"] for query in row.queries or ())
        found[row.case_id] = Kept(row.evaluated_at, row.next_check_at, row.program, row.team, row.office, codes, bool(row.waits))
    return {case: found.get(case, NOTHING_KEPT) for case in cases}


def verdicts(session: Session, cases: Collection[str]) -> dict[str, list[Light]]:
    """The stored verdicts of the cases, without their evidence."""
    found: dict[str, list[Light]] = {case: [] for case in cases}
    for row in _VERDICTS.on(session, cases=cases) if cases else ():
        found[row.case].append(row)
    return found


def conditions(session: Session, cases: Collection[str]) -> dict[str, dict[Key, str]]:
    """The condition of each breach on record, by case and obligation."""
    found: dict[str, dict[Key, str]] = {case: {} for case in cases}
    for row in _CONDITIONS.on(session, cases=cases) if cases else ():
        found[row.case_id][row.case_id, row.episode, row.policy, row.rule, row.obligation] = row.condition
    return found


def coverings(session: Session, cases: Collection[str], *, as_of: int, known_at: int) -> dict[str, list[Covering]]:
    """The approved waivers that hold at ``as_of``, as far as was known at ``known_at``; those, too, that were found void later."""
    found: dict[str, list[Covering]] = defaultdict(list)
    for row in _COVERINGS.on(session, cases=cases, as_of=as_of, known_at=known_at):
        key = (row.case_id, row.episode, row.policy, row.rule, row.obligation)
        found[row.case_id].append(Covering(row.id, row.breach_id, key, row.evidence_digest, row.ends_at))
    return found


def movements(session: Session, cases: Collection[str], *, since: int, until: int, lines: int) -> dict[str, list[Moved]]:
    """What became of the cases' breaches from ``since`` to ``until`` (ms, both included), up to the line ``lines``."""
    found: dict[str, list[Moved]] = defaultdict(list)
    for row in _MOVEMENTS.on(session, cases=cases, since=since, until=until, lines=lines):
        key = (row.case_id, row.episode, row.policy, row.rule, row.obligation)
        found[row.case_id].append(Moved(key, row.severity, row.team, row.office, row.kind, row.reason_code, row.times))
    return found


_KEPT = Statement(
    """
    SELECT given.value AS case_id, state.evaluated_at, state.next_check_at, state.program, state.team, state.office, state.queries,
        CASE WHEN dirty.case_id IS NULL THEN 0 ELSE 1 END AS waits
    FROM LISTED(:cases) AS given
    LEFT JOIN case_state state ON state.case_id = given.value
    LEFT JOIN dirty ON dirty.case_id = given.value
    """,
    documents=("queries",),
)
_VERDICTS = Statement("""
    SELECT case_id AS "case", episode, policy, rule, obligation, verdict, reason, severity, status, activated_on, due_on, satisfied_on,
        days_late, team, office
    FROM verdict WHERE case_id IN LISTED(:cases)
""")
_CONDITIONS = Statement("SELECT case_id, episode, policy, rule, obligation, condition FROM breach WHERE case_id IN LISTED(:cases)")
_COVERINGS = Statement("""
    SELECT waiver.id, waiver.breach_id, waiver.evidence_digest, waiver.ends_at,
        breach.case_id, breach.episode, breach.policy, breach.rule, breach.obligation
    FROM breach JOIN waiver ON waiver.breach_id = breach.id
    WHERE breach.case_id IN LISTED(:cases) AND waiver.decided_at <= :known_at AND waiver.decided_at <= :as_of AND waiver.ends_at > :as_of
        AND (waiver.state IN ('approved', 'ended') OR (waiver.state = 'void' AND waiver.voided_at > :known_at))
    ORDER BY waiver.id
""")
_MOVEMENTS = Statement("""
    SELECT breach.case_id, breach.episode, breach.policy, breach.rule, breach.obligation, breach.severity, breach.team, breach.office,
        line.kind, line.reason_code, count(*) AS times
    FROM breach JOIN breach_history line ON line.breach_id = breach.id
    WHERE breach.case_id IN LISTED(:cases) AND line.kind IN ('opened', 'reopened', 'remedied', 'withdrawn', 'excused')
        AND line.at >= :since AND line.at <= :until AND line.id <= :lines
    GROUP BY breach.case_id, breach.episode, breach.policy, breach.rule, breach.obligation, breach.severity, breach.team, breach.office,
        line.kind, line.reason_code
""")
