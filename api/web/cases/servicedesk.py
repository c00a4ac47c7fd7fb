"""The pages about cases over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from api.v1.lists import scope_of
from api.web import words
from api.web.cases.casefile import case_page
from api.web.cases.lines import case_row, fresh_row, office
from api.web.cases.views import CaseFilters, CaseList, CasePage
from api.web.views import Choice
from service import caseexport, onrecord
from service.access import Access
from service.bootstrap import Service
from service.caseexport import Export
from service.errors import NotFound
from service.onrecord import Unjudged
from service.whereabouts import Whereabouts
from store.queries import CaseSummary, CaseWhere, Facets, Page, Scope, casework

PAGE = 50
MANY = 5_000
"""Cases from which on the counts beside the filters may be some seconds old; the list and its total never are."""
KEPT_SECONDS = 20.0
EMPTY: Page[CaseSummary] = Page((), None)


class CaseServiceDesk:
    """See ``api.web.cases.desk.CaseDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def case(
        self, access: Access, case: str, *, as_of: dt.date | None, known_at: dt.date | None, show: str = "", rule: str = ""
    ) -> CasePage:
        access.require("cases:read")
        return case_page(self.service, access, case, as_of=as_of, known_at=known_at, show=show, rule=rule)

    def case_export(self, access: Access, case: str, form: str) -> Export:
        if form == "zip":
            return caseexport.archive(self.service, access, case)
        if form != "json":
            raise NotFound("there is no such file")
        return caseexport.document(self.service, access, case)

    def cases(self, access: Access, filters: CaseFilters) -> CaseList:
        access.require("cases:read")
        scope, where = scope_of(access), _where(filters)
        with self.service.reading() as session:
            only_new = filters.only == "new"
            page = EMPTY
            if not only_new:
                page = casework.list_cases(
                    session, scope=scope, where=where, sort=filters.sort or None, limit=PAGE, cursor=filters.cursor or None
                )
            known = self._case_counts.get(scope)
            fresh = known is None or known[0] < time.monotonic()
            if known is None or fresh:
                counted = casework.case_facets(session, scope=scope)
                known = (time.monotonic() + (KEPT_SECONDS if counted.total >= MANY else 0), counted)
                self._case_counts[scope] = known
            everything = known[1]
            new, unjudged = self._unjudged(session, access, filters, many=everything.total >= MANY)
            whole = fresh and not filters.chosen()
            total = everything.total if whole else 0 if only_new else casework.count_cases(session, scope=scope, where=where)
        return CaseList(
            rows=[case_row(item) for item in page.items],
            total=total,
            everything=everything.total,
            as_of=self.service.now(),
            zone=self.zone,
            next_cursor=(new if only_new else page).next_cursor or "",
            choices=_choices(everything),
            unjudged=unjudged,
            most=onrecord.MOST,
            fresh=[fresh_row(one) for one in new.items],
        )

    def _unjudged(self, session: Session, access: Access, filters: CaseFilters, *, many: bool) -> tuple[Page[Unjudged], int]:
        """Those cases that were never judged that are asked for, and how many there are of them in all."""
        aside = {"aside": True, "waiting": False}.get(filters.only)
        new: Page[Unjudged] = Page((), None)
        if filters.only == "new" or (aside is not None and not filters.cursor):
            narrowed = filters.chosen().keys() - {"only"}
            new = onrecord.unjudged(
                self.service,
                session,
                access,
                wanted=partial(_fits, filters) if narrowed else None,
                quarantined=aside,
                limit=PAGE,
                cursor=filters.cursor or None,
            )
        return new, self._count_unjudged(session, access, aside, many=many)

    def _count_unjudged(self, session: Session, access: Access, aside: bool | None, *, many: bool) -> int:
        """How many cases were never judged; of many, as many as some seconds ago, since all that wait are looked at for it."""
        kept: dict[tuple[Scope, bool | None], tuple[float, int]] = self.__dict__.setdefault("_kept_unjudged", {})
        now, key = time.monotonic(), (scope_of(access), aside)
        for old in [other for other, (until, _) in list(kept.items()) if until < now]:
            kept.pop(old, None)
        if (known := kept.get(key)) is not None:
            return known[1]
        counted = onrecord.how_many_unjudged(self.service, session, access, quarantined=aside)
        if many or counted >= PAGE:
            kept[key] = (now + KEPT_SECONDS, counted)
        return counted

    @property
    def _case_counts(self) -> dict[Scope, tuple[float, Facets]]:
        """What the filters offer, by who asks.  Counting a large store takes longer than all the rest of a page."""
        found: dict[Scope, tuple[float, Facets]] = self.__dict__.setdefault("_kept_case_counts", {})
        now = time.monotonic()
        for old in [scope for scope, (until, _) in list(found.items()) if until < now]:
            found.pop(old, None)
        return found


_SPOKEN: dict[str, Callable[[str], str]] = {"program": partial(words.word, "program"), "office": office}


def _choices(counted: Facets) -> dict[str, list[Choice]]:
    made: dict[str, list[Choice]] = {}
    for name in ("program", "team", "office", "worker"):
        values = counted.by.get(name, {})
        names = sorted(value for value in values if value)
        made[name] = [Choice(value, _SPOKEN[name](value) if name in _SPOKEN else value, values[value]) for value in names]
    return made


def _fits(filters: CaseFilters, case: str, where: Whereabouts) -> bool:
    """Whether a case that was never judged is asked for: it has no breaches, and belongs where its events say."""
    pairs = ((filters.program, where.program), (filters.team, where.team), (filters.office, where.office), (filters.worker, where.worker))
    return case.startswith(filters.case) and filters.open != "yes" and all(asked in ("", found) for asked, found in pairs)


def _where(filters: CaseFilters) -> CaseWhere:
    def several(value: str) -> tuple[str, ...]:
        return (value,) if value else ()

    return CaseWhere(
        program=several(filters.program),
        team=several(filters.team),
        office=several(filters.office),
        worker=several(filters.worker),
        starts=filters.case,
        open_breaches={"yes": True, "no": False}.get(filters.open),
        with_queries=filters.only == "queries",
        waiting=filters.only == "waiting",
        quarantined=filters.only == "aside",
        withdrawn=filters.only == "withdrawn",
    )
