"""The cases that wait to be judged, and who is judging them.  Imports store.errors, store.sql and store.together.

A dirty row is the truth that a case waits.  A worker claims it for a time (a lease), judges, and in the transaction in which it
writes the outcome asks ``hold`` whether the claim still stands and ``release``s it: the row goes only if no event has come
meanwhile (its generation is the one claimed).  Attempts are counted when a case is claimed, not when it fails, so that a worker
that is killed counts as well; after the third, the case is put into quarantine, where people see it and others pass by.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from store.errors import LeaseLost
from store.sql import Statement, chunks, dialect
from store.together import Asked, together

MAX_ATTEMPTS = 3
RETRY_MS = 2_000
"""Rest after the first failure; eight times as long after each further one."""
DIED = "the worker died, or took longer than its lease"
ERROR_LIMIT = 500
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to judge a case until the lease ends.  ``attempts`` includes this one."""

    case_id: str
    generation: int
    token: str
    attempts: int = 1


def mark_dirty(session: Session, case_ids: Collection[str], now: int) -> None:
    """The cases wait to be judged (again).  A quarantined case stays in quarantine, with a newer generation."""
    for chunk in chunks(sorted(set(case_ids)), _CHUNK):
        _MARK.on(session, cases=chunk, now=now)


def mark_every_case(session: Session, now: int) -> int:
    """All cases on record wait to be judged again, as after a change of policy; how many."""
    return _rows(_MARK_ALL, session, now=now)


def requeue_due(session: Session, now: int, *, limit: int = 5_000) -> list[str]:
    """Makes cases dirty whose verdicts time itself may have changed by ``now``; which ones.  Those that wait already are left."""
    return list(_MARK_DUE.on(session, now=now, most=limit).scalars())


def claim_dirty(session: Session, *, limit: int, now: int, lease_ms: int, worker: str) -> list[Claim]:
    """Claims the ``limit`` cases that have waited longest; none that another worker has claimed.

    In order of case id: who writes several outcomes in one transaction thus takes the rows in the order in which ``mark_dirty``
    does, and neither deadlocks.  Commit at once: until then, others pass the rows by (PostgreSQL) or wait (SQLite).
    """
    token = f"{worker}:{uuid.uuid4().hex}"
    wanted = {"now": now, "until": now + lease_ms, "worker": worker, "token": token, "tries": MAX_ATTEMPTS, "most": limit}
    found = _claimed(session, [(_CLAIM_SOME, wanted), (_HOPELESS, {"now": now, "tries": MAX_ATTEMPTS, "most": limit})])
    claims = [Claim(row.case_id, row.generation, token, row.attempts) for row in found]
    return sorted(claims, key=lambda claim: claim.case_id)


def claim_case(session: Session, case_id: str, *, now: int, lease_ms: int, worker: str) -> Claim | None:
    """Claims one case; None where it does not wait, is claimed, rests after a failure, or is in quarantine.  Commit at once."""
    token = f"{worker}:{uuid.uuid4().hex}"
    wanted = {"case_id": case_id, "now": now, "until": now + lease_ms, "worker": worker, "token": token, "tries": MAX_ATTEMPTS}
    asked = [(_CLAIM_ONE, wanted), (_HOPELESS_ONE, {"case_id": case_id, "now": now, "tries": MAX_ATTEMPTS})]
    found = _claimed(session, asked)
    return Claim(case_id, found[0].generation, token, found[0].attempts) if found else None


def _claimed(session: Session, asked: Sequence[Asked]) -> Sequence[Any]:
    """The rows that were claimed; those that were claimed in vain too often are put into quarantine.

    A claim that a crash of the database forgets is one that was never made: nobody need wait until it is on disk.
    """
    found, hopeless = together(session, [(_UNSYNCED, {}), *asked] if dialect(session) == "postgresql" else asked)[-2:]
    if hopeless:
        _QUARANTINE.on(session, cases=[row.case_id for row in hopeless], died=DIED)
    return found


def hold(session: Session, claim: Claim) -> None:
    """Makes sure that nobody else can claim the case before this transaction ends.  Raises LeaseLost where somebody has.

    The first statement of the transaction that writes what was judged.
    """
    if _HOLD.on(session, case_id=claim.case_id, token=claim.token).first() is None:
        raise LeaseLost("the claim on the case has run out")


