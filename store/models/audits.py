"""Audits: what every case in scope came to at one instant, who has signed that off, and when audits are made.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, one_of

AUDIT_STATES = ("queued", "running", "done", "failed", "cancelled")
AUDIT_KINDS = ("full", "incremental")


class AuditScheduleRow(Base):
    """When to make which audit.  ``next_at`` is claimed by moving it on, so each time fires once; NULL: it is paused."""

    __tablename__ = "audit_schedule"
    __table_args__ = (
        CheckConstraint(one_of("kind", *AUDIT_KINDS), name="kind"),
        Index(
            "ix_audit_schedule_next_at", "next_at", "id",
            postgresql_where=text("next_at IS NOT NULL"), sqlite_where=text("next_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    cron: Mapped[str]
    zone: Mapped[str]
    kind: Mapped[str]
    scope: Mapped[Json]
    sample: Mapped[int]
    created: Mapped[int]
    created_by: Mapped[str]
    created_name: Mapped[str]
    next_at: Mapped[int | None]
    last_at: Mapped[int | None]
    last_audit: Mapped[str | None]
    missed: Mapped[int] = mapped_column(default=0)
    paused_because: Mapped[str | None]


class AuditRow(Base):
    """One audit: every case with events up to ``position`` judged at (as_of, known_at) by the versions in ``policies``.

    ``report`` is kept as the text that ``report_digest`` is the digest of; once there, nothing changes it.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint(one_of("state", *AUDIT_STATES), name="state"),
        CheckConstraint(one_of("kind", *AUDIT_KINDS), name="kind"),
        CheckConstraint("(state = 'done') = (report IS NOT NULL)", name="report"),
        UniqueConstraint("schedule", "scheduled_for"),
        Index(None, "created", "id"),
        Index(None, "state", "created"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    as_of: Mapped[int]
    known_at: Mapped[int]
    position: Mapped[int]
    heartbeat: Mapped[int]
    lines: Mapped[int]
    """The last line of breaches' histories that counts."""
    policies: Mapped[Json]
    scope: Mapped[Json]
    seed: Mapped[int]
    sample: Mapped[int]
    state: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    """Cases."""
    created: Mapped[int]
    created_by: Mapped[str]
    created_name: Mapped[str]
    schedule: Mapped[str | None]
    scheduled_for: Mapped[int | None]
    missed: Mapped[int] = mapped_column(default=0)
    started: Mapped[int | None]
    finished: Mapped[int | None]
    report: Mapped[str | None]
    report_digest: Mapped[str | None]
    error: Mapped[str | None]


class AuditChunkRow(Base):
    """The cases from ``first_case`` to ``last_case`` of an unfinished audit.  Claimed for a time, like a dirty row.

    ``claimed_until`` of a chunk with a result: when it was finished.
    """

    __tablename__ = "audit_chunk"
    __table_args__ = (Index(None, "audit", "claimed_until"),)

    audit: Mapped[str] = mapped_column(ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    first_case: Mapped[str]
    last_case: Mapped[str]
    cases: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    suspects: Mapped[Json]
    claimed_until: Mapped[int | None]
    token: Mapped[str | None]
    result: Mapped[Json | None]


class AuditPrintsRow(Base):
    """For each case of a chunk a short digest of what the audit found in it: where two audits differ, so do these."""

    __tablename__ = "audit_prints"

    audit: Mapped[str] = mapped_column(ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    prints: Mapped[Json]


class AuditDiffersRow(Base):
    """A case whose stored findings a full audit found to differ."""

    __tablename__ = "audit_differs"

    audit: Mapped[str] = mapped_column(ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[str] = mapped_column(primary_key=True)


class AuditSignatureRow(Base):
    """A person's word that a report has been read and stands."""

    __tablename__ = "audit_signature"

    audit: Mapped[str] = mapped_column(ForeignKey("audit.id", ondelete="RESTRICT"), primary_key=True)
    signed_by: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    at: Mapped[int]
    digest: Mapped[str]
    comment: Mapped[str]
