"""Made-up pages of what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from api.web import words
from api.web.due.views import (
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
from api.web.views import Choice, DueRow, Listing
from service.access import Access
from service.duefeeds import Calendar, DueFeed
from service.errors import Invalid, NotFound

ZONE = "Australia/Adelaide"
TOKEN = "madeup234567-" + "0a" * 32


def due_rows(empty: bool) -> list[DueRow]:
    """Requirements of two teams, one without a day."""
    first = dt.date(2026, 4, 9)
    return [
        DueRow(
            f"FAM-{n}",
            "An assessment within 6 to 8 weeks",
            "C14",
            "cfss",
            ("high", "medium")[n % 2],
            first + dt.timedelta(days=n) if n < 7 else None,
            n if n < 7 else None,
            ("north", "south", "")[n // 3 % 3],
            "",
            f"w-{n % 2}" if n < 7 else "",
        )
        for n in range(0 if empty else 8)
    ]


def _choices() -> dict[str, list[Choice]]:
    made = {name: [Choice(value, value)] for name, value in (("office", "adelaide"), ("worker", "w-1"), ("policy", "cfss"))}
    return made | {
        "rule": [Choice("C14", "C14 An assessment within 6 to 8 weeks")],
        "team": [Choice("north", "north"), Choice("-", "None")],
        "severity": [Choice(value, words.word("severity", value)) for value in words.SEVERITIES],
        "within": [Choice("7", "7 days"), Choice("28", "28 days"), Choice("none", "No day yet")],
    }


class FakeDue:
    """``seen`` collects what was asked."""

    empty: bool
    clock: int
    seen: list[tuple[str, Any]]

    def _fail(self) -> None:
        raise NotImplementedError

    def due_soon(self, access: Access, filters: DueFilters) -> Listing[DueRow]:
        self._fail()
        self.seen.append(("due_soon", filters))
        rows = due_rows(self.empty)
        return Listing(rows, len(rows), self.clock, ZONE, choices=_choices())

    def due_month(self, access: Access, filters: DueFilters, month: str) -> MonthPage:
        if month == "1999-01":
            raise NotFound
        kinds = [DueKind(f"C{n:02d}", "cfss", "An assessment within 6 to 8 weeks", words.SEVERITIES[n % 5], n + 1) for n in range(5)]
        first = dt.date(2026, 4, 1)
        weeks: list[list[DueDay | None]] = [[None, None]]
        for number in range(30):
            day = first + dt.timedelta(days=number)
            if len(weeks[-1]) == 7:
                weeks.append([])
            full = not self.empty and number in {8, 20}
            state = "today" if number == 8 else "past" if number < 8 else "ahead"
            weeks[-1].append(DueDay(day, state, 20, kinds[:4], 5) if full else DueDay(day, state))
        weeks[-1].extend([None] * (7 - len(weeks[-1])))
        return MonthPage(self.clock, ZONE, first, weeks, 0 if self.empty else 40, "", "2026-05", _choices())

    def due_owners(self, access: Access, filters: DueFilters) -> OwnersPage:
        lines = [] if self.empty else [OwnerLine("north", "w-1", (1, 3, 4), 1), OwnerLine("north", "-", (0, 1, 2), 0)]
        teams = [TeamLines(OwnerLine("north", "", (1, 4, 6), 1), lines)] if lines else []
        total = OwnerLine("", "", (1, 4, 6) if lines else (0, 0, 0), 1 if lines else 0)
        return OwnersPage(self.clock, ZONE, (7, 14, 28), teams, total, _choices())

    def due_sheet(self, access: Access, filters: DueFilters) -> SheetPage:
        self.seen.append(("due_sheet", filters))
        rows = due_rows(self.empty)
        parts = [SheetPart("north", "w-0", rows[:3]), SheetPart("north", "w-1", rows[3:5]), SheetPart("", "", rows[5:])] if rows else []
        return SheetPage(self.clock, ZONE, len(rows) * 2, len(rows), parts, _choices())

    def calendars(self, access: Access) -> CalendarsPage:
        lines = [
            CalendarLine("feed00000001", "north", "kim", True, self.clock, None),
            CalendarLine("feed00000002", "", "robin", False, 0, 1),
        ]
        return CalendarsPage(self.clock, ZONE, [] if self.empty else lines, [Choice("north", "north")], 92)

    def make_calendar(self, access: Access, *, team: str) -> str:
        if team == "elsewhere":
            raise Invalid
        self.seen.append(("make_calendar", team))
        return TOKEN

    def revoke_calendar(self, access: Access, feed: str) -> None:
        self.seen.append(("revoke_calendar", feed))

    def calendar(self, token: str, *, address_of: Callable[[str], str]) -> Calendar:
        if token != TOKEN:
            raise NotFound
        return Calendar(DueFeed("feed00000001", "user:kim", "north", 0, None, None), f"BEGIN:VCALENDAR\r\n{address_of('FAM-1')}\r\n", 1)
