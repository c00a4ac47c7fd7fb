"""What the page of one's own account shows.  Imports nothing of the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A place where the viewer is signed in.  ``here``: the one that asks.  ``how``: ``password`` or ``single``.  Instants in ms."""

    id: str
    device: str
    since: int
    seen: int
    how: str
    here: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """``lines``: this session first, then the one used last.  ``single``: they sign in with their organisation's account."""

    as_of: int
    zone: str
    lines: Sequence[SessionLine]
    single: bool
