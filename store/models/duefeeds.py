"""Due days as calendars that people subscribe to.  Imports base only."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base


class DueFeedRow(Base):
    """A calendar of due days: ``id`` is the public part of its token, ``hash`` an HMAC of the secret part.

    It shows no more than ``maker`` (``user:ID``) may see at the moment of asking; ``team`` of None: all of that.
    """

    __tablename__ = "due_feed"
    __table_args__ = (Index(None, "maker", "created", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    maker: Mapped[str]
    team: Mapped[str | None]
    created: Mapped[int]
    revoked: Mapped[int | None]
    last_used: Mapped[int | None]
