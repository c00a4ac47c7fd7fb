"""Rates and the pictures of them, and calendars as text: what can be said without a store."""

from __future__ import annotations

import datetime as dt

import icalendar
import pytest

from api.web.charts import Point, bars, percent, spark, trend
from service import calendartext, rates
from store.tallies import EDGES


def test_a_rate_is_over_what_could_be_judged_and_small_numbers_are_marked() -> None:
    share = rates.gathered([("met", "", 6), ("late", "", 2), ("excused", "", 1), ("unknown", "missing", 5), ("not_applicable", "x", 9)])
    assert (share.judged, share.rate, share.small, share.total) == (9, 6 / 9, True, 23)
    both = share.plus(rates.gathered([("met", "", 1), ("unknown", "missing", 1)]))
    assert (both.judged, both.small, both.causes["unknown", "missing"], both.of("unknown")) == (10, False, 6, 6)
    assert (rates.Share().rate, rates.Share({"unknown": 4}).rate) == (None, None)


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, "\N{EN DASH}"), (1.0, "100%"), (0.0, "0%"), (0.99999, "99.9%"), (0.00001, "0.1%"), (2 / 3, "66.7%"), (0.5, "50.0%")],
)
def test_nothing_that_is_not_whole_is_told_as_whole(share: float | None, words: str) -> None:
    assert percent(share) == words


def test_each_day_has_one_timing_and_the_edges_are_where_the_words_say() -> None:
    assert [rates.TIMINGS[rates.timing_of(day)] for day in (-29, -28, -15, -14, -8, -7, -4, -3, -1, 0)] == [
        "More than 28 days early", "15 to 28 days early", "15 to 28 days early", "8 to 14 days early", "8 to 14 days early",
        "4 to 7 days early", "4 to 7 days early", "1 to 3 days early", "1 to 3 days early", "On the day",
    ]  # fmt: skip
    assert [rates.timing_of(day) for day in (1, 3, 4, 7, 8, 14, 15, 28, 29, 400)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert len(rates.TIMINGS) == len(EDGES) + 1
    assert rates.timeliness({-1: 3, 2: 1, 3: 2}).by == {-1: 3, 1: 3}


def test_quantiles_and_months() -> None:
    days = {-3: 5, 0: 4, 10: 1}
    assert [rates.quantile(days, share) for share in (0.5, 0.9, 1.0)] == [-3, 0, 10]
    assert rates.quantile({}, 0.5) is None
    assert rates.months("2026-02", 4) == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_a_picture_leaves_gaps_and_its_axis_begins_below_all_points() -> None:
    drawn = trend([Point("a", 0.97), Point("b", 0.99), Point("c", None), Point("d", 0.83, hollow=True)])
    assert [tick.words for tick in drawn.ticks] == ["80%", "85%", "90%", "95%", "100%"]
    assert (len(drawn.paths), [dot.hollow for dot in drawn.dots]) == (1, [False, False, True])
    assert all(drawn.top <= dot.y <= drawn.bottom for dot in drawn.dots)
    assert trend([]).dots == []
    assert len(spark([Point("", None), Point("", 0.5)]).dots) == 1
    assert [bar.width for bar in bars([("a", 0, ""), ("b", 10, "late")]).bars] == [0, 380.0]


def test_lines_are_folded_at_75_octets_and_never_within_a_character() -> None:
    summary = "Ein sehr langer Titel; mit, Zeichen \\ und Umlauten äöü " + "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 60 + "\nzweite Zeile\x00"
    entry = calendartext.Entry("u1@duecare", dt.date(2026, 12, 31), 1_700_000_000_123, summary, "d", "high", "https://x/cases/a%2Fb")
    text = calendartext.written("Due: north, south", "told", [entry])
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert max(len(line.encode()) for line in lines) == 75
    (read,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(read["SUMMARY"]) == summary.replace("\x00", " ")
    assert (read["DTSTART"].dt, read["DTEND"].dt) == (dt.date(2026, 12, 31), dt.date(2027, 1, 1))
    assert text == calendartext.written("Due: north, south", "told", [entry])
