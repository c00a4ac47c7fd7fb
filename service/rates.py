"""What a rate is: its numerator, its denominator, and what stands in neither.  Pure; imports rules.model and the edges of store.tallies.

The denominator of every rate is what was due and could be judged.  What is unknown, does not apply or is not due yet counts in no rate
and is told beside it; a rate over few is marked, since one more or less would change it much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rules.model import Outcome
from store.tallies import EDGES

JUDGED = ("met", "late", "breached", "excused")
SMALL = 10
"""Rates over fewer judged requirements are marked as resting on small numbers."""

TIMINGS: Mapping[int, str] = {
    -5: "More than 28 days early",
    -4: "15 to 28 days early",
    -3: "8 to 14 days early",
    -2: "4 to 7 days early",
    -1: "1 to 3 days early",
    0: "On the day",
    1: "1 to 3 days late",
    2: "4 to 7 days late",
    3: "8 to 14 days late",
    4: "15 to 28 days late",
    5: "More than 28 days late",
}
"""How early or late something was done, by the codes that the kept count uses."""


@dataclass(frozen=True, slots=True)
class Share:
    """Verdicts counted by outcome.  ``causes``: why some are unknown or do not apply, by (outcome, cause)."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, outcome: str) -> int:
        """How many came to this outcome."""
        return self.outcomes.get(outcome, 0)

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())

    @property
    def judged(self) -> int:
        """The denominator: what was due and could be judged."""
        return sum(self.of(outcome) for outcome in JUDGED)

    @property
    def rate(self) -> float | None:
        """The share of what was judged that was done in time, from 0 to 1; None where nothing was judged."""
        return self.share("met")

    def share(self, outcome: str) -> float | None:
        """The share of what was judged that came to this outcome; None where nothing was judged."""
        return self.of(outcome) / self.judged if self.judged else None

    @property
    def small(self) -> bool:
        """Whether the rate rests on small numbers."""
        return self.judged < SMALL

    def plus(self, other: Share) -> Share:
        """Both together."""
        return gathered([*self._pieces(), *other._pieces()])

    def _pieces(self) -> list[tuple[str, str, int]]:
        told = [(outcome, cause, number) for (outcome, cause), number in self.causes.items()]
        left = dict(self.outcomes)
        for outcome, _, number in told:
            left[outcome] -= number
        return [*told, *((outcome, "", number) for outcome, number in left.items() if number)]


def gathered(pieces: Iterable[tuple[str, str, int]]) -> Share:
    """From (outcome, cause, number); an empty cause is none."""
    outcomes: dict[str, int] = {}
    causes: dict[tuple[str, str], int] = {}
    for outcome, cause, number in pieces:
        outcomes[outcome] = outcomes.get(outcome, 0) + number
        if cause:
            causes[outcome, cause] = causes.get((outcome, cause), 0) + number
    return Share({one.value: outcomes[one.value] for one in Outcome if one.value in outcomes}, dict(sorted(causes.items())))


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How early or late things were done: how many by the codes of ``TIMINGS``."""

    by: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.by.values())

    @property
    def small(self) -> bool:
        """Whether it rests on small numbers."""
        return self.total < SMALL

    def rows(self) -> list[tuple[int, str, int]]:
        """(code, words, number) from the earliest to the latest, those without any included."""
        return [(code, words, self.by.get(code, 0)) for code, words in TIMINGS.items()]


def timing_of(days: int) -> int:
    """The code of so many days after the due day (negative: before it)."""
    return next((place - 5 for place, edge in enumerate(EDGES) if days < edge), 5)


def timeliness(days: Mapping[int, int]) -> Timeliness:
    """From how many were done so many days after the due day."""
    by: dict[int, int] = {}
    for after, number in days.items():
        by[timing_of(after)] = by.get(timing_of(after), 0) + number
    return Timeliness(by)


def quantile(days: Mapping[int, int], share: float) -> int | None:
    """The least number of days after the due day by which ``share`` (above 0, up to 1) of them were done; None: there are none."""
    ordered = sorted((after, number) for after, number in days.items() if number)
    sums = list(accumulate(number for _, number in ordered))
    if not sums:
        return None
    wanted = share * sums[-1]
    return next(after for (after, _), reached in zip(ordered, sums, strict=True) if reached >= wanted)


def months(last: str, number: int) -> Sequence[str]:
    """``number`` months up to ``last`` (YYYY-MM), in order."""
    year, month = int(last[:4]), int(last[5:])
    places = range(year * 12 + month - number, year * 12 + month)
    return [f"{place // 12:04d}-{place % 12 + 1:02d}" for place in places]
