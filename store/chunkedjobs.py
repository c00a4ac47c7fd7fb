"""Work over all cases in chunks that any worker may take: planning them, claiming them, keeping what was found.

For backtests and audits alike: each has a table of jobs and one of chunks.  A chunk is claimed for a time (a lease); whoever holds the
token may write its result, and only while the job is under way.  So a worker that dies loses nothing but its time, and one that comes
late writes nothing.  Imports store.models.base and store.sql.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from store.sql import Statement, encode

STATES = ("queued", "running", "done", "failed", "cancelled")
UNFINISHED = ("queued", "running")
LAST = 20
"""So many chunks tell how fast a job goes."""
BREAK = 300_000
"""ms without a finished chunk after which nobody has worked on a job."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The right to work on some cases until the lease ends.  ``attempts`` includes this one."""

    job: str
    number: int
    first: str
    last: str
    token: str
    attempts: int = 1
    suspects: Mapping[str, int] = field(default_factory=dict)


class ChunkedJobs:
    """The jobs of one kind.  Its chunks refer to it by a column that has the name of its table."""

    def __init__(self, jobs: type[DeclarativeBase], chunks: type[DeclarativeBase]) -> None:
        name = jobs.__tablename__
        self._jobs: Any = jobs
        self._chunks: Any = chunks
        self._job: Any = getattr(chunks, name)
        names = {"job": name, "chunk": chunks.__tablename__, "mine": f"{name} = :job AND number = :number AND token = :token"}
        self._plan, self._begin, self._extend, self._give_back, self._finish, self._hold, self._forget, self._idle, self._claim = (
            Statement(sql.format(**names)) for sql in (_PLAN, _BEGIN, _EXTEND, _GIVE_BACK, _FINISH, _HOLD, _FORGET, _IDLE, _CLAIM)
        )
        self._next = Statement(_NEXT.format(**names), documents=("suspects",))

    def plan(self, session: Session, job: str, *, position: int, size: int) -> int:
        """Divides the cases with events up to ``position`` into chunks of ``size``; how many cases there are."""
        self._plan.on(session, job=job, position=position, size=size)
        planned = select(func.coalesce(func.sum(self._chunks.cases), 0)).where(self._job == job)
        return int(session.scalar(planned) or 0)

    def idle(self, session: Session, now: int) -> list[str]:
        """Jobs that are not finished although nobody works on them, the oldest first."""
        return list(self._idle.on(session, now=now).scalars())

    def claim(self, session: Session, job: str, *, now: int, lease_ms: int) -> Chunk | None:
        """The next chunk that nobody works on; None where there is none, or the job is over.  Commit at once."""
        row = self._next.on(session, job=job, now=now).first()
        if row is None:
            return None
        token = uuid.uuid4().hex
        self._claim.on(session, token=token, until=now + lease_ms, job=job, number=row.number)
        self._begin.on(session, job=job, now=now)
        return Chunk(job, row.number, row.first_case, row.last_case, token, row.attempts + 1, row.suspects)

    def extend(self, session: Session, chunk: Chunk, *, until: int) -> bool:
        """Lets the lease run until ``until`` (ms); False where it has been lost, or the job is over."""
        return bool(self._extend.on(session, until=until, **_mine(chunk)).rowcount)

    def suspect(self, session: Session, chunk: Chunk, suspects: Mapping[str, int]) -> bool:
        """Notes the case that is being judged now, in case the worker dies over it; False where the claim has been lost."""
        noted = update(self._chunks).where(self._job == chunk.job, self._chunks.number == chunk.number, self._chunks.token == chunk.token)
        return bool(session.execute(noted.values(suspects=dict(suspects)).returning(1)).all())

    def give_back(self, session: Session, chunk: Chunk, *, tried: bool) -> None:
        """Ends a claim without a result; where it was not ``tried``, as when more urgent work waits, it does not count."""
        self._give_back.on(session, untried=int(not tried), **_mine(chunk))

    def finish_chunk(self, session: Session, chunk: Chunk, result: Mapping[str, Any], *, now: int) -> bool:
        """Keeps what was found; False where the claim has been lost, or the job is over."""
        return bool(self._finish.on(session, result=encode(result), now=now, **_mine(chunk)).rowcount)

    def pace(self, session: Session, job: str) -> float | None:
        """Cases a second, by the chunks that were finished last and since the last longer break; None: too few to tell."""
        chunk = self._chunks
        known = (chunk.result.is_not(None), chunk.claimed_until.is_not(None))
        finished = select(chunk.claimed_until, chunk.cases).where(self._job == job, *known)
        rows = session.execute(finished.order_by(chunk.claimed_until.desc(), chunk.number).limit(LAST)).all()
        first, cases = rows[0].claimed_until if rows else 0, 0
        for later, earlier in pairwise(rows):
            if later.claimed_until - earlier.claimed_until > BREAK:
                break
            first, cases = earlier.claimed_until, cases + later.cases
        return cases * 1000 / (rows[0].claimed_until - first) if cases and rows[0].claimed_until > first else None

    def hold(self, session: Session, job: str) -> bool:
        """Keeps a job that is under way to this transaction; False where it is over or somebody else makes its report now.

        On PostgreSQL only: on SQLite, whose one writer all others would have to wait for, it says only whether it is under way.
        """
        return self._hold.on(session, job=job).first() is not None

    def unfinished_chunks(self, session: Session, job: str) -> int:
        """How many chunks have no result yet."""
        waiting = select(func.count()).select_from(self._chunks).where(self._job == job, self._chunks.result.is_(None))
        return session.scalar(waiting) or 0

    def results(self, session: Session, job: str) -> Iterator[dict[str, Any]]:
        """What the chunks found, in their order, one at a time."""
        numbers = select(self._chunks.number).where(self._job == job).order_by(self._chunks.number)
        for number in session.scalars(numbers).all():
            found = select(self._chunks.result).where(self._job == job, self._chunks.number == number)
            yield dict(session.scalars(found).one() or {})

    def state_of(self, session: Session, job: str) -> str | None:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``; None for a job that is not on record."""
        state: str | None = session.scalar(select(self._jobs.state).where(self._jobs.id == job))
        return state

    def report_of(self, session: Session, job: str) -> str | None:
        """The report's text as its digest was taken; None where there is none (yet)."""
        text: str | None = session.scalar(select(self._jobs.report).where(self._jobs.id == job))
        return text

    def done(self, session: Session, jobs: Sequence[str]) -> dict[str, int]:
        """How many cases of each have been judged."""
        counted = select(self._job, func.sum(self._chunks.cases)).group_by(self._job)
        rows = session.execute(counted.where(self._job.in_(jobs), self._chunks.result.is_not(None)))
        return {job: int(count) for job, count in rows}

    def end(
        self,
        session: Session,
        job: str,
        state: str,
        *,
        now: int,
        report: str | None = None,
        digest: str | None = None,
        error: str | None = None,
    ) -> bool:
        """Ends a job that is under way and forgets its chunks; False where somebody else has ended it before."""
        under_way = update(self._jobs).where(self._jobs.id == job, self._jobs.state.in_(UNFINISHED))
        values = {"state": state, "finished": now, "report": report, "report_digest": digest, "error": error}
        if not session.execute(under_way.values(**values).returning(self._jobs.id)).all():
            return False
        self._forget.on(session, job=job)
        return True

    def cases_of(self, session: Session, chunk: Chunk, *, position: int) -> list[str]:
        """The cases of a chunk, in order."""
        return list(_CASES.on(session, first=chunk.first, last=chunk.last, position=position).scalars())


