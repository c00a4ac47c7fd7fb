"""Views of the work list that people keep under a name.  Imports base only."""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, Json


class SavedViewRow(Base):
    """A way to look at the list of breaches.  ``owner`` is an actor (``user:ID``), who alone may change it; ``shared``: others see it."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"), Index(None, "shared", "name", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    shared: Mapped[bool]
    content: Mapped[Json]
    """``{"filters": {name: [value, ...]}, "sort": text, "columns": [name, ...]}``."""
    created: Mapped[int]
    changed: Mapped[int]
