"""Backtests: what a version of a policy would have said of the cases on record, and how far the work on it is.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, one_of

BACKTEST_STATES = ("queued", "running", "done", "failed", "cancelled")


class BacktestRow(Base):
    """One backtest: every case with events up to ``position``, judged by the candidate and by the versions in ``base``.

    ``report`` is kept as the text that ``report_digest`` is the digest of; once there, nothing changes it.
    """

    __tablename__ = "backtest"
    __table_args__ = (
        CheckConstraint(one_of("state", *BACKTEST_STATES), name="state"),
        CheckConstraint("(state = 'done') = (report IS NOT NULL)", name="report"),
        Index(None, "created", "id"),
        Index(None, "candidate", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    policy: Mapped[str]
    candidate: Mapped[str] = mapped_column(ForeignKey("policy_version.digest", ondelete="RESTRICT"))
    base: Mapped[Json]
    """The digests of the versions that it is compared with, in order of their effective days; none for a policy that is new."""
    as_of: Mapped[int]
    known_at: Mapped[int]
    position: Mapped[int]
    heartbeat: Mapped[int]
    """The newest heartbeat that counts."""
    since: Mapped[str | None]
    state: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    """Cases."""
    created: Mapped[int]
    created_by: Mapped[str]
    created_name: Mapped[str]
    started: Mapped[int | None]
    finished: Mapped[int | None]
    report: Mapped[str | None]
    report_digest: Mapped[str | None]
    error: Mapped[str | None]


class BacktestChunkRow(Base):
    """The cases from ``first_case`` to ``last_case`` of an unfinished backtest.  Claimed for a time, like a dirty row.

    ``suspects`` counts, by case, how often a worker died over it, which is noted only in a chunk that was claimed in vain before.
    """

    __tablename__ = "backtest_chunk"
    __table_args__ = (Index(None, "backtest", "claimed_until"),)

    backtest: Mapped[str] = mapped_column(ForeignKey("backtest.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    first_case: Mapped[str]
    last_case: Mapped[str]
    cases: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    suspects: Mapped[Json]
    claimed_until: Mapped[int | None]
    token: Mapped[str | None]
    result: Mapped[Json | None]
