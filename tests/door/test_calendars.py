"""The holiday snapshots: still what they were made from, for every year that is over."""

import datetime as dt

import pytest

from rules.yamlsource import read
from tests.support import make_calendars

PAST = range(2015, 2026)


@pytest.mark.parametrize("name", sorted(make_calendars.CALENDARS))
def test_past_years_are_what_the_script_makes(name: str) -> None:
    kept = read(make_calendars.FOLDER / f"{name}.yaml").data
    made = {day.isoformat(): title for day, title in make_calendars.days(name).items() if day.year in PAST}
    assert {day: title for day, title in kept["holidays"].items() if int(day[:4]) in PAST} == made
    assert len(made) > 100


@pytest.mark.parametrize("name", sorted(make_calendars.CALENDARS))
def test_every_year_is_there_and_no_evening_counts_as_a_day(name: str) -> None:
    kept = read(make_calendars.FOLDER / f"{name}.yaml").data
    assert kept["calendar"] == name
    days = [dt.date.fromisoformat(day) for day in kept["holidays"]]
    assert days == sorted(days)
    assert {day.year for day in days} == set(make_calendars.YEARS)
    assert not [day for day in days if (day.month, day.day) in {(12, 24), (12, 31)}]


def test_days_that_a_person_knows() -> None:
    sa = read(make_calendars.FOLDER / "sa.yaml").data["holidays"]
    nt = read(make_calendars.FOLDER / "nt.yaml").data["holidays"]
    assert sa["2026-03-09"] == "Adelaide Cup Day"
    assert "2026-03-09" not in nt
    assert nt["2026-08-03"] == "Picnic Day"
    assert {"2026-04-03", "2026-04-06"} <= sa.keys() & nt.keys()
