"""Messages on their way to those who asked to be told, one row for each of them.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, Serial, one_of

NOTICE_STATES = ("waiting", "sent", "dead", "dismissed", "collapsed")


class ReceiverRow(Base):
    """Somebody who is told: whose turn it is to send (a lease), and how it went.  The name ``""`` is the turn to pass messages on."""

    __tablename__ = "receiver"

    name: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str | None]
    lease_until: Mapped[int | None]
    rest_until: Mapped[int | None]
    """It did not answer: nothing is sent to it before then (ms)."""
    failures: Mapped[int] = mapped_column(default=0)
    """Times in a row that it did not answer."""
    last_good: Mapped[int | None]
    last_error: Mapped[str | None]
    digest_at: Mapped[int | None]
    """Up to when its last digest speaks (ms)."""


class NoticeRow(Base):
    """A message for one receiver.  ``message_id`` is what the receiver knows it by, the same however often it is sent."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("receiver", "message_id"),
        CheckConstraint(one_of("state", *NOTICE_STATES), name="state"),
        Index(
            "ix_notice_due", "receiver", "next_at", "id",
            postgresql_where=text("state = 'waiting'"), sqlite_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_notice_order", "receiver", "key", "id",
            postgresql_where=text("state = 'waiting'"), sqlite_where=text("state = 'waiting'"),
        ),
        Index(None, "state", "id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[Serial]
    receiver: Mapped[str]
    message_id: Mapped[str]
    topic: Mapped[str]
    key: Mapped[str]
    """Messages of one key arrive in order; case or audit of what they tell."""
    body: Mapped[Json]
    created: Mapped[int]
    state: Mapped[str]
    next_at: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[int | None]
    last_error: Mapped[str | None]
