"""The pages of what is due over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every question to the store is narrowed to what the viewer may see.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from api.v1.lists import scope_of
from api.web import present, words
from api.web.due.views import (
    NOBODY,
    UNDATED,
    WITHIN,
    CalendarLine,
    CalendarsPage,
    DueDay,
    DueFilters,
    DueKind,
    MonthPage,
    OwnerLine,
    OwnersPage,
    SheetPage,
    SheetPart,
    TeamLines,
)
from api.web.kept import Kept
from api.web.views import Choice, DueRow, Listing
from service import duefeeds
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound
from store.queries import Scope, Where, counts, findings
from store.queries.due import OPEN, DueGroup, due_by_day, due_by_owner

SCOPE = "breaches:read"
PAGE = 50
SHEET = 1_000
PERIODS = (7, 14, 28)
KINDS = 4
"""Kinds of requirements that a day of the month shows."""
MONTHS_AHEAD = 12


class DueServiceDesk:
    """See ``api.web.due.desk.DueDesk``."""

    service: Service
    kept: Kept

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def today(self) -> dt.date:
        raise NotImplementedError

    def _names(self) -> dict[str, str]:
        raise NotImplementedError

    def due_soon(self, access: Access, filters: DueFilters) -> Listing[DueRow]:
        access.require(SCOPE)
        scope, today = scope_of(access), self.today()
        where = due_where(filters, today)
        with self.service.reading() as session:
            page = findings.list_verdicts(
                session, where=where, scope=scope, sort=filters.sort or "due_on", limit=PAGE, cursor=filters.cursor or None
            )
            total = findings.count_verdicts(session, where=where, scope=scope)
            choices = self._due_choices(session, scope)
        return Listing(
            rows=[present.due_row(item.verdict, self.service.policies, today=today) for item in page.items],
            total=total,
            as_of=self.service.now(),
            zone=self.zone,
            next_cursor=page.next_cursor or "",
            choices=choices,
        )

    def due_month(self, access: Access, filters: DueFilters, month: str) -> MonthPage:
        access.require(SCOPE)
        scope, today = scope_of(access), self.today()
        first = _first(month, today)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        with self.service.reading() as session:
            groups = due_by_day(session, since=first.isoformat(), until=last.isoformat(), where=_owners(filters), scope=scope)
            choices = self._due_choices(session, scope)
        by_day = {day: list(some) for day, some in groupby(groups, key=lambda group: group.day)}
        weeks = [
            [self._day(day, today, by_day.get(day.isoformat(), [])) if day.month == first.month else None for day in week]
            for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
        ]
        before, after = first - dt.timedelta(days=1), last + dt.timedelta(days=1)
        return MonthPage(
            as_of=self.service.now(),
            zone=self.zone,
            first=first,
            weeks=weeks,
            total=sum(group.number for group in groups),
            previous=before.isoformat()[:7] if first > today else "",
            next=after.isoformat()[:7] if _ahead(after, today) <= MONTHS_AHEAD else "",
            choices=choices,
        )

    def _day(self, day: dt.date, today: dt.date, groups: Sequence[DueGroup]) -> DueDay:
        ordered = sorted(groups, key=lambda group: (words.SEVERITIES.index(group.severity), -group.number, group.policy, group.rule))
        kinds = [DueKind(one.rule, one.policy, self._title(one.policy, one.rule), one.severity, one.number) for one in ordered]
        shown = kinds[:KINDS] if len(kinds) > KINDS + 1 else kinds
        state = "today" if day == today else "past" if day < today else "ahead"
        return DueDay(day, state, sum(kind.number for kind in kinds), shown, sum(kind.number for kind in kinds[len(shown) :]))

    def _title(self, policy: str, rule: str) -> str:
        found = present.rule_of(self.service.policies, policy, rule)
        return found[1].title if found is not None else f"Rule {rule}"

    def due_owners(self, access: Access, filters: DueFilters) -> OwnersPage:
        access.require(SCOPE)
        scope, today = scope_of(access), self.today()
        periods = [(today.isoformat(), _in(today, days)) for days in PERIODS]
        with self.service.reading() as session:
            owners = due_by_owner(session, periods, where=_owners(filters), scope=scope)
            choices = self._due_choices(session, scope)
        lines = [OwnerLine(one.team or NOBODY, one.worker or NOBODY, one.within, one.undated) for one in owners]
        teams = [list(some) for _, some in groupby(lines, key=lambda line: line.team)]
        return OwnersPage(
            as_of=self.service.now(),
            zone=self.zone,
            periods=PERIODS,
            teams=[TeamLines(_sum(some[0].team, some), some) for some in teams],
            total=_sum("", lines),
            choices=choices,
        )

    def due_sheet(self, access: Access, filters: DueFilters) -> SheetPage:
        access.require(SCOPE)
        scope, today = scope_of(access), self.today()
        where = due_where(filters, today)
        with self.service.reading() as session:
            page = findings.list_verdicts(session, where=where, scope=scope, sort="due_on", limit=SHEET)
            total = len(page.items) if page.next_cursor is None else findings.count_verdicts(session, where=where, scope=scope)
            choices = self._due_choices(session, scope)
        rows = [present.due_row(item.verdict, self.service.policies, today=today) for item in page.items]

        def owner(row: DueRow) -> tuple[bool, str, bool, str]:
            return not row.team, row.team, not row.worker, row.worker

        parts = [SheetPart(key[1], key[3], list(some)) for key, some in groupby(sorted(rows, key=owner), key=owner)]
        return SheetPage(self.service.now(), self.zone, total, len(rows), parts, choices)

    def calendars(self, access: Access) -> CalendarsPage:
        lines = duefeeds.listed(self.service, access)
        names = self._names()
        with self.service.reading() as session:
            teams = self._due_choices(session, scope_of(access))["team"]
        shown = [
            CalendarLine(one.id, one.team or "", names.get(one.maker, one.maker), one.maker == access.actor, one.created, one.last_used)
            for one in lines
        ]
        known = (
            {choice.value for choice in teams}
            | set(access.teams or ())
            | {one.team for one in lines if one.team and one.maker == access.actor}
        )
        choices = [Choice(name, name) for name in sorted(known) if name != NOBODY]
        return CalendarsPage(self.service.now(), self.zone, shown, choices, duefeeds.DAYS)

    def make_calendar(self, access: Access, *, team: str) -> str:
        return duefeeds.create(self.service, access, team=team or None)[1]

    def revoke_calendar(self, access: Access, feed: str) -> None:
        duefeeds.revoke(self.service, access, feed)

    def calendar(self, token: str, *, address_of: Callable[[str], str]) -> duefeeds.Calendar:
        return duefeeds.calendar(self.service, token, address_of=address_of)

    def _due_choices(self, session: Session, scope: Scope) -> dict[str, list[Choice]]:
        """What the filters offer: whatever anything open within a quarter has."""
        where = Where(verdict=OPEN, status=("enforced",), until=_in(self.today(), int(WITHIN[-1])))
        by = self.kept.of(("due", scope), lambda: counts.verdict_facets(session, where=where, scope=scope)).by
        made: dict[str, list[Choice]] = {name: _plain(by.get(name, {})) for name in ("team", "office", "worker")}
        made["severity"] = [Choice(name, words.word("severity", name)) for name in words.SEVERITIES if by.get("severity", {}).get(name)]
        made["rule"] = [Choice(one.value, one.label) for one in present.rule_choices(self.service.policies, by.get("rule", {}))]
        made["policy"] = [Choice(one.value, one.label) for one in present.policy_choices(self.service.policies, by.get("policy", {}))]
        made["within"] = [*(Choice(days, words.count(int(days), "day")) for days in WITHIN), Choice(UNDATED, "No day yet")]
        return made


def due_where(filters: DueFilters, today: dt.date) -> Where:
    """What the list of these filters holds."""
    more: dict[str, Any] = {"verdict": OPEN}
    if filters.within == UNDATED:
        more = {"verdict": ("due_soon",), "undated": True}
    elif filters.within:
        more |= {"since": today.isoformat(), "until": _in(today, int(filters.within))}
    elif not filters.on:
        more = {"verdict": ("due_soon",)}
    if filters.on:
        more |= {"since": filters.on, "until": filters.on}
    names = {**filters.owners(), **({"case": filters.case} if filters.case else {})}
    return Where(**{name: (value,) for name, value in names.items()}, **more, status=("enforced",))  # type: ignore[arg-type]


def _owners(filters: DueFilters) -> Where:
    return Where(**{name: (value,) for name, value in filters.owners().items()})  # type: ignore[arg-type]


def _plain(counted: Any) -> list[Choice]:
    return [*(Choice(name, name) for name in sorted(one for one in counted if one)), *([Choice(NOBODY, "None")] if None in counted else [])]


def _in(today: dt.date, days: int) -> str:
    return (today + dt.timedelta(days=min(days, 3660))).isoformat()


def _ahead(day: dt.date, today: dt.date) -> int:
    return (day.year - today.year) * 12 + day.month - today.month


def _first(month: str, today: dt.date) -> dt.date:
    try:
        first = dt.date.fromisoformat(f"{month}-01") if month else today.replace(day=1)
    except ValueError:
        raise NotFound("there is no such month") from None
    if not 0 <= _ahead(first, today) <= MONTHS_AHEAD:
        raise NotFound("only a year ahead is shown")
    return first


def _sum(team: str, lines: Sequence[OwnerLine]) -> OwnerLine:
    within = [sum(column) for column in zip(*(line.within for line in lines), strict=True)] or [0] * len(PERIODS)
    return OwnerLine(team, "", within, sum(line.undated for line in lines))
