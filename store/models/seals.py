"""Seals over what the store may only add to: whoever changes a sealed line afterwards leaves a mark.  Imports base only."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base


class SealRow(Base):
    """One link of the store's chain: what some lines of one kind held at an instant, and the link before.  Only ever added.

    ``number`` counts from 1 without a gap.  ``after`` and ``upto`` bound the ids of lines that are numbered (``upto`` included);
    both are NULL where lines have names instead.
    """

    __tablename__ = "seal"
    __table_args__ = (Index(None, "kind", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    kind: Mapped[str]
    after: Mapped[int | None]
    upto: Mapped[int | None]
    rows: Mapped[int]
    root: Mapped[str]
    """SHA-256 of ``lines``."""
    lines: Mapped[str]
    """A text line for each sealed line: the SHA-256 of what it held, a space, and its number or name."""
    prev_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
