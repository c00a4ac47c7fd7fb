"""Who read or changed what.  Imports base only.

The database itself refuses to change or delete a line.  A line holds ids and codes and no word that a person wrote: a case stands in
it as ``store.ids.case_ref``, which says nothing once the case itself is gone.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from store.models.base import Base, Serial, one_of

OUTCOMES = ("done", "refused", "not_found", "not_done", "failed")


class AccessLogRow(Base):
    """One reading or change, or the attempt at one.  ``at`` in ms; ``count``: rows that were shown or changed, NULL: it is not counted."""

    __tablename__ = "access_log"
    __table_args__ = (
        CheckConstraint(one_of("outcome", *OUTCOMES), name="outcome"),
        Index(None, "at", "id"),
        Index(None, "actor", "at", "id"),
        Index(None, "case_ref", "at", "id"),
        Index(None, "thing", "at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Serial]
    at: Mapped[int]
    actor: Mapped[str]
    """``user:ID`` or ``key:ID``; ``nobody`` at a sign-in that failed."""
    via: Mapped[str]
    """page, api or cli."""
    action: Mapped[str]
    """A code of ``service.accesslog.ACTIONS``."""
    outcome: Mapped[str]
    case_ref: Mapped[str | None]
    thing: Mapped[str | None]
    """Id of what was read or changed, where it is no case: a breach, a waiver, a key."""
    count: Mapped[int | None]
    request_id: Mapped[str | None]
