"""Backtests on record; the work on them is divided as store.chunkedjobs does.  Imports store.models, store.chunkedjobs and store.sql."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.chunkedjobs import UNFINISHED, ChunkedJobs
from store.models import BacktestChunkRow, BacktestRow, HeartbeatRow
from store.sql import Statement


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


JOBS = ChunkedJobs(BacktestRow, BacktestChunkRow)


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
    row.total = JOBS.plan(session, backtest.id, position=backtest.position, size=size)
    session.flush()
    return row.total


def get(session: Session, backtest: str) -> Backtest | None:
    """One backtest, with the cases done so far."""
    row = session.get(BacktestRow, backtest, populate_existing=True)
    return None if row is None else _as_backtest(row, JOBS.done(session, [backtest]))


def listed(session: Session, *, candidate: str | None = None, policy: str | None = None, limit: int = 50) -> list[Backtest]:
    """Backtests, the newest first."""
    chosen = select(BacktestRow).order_by(BacktestRow.created.desc(), BacktestRow.id.desc()).limit(limit)
    if candidate is not None:
        chosen = chosen.where(BacktestRow.candidate == candidate)
    if policy is not None:
        chosen = chosen.where(BacktestRow.policy == policy)
    rows = session.scalars(chosen).all()
    done = JOBS.done(session, [row.id for row in rows if row.state in UNFINISHED])
    return [_as_backtest(row, done) for row in rows]


def latest_done(session: Session, candidate: str) -> str | None:
    """The newest finished backtest of exactly this digest."""
    chosen = select(BacktestRow.id).where(BacktestRow.candidate == candidate, BacktestRow.state == "done")
    return session.scalar(chosen.order_by(BacktestRow.finished.desc(), BacktestRow.id.desc()).limit(1))


def waived(session: Session, cases: Collection[str], *, as_of: int, known_at: int) -> dict[str, frozenset[tuple[str, str, str]]]:
    """By case, the (episode, rule, obligation) that approved waivers cover at ``as_of``, as far as known at ``known_at``."""
    found: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for row in _WAIVED.on(session, cases=cases, as_of=as_of, known_at=known_at):
        found[row.case_id].add((row.episode, row.rule, row.obligation))
    return {case: frozenset(keys) for case, keys in found.items()}


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


_WAIVED = Statement("""
    SELECT breach.case_id, breach.episode, breach.rule, breach.obligation
    FROM breach JOIN waiver ON waiver.breach_id = breach.id
    WHERE breach.case_id IN LISTED(:cases) AND waiver.decided_at <= :known_at AND waiver.decided_at <= :as_of AND waiver.ends_at > :as_of
        AND (waiver.state IN ('approved', 'ended') OR (waiver.state = 'void' AND waiver.voided_at > :known_at))
""")
