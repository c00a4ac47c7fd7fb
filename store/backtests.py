"""Backtests on record: planning the chunks, claiming them, and keeping what they found.  Imports store.models and store.sql.

A chunk is claimed for a time (a lease); whoever holds the token may write its result, and only while the backtest is under way.
So a worker that dies loses nothing but its time, and one that comes late writes nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from store.models import BacktestChunkRow, BacktestRow, HeartbeatRow
from store.sql import Statement, encode

UNFINISHED = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Backtest:
    """A backtest as it stands.  Instants are ms; ``total`` and ``done`` count cases; ``base`` are digests by effective day."""

    id: str
    policy: str
    candidate: str
    base: tuple[str, ...]
    as_of: int
    known_at: int
    position: int
    heartbeat: int
    since: str | None
    created: int
    created_by: str
    created_name: str
    state: str = "queued"
    total: int = 0
    done: int = 0
    started: int | None = None
    finished: int | None = None
    report_digest: str | None = None
    error: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True)
class Chunk:
    """The right to work on some cases until the lease ends.  ``attempts`` includes this one."""

    backtest: str
    number: int
    first: str
    last: str
    token: str
    attempts: int = 1
    suspects: Mapping[str, int] = field(default_factory=dict)


def newest_heartbeat(session: Session) -> int:
    """The id of the newest heartbeat; 0 without any."""
    return session.scalar(select(func.max(HeartbeatRow.id))) or 0


def add(session: Session, backtest: Backtest, *, size: int) -> int:
    """Puts a backtest on record with its cases in chunks of ``size``; how many cases there are."""
    row = BacktestRow(
        id=backtest.id,
        policy=backtest.policy,
        candidate=backtest.candidate,
        base=list(backtest.base),
        as_of=backtest.as_of,
        known_at=backtest.known_at,
        position=backtest.position,
        heartbeat=backtest.heartbeat,
        since=backtest.since,
        state="queued",
        created=backtest.created,
        created_by=backtest.created_by,
        created_name=backtest.created_name,
    )
    session.add(row)
    session.flush()
    _PLAN.on(session, backtest=backtest.id, position=backtest.position, size=size)
    planned = select(func.coalesce(func.sum(BacktestChunkRow.cases), 0)).where(BacktestChunkRow.backtest == backtest.id)
    row.total = int(session.scalar(planned) or 0)
    session.flush()
    return row.total


def get(session: Session, backtest: str) -> Backtest | None:
    """One backtest, with the cases done so far."""
    row = session.get(BacktestRow, backtest, populate_existing=True)
    return None if row is None else _as_backtest(row, _done(session, [backtest]))


def listed(session: Session, *, candidate: str | None = None, policy: str | None = None, limit: int = 50) -> list[Backtest]:
    """Backtests, the newest first."""
    chosen = select(BacktestRow).order_by(BacktestRow.created.desc(), BacktestRow.id.desc()).limit(limit)
    if candidate is not None:
        chosen = chosen.where(BacktestRow.candidate == candidate)
    if policy is not None:
        chosen = chosen.where(BacktestRow.policy == policy)
    rows = session.scalars(chosen).all()
    done = _done(session, [row.id for row in rows if row.state in UNFINISHED])
    return [_as_backtest(row, done) for row in rows]


def latest_done(session: Session, candidate: str) -> str | None:
    """The newest finished backtest of exactly this digest."""
    chosen = select(BacktestRow.id).where(BacktestRow.candidate == candidate, BacktestRow.state == "done")
    return session.scalar(chosen.order_by(BacktestRow.finished.desc(), BacktestRow.id.desc()).limit(1))


def report_of(session: Session, backtest: str) -> str | None:
    """The report's text as its digest was taken; None where there is none (yet)."""
    return session.scalar(select(BacktestRow.report).where(BacktestRow.id == backtest))


def idle(session: Session, now: int) -> list[str]:
    """Backtests that are not finished although nobody works on them, the oldest first."""
    return list(_IDLE.on(session, now=now).scalars())


