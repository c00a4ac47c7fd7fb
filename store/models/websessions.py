"""Where people are signed in.  Imports base only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, one_of

WAYS_IN = ("password", "single")
"""How somebody signed in: with a password of their own here, or by single sign-on."""


class WebSessionRow(Base):
    """A browser in which somebody is signed in: ``id`` is the public part of what its cookie holds, ``hash`` an HMAC of the secret part.

    ``made`` is when it was begun or renewed, ``seen`` when it was used last (to a minute or so), ``ends`` when it is over in any case.
    ``device`` is a family of browsers and of systems, such as "Firefox on Windows".  ``ended``: somebody ended it before its time.
    """

    __tablename__ = "web_session"
    __table_args__ = (CheckConstraint(one_of("how", *WAYS_IN), name="how"), Index(None, "account", "seen", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    account: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="RESTRICT"))
    how: Mapped[str]
    device: Mapped[str]
    made: Mapped[int]
    seen: Mapped[int]
    ends: Mapped[int]
    ended: Mapped[int | None]
