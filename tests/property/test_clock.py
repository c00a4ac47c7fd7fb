"""Local days cut time into pieces without gaps or overlaps, in every zone; periods end where the calendar says."""

from __future__ import annotations

import datetime as dt
from zoneinfo import available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.clock import Calendar, Span, Zone, zone

NAMES = sorted(name for name in available_timezones() if name != "localtime" and not name.startswith(("posix/", "right/")))
HARD = [
    "Australia/Adelaide",
    "Australia/Darwin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "America/Havana",
    "Africa/Cairo",
]
zones = st.sampled_from(HARD) | st.sampled_from(NAMES)
instants = st.integers(-2_208_988_800_000, 7_258_118_400_000)  # 1900 to 2200
days = st.integers(dt.date(1900, 1, 2).toordinal(), dt.date(2199, 12, 30).toordinal())
HOUR = 3_600_000


@given(zones, instants)
@settings(max_examples=400)
def test_every_instant_lies_in_exactly_one_day(name: str, ms: int) -> None:
    place = zone(name)
    day = place.day_of(ms)
    assert place.start_of(day) <= ms < place.end_of(day)


@given(zones, days)
@settings(max_examples=400)
def test_days_follow_one_another_without_a_gap_and_are_about_a_day_long(name: str, day: int) -> None:
    place = zone(name)
    assert place.end_of(day) == place.start_of(day + 1)
    length = place.end_of(day) - place.start_of(day)
    assert 0 <= length <= 48 * HOUR  # a day may be left out, or lived twice, where the date line moved
    if length:
        assert place.day_of(place.start_of(day)) == day
        assert place.day_of(place.end_of(day) - 1) == day


@given(zones, instants, st.integers(0, 3 * 86_400_000))
@settings(max_examples=300)
def test_later_is_never_an_earlier_day(name: str, ms: int, more: int) -> None:
    assert zone(name).day_of(ms) <= zone(name).day_of(ms + more)


@given(zones, instants)
@settings(max_examples=400)
def test_the_day_is_the_one_that_the_wall_clock_shows(name: str, ms: int) -> None:
    """Except in the hour that is lived twice where clocks are put back over midnight (as in Newfoundland until 2011)."""
    place = zone(name)
    shown = place.local(ms).date().toordinal()
    assert place.day_of(ms) in (shown, shown + 1)
    if place.day_of(ms) != shown:
        assert ms - place.start_of(shown + 1) < 3 * HOUR


@given(zones, st.lists(instants, max_size=8))
@settings(max_examples=100)
def test_what_was_asked_before_does_not_show(name: str, asked: list[int]) -> None:
    used = Zone(name)
    for ms in asked:
        used.day_of(ms)
    assert [used.day_of(ms) for ms in asked] == [Zone(name).day_of(ms) for ms in asked]


@given(days, st.integers(0, 200))
def test_weeks_keep_the_weekday_and_days_are_days(day: int, count: int) -> None:
    none = Calendar()
    assert Span("weeks", count).after(day, none) == Span("days", 7 * count).after(day, none) == day + 7 * count
    assert Span("weeks", count).before(Span("weeks", count).after(day, none)) == day


@given(days, st.integers(0, 240))
def test_months_keep_the_day_of_the_month_or_take_its_last(day: int, count: int) -> None:
    start, end = dt.date.fromordinal(day), dt.date.fromordinal(Span("months", count).after(day, Calendar()))
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == count
    last = (end + dt.timedelta(days=1)).month != end.month
    assert end.day == start.day or (end.day < start.day and last)


@given(days, st.integers(1, 60), st.sets(st.integers(1, 90), max_size=20))
def test_business_days_are_counted_one_by_one(day: int, count: int, offsets: set[int]) -> None:
    calendar = Calendar("x", frozenset(day + offset for offset in offsets))
    end = Span("business_days", count).after(day, calendar)
    assert calendar.is_business_day(end)
    assert sum(calendar.is_business_day(d) for d in range(day + 1, end + 1)) == count


@given(days, st.integers(0, 60), st.sets(st.integers(0, 90), max_size=20))
def test_rolling_forward_gives_the_first_business_day_from_there(day: int, count: int, offsets: set[int]) -> None:
    calendar = Calendar("x", frozenset(day + offset for offset in offsets))
    end = Span("days", count, "forward").after(day, calendar)
    assert end >= day + count
    assert calendar.is_business_day(end)
    assert not any(calendar.is_business_day(d) for d in range(day + count, end))
