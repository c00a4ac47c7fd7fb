"""The two deciders together: where they do not agree, neither is believed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rules.decide
from rules.decide import Disagreement, both, decide, mode, ruleset, table
from rules.errors import EngineError
from rules.model import Candidate, Decision, Duty, Line

ROOT = Path(__file__).parents[2]
BREACH = (Duty(due=(100, 110)), ())
MET = (Duty(due=(100, 110)), (Candidate(105, 105),))
PENDING = (Duty(), ())
ITEMS = [BREACH, MET, PENDING]
RIGHT = [Decision(Line.BREACHED), Decision(Line.MET, 0), Decision(Line.PENDING)]
NOW = 200


class Fake:
    """A ruleset that says what it is told to: ``wrong`` replaces the decision of an item, ``failing`` items raise; at most ``times``."""

    def __init__(self, wrong=None, failing=(), times=1000):
        self.wrong, self.failing, self.times = wrong or {}, failing, times
        self.sizes = []

    def decide(self, items, now):
        self.sizes.append(len(items))
        self.times -= 1
        if self.times < 0:
            return table.decide(items, now)
        if any(item is bad for item in items for bad in self.failing):
            raise EngineError("nothing usable")
        return [self.wrong.get(id(item), said) for item, said in zip(items, table.decide(items, now), strict=True)]


@pytest.fixture
def faked(monkeypatch):
    def install(fake):
        monkeypatch.setattr(both, "_ruleset", lambda: fake)
        monkeypatch.setattr(ruleset, "engine", object)
        return fake

    return install


@pytest.mark.skipif(ruleset.engine() is None, reason="durable-rules is not available for this Python")
def test_both_agree():
    found: list[Disagreement] = []
    assert decide(ITEMS, NOW, deciders="both", on_disagreement=found.append) == RIGHT
    assert found == []
    assert mode() == "both"


def test_a_disagreement_concerns_its_obligation_alone(faked):
    fake = faked(Fake(wrong={id(MET): Decision(Line.BREACHED)}))
    found: list[Disagreement] = []
    assert decide(ITEMS, NOW, on_disagreement=found.append) == [RIGHT[0], Decision(Line.DISAGREE), RIGHT[2]]
    assert found == [Disagreement(1, RIGHT[1], Decision(Line.BREACHED), settled=False)]
    assert fake.sizes == [3, 1]


def test_the_evidence_must_agree_too(faked):
    faked(Fake(wrong={id(MET): Decision(Line.MET, 1)}))
    assert decide(ITEMS, NOW)[1] == Decision(Line.DISAGREE)


def test_it_needs_no_observer(faked):
    faked(Fake(wrong={id(BREACH): Decision(Line.MET, 0)}))
    assert decide(ITEMS, NOW) == [Decision(Line.DISAGREE), *RIGHT[1:]]


def test_a_disagreement_that_does_not_come_again_is_settled_and_told(faked):
    faked(Fake(wrong={id(MET): Decision(Line.BREACHED)}, times=1))
    found: list[Disagreement] = []
    assert decide(ITEMS, NOW, on_disagreement=found.append) == RIGHT
    assert found == [Disagreement(1, RIGHT[1], Decision(Line.BREACHED), settled=True)]


def test_an_obligation_that_the_engine_fails_on_does_not_take_the_others_along(faked):
    fake = faked(Fake(failing=(MET,)))
    found: list[Disagreement] = []
    assert decide(ITEMS, NOW, on_disagreement=found.append) == [RIGHT[0], Decision(Line.DISAGREE), RIGHT[2]]
    assert [each for each in found if not each.settled] == [Disagreement(1, RIGHT[1], None, settled=False, error="nothing usable")]
    assert [each.index for each in found] == [0, 1, 2]
    assert fake.sizes == [3, 1, 1, 1]


def test_an_engine_that_cannot_be_made_is_never_compliance(monkeypatch):
    def fail():
        raise EngineError("no engine")

    monkeypatch.setattr(both, "_ruleset", fail)
    monkeypatch.setattr(ruleset, "engine", object)
    assert decide(ITEMS, NOW) == [Decision(Line.DISAGREE)] * 3


@pytest.mark.skipif(ruleset.engine() is None, reason="durable-rules is not available for this Python")
def test_what_the_engine_must_not_be_shown_is_a_disagreement_for_that_obligation():
    broken = (Duty(due=(100, 110.5)), ())  # type: ignore[arg-type]
    found: list[Disagreement] = []
    assert decide([BREACH, broken, MET], NOW, on_disagreement=found.append) == [RIGHT[0], Decision(Line.DISAGREE), RIGHT[1]]
    assert [each.index for each in found if not each.settled] == [1]


def test_the_table_alone_where_it_is_asked_for(faked):
    fake = faked(Fake(wrong={id(MET): Decision(Line.BREACHED)}))
    assert decide(ITEMS, NOW, deciders="table") == RIGHT
    assert fake.sizes == []


def test_the_table_alone_where_durable_rules_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    ruleset.engine.cache_clear()
    try:
        assert mode() == "table"
        assert decide(ITEMS, NOW) == RIGHT
        with pytest.raises(EngineError, match="not available"):
            decide(ITEMS, NOW, deciders="both")
    finally:
        ruleset.engine.cache_clear()


def test_the_table_alone_on_python_3_13(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    ruleset.engine.cache_clear()
    try:
        assert mode() == "table"
    finally:
        ruleset.engine.cache_clear()


def test_nothing_to_judge_needs_no_engine():
    script = "import sys, rules.decide; print(rules.decide.decide([], 0), 'durable_rules_engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.split() == ["[]", "False"]


def test_the_package_exports_what_others_use():
    assert set(rules.decide.__all__) == {"Deciders", "Disagreement", "Item", "Observer", "decide", "mode"}
