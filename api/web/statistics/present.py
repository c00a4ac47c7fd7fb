"""Boards (``service.statistics``) as the values that pages show.  Imports service/ and this package; reads nothing."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from api.web import present, words
from api.web.charts import Point, bars, percent, spark, trend
from api.web.statistics.views import COLUMNS, Cell, Row, StatFilters, TimelinessPart, TrendPart, VerdictFilters
from service.policies.policyset import PolicySet
from service.rates import SMALL, Share, Timeliness
from service.statistics import Board, Line

NOBODY = "-"
_OUTSIDE = {"none": "no due day", "ahead": "the day is not over", "earlier": "due before the months above"}


def trend_part(board: Board, filters: StatFilters) -> TrendPart:
    """The months with their picture."""
    base = verdicts_of(filters)
    rows, points = [], []
    for month in board.months:
        first = dt.date.fromisoformat(f"{month.name}-01")
        last = min(first.replace(day=calendar.monthrange(first.year, first.month)[1]), board.last)
        label, note = f"{first:%b %Y}", "" if month.whole else f"so far, to {last.day} {last:%b}"
        rows.append(_row(label, month.share, base.but(since=first.isoformat(), until=last.isoformat()), note=note))
        told = f"{label}: {_told(month.share)}{', so far' if note else ''}"
        points.append(Point(f"{first:%b}", month.share.rate, month.share.small or not month.whole, told))
    whole = base.but(since=board.first.isoformat(), until=board.last.isoformat())
    return TrendPart(
        counted_at=board.counted_at,
        first=board.first,
        last=board.last,
        months=rows,
        total=_row("Together", board.total, whole),
        chart=trend(points),
        says="; ".join(point.words for point in points) + f". Hollow points rest on fewer than {SMALL}, or on a month that is not over.",
    )


def rule_rows(board: Board, filters: StatFilters, policies: PolicySet, *, most: int | None = None) -> list[Row]:
    """A row for each rule, the lowest rate first, ``most`` of them; those over few come after, since chance moves them."""
    named = []
    for line in board.rules:
        found = present.rule_of(policies, line.policy, line.name or "")
        named.append((line, f"{line.name} {found[1].title if found is not None else 'no longer in use'}"))
    return [_line(board, line, replace(filters, policy=line.policy, rule=line.name or ""), label) for line, label in _ordered(named)[:most]]


def team_rows(board: Board, filters: StatFilters, *, most: int | None = None) -> list[Row]:
    """A row for each team, the lowest rate first, ``most`` of them; those over few come after."""
    named = [(line, line.name or "No team") for line in board.teams]
    return [_line(board, line, replace(filters, team=line.name or NOBODY), label) for line, label in _ordered(named)[:most]]


def timeliness_part(found: Timeliness) -> TimelinessPart:
    """The distribution with its picture."""
    rows = [(label, number, percent(number / found.total if found.total else None)) for _, label, number in found.rows()]
    kinds = [("late" if code > 0 else "") for code, _, _ in found.rows()]
    drawn = bars([(label, number, kind) for (label, number, _), kind in zip(rows, kinds, strict=True)])
    says = "; ".join(f"{label}: {number:,}" for label, number, _ in rows) + "."
    return TimelinessPart(found.total, found.small, rows, drawn, says)


def outside_rows(board: Board, filters: StatFilters) -> list[tuple[str, Cell]]:
    """What stands in no rate of the page, with why: unknown and not applicable by cause, and what is of no month."""
    base = verdicts_of(filters)
    found: list[tuple[str, Cell]] = []
    everything = board.total
    for share in board.outside.values():
        everything = everything.plus(share)
    for (outcome, cause), number in sorted(everything.causes.items(), key=lambda item: (item[0][0] != "unknown", -item[1])):
        label = f"{words.word('outcome', outcome)}: {cause_words(cause)}"
        found.append((label, Cell(number, base.but(verdict=outcome, reason=cause).address())))
    found.extend(
        (f"{words.word('outcome', outcome)}: not done yet, and not over", Cell(number, base.but(verdict=outcome).address()))
        for outcome in ("due_soon", "pending")
        if (number := everything.of(outcome))
    )
    for span, why in _OUTSIDE.items():
        if number := board.outside[span].judged:
            found.append((f"Judged, but {why}", Cell(number)))
    return found


def cause_words(cause: str) -> str:
    """Why something is unknown or does not apply."""
    return words.sentence_case(words.word("cause", cause)).lower() if cause else "no cause given"


def verdicts_of(filters: StatFilters) -> VerdictFilters:
    """The list of verdicts narrowed in the same way."""
    return VerdictFilters(**filters.chosen())


def _line(board: Board, line: Line, filters: StatFilters, label: str) -> Row:
    whole = verdicts_of(filters).but(since=board.first.isoformat(), until=board.last.isoformat())
    points = [Point("", share.rate, share.small) for share in line.months]
    return replace(_row(label, line.share, whole), spark=spark(points), href=filters.address())


def _row(label: str, share: Share, listed: VerdictFilters, *, note: str = "") -> Row:
    cells = []
    for name in COLUMNS:
        number = share.judged if name == "judged" else share.of(name)
        cells.append(Cell(number, listed.but(verdict=name).address() if number and name != "judged" else ""))
    return Row(label, percent(share.rate), bool(share.judged) and share.small, cells, note)


def _ordered(named: Sequence[tuple[Line, str]]) -> list[tuple[Line, str]]:
    def place(item: tuple[Line, str]) -> tuple[bool, bool, float, str]:
        share, rate = item[0].share, item[0].share.rate
        return rate is None, share.small, rate if rate is not None else 1.0, item[1]

    return sorted(named, key=place)


def _told(share: Share) -> str:
    return f"{percent(share.rate)} of {share.judged:,} done in time" if share.judged else "nothing was due that could be judged"
