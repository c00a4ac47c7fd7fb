"""What coverage asks of policy tests, and what it counts: a small policy, and timelines that reach some of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.coverage import Coverage, Reached
from rules.losses import how_unknown
from rules.matching import made_ready
from rules.policy import Policy, load_policy, load_shipped
from rules.policytest import collect, run_timeline

CATALOGUE = """\
catalogue: small
version: "1"
types:
  asked: {about: Somebody asked., data: {by: code, paid: flag}}
  answered: {about: Somebody answered., data: {how: code, ok: flag, ref: id}}
"""
HEAD = """\
policy: small
title: Small
version: "1"
effective: 2020-01-01
zone: UTC
catalogue: catalogue.yaml
documents: {d: D}
parameters: {days: {default: 5, question: How many days?}}
terms:
  good_answer: {event: answered, where: {ok: true}}
rules:
"""
RULE = "  - {id: R1, title: Answered, guidance: g, unmet: No answer, cites: {document: d, at: x}, severity: low, "
ANSWERED = RULE + "kind: response, when: {each: asked}, requires: {event: answered, where: {how: [phone, letter]}}, within: {days: 5}}\n"
IN_TIME = "  - {id: R1, title: Recorded, guidance: g, cites: {document: d, at: x}, severity: low, kind: recording, within: {days: 5}}\n"
ASKED = "{id: a, at: 03-02 09:00, type: asked, data: {by: mum}}"


def answer(data: str = "{how: phone}", at: str = "03-03 09:00") -> str:
    return f"{{id: b, at: {at}, type: answered, data: {data}}}"


@pytest.fixture
def covered(tmp_path: Path):
    """What the timelines reach of a policy with these rules; each timeline is its events and what 9 March is expected to say."""

    def run(rules: str, *timelines: tuple[list[str], str]) -> Reached:
        (tmp_path / "catalogue.yaml").write_text(CATALOGUE, "utf-8")
        (tmp_path / "small.yaml").write_text(HEAD + rules, "utf-8")
        texts = [
            f"- {{name: t{n}, policy: small, events: [{', '.join(events)}], checks: [{{as_of: 03-09, {check}}}]}}"
            for n, (events, check) in enumerate(timelines)
        ]
        (tmp_path / "t.yaml").write_text("\n".join(texts), "utf-8")
        found = collect([tmp_path / "t.yaml"])
        coverage = Coverage()
        policy = coverage.watch(load_policy(tmp_path / "small.yaml"))
        for timeline in found:
            assert run_timeline(timeline, lambda _: policy, coverage).failures == []
        plain = load_policy(tmp_path / "small.yaml")
        ways = {key: how_unknown(found, lambda _: plain, *key) for key in coverage.lacking()}
        (reached,) = coverage.reached(can_be_unknown={key: how for key, how in ways.items() if how})
        return reached

    return run


def words(reached: Reached) -> list[str]:
    return [missing.words.removeprefix("not reached: ") for missing in reached.missing]


MET = ([ASKED, answer()], "expect: {R1: met}")
LETTER = ([ASKED, answer("{how: letter}")], "expect: {R1: met}")
BREACHED = ([ASKED, answer("{how: smoke}")], "expect: {R1: breached}")
UNSAID = ([ASKED, answer("{}")], "expect: {R1: unknown}")
NOT_ASKED = ([answer()], "expect: {R1: not_applicable}")


def test_everything_is_reached(covered):
    reached = covered(ANSWERED, MET, LETTER, BREACHED, UNSAID, NOT_ASKED)
    assert (words(reached), reached.percent) == ([], 100)
    assert reached.verdicts["R1"] == {"met": 2, "breached": 1, "unknown": 1, "not_applicable": 1}
    assert reached.lines["response"] == {"met": 2, "breached": 1, "unclear": 1, "off": 1}


@pytest.mark.parametrize(
    ("left_out", "lacking"),
    [
        (MET, ["how with phone"]),
        (LETTER, ["how with letter"]),
        (BREACHED, ["never shown breached", "how is not phone or letter"]),
        (UNSAID, ["never shown unknown", "how left out"]),
        (NOT_ASKED, ["asked not found"]),
    ],
)
def test_what_no_timeline_reaches_is_named(covered, left_out, lacking):
    every = [MET, LETTER, BREACHED, UNSAID, NOT_ASKED]
    reached = covered(ANSWERED, *(one for one in every if one is not left_out))
    assert words(reached) == lacking
    assert reached.reached == reached.total - len(lacking)
    assert reached.percent < 100


def test_what_a_check_passes_by_without_an_expectation_does_not_count(covered):
    other = ANSWERED.replace("R1", "R2")
    by_the_way = (NOT_ASKED[0], "expect: {R2: not_applicable}")
    reached = covered(ANSWERED + other, MET, LETTER, (BREACHED[0], "expect: {R1: breached, R2: breached}"), UNSAID, by_the_way)
    assert [one.words for one in reached.missing if one.rules == ("R1",)] == ["not reached: asked not found"]
    assert "never shown met" in [one.words for one in reached.missing if one.rules == ("R2",)]


def test_the_place_is_that_of_the_condition(covered, tmp_path):
    (missing,) = covered(ANSWERED, MET, BREACHED, UNSAID, NOT_ASKED).missing
    assert missing.path == ("rules", 0, "requires", "where", "how")
    assert missing.idea == "an answered with its how with letter, with an expectation on R1"


def test_each_test_of_an_event_must_be_seen_both_ways_and_left_out(covered):
    rule = RULE + "kind: content, when: {each: asked}, where: {by: [mum, dad], paid: {present: true, equals: true}}}\n"
    paid = ASKED.replace("by: mum", "by: mum, paid: true")
    assert words(covered(rule, ([paid], "expect: {R1: met}"))) == [
        "never shown breached",
        "never shown unknown",
        "asked not found",
        "by left out",
        "by is not mum or dad",
        "by with dad",
        "paid left out",
        "paid is not true",
    ]


def test_what_cannot_be_unknown_is_not_asked_to_be(covered):
    late = "{id: a, at: 03-02 09:00, rec: 03-09 09:00, type: asked, data: {by: mum}}"
    reached = covered(IN_TIME, ([ASKED], "expect: {R1: met}"), ([late], "expect: {R1: late}"))
    assert (words(reached), reached.total) == ([], 2)


def test_how_a_rule_can_be_unknown_is_an_idea_of_a_timeline(covered):
    reached = covered(ANSWERED, MET, LETTER, BREACHED, NOT_ASKED)
    idea = next(one.idea for one in reached.missing if one.words == "never shown unknown")
    assert idea == "as the timeline 't0', but b without how, with expect: {R1: unknown}"


def test_drafts_and_shadows_are_not_asked_for_and_what_is_only_counted_is_asked_to_count(covered):
    more = "".join(
        ANSWERED.replace("R1", f"R{n}").replace("severity: low", f"severity: low, status: {s}") for n, s in ((2, "draft"), (3, "shadow"))
    )
    counted = "  - {id: R4, title: t, guidance: g, cites: {document: d, at: x}, severity: low, kind: metric, event: good_answer}\n"
    assert words(covered(ANSWERED + more + counted, MET, LETTER, BREACHED, UNSAID, NOT_ASKED)) == ["never shown counting"]
    counting = ([ASKED, answer("{how: phone, ok: true}")], "expect: {R1: met}, counted: {R4: {'-': 1}}")
    assert words(covered(ANSWERED + more + counted, counting, LETTER, BREACHED, UNSAID, NOT_ASKED)) == []


def test_a_term_counts_for_the_rules_that_use_it(covered):
    rule = RULE + "kind: response, when: {each: asked}, requires: good_answer, within: {days: 5}}\n"
    reached = covered(
        rule, ([ASKED, answer("{ok: true}")], "expect: {R1: met}"), ([ASKED, answer("{ok: false}")], "expect: {R1: breached}")
    )
    assert words(reached) == ["never shown unknown", "asked not found", "ok left out"]
    assert reached.missing[-1].path == ("terms", "good_answer", "where", "ok")


def test_joiners_must_be_seen_both_ways(covered):
    where = "where: {any: [{how: phone}, {ok: true}]}"
    rule = RULE + f"kind: response, when: {{each: asked}}, requires: {{event: answered, {where}}}, within: {{days: 5}}}}\n"
    one = ([ASKED, answer("{how: phone, ok: false}")], "expect: {R1: met}")
    other = ([ASKED, answer("{how: letter, ok: true}")], "expect: {R1: met}")
    assert "any does not hold" in words(covered(rule, one, other))
    assert "any does not hold" not in words(covered(rule, one, ([ASKED, answer("{how: letter, ok: false}")], "expect: {R1: breached}")))


def test_the_same_attribute_must_be_seen_same_another_and_left_out(covered):
    twice = RULE + "kind: precedence, when: {each: good_answer}, requires: {event: answered, same: [ref]}}\n"
    events = ["{id: a, at: 03-02 09:00, type: answered, data: {ok: false, ref: x}}", answer("{ok: true, ref: x}")]
    lacking = words(covered(twice, (events, "expect: {R1: met}")))
    assert {"another ref", "ref left out"} <= set(lacking)
    assert "the same ref" not in lacking


def test_a_part_of_a_whole_must_be_seen_to_decide_it_alone(covered):
    rule = RULE + "kind: response, when: {each: asked}, requires: {event: answered, where: {how: phone, ok: true}}, within: {days: 5}}\n"
    both = ([ASKED, answer("{how: smoke, ok: false}")], "expect: {R1: breached}")
    assert {"how is not phone", "ok is not true"} <= set(words(covered(rule, both)))
    one, other = (([ASKED, answer(data)], "expect: {R1: breached}") for data in ("{how: smoke, ok: true}", "{how: phone, ok: false}"))
    assert "how is not phone" not in words(covered(rule, one))
    assert "ok is not true" not in words(covered(rule, other))


def test_nothing_is_wrapped_where_nobody_looks_on():
    policy: Policy = load_shipped("cfss")
    wheres = [term.where for term in policy.terms.values() if term.where is not None]
    assert all(where.watch is None and test.watch is None for where in wheres for test in where.tests.values())
    assert {made_ready(where).__module__ for where in wheres} == {"rules.matching"}