def claim(session: Session, backtest: str, *, now: int, lease_ms: int) -> Chunk | None:
    """The next chunk that nobody works on; None where there is none, or the backtest is over.  Commit at once."""
    row = _NEXT.on(session, backtest=backtest, now=now).first()
    if row is None:
        return None
    token = uuid.uuid4().hex
    given = {"backtest": backtest, "number": row.number}
    _CLAIM.on(session, token=token, until=now + lease_ms, **given)
    _BEGIN.on(session, backtest=backtest, now=now)
    return Chunk(backtest, row.number, row.first_case, row.last_case, token, row.attempts + 1, row.suspects)


def extend(session: Session, chunk: Chunk, *, until: int) -> bool:
    """Lets the lease run until ``until`` (ms); False where it has been lost, or the backtest is over."""
    return bool(_EXTEND.on(session, backtest=chunk.backtest, number=chunk.number, token=chunk.token, until=until).rowcount)


def suspect(session: Session, chunk: Chunk, suspects: Mapping[str, int]) -> bool:
    """Notes the case that is being judged now, in case the worker dies over it; False where the claim has been lost."""
    done = update(BacktestChunkRow).where(BacktestChunkRow.backtest == chunk.backtest, BacktestChunkRow.number == chunk.number)
    return bool(session.execute(done.where(BacktestChunkRow.token == chunk.token).values(suspects=dict(suspects)).returning(1)).all())


def give_back(session: Session, chunk: Chunk, *, tried: bool) -> None:
    """Ends a claim without a result; where it was not ``tried``, as when more urgent work waits, it does not count."""
    _GIVE_BACK.on(session, backtest=chunk.backtest, number=chunk.number, token=chunk.token, untried=int(not tried))


def finish_chunk(session: Session, chunk: Chunk, result: Mapping[str, Any]) -> bool:
    """Keeps what was found; False where the claim has been lost, or the backtest is over."""
    given = {"backtest": chunk.backtest, "number": chunk.number, "token": chunk.token}
    return bool(_FINISH.on(session, result=encode(result), **given).rowcount)


def hold(session: Session, backtest: str) -> bool:
    """Keeps a backtest that is under way to this transaction; False where it is over or somebody else makes its report now.

    On PostgreSQL only: on SQLite, whose one writer all others would have to wait for, it says only whether it is under way.
    """
    return _HOLD.on(session, backtest=backtest).first() is not None


def unfinished_chunks(session: Session, backtest: str) -> int:
    """How many chunks have no result yet."""
    waiting = select(func.count()).select_from(BacktestChunkRow)
    return session.scalar(waiting.where(BacktestChunkRow.backtest == backtest, BacktestChunkRow.result.is_(None))) or 0


def results(session: Session, backtest: str) -> Iterator[dict[str, Any]]:
    """What the chunks found, in their order, one at a time."""
    chunks = select(BacktestChunkRow.number).where(BacktestChunkRow.backtest == backtest).order_by(BacktestChunkRow.number)
    for number in session.scalars(chunks).all():
        found = select(BacktestChunkRow.result).where(BacktestChunkRow.backtest == backtest, BacktestChunkRow.number == number)
        yield dict(session.scalars(found).one() or {})


def end(
    session: Session, backtest: str, state: str, *, now: int, report: str | None = None, digest: str | None = None, error: str | None = None
) -> bool:
    """Ends a backtest that is under way and forgets its chunks; False where somebody else has ended it before."""
    under_way = update(BacktestRow).where(BacktestRow.id == backtest, BacktestRow.state.in_(UNFINISHED))
    values = {"state": state, "finished": now, "report": report, "report_digest": digest, "error": error}
    if not session.execute(under_way.values(**values).returning(BacktestRow.id)).all():
        return False
    _FORGET.on(session, backtest=backtest)
    return True


def cases_of(session: Session, chunk: Chunk, *, position: int) -> list[str]:
    """The cases of a chunk, in order."""
    return list(_CASES.on(session, first=chunk.first, last=chunk.last, position=position).scalars())


def waived(session: Session, cases: Collection[str], *, as_of: int, known_at: int) -> dict[str, frozenset[tuple[str, str, str]]]:
    """By case, the (episode, rule, obligation) that approved waivers cover at ``as_of``, as far as known at ``known_at``."""
    found: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for row in _WAIVED.on(session, cases=cases, as_of=as_of, known_at=known_at):
        found[row.case_id].add((row.episode, row.rule, row.obligation))
    return {case: frozenset(keys) for case, keys in found.items()}


