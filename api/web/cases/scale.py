"""The one scale of a case's picture: days to places, lines for months and years, and rows in which nothing lies over another.

Imports this package's views.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.web.cases.views import Tick

LETTER = 6.2
"""Pixels that a letter of the picture takes, on average."""
_WIDTHS = ((60, 420), (150, 560), (1100, 720))
_WIDEST = 900


def text_width(text: str) -> float:
    """Pixels that a text of the picture takes."""
    return LETTER * len(text)


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``first`` to ``last`` (days, both within).  Places are per cent; ``width`` is how many pixels there are at least."""

    first: int
    last: int

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    @property
    def width(self) -> int:
        return next((width for days, width in _WIDTHS if self.days <= days), _WIDEST)

    def begin(self, day: int) -> float:
        """Where a day begins, held within the picture."""
        return round(min(100.0, max(0.0, (day - self.first) * 100 / self.days)), 3)

    def end(self, day: int) -> float:
        """Where a day ends."""
        return self.begin(day + 1)

    def middle(self, day: int) -> float:
        """The middle of a day."""
        return round(min(100.0, max(0.0, (day - self.first + 0.5) * 100 / self.days)), 3)

    def shows(self, day: int) -> bool:
        return self.first <= day <= self.last

    def meets(self, start: int, end: int) -> bool:
        """Whether any day of a span is shown."""
        return start <= self.last and end >= self.first

    def pixels(self, place: float) -> float:
        """A place in pixels, in a picture that is as narrow as it may be."""
        return place * self.width / 100

    def ticks(self) -> list[Tick]:
        """Lines of weeks, months or quarters, each with words where there is room for them."""
        found: list[Tick] = []
        free = -1.0
        for day, words, strong in self._lines():
            x = self.begin(day.toordinal())
            at = self.pixels(x)
            room = words and at >= free and at + text_width(words) <= self.width
            found.append(Tick(x, words if room else "", strong))
            if room:
                free = at + text_width(words) + 6
        return found

    def _lines(self) -> list[tuple[dt.date, str, bool]]:
        first, last = dt.date.fromordinal(self.first), dt.date.fromordinal(self.last)
        if self.days <= 75:
            monday = first + dt.timedelta(days=-first.weekday() % 7)
            weeks = [monday + dt.timedelta(days=7 * n) for n in range((last - monday).days // 7 + 1)]
            return [(day, f"{day.day} {day:%b}" + (f" {day.year}" if n == 0 else ""), day.day <= 7) for n, day in enumerate(weeks)]
        every = 1 if self.days <= 800 else 3
        lines: list[tuple[dt.date, str, bool]] = []
        for number in range(first.year * 12 + first.month, last.year * 12 + last.month):
            day = dt.date(number // 12, number % 12 + 1, 1)
            if (day.month - 1) % every:
                continue
            year = day.month == 1 or not lines
            words = f"{day:%b} {day.year}" if year else f"{day:%b}" if every == 1 else ""
            lines.append((day, words, day.month == 1))
        return lines


@dataclass(slots=True)
class Rows:
    """Rows one above the other: each thing goes into the first that has room for it."""

    most: int
    gap: float = 6.0
    taken: list[list[tuple[float, float]]] = field(default_factory=list)

    def place(self, start: float, end: float) -> int | None:
        """The row for what reaches from ``start`` to ``end`` (pixels); None: no row has room."""
        for number in range(self.most):
            if number == len(self.taken):
                self.taken.append([])
            if self._fits(self.taken[number], start, end):
                self.taken[number].append((start, end))
                return number
        return None

    def _fits(self, row: Sequence[tuple[float, float]], start: float, end: float) -> bool:
        return all(end + self.gap <= low or start >= high + self.gap for low, high in row)

    @property
    def used(self) -> int:
        return max(1, len(self.taken))
