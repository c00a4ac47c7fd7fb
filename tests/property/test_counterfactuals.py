"""What is said to have been wanting is what was wanting: with it, the verdict is `met`; a day later or sooner, it is not."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache

from rules.counterfactual import Counterfactual, would_have_met
from rules.evaluate import Judged, evaluate
from rules.model import CaseFile, Event, Outcome
from tests.property.test_judging import POLICIES
from tests.support.random_cases import DAY, START, random_file
from tests.support.witness import LITTLE, mended, wanting

AS_OF, FOR_EVER = START + 260 * DAY, START + 1000 * DAY
CASES = 90


def _file(seed: int) -> CaseFile:
    """A random case whose sources are loud and whose events say all: what is unclear is tried elsewhere."""
    file = random_file(random.Random(seed))
    return CaseFile(file.case, file.events, file.linked, ())


@cache
def _found(seed: int) -> list[tuple[CaseFile, Judged, Counterfactual]]:
    file = _file(seed)
    judged = evaluate(POLICIES, file, as_of=AS_OF, known_at=FOR_EVER).details
    over = [one for one in judged if one.verdict.verdict in (Outcome.BREACHED, Outcome.LATE) and len(one.obligation.worlds) == 1]
    return [(file, one, told) for one in over if (told := would_have_met(one)) is not None]


def _verdict(file: CaseFile, judged: Judged) -> Outcome | None:
    verdicts = {v.key: v.verdict for v in evaluate(POLICIES, file, as_of=AS_OF, known_at=FOR_EVER).verdicts}
    return verdicts.get(judged.verdict.key)


def _with(file: CaseFile, more: list[Event]) -> CaseFile:
    return replace(file, events=(*file.events, *more))


def test_with_the_event_that_was_wanting_the_rule_is_met() -> None:
    tried: Counter[str] = Counter()
    unknown = 0  # where the record has other holes too
    for seed in range(CASES):
        for file, judged, told in _found(seed):
            if tried[judged.rule.id] >= 6:
                continue
            try:
                more = wanting(judged, told)
            except LookupError:
                continue
            if more:
                outcome = _verdict(_with(file, more), judged)
                assert outcome in (Outcome.MET, Outcome.UNKNOWN), (seed, judged.verdict, told.words, more)
                tried[judged.rule.id] += outcome is Outcome.MET
                unknown += outcome is Outcome.UNKNOWN
    assert len(+tried) >= 28, sorted(tried)
    assert unknown <= sum(tried.values()) // 20


def test_had_the_event_itself_been_so_the_rule_is_met() -> None:
    tried: Counter[str] = Counter()
    for seed in range(CASES):
        for file, judged, told in _found(seed):
            if not told.clause.met_in_event or tried[judged.rule.id] >= 6:
                continue
            wrong = next((e for e in file.events if e.id in dict(judged.obligation.rejected)), None)
            if wrong is None:
                continue  # it stands in a related case
            try:
                right = mended(judged, told, wrong)
            except LookupError:
                continue
            if right is not None and not any(e.type == "event.corrected" and e.data.get("target") == wrong.id for e in file.events):
                tried[judged.rule.id] += 1
                better = replace(file, events=tuple(right if e is wrong else e for e in file.events))
                assert _verdict(better, judged) is Outcome.MET, (seed, judged.verdict, told.words, right)
    assert len(tried) >= 8, sorted(tried)


def test_after_the_last_day_it_would_not_have_been_met() -> None:
    tried: Counter[str] = Counter()
    for seed in range(CASES):
        for file, judged, told in _found(seed):
            if told.gate is not None or told.last is None or tried[judged.rule.id] >= 3 or judged.verdict.verdict is not Outcome.BREACHED:
                continue
            try:
                more = wanting(judged, told)
            except LookupError:
                continue
            if more and more[0].time + 2 * LITTLE < AS_OF:
                tried[judged.rule.id] += 1
                late = [replace(e, time=e.time + 2 * LITTLE, recorded=e.recorded + 2 * LITTLE) for e in more]
                assert _verdict(_with(file, late), judged) is not Outcome.MET, (seed, judged.verdict, told.words)
    assert len(tried) >= 15, sorted(tried)


def test_before_the_first_day_it_would_not_have_been_met() -> None:
    tried: Counter[str] = Counter()
    for seed in range(CASES):
        for file, judged, told in _found(seed):
            if told.first is None or told.last is None or tried[judged.rule.id] >= 3:
                continue
            try:
                more = wanting(judged, told)
            except LookupError:
                continue
            if more:
                at = judged.view.zone.start_of(told.first) - LITTLE
                early = [replace(e, time=at, recorded=at) for e in more]
                if at > START:
                    tried[judged.rule.id] += 1
                    assert _verdict(_with(file, early), judged) is not Outcome.MET, (seed, judged.verdict, told.words)
    assert len(tried) >= 6, sorted(tried)


def test_what_is_said_to_be_lacking_is_enough() -> None:
    """Of what is gathered over several events only the rest is named, and it meets the rule."""
    named = 0
    for seed in range(CASES):
        for file, judged, told in _found(seed):
            asked = getattr(told.clause, "requires", None)
            if asked is None or asked.collects is None or "still lacking" not in told.words or asked.roles is not None:
                continue
            more = wanting(judged, told)
            if not more:
                continue
            (path,) = list(asked.collects)[-1:]
            words = told.words.partition("still lacking: ")[2]
            codes = judged.policy.catalogue.types[more[0].type].spoken.get(path, {})
            rest = [code for code in more[0].data[path] if codes.get(code, code.replace("_", " ")) in words]
            data = {**more[0].data, path: rest}
            named += 1
            assert rest
            assert _verdict(_with(file, [replace(more[0], data=data)]), judged) is Outcome.MET, (seed, told.words, rest)
    assert named
