"""What is to be done and how far it is: dirty cases, the state of each case, the outbox.  Imports base only."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, Serial


class DirtyRow(Base):
    """A case that waits to be judged.  The row is the truth; messages about it are hints.

    ``attempts`` counts claims since the last success, so that a worker that dies without a word counts too.
    ``claimed_until`` is both the end of the lease and, with no ``token``, the earliest next try after a failure.
    """

    __tablename__ = "dirty"
    __table_args__ = (
        Index(
            "ix_dirty_waiting", "since", "case_id",
            postgresql_where=text("NOT quarantined"), sqlite_where=text("NOT quarantined"),
        ),
    )  # fmt: skip

    case_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    since: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    quarantined: Mapped[bool] = mapped_column(default=False)
    claimed_until: Mapped[int | None]
    claimed_by: Mapped[str | None]
    token: Mapped[str | None]


class CaseStateRow(Base):
    """What the last evaluation of a case found.  A case without a row has not been judged yet."""

    __tablename__ = "case_state"
    __table_args__ = (
        Index(
            "ix_case_state_next_check_at", "next_check_at", "case_id",
            postgresql_where=text("next_check_at IS NOT NULL"), sqlite_where=text("next_check_at IS NOT NULL"),
        ),
        Index(None, "evaluated_at", "id"),
        Index(None, "team", "case_id"),
        Index(None, "open_breaches", "id"),
        Index(None, "office", "team", "open_breaches"),
    )  # fmt: skip

    case_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    """Opaque: stands for the case where a case id must not be shown, as in paging cursors."""
    next_check_at: Mapped[int | None]
    evaluated_at: Mapped[int]
    position: Mapped[int]
    as_of: Mapped[int]
    program: Mapped[str | None]
    team: Mapped[str | None]
    office: Mapped[str | None]
    worker: Mapped[str | None]
    open_breaches: Mapped[int]
    summary: Mapped[Json]
    queries: Mapped[Json]
    """Data queries: what in the record a person should look at; ``query_count`` of them."""
    query_count: Mapped[int]


class OutboxRow(Base):
    """A message to the world that is owed since its transaction committed; ``sent_at``: when it was passed on to who wants it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_unsent", "id",
            postgresql_where=text("sent_at IS NULL"), sqlite_where=text("sent_at IS NULL"),
        ),
        Index(None, "topic", "key"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[Serial]
    message_id: Mapped[str] = mapped_column(unique=True)
    """Made from what happened: the same occurrence is owed once, however often it is written down."""
    topic: Mapped[str]
    key: Mapped[str]
    payload: Mapped[Json]
    created: Mapped[int]
    available_at: Mapped[int]
    sent_at: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
