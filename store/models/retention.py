"""What retention leaves behind: certificates of removals, tombstones, counts, and the legal holds that stop it.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, Serial, one_of

REMOVAL_STATES = ("running", "done")


class LegalHoldRow(Base):
    """A person's word that nothing of a case may be removed, and whose cases it is linked with, until somebody lifts it.

    Rows are never deleted.  When a case is removed after its hold was lifted, its id and the words go and the rest stays.
    """

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
        Index(None, "case_id", "set_at"),
        Index(None, "set_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_name: Mapped[str]
    set_at: Mapped[int]
    lifted_by: Mapped[str | None]
    lifted_name: Mapped[str | None]
    lifted_at: Mapped[int | None]
    lift_reason: Mapped[str | None]


class RemovalRow(Base):
    """One removal and, once it is done, the certificate of it, which nothing changes any more.

    ``chain`` is over all of its lines in ``removal_line``; ``mac`` is a keyed hash of everything here but the lease, so that nobody
    who has the database alone can make one.
    """

    __tablename__ = "removal"
    __table_args__ = (
        CheckConstraint(one_of("state", *REMOVAL_STATES), name="state"),
        CheckConstraint("(state = 'done') = (finished IS NOT NULL)", name="finished"),
        Index(
            "uq_removal_running", "state", unique=True,
            postgresql_where=text("state = 'running'"), sqlite_where=text("state = 'running'"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    """A number with leading zeros, counted from 1 without a gap."""
    state: Mapped[str]
    created: Mapped[int]
    created_by: Mapped[str]
    created_name: Mapped[str]
    finished: Mapped[int | None]
    rules: Mapped[Json]
    rules_digest: Mapped[str]
    position: Mapped[int]
    """Of the last event when it began."""
    seal: Mapped[int | None]
    """The number of the last seal when it ended."""
    cases: Mapped[int] = mapped_column(default=0)
    journeys: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    counts: Mapped[Json]
    """By table ``{"removed": rows, "changed": rows}``."""
    kept: Mapped[Json]
    """How many journeys were left, by reason."""
    chain: Mapped[str]
    mac: Mapped[str]
    token: Mapped[str | None]
    lease_until: Mapped[int | None]


class RemovalLineRow(Base):
    """A sealed line that a removal took away (``new`` is NULL) or changed, or a run of lines from ``first`` to ``number``.

    Only while its removal is running may the database let go of exactly these lines; see migration 0014.
    """

    __tablename__ = "removal_line"
    __table_args__ = (
        Index(None, "kind", "number", "id"),
        Index(None, "kind", "line", "id"),
        Index(
            "ix_removal_line_range", "kind", "first",
            postgresql_where=text("first IS NOT NULL"), sqlite_where=text("first IS NOT NULL"),
        ),
        Index(None, "removal", "id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[Serial]
    removal: Mapped[str] = mapped_column(ForeignKey("removal.id", ondelete="RESTRICT"))
    kind: Mapped[str]
    line: Mapped[str]
    """Its number or name."""
    number: Mapped[int | None]
    first: Mapped[int | None]
    old: Mapped[str]
    new: Mapped[str | None]


class RemovalCaseRow(Base):
    """A case that a running removal has taken away: what still names it is gone through at the end, and then this row goes, too."""

    __tablename__ = "removal_case"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str]
    """What stands for it in reports: made by chance, so that nothing leads back."""


class TombstoneRow(Base):
    """That a case was removed.  ``digest`` is a keyed hash of its id: who has the id and the key can ask, nobody can list.

    ``key_id`` tells which secret key the digest was made with.  ``through`` is the time of its last event (ms): what happened later
    is a new record of the case.
    """

    __tablename__ = "tombstone"

    digest: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    through: Mapped[int]
    removed_at: Mapped[int]
    removal: Mapped[str] = mapped_column(ForeignKey("removal.id", ondelete="RESTRICT"))
    mode: Mapped[str]


class RemovedCountRow(Base):
    """So many verdicts (or breaches) that were alike have been removed: what statistics add to those on record.

    ``month``: of the due day, ``YYYY-MM``, or ``none``.  ``days``: from the due day to the day on which it was done.
    """

    __tablename__ = "removed_count"
    __table_args__ = (CheckConstraint(one_of("kind", "verdict", "breach"), name="kind"), Index(None, "kind", "policy", "rule"))

    id: Mapped[Serial]
    kind: Mapped[str]
    policy: Mapped[str]
    rule: Mapped[str]
    severity: Mapped[str]
    team: Mapped[str | None]
    office: Mapped[str | None]
    month: Mapped[str]
    status: Mapped[str | None]
    verdict: Mapped[str | None]
    cause: Mapped[str | None]
    days: Mapped[int | None]
    days_late: Mapped[int | None]
    condition: Mapped[str | None]
    review: Mapped[str | None]
    number: Mapped[int]
