"""Local days, periods and calendars."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.clock import Calendar, Span, Zone, iso, latest_at, parse_day, zone
from rules.errors import ParameterError
from rules.policy import load_shipped
from tests.support.core import ADELAIDE, DARWIN, at, day

HOUR = 3_600_000
NONE = Calendar()


def hours_of(name: str, text: str) -> float:
    place = zone(name)
    return (place.end_of(day(text)) - place.start_of(day(text))) / HOUR


@pytest.mark.parametrize(
    ("name", "text", "hours"),
    [
        (ADELAIDE, "2026-04-05", 25),  # daylight saving ends
        (ADELAIDE, "2026-10-04", 23),  # and begins
        (ADELAIDE, "2026-04-04", 24),
        (DARWIN, "2026-04-05", 24),
        (DARWIN, "2026-10-04", 24),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Sao_Paulo", "2018-11-04", 23),  # no midnight: 23:59:59 is followed by 01:00
        ("Asia/Beirut", "2022-03-27", 23),
        ("America/Havana", "2026-11-01", 25),  # midnight comes twice: 01:00 becomes 00:00
        ("Pacific/Apia", "2011-12-30", 0),  # a day that was left out
    ],
)
def test_a_local_day_has_as_many_hours_as_its_clock_shows(name: str, text: str, hours: float) -> None:
    assert hours_of(name, text) == hours


def test_the_day_begins_at_local_midnight() -> None:
    assert zone(ADELAIDE).start_of(day("2026-03-02")) == at("2026-03-02 00:00")
    assert zone(ADELAIDE).start_of(day("2026-03-02")) == int(dt.datetime(2026, 3, 1, 13, 30, tzinfo=dt.UTC).timestamp() * 1000)
    assert zone(DARWIN).start_of(day("2026-03-02")) == int(dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.UTC).timestamp() * 1000)


def test_where_midnight_does_not_exist_the_day_begins_with_the_first_instant_that_does() -> None:
    place = zone("America/Sao_Paulo")
    start = place.start_of(day("2018-11-04"))
    assert f"{place.local(start):%Y-%m-%d %H:%M}" == "2018-11-04 01:00"
    assert f"{place.local(start - 1):%Y-%m-%d %H:%M:%S}" == "2018-11-03 23:59:59"
    assert place.day_of(start) == day("2018-11-04")
    assert place.day_of(start - 1) == day("2018-11-03")


def test_no_instant_lies_in_a_day_that_was_left_out() -> None:
    place = zone("Pacific/Apia")
    leap = place.start_of(day("2011-12-31"))
    assert place.day_of(leap - 1) == day("2011-12-29")
    assert place.day_of(leap) == day("2011-12-31")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("04-05 00:00", "04-05"), ("04-05 23:59", "04-05"), ("04-04 23:59", "04-04"), ("10-04 00:30", "10-04"), ("10-03 23:30", "10-03")],
)
def test_an_instant_belongs_to_the_day_that_the_wall_shows(text: str, wanted: str) -> None:
    assert zone(ADELAIDE).day_of(at(text)) == day(wanted)


def test_the_same_instant_is_another_day_elsewhere() -> None:
    late = at("03-02 23:45")  # in Adelaide; 22:45 in Darwin, 13:15 UTC
    assert zone(ADELAIDE).day_of(late) == zone(DARWIN).day_of(late) == zone("UTC").day_of(late) == day("03-02")
    early = at("03-02 00:15")  # 23:15 of the day before in Darwin, 13:45 UTC
    assert zone(ADELAIDE).day_of(early) == day("03-02")
    assert zone(DARWIN).day_of(early) == day("03-01")
    assert zone("UTC").day_of(early) == day("03-01")


def test_asking_in_any_order_gives_the_same_days() -> None:
    """The zone keeps a table of quarters of an hour: what it has been asked before must not show."""
    moments = [at("04-05 00:00") + step for step in range(-2 * HOUR, 2 * HOUR, 7 * 60_000)]
    fresh, used = Zone(ADELAIDE), Zone(ADELAIDE)
    backwards = [used.day_of(ms) for ms in reversed(moments)]
    assert [fresh.day_of(ms) for ms in moments] == list(reversed(backwards)) == [used.day_of(ms) for ms in moments]


@pytest.mark.parametrize("step", [-1, 0])
def test_a_midnight_within_a_quarter_of_an_hour_parts_it(step: int) -> None:
    """Until 1895 the clocks of Adelaide went by the sun: midnight was 14:45:40 of the day before in Greenwich."""
    place = Zone(ADELAIDE)
    midnight = place.start_of(day("1890-06-02"))
    assert midnight % 900_000 == 40_000
    asked = [midnight + step, midnight - 1 - step, midnight + step]
    assert [place.day_of(ms) for ms in asked] == [day("1890-06-02") + one for one in (step, -1 - step, step)]


def test_a_date_means_its_last_instant() -> None:
    place = zone(ADELAIDE)
    assert place.last_ms_of(dt.date(2026, 4, 5)) == at("04-06 00:00") - 1
    assert place.last_ms_of(123) == 123


@pytest.mark.parametrize("name", ["Australia/Nowhere", "", "../etc/passwd", "Adelaide", "A" * 300, "Australia/Adelaide\0"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Zone(name)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "1900-01-01", "2199-12-31"])
def test_the_far_ends_of_the_calendar_have_days(text: str) -> None:
    place = zone(ADELAIDE)
    assert place.start_of(day(text)) < place.end_of(day(text))
    assert place.day_of(place.start_of(day(text))) == day(text)


def test_days_as_text() -> None:
    assert iso(day("2026-03-02")) == "2026-03-02"
    assert iso(None) is None
    assert parse_day("2024-02-29") == dt.date(2024, 2, 29).toordinal()
    with pytest.raises(ValueError, match="month"):
        parse_day("2026-13-01")


# --------------------------------------------------------------------------------------------------------------------------- periods
@pytest.mark.parametrize(
    ("unit", "count", "start", "end"),
    [
        ("days", 0, "03-02", "03-02"),
        ("days", 1, "03-02", "03-03"),
        ("days", 30, "03-20", "04-19"),  # across the end of daylight saving
        ("weeks", 6, "03-02", "04-13"),
        ("weeks", 8, "08-31", "10-26"),  # across its beginning
        ("weeks", 6, "02-20", "04-03"),  # Good Friday stays the due day
        ("months", 1, "01-31", "02-28"),
        ("months", 1, "2028-03-31", "2028-04-30"),  # of a leap year only February is longer
        ("months", 1, "2024-01-31", "2024-02-29"),
        ("months", 1, "2100-01-31", "2100-02-28"),
        ("months", 1, "2000-01-31", "2000-02-29"),
        ("months", 1, "02-28", "03-28"),
        ("months", 13, "2025-12-31", "2027-01-31"),
        ("months", 12, "2024-02-29", "2025-02-28"),
        ("months", 2, "12-31", "2027-02-28"),
    ],
)
def test_the_day_of_activation_is_not_counted_and_the_last_day_is(unit: str, count: int, start: str, end: str) -> None:
    assert iso(Span(unit, count).after(day(start), NONE)) == iso(day(end))


@pytest.mark.parametrize(
    ("count", "start", "end"),
    [
        (1, "03-13", "03-16"),  # a Friday
        (1, "03-14", "03-16"),  # a Saturday
        (5, "03-02", "03-10"),  # 9 March is Adelaide Cup Day in South Australia
        (0, "03-07", "03-07"),  # nothing is added, so a Saturday stays one
        (3, "04-01", "04-08"),  # Easter: 2 April counts, 3 and 6 April do not
        (2, "12-23", "12-29"),  # 24 December is a part-day holiday: it counts; 25, 26 (on Saturday) and the 28th do not
    ],
)
def test_business_days_leave_out_weekends_and_whole_public_holidays(count: int, start: str, end: str) -> None:
    calendar = load_shipped("cfss").calendars["sa"]
    assert iso(Span("business_days", count).after(day(start), calendar)) == iso(day(end))


def test_business_days_differ_by_place() -> None:
    south, north = load_shipped("cfss").calendars["sa"], load_shipped("strengthening_families").calendars["nt"]
    assert not south.is_business_day(day("03-09"))  # Adelaide Cup Day
    assert north.is_business_day(day("03-09"))
    assert not north.is_business_day(day("05-04"))  # May Day
    assert south.is_business_day(day("05-04"))


def test_part_day_holidays_are_working_days() -> None:
    for name, calendar in (("cfss", "sa"), ("strengthening_families", "nt")):
        found = load_shipped(name).calendars[calendar]
        assert found.is_business_day(day("2026-12-24"))
        assert found.is_business_day(day("2026-12-31"))


def test_rolling_forward_is_asked_for_by_name() -> None:
    calendar = Calendar("x", frozenset({day("04-06")}))
    assert iso(Span("days", 1).after(day("04-03"), calendar)) == "2026-04-04"  # a Saturday
    assert iso(Span("days", 1, "forward").after(day("04-03"), calendar)) == "2026-04-07"  # Monday is a holiday
    assert iso(Span("days", 3, "forward").after(day("03-02"), calendar)) == "2026-03-05"  # a Thursday stays


def test_a_period_before_a_day() -> None:
    assert iso(Span("weeks", 1).before(day("04-13"))) == "2026-04-06"
    assert iso(Span("days", 7).before(day("03-03"))) == "2026-02-24"
    assert iso(Span("months", 1).before(day("03-31"))) == "2026-02-28"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ParameterError, match="fortnights"):
        Span("fortnights", 1).after(day("03-02"), NONE)


@pytest.mark.parametrize(
    ("unit", "count", "words"), [("weeks", 6, "6 weeks"), ("days", 1, "1 day"), ("business_days", 2, "2 business days")]
)
def test_a_period_in_words(unit: str, count: int, words: str) -> None:
    assert str(Span(unit, count)) == words


def test_latest_at_finds_the_last_day_that_is_not_after() -> None:
    days = [1, 5, 5, 9]
    assert [latest_at(days, at_) for at_ in (0, 1, 4, 5, 8, 9, 100)] == [-1, 0, 0, 2, 2, 3, 3]
