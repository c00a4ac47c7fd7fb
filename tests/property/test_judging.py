"""What must hold of every evaluation, tried on random cases: both deciders share stages 1 and 2, so this is where these are tested."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.catalogue import Catalogue
from rules.evaluate import Evaluation, evaluate
from rules.model import CaseFile, Event, Outcome, Verdict
from rules.policy import Policy, load_shipped, shipped
from tests.support.random_cases import DAY, PARAMETERS, START, random_case, random_event, random_file

POLICIES: list[Policy] = [load_shipped(name).with_parameters(PARAMETERS[name]) for name in shipped()]
AS_SHIPPED: list[Policy] = [load_shipped(name) for name in shipped()]
CATALOGUE: Catalogue = POLICIES[0].catalogue
seeds = st.integers(0, 2**32)
days = st.integers(-5, 220)
FOR_EVER = START + 1000 * DAY


def judge(file: CaseFile, as_of: int, known_at: int = FOR_EVER, policies: list[Policy] = POLICIES) -> Evaluation:
    return evaluate(policies, file, as_of=as_of, known_at=known_at)


def told(evaluation: Evaluation) -> list[tuple[object, ...]]:
    """The verdicts without the instants at which they were asked for."""
    return [_told(verdict) for verdict in evaluation.verdicts]


def _told(verdict: Verdict) -> tuple[object, ...]:
    return tuple(sorted((k, repr(v)) for k, v in verdict.as_dict().items() if k not in ("as_of", "known_at")))


@given(seeds, days, st.booleans())
@settings(max_examples=60)
def test_neither_the_order_of_arrival_nor_repeated_delivery_changes_anything(seed: int, day: int, known_then: bool) -> None:
    rnd = random.Random(seed)
    file, as_of = random_file(rnd), START + day * DAY
    known = as_of if known_then else FOR_EVER
    shuffled = [*file.events, *rnd.sample(file.events, len(file.events) // 2)]
    rnd.shuffle(shuffled)
    linked = {case: tuple(rnd.sample(events, len(events))) for case, events in file.linked.items()}
    again = CaseFile(file.case, tuple(shuffled), linked, tuple(reversed(file.heartbeats)))
    first, second = judge(file, as_of, known), judge(again, as_of, known)
    assert [v.as_dict() for v in first.verdicts] == [v.as_dict() for v in second.verdicts]
    assert (first.queries, first.next_change, first.metrics) == (second.queries, second.next_change, second.metrics)


@given(seeds, days)
@settings(max_examples=30)
def test_the_same_inputs_give_the_same_bytes(seed: int, day: int) -> None:
    as_of = START + day * DAY
    once, again = (json.dumps([v.as_dict() for v in judge(random_file(random.Random(seed)), as_of).verdicts]) for _ in range(2))
    assert once == again


@given(seeds, days)
@settings(max_examples=60)
def test_every_obligation_has_one_verdict_and_every_unknown_one_says_what_is_missing(seed: int, day: int) -> None:
    evaluation = judge(random_file(random.Random(seed)), START + day * DAY)
    keys = [verdict.key for verdict in evaluation.verdicts]
    assert len(keys) == len(set(keys))
    for verdict in evaluation.verdicts:
        if verdict.verdict in (Outcome.UNKNOWN, Outcome.NOT_APPLICABLE, Outcome.EXCUSED):
            assert verdict.reason, verdict
        else:
            assert verdict.reason is None
        assert (verdict.days_late is not None) == (verdict.verdict is Outcome.LATE)
        if verdict.verdict is Outcome.LATE:
            assert (verdict.days_late or 0) > 0
        if verdict.verdict is Outcome.BREACHED:
            assert verdict.due_on is not None


@given(seeds, days)
@settings(max_examples=60)
def test_a_verdict_stays_as_it_is_until_its_next_change(seed: int, day: int) -> None:
    rnd = random.Random(seed)
    file, now = random_file(rnd), START + day * DAY + rnd.randint(0, DAY)
    evaluation = judge(file, now, now)
    end = evaluation.next_change if evaluation.next_change is not None else now + 400 * DAY
    assert end > now
    for later in {now + 1, (now + end) // 2, end - 1} - {now}:
        if now < later < end:
            assert told(judge(file, later, later)) == told(evaluation)


@given(seeds, days, st.integers(1, 90))
@settings(max_examples=60)
def test_time_alone_never_undoes_a_breach(seed: int, day: int, gap: int) -> None:
    rnd = random.Random(seed)
    file, first = random_file(rnd), START + day * DAY
    last = first + gap * DAY
    still = CaseFile(file.case, tuple(e for e in file.events if not first - DAY < e.time <= last), {}, file.heartbeats)
    still = CaseFile(still.case, tuple(e for e in still.events if e.type != "event.corrected"), {}, still.heartbeats)
    # for X01 being recorded is the event, and the recordings lie anywhere
    before = {v.key for v in judge(still, first).verdicts if v.verdict is Outcome.BREACHED and v.rule != "X01"}
    after = {v.key: v.verdict for v in judge(still, last).verdicts}
    assert {key: after.get(key) for key in before} == dict.fromkeys(before, Outcome.BREACHED)


@given(seeds, days)
@settings(max_examples=40)
def test_a_voided_event_is_as_if_it_had_never_been(seed: int, day: int) -> None:
    rnd = random.Random(seed)
    events = [e for e in random_case(rnd) if e.type not in ("event.voided", "event.corrected")]
    gone = rnd.sample(events, rnd.randint(1, 3))
    voids = [
        Event(e.source, f"void{i}", "event.voided", "case-1", e.recorded, e.recorded, True, {"target": e.id}) for i, e in enumerate(gone)
    ]
    with_voids = judge(CaseFile("case-1", (*events, *voids)), START + day * DAY)
    without = judge(CaseFile("case-1", tuple(e for e in events if e not in gone)), START + day * DAY)
    assert told(with_voids) == told(without)
    restored = [Event(v.source, f"un{v.id}", "event.voided", "case-1", v.recorded, v.recorded, True, {"target": v.id}) for v in voids]
    assert told(judge(CaseFile("case-1", (*events, *voids, *restored)), START + day * DAY)) == told(
        judge(CaseFile("case-1", tuple(events)), START + day * DAY)
    )


@given(seeds, days)
@settings(max_examples=40)
def test_a_corrected_event_is_as_if_it_had_been_right_from_the_start(seed: int, day: int) -> None:
    rnd = random.Random(seed)
    events = [e for e in random_case(rnd) if e.type not in ("event.voided", "event.corrected")]
    index = rnd.randrange(len(events))
    wrong = events[index]
    other = replace(random_event(rnd, 0), time=wrong.time)
    right_data = {**wrong.data, "team": "z", "occurred_on": "2026-04-10"} if rnd.random() < 0.5 else {**wrong.data, "team": "z"}
    changes = {key: right_data[key] for key in ("team", "occurred_on") if right_data.get(key) != wrong.data.get(key)}
    assert other.time == wrong.time
    correction = Event(
        wrong.source, "fix", "event.corrected", "case-1", wrong.recorded, wrong.recorded, True, {"target": wrong.id, "set": changes}
    )
    corrected = judge(CaseFile("case-1", (*events, correction)), START + day * DAY)
    events[index] = replace(wrong, data=right_data)
    assert told(corrected) == told(judge(CaseFile("case-1", tuple(events)), START + day * DAY))


@given(seeds, days)
@settings(max_examples=40)
def test_a_new_episode_changes_nothing_in_the_one_before(seed: int, day: int) -> None:
    rnd = random.Random(seed)
    plain = ("event.voided", "event.corrected", "case.reopened", "case.merged")
    first = [replace(e, data={k: v for k, v in e.data.items() if k != "episode"}) for e in random_case(rnd) if e.type not in plain]
    end = max(e.time for e in first) + 2 * DAY
    closing = Event("urn:desk", "closing", "case.closed", "case-1", end, end, True, {"closure_reason": "moved"})
    first = [e for e in first if e.type != "case.closed"] + [closing]
    papers = CATALOGUE.course["closing_papers"]
    begin = Event("urn:desk", "begin", "referral.received", "case-1", end + DAY, end + DAY, True, {"program": "other"})
    second = [
        replace(e, id=f"b{e.id}", time=e.time + 300 * DAY, recorded=e.recorded + 300 * DAY) for e in random_case(rnd) if e.type not in plain
    ]
    second = [
        replace(e, data={k: v for k, v in e.data.items() if k not in ("episode", "occurred_on")}) for e in second if e.type not in papers
    ]
    as_of = START + (day + 400) * DAY
    alone = list(told(judge(CaseFile("case-1", tuple(first)), as_of)))
    both = [_told(v) for v in judge(CaseFile("case-1", (*first, begin, *second)), as_of).verdicts if v.episode == "1"]
    assert both == alone


@given(seeds, days)
@settings(max_examples=60)
def test_both_deciders_agree(seed: int, day: int) -> None:
    evaluation = judge(random_file(random.Random(seed)), START + day * DAY)
    assert evaluation.disagreements == ()


@given(seeds, days)
@settings(max_examples=30)
def test_an_unset_parameter_accuses_nobody(seed: int, day: int) -> None:
    file, as_of = random_file(random.Random(seed)), START + day * DAY
    unset = {
        rule.id for p in AS_SHIPPED for rule in p.rules for name in p.unset() if f"${name}'" in str([c.model_dump() for c in rule.clauses])
    }
    # "at the latest" gives S06 and S14 a day of their own
    verdicts = {v.verdict for v in judge(file, as_of, policies=AS_SHIPPED).verdicts if v.rule in unset - {"S06", "S14"}}
    assert verdicts <= {Outcome.NOT_APPLICABLE, Outcome.UNKNOWN}


@given(seeds, days)
@settings(max_examples=40)
def test_what_was_not_known_then_plays_no_part(seed: int, day: int) -> None:
    file, at = random_file(random.Random(seed)), START + day * DAY
    known = replace(
        file,
        events=tuple(e for e in file.events if e.recorded <= at),
        linked={c: tuple(e for e in es if e.recorded <= at) for c, es in file.linked.items()},
    )
    assert told(judge(file, at, at)) == told(judge(known, at, at))


@pytest.mark.parametrize("statuses", [("enforced", "shadow"), ("draft",)])
def test_only_rules_of_the_wanted_status_are_judged(statuses: tuple[str, ...]) -> None:
    found = evaluate(POLICIES, random_file(random.Random(1)), as_of=FOR_EVER, known_at=FOR_EVER, statuses=statuses)
    assert bool(found.verdicts) == ("enforced" in statuses)
