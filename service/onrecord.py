"""Which cases a caller may see: by whose they are since they were judged last, and until the first time by their own events.

A case is on record from the moment its first event was accepted, whether a worker has come to it or not.  Somebody who is limited to
teams or offices sees it as soon as its events say that it is theirs; while they do not say whose it is, it is nobody's.  Imports store/,
service.worklist and service.whereabouts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.logs import get
from service.whereabouts import Whereabouts, whereabouts
from service.worklist import scope_of
from store.cases import load_cases
from store.errors import CursorError
from store.ids import case_ref
from store.queries import CaseDetail, Page, Waiting, case_detail, list_waiting, visible_cases
from store.queries.paging import MAX_LIMIT
from store.queries.today import count_put_aside
from store.queries.unjudged import count_unjudged, list_unjudged, never_judged, newest_unjudged

MOST = 1_000
"""How many cases without a judgement are counted."""
LOOKED_AT = 200
"""How many of them are looked at, the newest, where each has to be looked at by itself to know whether it is asked for."""

_log = get("onrecord")

Wanted = Callable[[str, Whereabouts], bool]
"""Whether a case, of which there is its id and whose it is, is asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A case that the caller may see.  ``where``: whose it is, by its last judgement or, before the first one, by its events."""

    detail: CaseDetail
    where: Whereabouts

    @property
    def judgeable(self) -> bool:
        """False where judging it failed: what has stopped a worker may stop whoever tries it again."""
        waiting = self.detail.waiting
        return waiting is None or not (waiting.quarantined or waiting.last_error)

    def must_be_judgeable(self) -> None:
        """Raises NotPossible with the reason, unless ``judgeable``."""
        waiting = self.detail.waiting
        if waiting is None or self.judgeable:
            return
        aside = "again and again; it is set aside until a person has looked" if waiting.quarantined else "and will be tried again"
        raise NotPossible(f"judging this case failed {aside}: {waiting.last_error or 'no reason is known'}")


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A case that was taken in and that no worker has judged yet."""

    waiting: Waiting
    where: Whereabouts


def show(svc: Service, session: Session, access: Access, case: str) -> Shown:
    """The case as it stands.  Raises NotFound where it is not on record, or lies outside what the caller may see."""
    found = case_detail(session, case, scope=scope_of(access), unjudged=True)
    if found is None:
        raise NotFound("there is no such case")
    if (known := found.summary) is not None:
        return Shown(found, Whereabouts(known.program, known.office, known.team, known.worker, known.withdrawn))
    where = _places(svc, session, [case])[case]
    if not access.sees(team=where.team, office=where.office):
        raise NotFound("there is no such case")
    return Shown(found, where)


def require(svc: Service, session: Session, access: Access, case: str) -> None:
    """Raises NotFound where the case is not on record, or lies outside what the caller may see."""
    if not visible(svc, session, access, [case]):
        raise NotFound("there is no such case")


def visible(svc: Service, session: Session, access: Access, cases: Collection[str]) -> list[str]:
    """Those of some cases that are on record and that the caller may see, in order."""
    scope = scope_of(access)
    found = visible_cases(session, cases, scope=scope)
    if not scope.limited:
        return found
    fresh = _places(svc, session, never_judged(session, set(cases) - set(found)))
    return sorted([*found, *(case for case, where in fresh.items() if access.sees(team=where.team, office=where.office))])


def unjudged(
    svc: Service,
    session: Session,
    access: Access,
    *,
    wanted: Wanted | None = None,
    cases: Collection[str] = (),
    quarantined: bool | None = None,
    limit: int,
    cursor: str | None = None,
) -> Page[Unjudged]:
    """Cases that were never judged, the last that came first, of those that the caller may see.

    ``cases``: only these.  ``wanted``: only those that it says yes to; then, and for a caller who is limited, of the newest ``LOOKED_AT``.
    Raises CursorError.
    """
    if wanted is None and not scope_of(access).limited:
        page = list_unjudged(session, cases=cases, quarantined=quarantined, limit=limit, cursor=cursor)
        where = _places(svc, session, [one.case for one in page.items])
        return Page(tuple(Unjudged(one, where[one.case]) for one in page.items), page.next_cursor)
    newest = newest_unjudged(session, cases=cases, quarantined=quarantined, most=LOOKED_AT)
    where = _places(svc, session, [one.case for one in newest])
    fits = [
        Unjudged(one, at)
        for one in newest
        if access.sees(team=(at := where[one.case]).team, office=at.office) and (wanted is None or wanted(one.case, at))
    ]
    start = 0
    if cursor is not None:
        start = next((number for number, one in enumerate(fits, 1) if case_ref(one.waiting.case) == cursor), -1)
    if start < 0:
        raise CursorError("the case that the cursor stands for waits no longer: begin again")
    items = fits[start : start + limit]
    return Page(tuple(items), case_ref(items[-1].waiting.case) if start + limit < len(fits) else None)


def how_many_unjudged(svc: Service, session: Session, access: Access, *, quarantined: bool | None = None) -> int:
    """How many cases that the caller may see were never judged: ``MOST`` at most, to one who is limited of the newest ``LOOKED_AT``."""
    if not scope_of(access).limited:
        return count_unjudged(session, quarantined=quarantined, most=MOST)
    return len(unjudged(svc, session, access, quarantined=quarantined, limit=MAX_LIMIT).items)


def put_aside(svc: Service, session: Session, access: Access, *, limit: int) -> list[Waiting]:
    """The cases that were set aside because judging them failed, the longest first, of those that the caller may see."""
    scope = scope_of(access)
    found = list_waiting(session, quarantined=True, scope=scope, limit=limit)
    if scope.limited:
        found += [one.waiting for one in unjudged(svc, session, access, quarantined=True, limit=limit).items]
    return sorted(found, key=lambda one: (one.since, one.case))[:limit]


def how_many_put_aside(svc: Service, session: Session, access: Access) -> int:
    """How many those are."""
    scope = scope_of(access)
    fresh = how_many_unjudged(svc, session, access, quarantined=True) if scope.limited else 0
    return count_put_aside(session, scope=scope) + fresh


def _places(svc: Service, session: Session, cases: Collection[str]) -> dict[str, Whereabouts]:
    """Whose each case is, by its own events."""
    found = {}
    now = svc.now()
    for case, loaded in (load_cases(session, cases) if cases else {}).items():
        try:
            found[case] = whereabouts(svc.policies, loaded.file, now=now)
        except Exception as error:  # noqa: BLE001 - it may be a case of this kind that no worker can judge
            _log.error("whereabouts_unknown", case=case, exc_info=error)
            found[case] = Whereabouts()
    return found
