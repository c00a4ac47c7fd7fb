"""Which policy texts were ever judged by, and which of them are in force since when and by whose decision.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, one_of

CHANGE_KINDS = ("installed", "version", "parameters")
CHANGE_STATES = ("proposed", "active", "rejected", "withdrawn")
INSTALLATION = "installation"
"""Who proposes what the files of the installation hold, and what was in force before anybody could decide."""


class PolicyVersionRow(Base):
    """A policy as it is or was judged by, by its digest: ``text`` holds the whole package, so that it can be loaded from here alone."""

    __tablename__ = "policy_version"
    __table_args__ = (Index(None, "policy", "first_used"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    policy: Mapped[str]
    version: Mapped[str]
    effective: Mapped[str | None]
    text: Mapped[Json]
    first_used: Mapped[int]


class PolicyChangeRow(Base):
    """A version of a policy that somebody wants to be in force, and what was decided.  Rows are never deleted; what is decided stays.

    ``values`` are the parameters that the proposer named; all values of the version are kept with its package.
    ``source_digest``: of the installation's file as it stands, before values that people have set are carried over.
    """

    __tablename__ = "policy_change"
    __table_args__ = (
        CheckConstraint(one_of("kind", *CHANGE_KINDS), name="kind"),
        CheckConstraint(one_of("state", *CHANGE_STATES), name="state"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        CheckConstraint(
            f"decided_by IS NULL OR decided_by <> proposed_by OR state = 'withdrawn' OR proposed_by = '{INSTALLATION}'", name="two_persons"
        ),
        Index(None, "policy", "proposed_at", "id"),
        Index(None, "state", "decided_at"),
        Index(
            "uq_policy_change_source_digest", "source_digest", unique=True,
            postgresql_where=text("source_digest IS NOT NULL"), sqlite_where=text("source_digest IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    policy: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    digest: Mapped[str] = mapped_column(ForeignKey("policy_version.digest", ondelete="RESTRICT"))
    base_digest: Mapped[str | None] = mapped_column(ForeignKey("policy_version.digest", ondelete="RESTRICT"))
    source_digest: Mapped[str | None]
    version: Mapped[str]
    effective: Mapped[str]
    applies_to_open: Mapped[bool]
    values: Mapped[Json]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_name: Mapped[str]
    proposed_at: Mapped[int]
    decided_by: Mapped[str | None]
    decided_name: Mapped[str | None]
    decided_at: Mapped[int | None]
    comment: Mapped[str | None]
    backtest: Mapped[str | None]
    """The backtest that the approval rested on."""
    row_version: Mapped[int] = mapped_column(default=1)
