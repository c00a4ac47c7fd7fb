"""What was found: current verdicts, lasting breaches with their history, waivers.  Imports base only.

A verdict and the breach that it opens carry the same ``id``, made from the obligation's key; see ``store.ids``.
``due_key`` is ``due_on``, or 9999-12-31 where there is none: lists sort and filter by it without NULLs.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, Serial, one_of

CONDITIONS = ("open", "remedied", "withdrawn", "excused")
REVIEWS = ("new", "acknowledged", "upheld", "dismissed")
OPEN = "verdict IN ('due_soon', 'pending') AND status = 'enforced'"
"""What an enforced rule asks for and is not done yet, as a condition on verdicts: spelled like this, an index holds it."""
WAIVER_STATES = ("proposed", "approved", "refused", "void", "ended")


class VerdictRow(Base):
    """The current verdict on one obligation.  ``as_of``, ``known_at`` and ``changed_at`` are those of its last change."""

    __tablename__ = "verdict"
    __table_args__ = (
        Index(None, "due_key", "id"),
        Index(None, "changed_at", "id"),
        Index(
            None, "verdict", "due_key", "id",
            postgresql_include=["status", "due_on", "policy", "rule", "severity", "team"],
        ),
        Index(None, "team", "due_key", "id"),
        Index(None, "policy", "rule", "due_key"),
        Index("ix_verdict_open", "due_key", "id", postgresql_where=text(OPEN), sqlite_where=text(OPEN)),
        Index(
            "ix_verdict_stale", "status", "team", "office",
            postgresql_where=text("reason = 'source_stale'"), sqlite_where=text("reason = 'source_stale'"),
        ),
    )  # fmt: skip

    case_id: Mapped[str] = mapped_column(primary_key=True)
    episode: Mapped[str] = mapped_column(primary_key=True)
    policy: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    obligation: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    policy_digest: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    severity: Mapped[str]
    severity_rank: Mapped[int]
    status: Mapped[str]
    activated_on: Mapped[str | None]
    due_on: Mapped[str | None]
    due_key: Mapped[str]
    due_soon_on: Mapped[str | None]
    satisfied_on: Mapped[str | None]
    days_late: Mapped[int | None]
    curable: Mapped[bool]
    evidence: Mapped[Json]
    rejected: Mapped[Json]
    team: Mapped[str | None]
    office: Mapped[str | None]
    worker: Mapped[str | None]
    contested: Mapped[str | None]
    as_of: Mapped[int]
    known_at: Mapped[int]
    changed_at: Mapped[int]
    digest: Mapped[str]
    """Of everything but the instants: an evaluation that finds the same writes nothing."""


class BreachRow(Base):
    """The lasting record that a reviewer works on; never deleted.  ``version`` grows with every change."""

    __tablename__ = "breach"
    __table_args__ = (
        UniqueConstraint("case_id", "episode", "policy", "rule", "obligation"),
        CheckConstraint(one_of("condition", *CONDITIONS), name="condition"),
        CheckConstraint(one_of("review", *REVIEWS), name="review"),
        Index(None, "opened_at", "id"),
        Index(None, "changed_at", "id"),
        Index(None, "due_key", "id"),
        Index(None, "severity_rank", "id"),
        Index(None, "condition", "review", "opened_at"),
        Index(None, "team", "condition", "opened_at"),
        Index(None, "assignee", "condition", "opened_at"),
        Index(None, "announce_after"),
        Index("ix_breach_counts", "condition", "review", "severity", "assignee", "policy", "rule", "team", "opened_at"),
        Index(
            "ix_breach_contested", "review", "opened_at",
            postgresql_where=text("contested IS NOT NULL"), sqlite_where=text("contested IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    episode: Mapped[str]
    policy: Mapped[str]
    rule: Mapped[str]
    obligation: Mapped[str]
    condition: Mapped[str]
    review: Mapped[str]
    severity: Mapped[str]
    severity_rank: Mapped[int]
    team: Mapped[str | None]
    office: Mapped[str | None]
    worker: Mapped[str | None]
    due_on: Mapped[str | None]
    due_key: Mapped[str]
    days_late: Mapped[int | None]
    assignee: Mapped[str | None]
    """Who has taken it on, or was given it, as histories name people (``user:ID``); evaluation never touches it."""
    contested: Mapped[str | None]
    opened_at: Mapped[int]
    changed_at: Mapped[int]
    announced_at: Mapped[int | None]
    announce_after: Mapped[int | None]
    version: Mapped[int]
    policy_digest: Mapped[str]
    snapshot: Mapped[Json]
    """The verdict as it was judged last, as ``Verdict.as_dict()`` gives it."""


class BreachHistoryRow(Base):
    """One line of a breach's history.  The database itself refuses to change or delete it.

    ``hash`` is over the line and ``prev_hash``, the hash of the breach's line before: a line that was altered behind the
    database's back no longer fits the chain.
    """

    __tablename__ = "breach_history"
    __table_args__ = (Index(None, "breach_id", "id"), UniqueConstraint("breach_id", "prev_hash"), {"sqlite_autoincrement": True})

    id: Mapped[Serial]
    breach_id: Mapped[str] = mapped_column(ForeignKey("breach.id", ondelete="RESTRICT"))
    at: Mapped[int]
    kind: Mapped[str]
    actor: Mapped[str]
    before: Mapped[str | None] = mapped_column("from")
    after: Mapped[str | None] = mapped_column("to")
    policy_digest: Mapped[str | None]
    known_at: Mapped[int | None]
    event_position: Mapped[int | None]
    events: Mapped[Json]
    reason_code: Mapped[str | None]
    comment: Mapped[str | None]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class WaiverRow(Base):
    """A person's request that a breach be excused until ``ends_at``, approved by another person."""

    __tablename__ = "waiver"
    __table_args__ = (
        CheckConstraint(one_of("state", *WAIVER_STATES), name="state"),
        CheckConstraint("approver IS NULL OR approver <> author", name="two_persons"),
        Index(None, "breach_id", "created"),
        Index(None, "state", "ends_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    breach_id: Mapped[str] = mapped_column(ForeignKey("breach.id", ondelete="RESTRICT"))
    author: Mapped[str]
    approver: Mapped[str | None]
    reason_code: Mapped[str]
    comment: Mapped[str | None]
    state: Mapped[str]
    created: Mapped[int]
    decided_at: Mapped[int | None]
    ends_at: Mapped[int]
    evidence_digest: Mapped[str]
    """Of the activation, the due day and the evidence when the waiver was asked for: another digest voids it."""
    voided_at: Mapped[int | None]
    """When another digest was found (ms): until then the waiver stood, and a look back judges by it."""
    version: Mapped[int] = mapped_column(default=1)
