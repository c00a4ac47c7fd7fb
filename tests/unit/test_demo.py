"""The made-up population: the same each time, valid, clearly made up, and with every kind of breach in otherwise good cases."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from rules.casefile import gather
from rules.envelope import NO_CASE, parse_event
from rules.evaluate import evaluate
from rules.model import DataQuery, Verdict, to_ms
from rules.policy import load_shipped, shipped
from service.demo import households, population
from service.demo.flaws import FLAWS, TURNS

END = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


@dataclass
class Judged:
    """What the shipped policies say of the population."""

    cases: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    queries: list[DataQuery] = field(default_factory=list)


@pytest.fixture(scope="module")
def events():
    return list(population(until=END))


@pytest.fixture(scope="module")
def judged(events):
    policies = [load_shipped(name) for name in shipped()]
    parsed = [parse_event(event, policies[0].catalogue, received=0) for event in events]
    beats = {one.heartbeat.source: one.heartbeat for one in parsed if one.heartbeat is not None}
    found = Judged()
    now = to_ms(END)
    for file in gather([one.event for one in parsed if one.event is not None], beats.values(), policies[0].domain):
        evaluation = evaluate(policies, file, as_of=now, known_at=now)
        found.cases += 1
        found.verdicts += [verdict for verdict in evaluation.verdicts if verdict.reason != "out_of_scope"]
        found.queries += evaluation.queries
    return found


def test_the_same_seed_and_end_give_the_same_bytes(events):
    assert json.dumps(list(population(until=END))) == json.dumps(events)


def test_another_seed_tells_other_stories_and_another_size_more_of_them():
    assert list(population(until=END, families=20)) != list(population(until=END, families=20, seed=1))
    assert len({event["subject"] for event in population(until=END, families=5)}) < 15


def test_an_end_needs_a_zone():
    with pytest.raises(ValueError, match="zone"):
        population(until=END.replace(tzinfo=None))


def test_nothing_happens_or_is_recorded_after_the_end(events):
    assert max(dt.datetime.fromisoformat(event["recordedtime"]) for event in events) <= END
    assert max(dt.datetime.fromisoformat(event["time"]) for event in events) <= END


def test_events_come_in_the_order_in_which_they_were_recorded(events):
    recorded = [dt.datetime.fromisoformat(event["recordedtime"]) for event in events]
    assert recorded == sorted(recorded)


def test_every_event_is_taken_whole_by_the_door(events):
    catalogue = load_shipped("cfss").catalogue
    assert [event["id"] for event in events if parse_event(event, catalogue, received=0).dropped] == []
    assert max(Counter((event["source"], event["id"]) for event in events).values()) == 1


def test_everything_is_labelled_as_made_up(events):
    for event in events:
        assert event["source"].startswith("urn:demo:")
        assert event["id"].startswith("demo-")
        assert event["subject"] == NO_CASE or event["subject"].startswith("demo-")


def test_it_is_a_whole_agency(events, judged):
    assert 300 < judged.cases < 1000
    assert len({event["source"] for event in events}) == 4
    assert {verdict.policy for verdict in judged.verdicts} == set(shipped())
    assert len({verdict.team for verdict in judged.verdicts}) > 8
    first = min(dt.datetime.fromisoformat(event["time"]) for event in events if event["subject"] != NO_CASE)
    assert dt.timedelta(days=650) < END - first < dt.timedelta(days=740)
    kinds = {event["type"] for event in events}
    turns = {"clock.paused", "case.transferred", "case.reopened", "case.merged"}
    assert {"event.voided", "event.corrected", "source.heartbeat", *turns} <= kinds
    assert {verdict.episode for verdict in judged.verdicts} == {"1", "2"}


def test_every_rule_that_can_be_breached_is_breached_somewhere(judged):
    breached = {verdict.rule for verdict in judged.verdicts if verdict.verdict in ("breached", "late")}
    can = set()
    for name in shipped():
        policy = load_shipped(name)
        silent = {v.rule for v in judged.verdicts if v.policy == name and v.reason == "parameter_unset"}
        judged_at_all = {v.rule for v in judged.verdicts if v.policy == name and v.verdict in ("met", "late", "breached")}
        can |= {rule.id for rule in policy.rules if rule.status == "enforced" and rule.kind != "metric"} - (silent - judged_at_all)
    assert can - breached == set()
    assert {flaw.rule for flaw in FLAWS} == breached


def test_every_verdict_occurs(judged):
    assert {verdict.verdict.value for verdict in judged.verdicts} == {
        "met",
        "late",
        "breached",
        "due_soon",
        "pending",
        "not_applicable",
        "excused",
        "unknown",
    }
    assert any(verdict.reason == "source_stale" for verdict in judged.verdicts)
    assert judged.queries


def test_most_cases_are_mostly_fine(judged):
    breaches = defaultdict(list)
    for verdict in judged.verdicts:
        if verdict.verdict == "breached":
            breaches[verdict.case].append(verdict.rule)
    assert 0.05 < len(breaches) / judged.cases < 0.25
    assert Counter(len(rules) for rules in breaches.values()).most_common(1)[0][0] == 1
    counts = Counter(verdict.verdict.value for verdict in judged.verdicts)
    assert counts["met"] > 50 * (counts["breached"] + counts["late"])


@pytest.mark.parametrize("days", range(0, 400, 57))
def test_every_flaw_and_turn_is_dealt_out_whatever_the_day(days):
    members = households(until=END + dt.timedelta(days=days))
    assert {member.flaw for member in members} == {flaw.name for flaw in FLAWS} | {""}
    assert set(TURNS) <= {member.turn for member in members}
