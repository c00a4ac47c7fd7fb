"""What the page about messages to others shows, as plain values.  Imports nothing of the product.  Instants in ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    """Somebody who is told; ``way`` and ``state`` in words."""

    name: str
    title: str
    way: str
    state: str
    good: bool
    waiting: int
    oldest: int | None
    dead: int
    last_good: int | None
    error: str


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A message that was given up."""

    id: int
    receiver: str
    topic: str
    message_id: str
    created: int
    ended: int | None
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class NoticesPage:
    """Everybody who is told, and a page of what was given up."""

    as_of: int
    zone: str
    receivers: Sequence[ReceiverLine]
    faults: Sequence[str]
    owed: int
    rows: Sequence[NoticeLine]
    total: int
    next_cursor: str