def _mine(chunk: Chunk) -> dict[str, Any]:
    return {"job": chunk.job, "number": chunk.number, "token": chunk.token}


_PLAN = """
    INSERT INTO {chunk} ({job}, number, first_case, last_case, cases, attempts, suspects)
    SELECT :job, number, min(case_id), max(case_id), count(*), 0, '{{}}'
    FROM (
        SELECT case_id, (row_number() OVER (ORDER BY case_id) - 1) / :size AS number
        FROM (SELECT DISTINCT case_id FROM event WHERE position <= :position) AS known
    ) AS numbered
    GROUP BY number
"""
_NEXT = """
    SELECT number, first_case, last_case, attempts, suspects FROM {chunk}
    WHERE {job} = :job AND result IS NULL AND (claimed_until IS NULL OR claimed_until <= :now)
        AND EXISTS (SELECT 1 FROM {job} WHERE id = :job AND state IN ('queued', 'running'))
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_CLAIM = "UPDATE {chunk} SET claimed_until = :until, token = :token, attempts = attempts + 1 WHERE {job} = :job AND number = :number"
_BEGIN = "UPDATE {job} SET state = 'running', started = :now WHERE id = :job AND state = 'queued'"
_EXTEND = "UPDATE {chunk} SET claimed_until = :until WHERE {mine}"
_GIVE_BACK = "UPDATE {chunk} SET claimed_until = NULL, token = NULL, attempts = attempts - :untried WHERE {mine}"
_FINISH = "UPDATE {chunk} SET result = :result, claimed_until = :now, token = NULL WHERE {mine}"
_HOLD = "SELECT 1 FROM {job} WHERE id = :job AND state IN ('queued', 'running') FOR UPDATE SKIP LOCKED"
_FORGET = "DELETE FROM {chunk} WHERE {job} = :job"
_CASES = Statement("""
    SELECT DISTINCT case_id FROM event WHERE case_id >= :first AND case_id <= :last AND position <= :position ORDER BY case_id
""")
_IDLE = """
    SELECT id FROM {job}
    WHERE state IN ('queued', 'running') AND NOT EXISTS (
        SELECT 1 FROM {chunk} WHERE {chunk}.{job} = {job}.id AND claimed_until > :now
    )
    ORDER BY created, id
"""
