"""The cases that wait to be judged, and who is judging them.  Imports store.errors and store.sql.

A dirty row is the truth that a case waits.  A worker claims it for a time (a lease), judges, and in the transaction in which it
writes the outcome asks ``hold`` whether the claim still stands and ``release``s it: the row goes only if no event has come
meanwhile (its generation is the one claimed).  Attempts are counted when a case is claimed, not when it fails, so that a worker
that is killed counts as well; after the third, the case is put into quarantine, where people see it and others pass by.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from store.errors import LeaseLost
from store.sql import Statement, chunks

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
    while found := _WAITING.on(session, now=now, most=limit).all():
        hopeless = [row.case_id for row in found if row.attempts >= MAX_ATTEMPTS]
        if hopeless:
            _QUARANTINE.on(session, cases=hopeless, died=DIED)
        if claims := _claim([row for row in found if row.attempts < MAX_ATTEMPTS], session, now, lease_ms, worker):
            return claims
    return []


def claim_case(session: Session, case_id: str, *, now: int, lease_ms: int, worker: str) -> Claim | None:
    """Claims one case; None where it does not wait, is claimed, rests after a failure, or is in quarantine.  Commit at once."""
    found = _WAITING_ONE.on(session, case_id=case_id, now=now).all()
    if found and found[0].attempts >= MAX_ATTEMPTS:
        _QUARANTINE.on(session, cases=[case_id], died=DIED)
        return None
    claims = _claim(found, session, now, lease_ms, worker)
    return claims[0] if claims else None


def hold(session: Session, claim: Claim) -> None:
    """Makes sure that nobody else can claim the case before this transaction ends.  Raises LeaseLost where somebody has.

    The first statement of the transaction that writes what was judged.
    """
    if _HOLD.on(session, case_id=claim.case_id, token=claim.token).first() is None:
        raise LeaseLost("the claim on the case has run out")


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


def _claim(found: Collection[object], session: Session, now: int, lease_ms: int, worker: str) -> list[Claim]:
    if not found:
        return []
    token = f"{worker}:{uuid.uuid4().hex}"
    claims = [Claim(row.case_id, row.generation, token, row.attempts + 1) for row in found]  # type: ignore[attr-defined]
    claims.sort(key=lambda claim: claim.case_id)
    _CLAIM.on(session, cases=[claim.case_id for claim in claims], token=token, worker=worker, until=now + lease_ms)
    return claims


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
_WAITING = Statement("""
    SELECT case_id, generation, attempts FROM dirty
    WHERE NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now)
    ORDER BY since, case_id LIMIT :most FOR UPDATE SKIP LOCKED
""")
_WAITING_ONE = Statement("""
    SELECT case_id, generation, attempts FROM dirty
    WHERE case_id = :case_id AND NOT quarantined AND (claimed_until IS NULL OR claimed_until <= :now) FOR UPDATE SKIP LOCKED
""")
_CLAIM = Statement("""
    UPDATE dirty SET claimed_until = :until, claimed_by = :worker, token = :token, attempts = attempts + 1
    WHERE case_id IN LISTED(:cases)
""")
_QUARANTINE = Statement("""
    UPDATE dirty SET quarantined = TRUE, claimed_until = NULL, claimed_by = NULL, token = NULL,
        last_error = CASE WHEN token IS NULL THEN last_error ELSE :died END
    WHERE case_id IN LISTED(:cases)
""")
_HOLD = Statement("SELECT 1 FROM dirty WHERE case_id = :case_id AND token = :token FOR UPDATE")
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
