"""What must hold of every history: one order, one episode an event, closures that alternate with reopenings, nothing of the future."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.clock import zone
from rules.history import History, build
from rules.model import Event
from rules.pauses import pauses_of, shift
from rules.policy import load_shipped
from rules.record import standing
from rules.roster import Roster
from tests.support.random_cases import DAY, START, random_case

POLICY = load_shipped("cfss")
ZONE = zone("Australia/Adelaide")
FOR_EVER = START + 1000 * DAY
seeds = st.integers(0, 2**32)
days = st.integers(0, 200)


def history(events: list[Event], as_of: int = FOR_EVER, known_at: int = FOR_EVER) -> History:
    facts, _ = standing(events, known_at, POLICY.catalogue)
    return build("case-1", facts, zone=ZONE, as_of=as_of, domain=POLICY.domain)


def shape(found: History) -> list[tuple[str, str, int, int, bool]]:
    return [(e.source, e.id, e.episode, e.attempt, e.stray_closure) for e in found.entries]


@given(seeds, days)
@settings(max_examples=150)
def test_the_order_of_arrival_and_repeated_delivery_change_nothing(seed: int, day: int) -> None:
    rnd = random.Random(seed)
    events = random_case(rnd)
    again = [*events, *rnd.sample(events, len(events) // 2)]
    rnd.shuffle(again)
    assert shape(history(again, START + day * DAY)) == shape(history(events, START + day * DAY))


@given(seeds, days)
@settings(max_examples=150)
def test_every_entry_lies_in_one_episode_and_episodes_are_numbered_in_order(seed: int, day: int) -> None:
    found = history(random_case(random.Random(seed)), START + day * DAY)
    assert Counter(e.order for episode in found.episodes for e in episode.entries) == Counter(range(len(found.entries)))
    assert [episode.number for episode in found.episodes] == list(range(1, len(found.episodes) + 1))
    for episode in found.episodes:
        assert episode.entries
        assert {e.episode for e in episode.entries} == {episode.number}
        assert [e.order for e in episode.entries] == sorted(e.order for e in episode.entries)


@given(seeds)
@settings(max_examples=150)
def test_closures_alternate_with_reopenings(seed: int) -> None:
    for episode in history(random_case(random.Random(seed))).episodes:
        assert [closing.attempt for closing in episode.closings] == list(range(1, len(episode.closings) + 1))
        assert all(closing.reopened is not None for closing in episode.closings[:-1])
        turns = [e.order for closing in episode.closings for e in (closing.entry, closing.reopened) if e is not None]
        assert turns == sorted(turns)
        spans = list(episode.open_days())
        assert all(end is None or start <= end for start, end in spans)
        assert all(end is not None for _, end in spans[:-1])


@given(seeds, days)
@settings(max_examples=150)
def test_nothing_of_the_future_shows(seed: int, day: int) -> None:
    events, as_of = random_case(random.Random(seed)), START + day * DAY
    found = history(events, as_of)
    assert all(e.first <= as_of for e in found.entries)
    seen = {(e.source, e.id) for e in found.entries}
    # "as if" needs the facts of the time: voids and corrections are known whatever as_of is
    past = [e for e in events if (e.source, e.id) in seen or e.type in ("event.voided", "event.corrected")]
    assert shape(history(past, as_of)) == shape(found)


@given(seeds, days)
@settings(max_examples=150)
def test_what_was_not_known_leaves_no_trace(seed: int, day: int) -> None:
    events, known_at = random_case(random.Random(seed)), START + day * DAY
    assert shape(history(events, known_at=known_at)) == shape(history([e for e in events if e.recorded <= known_at]))


@given(seeds)
@settings(max_examples=100)
def test_voiding_everything_leaves_nothing_and_restoring_it_everything(seed: int) -> None:
    events = [e for e in random_case(random.Random(seed)) if e.type not in ("event.voided", "event.corrected")]
    voids = [Event(e.source, f"x{i}", "event.voided", e.case, e.time, e.recorded, True, {"target": e.id}) for i, e in enumerate(events)]
    back = [Event(e.source, f"y{e.id}", "event.voided", e.case, e.time, e.recorded, True, {"target": e.id}) for e in voids]
    assert history([*events, *voids]).episodes == []
    assert shape(history([*events, *voids, *back])) == shape(history(events))


@given(seeds)
@settings(max_examples=100)
def test_a_mistaken_closure_and_its_reopening_are_as_if_they_had_not_been(seed: int) -> None:
    rnd = random.Random(seed)
    events = [e for e in random_case(rnd) if not e.type.startswith(("case.closed", "case.reopened", "event."))]
    at = START + rnd.randint(10, 90) * DAY
    pair = [
        Event("urn:desk", "cx", "case.closed", "case-1", at, at, True, {}),
        Event(
            "urn:desk", "cr", "case.reopened", "case-1", at + rnd.randint(0, 20) * DAY + 1, at + 40 * DAY, True, {"closure_was_error": True}
        ),
    ]
    assert [row for row in shape(history([*events, *pair])) if row[1] not in ("cx", "cr")] == shape(history(events))


@given(seeds, days)
@settings(max_examples=100)
def test_membership_spans_and_the_lists_of_a_day_say_the_same(seed: int, day: int) -> None:
    on = ZONE.day_of(START) + day
    for episode in history(random_case(random.Random(seed))).episodes:
        roster = Roster(episode, POLICY.domain.roster)
        there = {m.person for m in roster.members(on) if m.role == "child" and m.person is not None}
        spanned = {person for person, spans in roster.spans(["child"]).items() if any(low <= on <= high for low, high in spans)}
        assert there == spanned


@given(seeds, days, st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=100)
def test_pauses_move_a_due_day_forwards_and_no_further_than_they_last(seed: int, day: int, start: int, length: int) -> None:
    today = ZONE.day_of(START) + day
    activated = ZONE.day_of(START) + start
    for episode in history(random_case(random.Random(seed)), START + (day + 1) * DAY).episodes:
        pauses = pauses_of(episode, POLICY.domain.course.pauses, today)
        assert all(p.start <= p.end for p in pauses)
        assert all(one.end <= other.start or one.start == other.start for one, other in pairwise(pauses))
        found = shift(pauses, activated, activated + length)
        paused = {d for p in pauses if p.approved is not None for d in range(max(p.start, activated), p.end)}
        assert 0 <= found.days <= found.late_days <= len(paused)


@given(seeds, days)
@settings(max_examples=100)
def test_a_bare_day_spans_its_local_day(seed: int, day: int) -> None:
    for entry in history(random_case(random.Random(seed))).entries:
        assert ZONE.day_of(entry.first) == ZONE.day_of(entry.last) == entry.day
        if not entry.exact:
            assert (entry.first, entry.last) == (ZONE.start_of(entry.day), ZONE.end_of(entry.day) - 1)


def test_ties_are_broken_by_what_the_record_says_alone() -> None:
    events = [replace(e, time=START, recorded=START, data={}) for e in random_case(random.Random(5)) if not e.type.startswith("event.")]
    wanted = shape(history(events))
    for _ in range(20):
        random.Random(7).shuffle(events)
        assert shape(history(events)) == wanted
