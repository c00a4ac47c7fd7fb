"""When a closed journey may go: never before its years are full, whatever the calendar, the zone and the rules say."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.envelope import parse_event
from service.policies.policyset import load
from service.retention.closure import ended
from service.retention.rules import RetentionFile, due, may_go_on
from tests.support.service_kit import event

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2150, 12, 31))
YEARS = st.integers(1, 120)
POLICIES = load()
RULES = RetentionFile.model_validate({"rules": [{"program": "cfss", "years": 7}, {"program": "*", "years": 9, "mode": "pseudonymise"}]})


@given(DAYS, YEARS)
def test_it_goes_the_day_after_the_anniversary_and_whole_years_have_passed_by_then(closed, years):
    on = may_go_on(closed, years)
    kept_through = on - dt.timedelta(days=1)
    if (closed.month, closed.day) == (2, 29) and kept_through.day == 1:
        assert kept_through.month == 3
        with pytest.raises(ValueError, match="day"):
            closed.replace(year=closed.year + years)
    else:
        assert (kept_through.month, kept_through.day) == (closed.month, closed.day)
    assert kept_through.year == closed.year + years
    assert (on - closed).days > years * 365


@given(DAYS, DAYS, YEARS, YEARS)
def test_what_is_closed_later_or_kept_longer_never_goes_sooner(one, other, fewer, more):
    early, late = sorted((one, other))
    few, many = sorted((fewer, more))
    assert may_go_on(early, few) <= may_go_on(late, few)
    assert may_go_on(early, few) <= may_go_on(early, many)


@given(DAYS, st.sets(st.sampled_from(["cfss", "strengthening_families", "other"])))
def test_the_rule_that_keeps_longest_decides_for_a_journey_of_several_programs(closed, programs):
    found = due(RULES, programs, closed)
    assert found is not None
    expected = 7 if programs == {"cfss"} else 9
    assert found.on == may_go_on(closed, expected)
    assert found.rule.mode == ("purge" if expected == 7 else "pseudonymise")


def test_a_program_without_a_rule_is_kept_for_ever():
    rules = RetentionFile.model_validate({"rules": [{"program": "cfss", "years": 7}]})
    for programs in (set(), {"other"}, {"cfss", "other"}):
        assert due(rules, programs, dt.date(1990, 1, 1)) is None


@given(st.dates(dt.date(2021, 1, 2), dt.date(2028, 12, 30)), st.times(), st.integers(-3, 3))
def test_the_day_of_closure_is_the_latest_that_it_was_anywhere_and_today_the_earliest(day, time, hours):
    closed = dt.datetime.combine(day, time, dt.UTC) + dt.timedelta(hours=hours)
    text = closed.isoformat(timespec="milliseconds")
    given_event = {**event("case.closed", "2020-06-01T09:00", {"closure_reason": "moved"}), "time": text, "recordedtime": text}
    opened = event("service.connected", "2020-06-01T09:00", {"program": "cfss"})
    now = int((closed + dt.timedelta(hours=1)).timestamp() * 1000)
    events = [parse_event(one, POLICIES.all_types, received=now).event for one in (opened, given_event)]
    found = ended(POLICIES, [one for one in events if one is not None], now=now)
    zones = {policy.zone_name for policy in POLICIES.policies}
    assert found.closed == max(closed.astimezone(ZoneInfo(zone)).date() for zone in zones)
    assert found.today == min((closed + dt.timedelta(hours=1)).astimezone(ZoneInfo(zone)).date() for zone in zones)


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ([], dt.date(2021, 5, 10)),
        ([event("case.reopened", "2022-01-05T09:00", {})], None),
        (
            [event("case.reopened", "2022-01-05T09:00", {}), event("case.closed", "2022-02-05T09:00", {"closure_reason": "moved"})],
            dt.date(2022, 2, 5),
        ),
        ([event("snapshot.completed", "2021-05-20T09:00", {"kind": "follow_up"})], dt.date(2021, 5, 10)),
        ([event("visit.held", "2021-05-20T09:00", {"status": "held"})], None),
        ([event("event.voided", "2021-05-20T09:00", {"target": "the-closing"})], None),
        ([event("event.corrected", "2021-05-20T09:00", {"target": "the-closing", "set": {"occurred_on": "2021-05-12"}})],
         dt.date(2021, 5, 12)),
        ([event("visit.held", "2040-05-20T09:00", {"status": "held"})], None),
    ],
    ids=["closed", "reopened", "closed again", "closing paper", "new episode", "closing voided", "closing corrected", "event to come"],
)  # fmt: skip
def test_closed_means_what_judging_means_by_it(more, closed):
    begun = [
        event("service.connected", "2021-02-01T09:00", {"program": "cfss"}),
        event("case.closed", "2021-05-10T16:00", {"closure_reason": "moved"}, event_id="the-closing"),
    ]
    now = int(dt.datetime(2030, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
    parsed = [parse_event(one, POLICIES.all_types, received=now).event for one in [*begun, *more]]
    assert ended(POLICIES, [one for one in parsed if one is not None], now=now).closed == closed