def holding(claims: Collection[Claim]) -> Asked:
    """What ``hold`` asks, for many claims: to be the first statement of the transaction that writes what was judged."""
    return _HOLD_ALL, {"cases": {claim.case_id for claim in claims}}


def still_held(claims: Sequence[Claim], rows: Collection[Any]) -> list[Claim]:
    """Those of ``claims`` that stand, by what ``holding`` gave."""
    tokens = {row.case_id: row.token for row in rows}
    return [claim for claim in claims if tokens.get(claim.case_id) == claim.token]


def release_judged(session: Session, claims: Sequence[Claim]) -> list[Claim]:
    """Ends claims that were held in this transaction, of judged cases that wait no longer; the others are for ``release`` to end."""
    left: list[Claim] = []
    by_token: dict[str, list[Claim]] = {}
    for claim in claims:
        by_token.setdefault(claim.token, []).append(claim)
    for token, some in by_token.items():
        seen = {f"{claim.generation}:{claim.case_id}" for claim in some}
        mine = {"cases": {claim.case_id for claim in some}, "token": token, "seen": seen}
        gone = {row.case_id for row in together(session, [(_DELETE_ALL, mine)])[0]}
        left += [claim for claim in some if claim.case_id not in gone]
    return left


def extend(session: Session, claim: Claim, *, now: int, lease_ms: int) -> None:
    """Lets the lease run until ``now + lease_ms``.  Raises LeaseLost."""
    if not _rows(_EXTEND, session, case_id=claim.case_id, token=claim.token, until=now + lease_ms):
        raise LeaseLost("the claim on the case has run out")


def release(session: Session, claim: Claim, *, done: bool) -> bool:
    """Ends a claim; whether the case still waits.

    ``done``: it has been judged, and waits no longer unless an event has come since it was claimed.  Otherwise it is given
    back untried, as when a worker is asked to stop.  Raises LeaseLost.
    """
    mine = {"case_id": claim.case_id, "token": claim.token}
    if done and _rows(_DELETE, session, generation=claim.generation, **mine):
        return False
    if not _rows(_RELEASE if done else _GIVE_BACK, session, **mine):
        raise LeaseLost("the claim on the case has run out")
    return True


def fail(session: Session, claim: Claim, error: str, *, now: int) -> bool:
    """Ends a claim after a failure; whether the case is in quarantine now.  A claim that was lost is none of our business.

    ``error`` is shown to administrators: it says what failed and holds nothing of the case's content.
    """
    quarantined = claim.attempts >= MAX_ATTEMPTS
    rest = RETRY_MS * 8 ** (claim.attempts - 1)
    text = error.replace("\x00", "")[:ERROR_LIMIT]
    given = {"error": text, "quarantined": quarantined, "until": None if quarantined else now + rest}
    return bool(_rows(_FAIL, session, case_id=claim.case_id, token=claim.token, **given)) and quarantined


def pardon(session: Session, case_id: str) -> bool:
    """Takes a case out of quarantine, to be tried three times again; False where it is not in it."""
    return bool(_rows(_PARDON, session, case_id=case_id))


def stale(session: Session, now: int, limit: int, *, waiting_ms: int = 0) -> list[str]:
    """Cases that nobody is judging although they have waited for ``waiting_ms``, the longest first: their hint may be lost."""
    return [row.case_id for row in _STALE.on(session, now=now, before=now - waiting_ms, most=limit)]


def count_waiting(session: Session, *, most: int) -> int:
    """How many cases wait to be judged; no more than ``most`` are counted."""
    return int(_COUNT.on(session, most=most).scalar_one())


def wait_already(session: Session, case_ids: Collection[str]) -> int:
    """How many of these cases wait, so that one more event of theirs adds no work."""
    return sum(int(_HOW_MANY.on(session, cases=chunk).scalar_one()) for chunk in chunks(sorted(case_ids), _CHUNK))


def _rows(statement: Statement, session: Session, **parameters: object) -> int:
    return int(statement.on(session, **parameters).rowcount)


