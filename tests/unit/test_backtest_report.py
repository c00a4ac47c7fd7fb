"""The report of a backtest: the same bytes however the cases were divided, cut to what a reader may see, told in words."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.comparison import compare
from rules.model import Outcome
from rules.policy import load_shipped
from service.backtests.page import as_html
from service.backtests.report import cut, digest_of, document, text_of
from service.backtests.tally import FAILURES, SAMPLES, Tally
from service.backtests.words import as_text, tell
from tests.support.stores import verdict

CFSS = load_shipped("cfss")
NOW = 1_780_000_000_000
PLACES = [("north", "alice"), ("south", "alice"), ("south", "darwin"), (None, None)]
OUTCOMES = [Outcome.MET, Outcome.BREACHED, Outcome.LATE, Outcome.PENDING]


def say(one):
    return f"{one.rule} is {one.verdict.value}."


def finding(rng, case, rule, team, office):
    return verdict(case, rule, verdict=rng.choice(OUTCOMES), team=team, office=office, days_late=rng.choice([None, 3]))


def crowd(count, seed=1):
    """Made-up cases in order, each with its place and the pairs of its obligations; every eleventh cannot be judged."""
    rng = random.Random(seed)
    for number in range(count):
        case, (team, office) = f"c{number:04d}", rng.choice(PLACES)
        rules = rng.sample(["C01", "C08", "C12"], 2)
        sides = [[finding(rng, case, rule, team, office) for rule in rules if rng.random() < 0.8] for _ in range(2)]
        yield case, (team, office), None if number % 11 == 10 else compare(*sides)


def tally_of(cases):
    tally = Tally()
    for case, place, pairs in cases:
        if pairs is None:
            tally.fail(case, "KeyError at rules.view:1")
        else:
            tally.add(case, place, pairs, say)
    return tally


def report_of(tally, **changes):
    given = {"candidate": CFSS, "base": [CFSS], "as_of": NOW, "known_at": NOW, "position": 7, "since": None, "tally": tally}
    return document(**{**given, **changes})


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(0, 1000))
@settings(max_examples=30)
def test_any_division_into_chunks_gives_the_same_bytes(sizes, seed):
    cases = list(crowd(100, seed))
    merged, start = Tally(), 0
    for size in [*sizes, len(cases)]:
        merged.merge(json.loads(json.dumps(tally_of(cases[start : start + size]).as_dict(), sort_keys=True)))
        start += size
    assert text_of(report_of(merged)) == text_of(report_of(tally_of(cases)))


def test_sums_add_up():
    cases = list(crowd(300))
    report = report_of(tally_of(cases))
    totals, judged = report["totals"], [pairs for _, _, pairs in cases if pairs is not None]
    assert totals["cases"]["judged"] == len(judged)
    assert totals["cases"]["failed"] == 300 - len(judged) == len(report["failures"])
    assert totals["cases"]["changed"] == sum(any(pair.change for pair in pairs) for pairs in judged)
    of = totals["obligations"]
    assert of["compared"] == sum(map(len, judged))
    assert of["same"] + sum(count for name, count in of.items() if name not in {"compared", "same"}) == of["compared"]
    assert totals["breaches"]["before"] + of["gained"] - of["lost"] == totals["breaches"]["after"]
    assert min(of["gained"], of["lost"], of["moved"], of["appeared"]) > 0, "the crowd must show each of them"


def test_samples_are_the_first_of_each_rule_change_and_team():
    cases = list(crowd(300))
    report = report_of(tally_of(cases))
    gained = [one["case"] for one in report["samples"] if (one["rule"], one["change"], one["team"]) == ("C01", "gained", "north")]
    wanted = [
        case
        for case, place, pairs in cases
        for pair in pairs or ()
        if place[0] == "north" and pair.either.rule == "C01" and pair.change == "gained"
    ]
    assert gained == wanted[:SAMPLES]
    assert len(wanted) > SAMPLES


def test_a_sample_holds_what_both_sides_say():
    before, after = verdict(verdict=Outcome.MET, satisfied_on="2026-03-10"), verdict(due_on="2026-03-01")
    (sample,) = report_of(tally_of([("C1", ("north", "alice"), compare([before], [after]))]))["samples"]
    assert (sample["case"], sample["episode"], sample["obligation"]) == ("C1", "1", "case")
    assert set(sample["differs"]) == {"verdict", "due_on", "satisfied_on"}
    assert (sample["before"]["verdict"], sample["before"]["sentence"]) == ("met", "C01 is met.")
    assert (sample["after"]["due_on"], sample["after"]["sentence"]) == ("2026-03-01", "C01 is breached.")


def test_a_limited_reader_sees_the_own_part_alone_and_sums_of_it():
    cases = list(crowd(200))
    whole = report_of(tally_of(cases))
    seen = cut(whole, lambda team, office: team == "south" and office == "darwin")
    own = [(case, place, pairs) for case, place, pairs in cases if pairs is not None and place == ("south", "darwin")]
    alone = report_of(tally_of(own))
    for name in ("totals", "places", "rows", "transitions", "samples"):
        assert seen[name] == alone[name]
    assert (seen["limited"], seen["failures"]) == (True, [])
    assert "north" not in text_of(seen)
    assert whole["limited"] is False, "cutting leaves the whole report as it is"


def test_many_failures_are_counted_and_the_first_are_named():
    tally = tally_of([(f"c{number:04d}", (None, None), None) for number in range(FAILURES + 50)])
    report = report_of(tally)
    assert report["failed"] == FAILURES + 50
    assert [one["case"] for one in report["failures"]] == [f"c{number:04d}" for number in range(FAILURES)]


def test_nothing_of_the_clock_is_in_the_bytes():
    tally = tally_of(crowd(50))
    assert digest_of(text_of(report_of(tally))) == digest_of(text_of(json.loads(text_of(report_of(tally)))))


def test_the_report_is_told_in_words():
    rules = tuple(replace(rule, status="shadow") if rule.id == "C08" else rule for rule in CFSS.rules)
    old = replace(CFSS, rules=rules, version="old")
    new = CFSS.with_parameters({CFSS.unset()[0]: 14})
    told = as_text(tell(report_of(tally_of(crowd(300)), base=[old], candidate=new, since="2026-03-01")))
    assert f"Compared with version old ({CFSS.digest[:12]})" in told
    assert f"Parameters: {CFSS.unset()[0]} 14 (was not set)." in told
    assert "Only what began on Sun 1 March 2026 or later is compared." in told
    assert "27 cases could not be judged; they are not among these." in told
    assert "(enforced, was shadow)" in told
    assert "violation" not in told
    assert "now:  C01 is met.\n    then: C01 is breached." in told


def test_a_policy_that_is_new_is_compared_with_nothing():
    told = tell(report_of(tally_of([("C1", (None, None), compare([], [verdict()]))]), base=[]))
    assert "No version of this policy is in force: it is compared with nothing." in told.about
    assert "(new, " in str(told.tables[0].rows[0][1])


class Tags(HTMLParser):
    """Notes what is open, and refuses what closes something else."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.seen = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onload="x', "&amp;"])
def test_the_page_is_whole_and_shows_what_it_is_given_as_text(hostile):
    cases = [*crowd(100), (f"zz{hostile}", (hostile, None), compare([], [verdict(team=hostile)])), (f"zzz{hostile}", (None, None), None)]
    page = as_html(tell(report_of(tally_of(cases))), digest="abc")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert any(hostile in text for text in tags.text)
    assert "http" not in page, "nothing is fetched"
