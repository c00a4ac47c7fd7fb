"""The work list over the real product: asks service/ and store.queries, and hands the answers on as views.  No SQL and no decisions.

Counting the facets of a large store takes longer than all the rest of a page: those counts are kept for some seconds.  The rows and
their total never are.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from api.web import present, words
from api.web.views import Choice
from api.web.worklist.answers import Names, answer_of
from api.web.worklist.desk import Extract
from api.web.worklist.views import Answer, News, ViewLink, WorkFilters, WorkList, WorkRow
from service import assigning, savedviews, users, worklist
from service.access import Access
from service.bootstrap import Service
from service.errors import TooMuch
from store.breaches import Breach
from store.queries import casework, counts, findings
from store.queries import worklist as asked
from store.queries.narrow import NONE, Scope, Where

PAGE = 50
PORTION = 1_000
OVERLAP = 60_000
"""ms before a page was drawn that a finding may date from and yet have been written later."""
SLOW_SECONDS = 0.02
KEPT_SECONDS = 20.0
MOST_KEPT = 200
BROUGHT: tuple[tuple[str, WorkFilters], ...] = (
    ("To review", WorkFilters(condition=("open",), review=("new",))),
    ("Assigned to me", WorkFilters(condition=("open",), assignee=(worklist.ME,))),
    ("Open, nobody's", WorkFilters(condition=("open",), assignee=(worklist.NOBODY,))),
    ("All", WorkFilters()),
)
"""Views that everybody has."""
_ORDERS = {"condition": words.CONDITIONS, "review": words.REVIEWS, "severity": words.SEVERITIES, "age": tuple(worklist.AGES)}


def where_of(svc: Service, access: Access, filters: WorkFilters) -> Where:
    """The filters as the store takes them.  Raises store.errors.QueryError."""
    return Where(
        policy=filters.policy,
        rule=filters.rule,
        severity=filters.severity,
        condition=filters.condition,
        review=filters.review,
        team=filters.team,
        office=filters.office,
        worker=filters.worker,
        case=filters.case,
        search=filters.search,
        assignee=worklist.assignees(access, filters.assignee),
        age=worklist.chosen_ages(svc, filters.age),
        since=filters.since or None,
        until=filters.until or None,
        contested=bool(filters.contested),
    )


class WorkServiceDesk:
    """See ``api.web.worklist.desk.WorkDesk``."""

    service: Service

    def __init__(self) -> None:
        self._counted: dict[tuple[str, Scope, int], tuple[float, counts.Facets]] = {}

    def breaches(self, access: Access, filters: WorkFilters) -> WorkList:
        access.require("breaches:read")
        svc, scope = self.service, worklist.scope_of(access)
        where = where_of(svc, access, filters)
        now = svc.now()
        with svc.reading() as session:
            page = findings.list_breaches(
                session, where=where, scope=scope, sort=filters.sort or None, limit=PAGE, cursor=filters.cursor or None
            )
            facets, fresh_total = self._work_facets(session, where, scope)
            total = fresh_total if fresh_total is not None else findings.count_breaches(session, where=where, scope=scope)
            fresh = asked.opened_since(session, now - OVERLAP, where=where, scope=scope)
            nothing = not total and not casework.count_cases(session)
        names = self._work_names(access)
        views = self._work_views(access, filters, names)
        return WorkList(
            rows=self._work_rows(page.items, names),
            total=total,
            as_of=now,
            zone=worklist.zone_of_lists(svc).name,
            next_cursor=page.next_cursor or "",
            choices=self._work_choices(facets, filters, names),
            people=[Choice(one.actor, one.name) for one in worklist.people(svc, access)] if access.allows(worklist.SCOPE) else (),
            views=views,
            fresh=fresh,
            store_is_empty=nothing,
        )

    def breach_news(self, access: Access, filters: WorkFilters, *, since: int, known: int, seen: Mapping[str, int]) -> News:
        access.require("breaches:read")
        scope = worklist.scope_of(access)
        where = where_of(self.service, access, filters)
        with self.service.reading() as session:
            found = asked.opened_since(session, since - OVERLAP, where=where, scope=scope)
            versions = asked.versions_of(session, seen, scope=scope)
        return News(max(0, found - known), [breach for breach, version in seen.items() if versions.get(breach, 0) != version])

    def take_step(self, access: Access, chosen: Sequence[tuple[str, int]], *, action: str, assignee: str) -> Answer:
        svc = self.service
        outcomes = assigning.many(svc, access, chosen, action=action, assignee=assignee or None)
        names = self._work_names(access)
        zone = worklist.zone_of_lists(svc)
        rows = {item.row.id: item for item in self._work_rows([one.breach for one in outcomes if one.breach is not None], names)}
        return answer_of(outcomes, rows, names, action=action, assignee=assignee, zone=zone.name)

    @contextmanager
    def extract(self, access: Access, filters: WorkFilters, *, most: int) -> Iterator[Extract]:
        access.require("breaches:read")
        svc, scope = self.service, worklist.scope_of(access)
        where = where_of(svc, access, filters)
        names = self._work_names(access)
        now = svc.now()

        def portions(session: Session) -> Iterator[WorkRow]:
            cursor: str | None = None
            while True:
                page = findings.list_breaches(session, where=where, scope=scope, sort=filters.sort or None, limit=PORTION, cursor=cursor)
                yield from self._work_rows(page.items, names)
                session.expunge_all()
                cursor = page.next_cursor
                if cursor is None:
                    return

        with svc.reading() as session:
            total = findings.count_breaches(session, where=where, scope=scope)
            if total > most:
                raise TooMuch(f"the list has {total:,} breaches, and such a file holds {most:,} at most")
            narrowed = [(words.word("filter", name), self._work_value(name, value, names)) for name, value in filters.chosen()]
            yield Extract(total, now, worklist.zone_of_lists(svc).name, narrowed, portions(session))

    def save_view(self, access: Access, *, name: str, filters: WorkFilters, shared: bool) -> str:
        kept = {key: values for key in savedviews.FILTERS if (values := getattr(filters, key))}
        content = savedviews.Content(kept, filters.sort, filters.columns)
        return savedviews.save(self.service, access, name=name, content=content, shared=shared).name

    def remove_view(self, access: Access, view: str) -> str:
        return savedviews.remove(self.service, access, view).name

    # --- in words ----------------------------------------------------------------------------------------------------

    def _work_names(self, access: Access) -> Names:
        return Names({f"user:{user.id}": user.name for user in users.listed(self.service)}, access.actor)

    def _work_rows(self, breaches: Sequence[Breach], names: Names) -> list[WorkRow]:
        svc = self.service
        zone = worklist.zone_of_lists(svc)
        today = zone.day_of(svc.now())
        titles = {policy.id: policy.title for policy in svc.policies.policies}
        day = dt.date.fromordinal(today)
        return [
            WorkRow(
                row=present.breach_row(breach, svc.policies, today=day),
                policy=titles.get(breach.key[2], breach.key[2]),
                opened_at=breach.opened_at,
                changed_at=breach.changed_at,
                age=today - zone.day_of(breach.opened_at),
                assignee=names.of(breach.assignee),
                mine=breach.assignee == names.me,
            )
            for breach in breaches
        ]

    def _work_facets(self, session: Session, where: Where, scope: Scope) -> tuple[counts.Facets, int | None]:
        """What the filters offer; and the list's total where it was counted just now."""
        ages = worklist.ages(self.service)
        key, now = (repr(where.as_json()), scope, ages[0].start or 0), time.monotonic()
        kept = self._counted.get(key)
        if kept is not None and kept[0] > now:
            return kept[1], None
        counted = asked.facets(session, where=where, scope=scope, ages=ages)
        if time.monotonic() - now > SLOW_SECONDS:
            for old in [other for other, (until, _) in list(self._counted.items()) if until <= now]:
                self._counted.pop(old, None)
            if len(self._counted) < MOST_KEPT:
                self._counted[key] = (now + KEPT_SECONDS, counted)
        return counted, counted.total

    def _work_choices(self, facets: counts.Facets, filters: WorkFilters, names: Names) -> dict[str, list[Choice]]:
        """The values of each filter: those that the list has, and those that narrow it already."""
        made = {}
        for name, counted in facets.by.items():
            chosen = getattr(filters, name)
            known = {NONE if value is None else value: number for value, number in counted.items()}
            values = [value for value in _ORDERS.get(name, ()) if value in known or value in chosen or name != "age"]
            values += sorted(
                {*known, *chosen} - set(values) - {worklist.ME}, key=lambda one: (one == NONE, self._work_value(name, one, names))
            )
            if name == "assignee" and names.me in names.known:
                known[worklist.ME] = known.get(names.me, 0)
                values = [worklist.ME, NONE, *(value for value in values if value not in {names.me, NONE})]
            made[name] = [Choice(value, self._work_value(name, value, names), known.get(value, 0)) for value in values]
        return made

    def _work_value(self, name: str, value: str, names: Names) -> str:
        """A filter's value in words."""
        if name in {"severity", "condition", "review", "age"}:
            return words.word(name, value)
        if name == "assignee":
            return {worklist.ME: "Me", NONE: "Nobody"}.get(value) or names.of(value)
        if value == NONE:
            return "None on record"
        policies = self.service.policies.policies
        if name == "rule":
            title = next((rule.title for policy in policies for rule in policy.rules if rule.id == value), "")
            return f"{value} {title}".rstrip()
        if name == "policy":
            return next((policy.title for policy in policies if policy.id == value), value)
        if name in {"since", "until"}:
            return words.day(dt.date.fromisoformat(value))
        return value

    def _work_views(self, access: Access, filters: WorkFilters, names: Names) -> list[ViewLink]:
        now = filters.but(columns=())
        links = [ViewLink(name, one, here=one == now) for name, one in BROUGHT]
        for view in savedviews.listed(self.service, access):
            content = view.content
            narrowing: dict[str, Any] = dict(content.filters)
            kept = WorkFilters(**narrowing, sort=content.sort, columns=content.columns)
            owner = "" if view.own else names.of(view.owner)
            links.append(ViewLink(view.name, kept, view.id, owner, view.shared, _same(kept, filters)))
        return links


def _same(view: WorkFilters, filters: WorkFilters) -> bool:
    """Whether the list is the view: in whatever order the values stand, and on whatever page."""
    return _unordered(view) == _unordered(filters)


def _unordered(filters: WorkFilters) -> dict[str, object]:
    return {name: set(value) if isinstance(value, list) else value for name, value in filters.but().query().items()}
