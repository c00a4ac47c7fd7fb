"""What came in: events, the links between cases, heartbeats, and deliveries that were refused.  Imports base only."""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json, Serial


class EventRow(Base):
    """An event as it was first received; never changed.  ``position`` is the order of taking in, with gaps."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("source", "id"),
        Index(None, "case_id", "position"),
        Index(None, "source", "position"),
        Index(
            "ix_event_target", "target", "source",
            postgresql_where=text("target IS NOT NULL"), sqlite_where=text("target IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    position: Mapped[Serial]
    source: Mapped[str]
    id: Mapped[str]
    type: Mapped[str]
    case_id: Mapped[str]
    time: Mapped[int]
    recorded: Mapped[int]
    recorded_given: Mapped[bool]
    received: Mapped[int]
    data: Mapped[Json]
    digest: Mapped[str]
    target: Mapped[str | None]
    """Of a void or correction: the id of the event of the same source that it speaks about."""


class CaseLinkRow(Base):
    """A case carries a link key; cases that share a key are judged with knowledge of each other.

    ``kind`` is the part of the key before its first colon ("child", "merge").  The case that others are merged into
    carries its own merge key too, so that both directions of a merge are one look-up.
    """

    __tablename__ = "case_link"
    __table_args__ = (Index(None, "key", "case_id"),)

    case_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]


class HeartbeatRow(Base):
    """A source's word on how far it is complete.  All are kept: a judgement "as known then" needs the old ones."""

    __tablename__ = "heartbeat"
    __table_args__ = (
        Index(None, "source", "complete_until", "recorded"),
        UniqueConstraint("source", "recorded", "complete_until"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Serial]
    source: Mapped[str]
    recorded: Mapped[int]
    complete_until: Mapped[int]


class ConflictRow(Base):
    """A delivery that was refused because its (source, id) is taken by other content.  Each content is noted once."""

    __tablename__ = "conflict"
    __table_args__ = (UniqueConstraint("source", "event_id", "digest"), Index(None, "received", "id"), {"sqlite_autoincrement": True})

    id: Mapped[Serial]
    source: Mapped[str]
    event_id: Mapped[str]
    case_id: Mapped[str]
    """The case that the refused delivery names."""
    received: Mapped[int]
    digest: Mapped[str]
    kept_digest: Mapped[str]
    kept_position: Mapped[int]
    deliveries: Mapped[int] = mapped_column(default=1)


class RejectRow(Base):
    """A delivery that was refused at the door, kept with its reasons so that it can be mended and replayed.

    ``payload`` is what was sent and may hold what the catalogue would have dropped: show it to administrators of
    sources only, and delete it when it is old.
    """

    __tablename__ = "reject"
    __table_args__ = (Index(None, "source", "id"), Index(None, "received"), {"sqlite_autoincrement": True})

    id: Mapped[Serial]
    source: Mapped[str]
    event_id: Mapped[str | None]
    received: Mapped[int]
    problems: Mapped[Json]
    payload: Mapped[Json | None]
    replayed_at: Mapped[int | None]


class SourceRow(Base):
    """A feed: how far an adapter has read (``cursor`` moves in the transaction that stores what it read) and its health."""

    __tablename__ = "source"

    source: Mapped[str] = mapped_column(primary_key=True)
    adapter: Mapped[str | None]
    cursor: Mapped[Json | None]
    last_received: Mapped[int | None]
    last_pull: Mapped[int | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
