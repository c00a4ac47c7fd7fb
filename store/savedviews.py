"""Views of the work list as people keep them.  Who may see and change them is decided in service/.  Imports store.models."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from store.models import BreachRow, SavedViewRow
from store.queries.narrow import Scope


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view.  ``content`` holds ``filters`` (name to values), ``sort`` and ``columns``; ``owner`` is an actor; instants in ms."""

    id: str
    owner: str
    name: str
    shared: bool
    content: dict[str, Any]
    created: int
    changed: int


def list_views(session: Session, owner: str, *, limit: int) -> list[SavedView]:
    """The owner's own views and those that others share, by name; at most ``limit``."""
    query = select(SavedViewRow).where(or_(SavedViewRow.owner == owner, SavedViewRow.shared.is_(True)))
    return [_view(row) for row in session.scalars(query.order_by(SavedViewRow.name, SavedViewRow.id).limit(limit))]


def count_views(session: Session, owner: str) -> int:
    """How many views somebody keeps."""
    return session.scalar(select(func.count()).select_from(SavedViewRow).where(SavedViewRow.owner == owner)) or 0


def find_view(session: Session, view_id: str) -> SavedView | None:
    """The view of this id."""
    row = session.get(SavedViewRow, view_id)
    return None if row is None else _view(row)


def named_view(session: Session, owner: str, name: str) -> SavedView | None:
    """The owner's view of this name."""
    row = session.scalar(select(SavedViewRow).where(SavedViewRow.owner == owner, SavedViewRow.name == name))
    return None if row is None else _view(row)


def write_view(session: Session, view: SavedView) -> None:
    """Keep a new view, or a known one as it shall be now."""
    session.merge(
        SavedViewRow(
            id=view.id,
            owner=view.owner,
            name=view.name,
            shared=view.shared,
            content=view.content,
            created=view.created,
            changed=view.changed,
        )
    )
    session.flush()


def remove_view(session: Session, view_id: str) -> None:
    """Forget a view."""
    session.execute(delete(SavedViewRow).where(SavedViewRow.id == view_id))


def known_workers(session: Session, workers: Collection[str], *, scope: Scope) -> set[str]:
    """Those of ``workers`` of whom the reader sees a breach."""
    query = select(BreachRow.worker).where(BreachRow.worker.in_(sorted(workers)), *scope.conditions(BreachRow.team, BreachRow.office))
    return {name for name in session.scalars(query.distinct()) if name is not None}


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(row.id, row.owner, row.name, row.shared, dict(row.content), row.created, row.changed)