def _done(session: Session, backtests: Sequence[str]) -> dict[str, int]:
    counted = select(BacktestChunkRow.backtest, func.sum(BacktestChunkRow.cases)).group_by(BacktestChunkRow.backtest)
    rows = session.execute(counted.where(BacktestChunkRow.backtest.in_(backtests), BacktestChunkRow.result.is_not(None)))
    return {backtest: int(count) for backtest, count in rows}


def _as_backtest(row: BacktestRow, done: Mapping[str, int]) -> Backtest:
    return Backtest(
        id=row.id,
        policy=row.policy,
        candidate=row.candidate,
        base=tuple(row.base),
        as_of=row.as_of,
        known_at=row.known_at,
        position=row.position,
        heartbeat=row.heartbeat,
        since=row.since,
        created=row.created,
        created_by=row.created_by,
        created_name=row.created_name,
        state=row.state,
        total=row.total,
        done=row.total if row.state == "done" else done.get(row.id, 0),
        started=row.started,
        finished=row.finished,
        report_digest=row.report_digest,
        error=row.error,
    )


_PLAN = Statement("""
    INSERT INTO backtest_chunk (backtest, number, first_case, last_case, cases, attempts, suspects)
    SELECT :backtest, number, min(case_id), max(case_id), count(*), 0, '{}'
    FROM (
        SELECT case_id, (row_number() OVER (ORDER BY case_id) - 1) / :size AS number
        FROM (SELECT DISTINCT case_id FROM event WHERE position <= :position) AS known
    ) AS numbered
    GROUP BY number
""")
_UNDER_WAY = "EXISTS (SELECT 1 FROM backtest WHERE backtest.id = :backtest AND state IN ('queued', 'running'))"
_NEXT = Statement(
    f"""
    SELECT number, first_case, last_case, attempts, suspects FROM backtest_chunk
    WHERE backtest = :backtest AND result IS NULL AND (claimed_until IS NULL OR claimed_until <= :now) AND {_UNDER_WAY}
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
    """,  # noqa: S608 - a text of our own
    documents=("suspects",),
)
_CLAIM = Statement("""
    UPDATE backtest_chunk SET claimed_until = :until, token = :token, attempts = attempts + 1
    WHERE backtest = :backtest AND number = :number
""")
_BEGIN = Statement("UPDATE backtest SET state = 'running', started = :now WHERE id = :backtest AND state = 'queued'")
_EXTEND = Statement("""
    UPDATE backtest_chunk SET claimed_until = :until WHERE backtest = :backtest AND number = :number AND token = :token
""")
_GIVE_BACK = Statement("""
    UPDATE backtest_chunk SET claimed_until = NULL, token = NULL, attempts = attempts - :untried
    WHERE backtest = :backtest AND number = :number AND token = :token
""")
_FINISH = Statement("""
    UPDATE backtest_chunk SET result = :result, claimed_until = NULL, token = NULL
    WHERE backtest = :backtest AND number = :number AND token = :token
""")
_HOLD = Statement("SELECT 1 FROM backtest WHERE id = :backtest AND state IN ('queued', 'running') FOR UPDATE SKIP LOCKED")
_FORGET = Statement("DELETE FROM backtest_chunk WHERE backtest = :backtest")
_CASES = Statement("""
    SELECT DISTINCT case_id FROM event WHERE case_id >= :first AND case_id <= :last AND position <= :position ORDER BY case_id
""")
_IDLE = Statement("""
    SELECT id FROM backtest
    WHERE state IN ('queued', 'running') AND NOT EXISTS (
        SELECT 1 FROM backtest_chunk WHERE backtest_chunk.backtest = backtest.id AND claimed_until > :now
    )
    ORDER BY created, id
""")
_WAIVED = Statement("""
    SELECT breach.case_id, breach.episode, breach.rule, breach.obligation
    FROM breach JOIN waiver ON waiver.breach_id = breach.id
    WHERE breach.case_id IN LISTED(:cases) AND waiver.decided_at <= :known_at AND waiver.decided_at <= :as_of AND waiver.ends_at > :as_of
        AND (waiver.state IN ('approved', 'ended') OR (waiver.state = 'void' AND waiver.voided_at > :known_at))
""")