# Writers of many rows go through them in one order (a list travels sorted by code point, as the column is collated), so that
# they wait for each other instead of deadlocking.
_MARK = Statement("""
    INSERT INTO dirty (case_id, generation, since, attempts, quarantined)
    SELECT value, 1, :now, 0, FALSE FROM LISTED(:cases) AS given WHERE TRUE
    ON CONFLICT (case_id) DO UPDATE SET generation = dirty.generation + 1
""")
_MARK_ALL = Statement("""
    INSERT INTO dirty (case_id, generation, since, attempts, quarantined)
    SELECT case_id, 1, :now, 0, FALSE FROM event WHERE TRUE GROUP BY case_id ORDER BY case_id
    ON CONFLICT (case_id) DO UPDATE SET generation = dirty.generation + 1
""")
_MARK_DUE = Statement("""
    INSERT INTO dirty (case_id, generation, since, attempts, quarantined)
    SELECT case_id, 1, :now, 0, FALSE FROM case_state
    WHERE next_check_at <= :now AND NOT EXISTS (SELECT 1 FROM dirty WHERE dirty.case_id = case_state.case_id)
    ORDER BY next_check_at, case_id LIMIT :most
    ON CONFLICT (case_id) DO NOTHING RETURNING case_id
""")
_CLAIM_SOME = Statement("""
    WITH found AS MATERIALIZED (
        SELECT case_id FROM dirty
        WHERE NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) AND attempts < :tries
        ORDER BY since, case_id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE dirty SET claimed_until = :until, claimed_by = :worker, token = :token, attempts = attempts + 1
    WHERE case_id IN (SELECT case_id FROM found)
    RETURNING case_id, generation, attempts
""")
_HOPELESS = Statement("""
    SELECT case_id FROM dirty
    WHERE NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) AND attempts >= :tries
    ORDER BY case_id LIMIT :most FOR UPDATE SKIP LOCKED
""")
_CLAIM_ONE = Statement("""
    UPDATE dirty SET claimed_until = :until, claimed_by = :worker, token = :token, attempts = attempts + 1
    WHERE case_id = (
        SELECT case_id FROM dirty
        WHERE case_id = :case_id AND NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) AND attempts < :tries
        FOR UPDATE SKIP LOCKED
    )
    RETURNING generation, attempts
""")
_HOPELESS_ONE = Statement("""
    SELECT case_id FROM dirty
    WHERE case_id = :case_id AND NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) AND attempts >= :tries
    FOR UPDATE SKIP LOCKED
""")
_UNSYNCED = Statement("SELECT set_config('synchronous_commit', 'off', TRUE)")
_QUARANTINE = Statement("""
    UPDATE dirty SET quarantined = TRUE, claimed_until = NULL, claimed_by = NULL, token = NULL,
        last_error = CASE WHEN token IS NULL THEN last_error ELSE :died END
    WHERE case_id IN LISTED(:cases)
""")
_HOLD = Statement("SELECT 1 FROM dirty WHERE case_id = :case_id AND token = :token FOR UPDATE")
_HOLD_ALL = Statement("SELECT case_id, token FROM dirty WHERE case_id IN LISTED(:cases) ORDER BY case_id FOR UPDATE")
_DELETE_ALL = Statement("""
    DELETE FROM dirty WHERE case_id IN LISTED(:cases) AND token = :token AND generation || ':' || case_id IN LISTED(:seen)
    RETURNING case_id
""")
_EXTEND = Statement("UPDATE dirty SET claimed_until = :until WHERE case_id = :case_id AND token = :token")
_DELETE = Statement("DELETE FROM dirty WHERE case_id = :case_id AND token = :token AND generation = :generation")
_RELEASE = Statement("""
    UPDATE dirty SET claimed_until = NULL, claimed_by = NULL, token = NULL, attempts = 0, last_error = NULL
    WHERE case_id = :case_id AND token = :token
""")
_GIVE_BACK = Statement("""
    UPDATE dirty SET claimed_until = NULL, claimed_by = NULL, token = NULL, attempts = attempts - 1
    WHERE case_id = :case_id AND token = :token
""")
_FAIL = Statement("""
    UPDATE dirty SET last_error = :error, quarantined = :quarantined, claimed_until = :until, claimed_by = NULL, token = NULL
    WHERE case_id = :case_id AND token = :token
""")
_PARDON = Statement("""
    UPDATE dirty SET quarantined = FALSE, attempts = 0, generation = generation + 1 WHERE case_id = :case_id AND quarantined
""")
_STALE = Statement("""
    SELECT case_id FROM dirty
    WHERE NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) AND since <= :before
    ORDER BY since, case_id LIMIT :most
""")
_COUNT = Statement("SELECT count(*) FROM (SELECT 1 FROM dirty WHERE NOT quarantined LIMIT :most) AS counted")
_HOW_MANY = Statement("SELECT count(*) FROM dirty WHERE case_id IN LISTED(:cases)")
