"""Views of the work list under a name: one's own, and those that colleagues share.  Imports store/ and service/.

A view holds filters, order and columns, and never a search for a case.  Only its owner changes it.  A shared view that names a team,
an office or a worker outside the reader's limits is not shown to them: its very name would tell of what they may not see.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError

from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound
from service.worklist import scope_of
from store.queries.narrow import NONE
from store.savedviews import SavedView, count_views, find_view, known_workers, list_views, named_view, remove_view, write_view

SCOPE = "breaches:read"
FILTERS = ("policy", "rule", "severity", "condition", "review", "team", "office", "worker", "assignee", "age")
"""What a view may be narrowed by."""
LONGEST_NAME = 60
MOST_OWN = 50
MOST_SEEN = 500
_LONGEST_VALUE = 1024
_MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What a view shows: filters by name, an order, and columns; empty: the usual ones."""

    filters: Mapping[str, tuple[str, ...]]
    sort: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A view as it may be shown to whoever asked."""

    id: str
    name: str
    shared: bool
    own: bool
    owner: str
    """The actor (``user:ID``) who keeps it."""
    content: Content


def listed(svc: Service, access: Access) -> list[View]:
    """The caller's own views and those that others share with them, by name.  Raises Forbidden."""
    access.require(SCOPE)
    with svc.reading() as session:
        found = list_views(session, access.actor, limit=MOST_SEEN)
        named = {name for view in found if view.owner != access.actor for name in view.content["filters"].get("worker", ())} - {NONE}
        scope = scope_of(access)
        workers = known_workers(session, named, scope=scope) if named and scope.limited else named
    return [_shown(view, access) for view in found if view.owner == access.actor or _within(view, access, workers)]


def save(svc: Service, access: Access, *, name: str, content: Content, shared: bool = False) -> View:
    """Keep a view under a name; where the caller has one of this name, it is replaced.  Raises Forbidden or Invalid."""
    access.require(SCOPE)
    name = " ".join(name.split())
    _check(name, content)
    kept = {
        "filters": {key: sorted(values) for key, values in content.filters.items() if values},
        "sort": content.sort,
        "columns": list(content.columns),
    }
    now = svc.now()
    try:
        with svc.writing() as session:
            known = named_view(session, access.actor, name)
            if known is None and count_views(session, access.actor) >= MOST_OWN:
                raise Invalid(Flaw("name", "too_many", f"you keep {MOST_OWN} views already: remove one that you no longer need"))
            view = known or SavedView(uuid.uuid4().hex, access.actor, name, shared, kept, now, now)
            view = replace(view, content=kept, shared=shared, changed=now)
            write_view(session, view)
    except IntegrityError:
        raise Invalid(Flaw("name", "taken", "you have just saved a view of this name")) from None
    return _shown(view, access)


def remove(svc: Service, access: Access, view_id: str) -> View:
    """Forget one of the caller's own views; gives what it was.  Raises Forbidden, or NotFound (for others' views, too)."""
    access.require(SCOPE)
    with svc.writing() as session:
        view = find_view(session, view_id)
        if view is None or view.owner != access.actor:
            raise NotFound("you keep no such view")
        remove_view(session, view_id)
    return _shown(view, access)


def _check(name: str, content: Content) -> None:
    flaws = []
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        flaws.append(Flaw("name", "wrong_value", f"give a name of 1 to {LONGEST_NAME} characters"))
    if unknown := sorted(set(content.filters) - set(FILTERS)):
        flaws.append(Flaw("filters", "unknown", f"a view cannot be narrowed by {', '.join(unknown)}"))
    values = [value for some in content.filters.values() for value in some]
    if any(len(some) > _MOST_VALUES for some in content.filters.values()) or any(len(value) > _LONGEST_VALUE for value in values):
        flaws.append(Flaw("filters", "too_large", "the view is narrowed by too much"))
    if flaws:
        raise Invalid(*flaws)


def _within(view: SavedView, access: Access, workers: Sequence[str] | set[str]) -> bool:
    filters = view.content["filters"]
    limits = ((access.teams, filters.get("team", ())), (access.offices, filters.get("office", ())))
    seen = all(limit is None or set(named) - {NONE} <= limit for limit, named in limits)
    return seen and set(filters.get("worker", ())) - {NONE} <= set(workers)


def _shown(view: SavedView, access: Access) -> View:
    filters = {name: tuple(values) for name, values in view.content["filters"].items()}
    content = Content(filters, view.content["sort"], tuple(view.content["columns"]))
    return View(view.id, view.name, view.shared, view.owner == access.actor, view.owner, content)
