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
    """A record of a client system that could not become an event, kept with its reasons until it is mended.

    One row a record.  ``payload`` is what the system gave and may hold what the catalogue would have dropped: show it to
    administrators of sources only.  It goes as soon as the record was taken in (``replayed_at``) or set aside (``dismissed_at``).
    """

    __tablename__ = "reject"
    __table_args__ = (
        Index(None, "source", "id"),
        Index(None, "received"),
        UniqueConstraint("source", "kind", "ref"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Serial]
    source: Mapped[str]
    kind: Mapped[str]
    ref: Mapped[str]
    received: Mapped[int]
    """When the record was refused first (ms)."""
    problems: Mapped[Json]
    payload: Mapped[Json | None]
    replayed_at: Mapped[int | None]
    dismissed_at: Mapped[int | None]
    dismissed_by: Mapped[str | None]
    holds_from: Mapped[int | None]
    """Until the record is settled, its source is complete only up to then (ms); None: its cases are known, see CaseHoldRow."""


class CaseHoldRow(Base):
    """A record about this case was refused: the source is complete for it only up to ``complete_until``, whatever it says.

    Known since ``since``, until ``released``.  Rows are kept: a judgement "as known then" needs the old ones.
    """

    __tablename__ = "case_hold"
    __table_args__ = (Index(None, "case_id"), Index(None, "source", "kind", "ref"), {"sqlite_autoincrement": True})

    id: Mapped[Serial]
    source: Mapped[str]
    kind: Mapped[str]
    ref: Mapped[str]
    case_id: Mapped[str]
    complete_until: Mapped[int]
    since: Mapped[int]
    released: Mapped[int | None]


class SourceRow(Base):
    """A feed: how far an adapter has read (``cursor`` moves in the transaction that stores what it read) and its health.

    ``token`` and ``lease_until``: who is pulling, and until when nobody else may.
    """

    __tablename__ = "source"

    source: Mapped[str] = mapped_column(primary_key=True)
    adapter: Mapped[str | None]
    cursor: Mapped[Json | None]
    last_received: Mapped[int | None]
    last_pull: Mapped[int | None]
    last_good_pull: Mapped[int | None]
    next_pull_at: Mapped[int | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    records: Mapped[int] = mapped_column(default=0)
    """Records read so far, those that were read again included."""
    token: Mapped[str | None]
    lease_until: Mapped[int | None]
    vanished: Mapped[Json | None]
    """A sweep that found so little that nothing was taken back: by kind of record how much, see service.sources.sweeps."""


class SourceRecordRow(Base):
    """What has become of a client system's record: by event id the digest of the content that stands and how often it was replaced."""

    __tablename__ = "source_record"
    __table_args__ = (Index(None, "source", "kind", "sweep"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """Of the record and the mapping: while it is the same, there is nothing to do."""
    events: Mapped[Json]
    sweep: Mapped[int] = mapped_column(default=0)
    """The number of the last sweep (see adapters.base.Page) in which it was there."""
