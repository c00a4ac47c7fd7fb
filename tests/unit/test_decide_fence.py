"""The fence around durable-rules: a test for each of its rules, that fails where the rule is taken away.

docs/explanation/deciders.md tells the nine rules and what each is for.
"""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.decide import facts, ruleset, table
from rules.decide.facts import Batch, batch
from rules.decide.ruleset import CHUNK, PRIME, RULES, WHOLE, Engine, Ruleset, engine
from rules.errors import EngineError
from rules.model import NEVER, Candidate, Decision, Duty, Fit, Line, State

pytestmark = pytest.mark.skipif(engine() is None, reason="durable-rules is not available for this Python")

ROOT = Path(__file__).parents[2]
BREACH = (Duty(due=(100, 110)), ())
MET = (Duty(due=(100, 110)), (Candidate(105, 105),))
NOW = 200


class Spy:
    """The C module, watched; ``before`` may change what a call is given, or raise."""

    def __init__(self) -> None:
        self.module = engine()
        self.calls: list[tuple[Any, ...]] = []
        self.before: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.module, name)
        if not callable(real) or isinstance(real, type):
            return real

        def call(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            if name in self.before:
                arguments = self.before[name](*arguments)
            return real(*arguments)

        return call

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [tuple(arguments) for called, *arguments in self.calls if called == name]


@pytest.fixture
def spy() -> Spy:
    return Spy()


def watched(spy: Spy, **rest: Any) -> Ruleset:
    made = Ruleset(module=cast(Engine, spy), **rest)
    spy.calls.clear()
    return made


def sent(text: str) -> list[dict[str, Any]]:
    return json.loads(text)


def resend(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[int, str], tuple[int, str]]:
    """For ``Spy.before``: the facts, changed on their way to the module."""
    return lambda handle, text: (handle, json.dumps(change(sent(text))))


def patterns() -> list[tuple[str, str, Any]]:
    return [(name, alias, body) for name, parts in RULES.items() for part in parts for alias, body in part.items()]


# ------------------------------------------------------------------------- 1: the C module only, and one module that touches it
def test_1_one_module_touches_the_engine():
    touches = re.compile(r"^\s*(import|from)\s+durable|import_module\([^)]*durable", re.MULTILINE)
    sources = [
        path for name in ("rules", "adapters", "store", "service", "workers", "api", "cli", "bench") for path in (ROOT / name).rglob("*.py")
    ]
    assert [path.relative_to(ROOT).as_posix() for path in sources if touches.search(path.read_text("utf-8"))] == ["rules/decide/ruleset.py"]


def test_1_only_six_of_its_functions_are_called(spy):
    made = Ruleset(module=spy)
    made.decide([MET, BREACH], NOW)
    made.close()
    assert {name for name, *_ in spy.calls} == {name for name in vars(Engine) if not name.startswith("_") and name != "error"}


def test_1_its_python_layer_is_never_loaded():
    script = "import sys; from rules.decide.ruleset import Ruleset; Ruleset(); print('durable' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.strip() == "False"


# ------------------------------------------------------------ 2: evidence first, obligations after, a constant fact at both ends
def test_2_evidence_comes_before_obligations_between_constant_facts():
    kinds = [fact["t"] for fact in sent(batch([MET, BREACH, MET], NOW).text)]
    assert kinds == ["begin", "ev", "ev", "ob", "ob", "ob", "end"]


def test_2_every_rule_begins_with_the_obligation():
    for name, parts in RULES.items():
        (alias, body), *_ = parts[0].items()
        assert (alias, body) == ("first", {"t": "begin"}) if name == WHOLE else (alias, body["$and"][0]) == ("o", {"t": "ob"})


def test_2_obligations_that_come_too_early_are_noticed(spy):
    """Then a negation is decided before its evidence is in: `breached` fires, and `met` after it."""
    made = watched(spy)
    spy.before["assert_facts"] = resend(lambda all_: [all_[0], *all_[2:-1], all_[1], all_[-1]])
    with pytest.raises(EngineError, match="two lines"):
        made.decide([MET], NOW)


# -------------------------------------------------------------------------------- 3: every join is closed by an always-true join
def test_3_every_join_ends_in_one_that_is_always_true():
    joined = 0
    for _, _, body in patterns():
        conditions = body.get("$and", [body])
        if '"o":' in json.dumps(conditions):
            joined += 1
            assert conditions[-1] == {"one": {"o": "one"}}
    assert joined == 15
    assert all(fact["one"] == 1 for fact in sent(batch([MET], NOW).text)[1:-1])


# ----------------------------------------------------------------------------------------- 4: the few constructs that are exact
def test_4_only_exact_constructs_are_used():
    def operators(node: Any) -> set[str]:
        if isinstance(node, dict):
            return {key for key in node if "$" in key}.union(*(operators(value) for value in node.values()))
        return set().union(*(operators(each) for each in node)) if isinstance(node, list) else set()

    assert operators(list(RULES.values())) == {"$and", "$lt", "$lte", "$gt", "$gte", "$m", "x$not"}
    for _, _, body in patterns():
        for condition in body.get("$and", []):
            assert "$and" not in json.dumps(condition)


# ------------------------------------------------------------------------------------------ 5: facts of one shape, and anonymous
TIMES = st.integers(-NEVER, NEVER)
SPANS = st.tuples(TIMES, TIMES).map(sorted).map(tuple)


@given(
    limit=st.sampled_from(["due", "gate", ""]),
    span=SPANS,
    state=st.sampled_from(State),
    others=st.lists(st.none() | TIMES, min_size=4, max_size=4),
    flags=st.tuples(st.booleans(), st.booleans()),
    spans=st.lists(st.tuples(SPANS, st.sampled_from(Fit)), max_size=4),
)
def test_5_facts_have_one_shape(limit, span, state, others, flags, spans):
    duty = Duty(state, span if limit == "due" else None, span if limit == "gate" else None, *others, *flags)
    candidates = [Candidate(first, last, fit, ("visit-of-Mary-Miller",), "performer.role") for (first, last), fit in spans]
    found = sent(batch([(duty, candidates), BREACH], NOW).text)
    shapes = {"begin": {"id", "sid", "t"}, "end": {"id", "sid", "t"}, "ev": {"id", "sid", "t", "k", "sure", "lo", "hi", "one"}}
    shapes["ob"] = {
        "id",
        "sid",
        "t",
        "k",
        "state",
        "waived",
        "now",
        "lo",
        "hi",
        "over",
        "day",
        "soon",
        "end",
        "have",
        "need",
        "mend",
        "one",
    }
    ids = [fact["id"] for fact in found]
    assert len(set(ids)) == len(ids)
    for fact in found:
        assert set(fact) == shapes[fact["t"]]
        assert fact["id"] in {"begin", "end"} or fact["id"].isdecimal()
        for key, value in fact.items():
            assert type(value) is (str if key in {"id", "sid", "t", "state"} else int)
            assert isinstance(value, int) or re.fullmatch("[a-z0-9]{1,8}", value)
        assert fact.get("lo", 0) <= fact.get("hi", 0)


# ------------------------------------------------------------------------- 6: one session, always deleted, and never an empty one
def test_6_each_session_has_the_same_id_and_is_deleted(spy):
    made = watched(spy)
    made.decide([MET] * (2 * CHUNK + 1), NOW)
    assert len(spy.of("assert_facts")) == 3
    assert [sid for _, sid in spy.of("delete_state")] == [facts.SESSION] * 3
    assert {fact["sid"] for _, text in spy.of("assert_facts") for fact in sent(text)} == {facts.SESSION}
    assert [name for name, *_ in spy.calls if name in {"assert_facts", "delete_state"}] == ["assert_facts", "delete_state"] * 3


def test_6_a_session_that_failed_is_deleted_too(spy):
    made = watched(spy)
    spy.before["assert_facts"] = resend(lambda all_: [*all_, all_[-1]])
    with pytest.raises(EngineError):
        made.decide([MET], NOW)
    assert [name for name, *_ in spy.calls] == ["assert_facts", "delete_state", "delete_ruleset"]


def test_6_an_empty_batch_is_never_sent(spy):
    made = watched(spy)
    assert made.decide([], NOW) == []
    assert spy.calls == []
    with pytest.raises(EngineError, match="empty"):
        batch([], NOW)


# ------------------------------------------- 7: primed; one sentinel; one line each; code 0 only; made anew after any exception
def test_7_a_new_engine_is_primed_with_a_large_session_that_fires(spy):
    made = Ruleset(module=cast(Engine, spy))
    names = [name for name, *_ in spy.calls]
    assert names[:3] == ["create_ruleset", "assert_facts", "start_action_for_state"]
    assert names.count("complete_and_start_action") == PRIME + 1 >= 257
    assert names[-1] == "delete_state"
    assert len(sent(spy.of("assert_facts")[0][1])) == PRIME + 2
    assert made.mine


@pytest.mark.parametrize("cut", [-1, -2, -3])
def test_7_a_batch_cut_short_is_noticed(spy, cut):
    """Without its last fact every obligation has its line all the same: only the sentinel tells."""
    made = watched(spy)
    spy.before["assert_facts"] = resend(lambda all_: all_[:cut])
    with pytest.raises(EngineError, match="cut short"):
        made.decide([MET, BREACH], NOW)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("value", ["nan", "tru", "-", "{", "["])
def test_7_a_fact_that_the_module_cannot_read_is_noticed(spy, value, count):
    """The module takes what comes before it, drops the rest, and returns 0."""
    made = watched(spy)
    spy.before["assert_facts"] = lambda handle, text: (handle, text[::-1].replace('"waived":0'[::-1], f'"waived":{value}'[::-1], 1)[::-1])
    with pytest.raises(EngineError):
        made.decide([MET, BREACH, MET][:count], NOW)
    assert len(spy.of("delete_ruleset")) == 1


def test_7_an_id_twice_is_noticed(spy):
    made = watched(spy)
    spy.before["assert_facts"] = resend(lambda all_: [*all_[:-2], {**all_[-2], "id": all_[-3]["id"]}, all_[-1]])
    with pytest.raises(EngineError, match="code 2"):
        made.decide([MET, BREACH], NOW)


def test_7_a_fact_that_no_rule_reads_is_noticed(spy):
    made = watched(spy)
    spy.before["assert_facts"] = resend(lambda all_: [*all_, {"id": "99", "sid": facts.SESSION, "t": "stray"}])
    with pytest.raises(EngineError, match="code 1"):
        made.decide([MET], NOW)


@pytest.mark.parametrize("line", [Line.MET, Line.BREACHED])
def test_7_an_obligation_without_a_line_is_noticed(line):
    made = Ruleset(
        rules={name: parts for name, parts in RULES.items() if name not in {line, Line.PENDING}} | {"pending": RULES[Line.PENDING]}
    )
    with pytest.raises(EngineError, match="without a line"):
        made.decide([MET, BREACH], NOW)


def test_7_two_lines_for_one_obligation_are_noticed():
    made = Ruleset(rules=RULES | {Line.LATE: RULES[Line.MET]})
    with pytest.raises(EngineError, match="two lines"):
        made.decide([MET], NOW)


def test_7_evidence_of_another_obligation_is_noticed():
    """As it would be if the engine joined wrongly: each obligation has one line, but one of them rests on its neighbour's evidence."""
    loose = [RULES[Line.MET][0], {"e": {"$and": [{"t": "ev"}, {"one": {"o": "one"}}]}}]
    rules = RULES | {Line.MET: loose, Line.BREACHED: RULES[Line.OFF]}
    with pytest.raises(EngineError, match="another obligation"):
        Ruleset(rules=rules).decide([MET, BREACH], NOW)


@pytest.mark.parametrize("where", ["assert_facts", "start_action_for_state", "complete_and_start_action", "delete_state"])
@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_7_after_any_exception_the_engine_is_made_anew(spy, where, fault):
    made = watched(spy)

    def fail(*_: Any) -> Any:
        spy.before.clear()
        raise fault

    spy.before[where] = fail
    with pytest.raises(KeyboardInterrupt if fault is KeyboardInterrupt else EngineError):
        made.decide([MET, BREACH], NOW)
    used = spy.of("assert_facts")[0][0]
    assert spy.of("delete_ruleset") == [(used,)]
    spy.calls.clear()
    assert made.decide([MET, BREACH], NOW) == [Decision(Line.MET, 0), Decision(Line.BREACHED)]
    assert len(spy.of("create_ruleset")) == 1


def test_7_an_error_of_the_module_is_an_engine_error(spy):
    made = watched(spy)

    def fail(*_: Any) -> Any:
        raise spy.error

    spy.before["assert_facts"] = fail
    with pytest.raises(EngineError, match="the engine failed"):
        made.decide([MET], NOW)


def test_7_an_engine_that_cannot_be_made_is_an_engine_error(spy):
    def fail(*_: Any) -> Any:
        raise MemoryError

    spy.before["create_ruleset"] = fail
    with pytest.raises(EngineError, match="MemoryError"):
        Ruleset(module=spy)


UNREADABLE: dict[str, Any] = {
    "a float": (Duty(due=(100, 110.0)), ()),  # type: ignore[arg-type]
    "a boolean": (Duty(gate=(True, True)), ()),
    "a text": (Duty(soon="100"), ()),  # type: ignore[arg-type]
    "a missing end": (Duty(due=(100, None)), ()),  # type: ignore[arg-type]
    "a day that ends before it begins": (Duty(due=(110, 100)), ()),
    "a gate that ends before it begins": (Duty(gate=(110, 100)), ()),
    "later than never": (Duty(ended=NEVER + 1), ()),
    "a due day and a gate": (Duty(due=(100, 110), gate=(100, 110)), ()),
    "evidence at a float": (Duty(), (Candidate(100.5, 101),)),  # type: ignore[arg-type]
    "evidence that ends before it begins": (Duty(), (Candidate(101, 100),)),
    "evidence before never": (Duty(), (Candidate(-NEVER - 1, 100),)),
    "evidence that does not count, at a float": (Duty(), (Candidate(1.0, 1, Fit.NO),)),  # type: ignore[arg-type]
    "a heartbeat that is no number": (Duty(complete_until=float("nan")), ()),  # type: ignore[arg-type]
    "a need that is no number": (Duty(complete_needed=float("inf")), ()),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("item", UNREADABLE.values(), ids=UNREADABLE)
def test_7_what_is_no_whole_number_is_refused_before_the_module_sees_it(spy, item):
    made = watched(spy)
    with pytest.raises(EngineError):
        made.decide([MET, item], NOW)
    assert spy.calls == []
    assert made.decide([MET], NOW) == [Decision(Line.MET, 0)]


@pytest.mark.parametrize("now", [1.0, True, None, "0", NEVER, -NEVER])
def test_7_a_now_that_is_no_whole_number_is_refused(spy, now):
    made = watched(spy)
    with pytest.raises(EngineError):
        made.decide([MET], now)
    assert spy.calls == []


# -------------------------------------------------------------------------------------------------------- 8: small, and flat memory
def test_8_the_ruleset_is_small():
    assert len(RULES) == 15 <= 40
    assert max(len(parts) for parts in RULES.values()) <= 16


@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])
def test_8_sessions_hold_at_most_64_obligations(spy, count):
    made = watched(spy)
    items = [MET if k % 3 else BREACH for k in range(count)]
    assert made.decide(items, NOW) == table.decide(items, NOW)
    sizes = [sum(fact["t"] == "ob" for fact in sent(text)) for _, text in spy.of("assert_facts")]
    assert CHUNK == 64
    assert max(sizes) <= CHUNK
    assert sum(sizes) == count


def test_8_fields_that_are_compared_within_a_fact_are_always_there():
    compared = set()
    for _, _, body in patterns():
        for condition in body.get("$and", []):
            for operand in condition.values():
                if isinstance(operand, dict):
                    compared |= {
                        name
                        for field, other in operand.items()
                        if isinstance(other, dict) and "$m" in other
                        for name in (field, other["$m"])
                    }
    assert compared == {"end", "day", "over", "now", "soon", "have", "need"}
    for item in (BREACH, MET, (Duty(), ()), (Duty(gate=(1, 2)), ())):
        (fact,) = [fact for fact in sent(batch([item], NOW).text) if fact["t"] == "ob"]
        assert compared <= set(fact)


def resident() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_8_memory_stays_flat():
    made, items = Ruleset(), [MET, BREACH] * 20
    for _ in range(200):
        made.decide(items, NOW)
    gc.collect()
    before = resident()
    for _ in range(1500):
        made.decide(items, NOW)
    gc.collect()
    assert resident() - before < 1_000_000


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_8_memory_stays_flat_through_failures_and_closing():
    before = 0
    for turn in range(120):
        made = Ruleset()
        with pytest.raises(EngineError):
            made._session(Batch(batch([MET, MET], NOW).text.replace('"id":"3"', '"id":"0"'), [], []), 2)
        assert made.decide([MET], NOW) == [Decision(Line.MET, 0)]
        del made
        if turn == 40:
            gc.collect()
            before = resident()
    gc.collect()
    assert resident() - before < 4_000_000


# --------------------------------------------------- 9: one for each thread and process (processes: test_decide_process.py)
def test_9_nothing_is_made_before_it_is_needed():
    script = "import sys, rules.decide; print('durable_rules_engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.strip() == "False"


def test_9_closing_gives_the_engine_back_and_a_later_call_makes_a_new_one(spy):
    made = watched(spy)
    made.close()
    made.close()
    assert [name for name, *_ in spy.calls] == ["delete_state", "delete_ruleset"]
    assert made.decide([MET], NOW) == [Decision(Line.MET, 0)]


def test_9_an_engine_that_is_dropped_is_given_back(spy):
    made = watched(spy)
    del made
    gc.collect()
    assert len(spy.of("delete_ruleset")) == 1


def test_9_a_call_within_a_call_gets_an_engine_of_its_own(spy):
    """A signal handler that judges while a session is under way does not find that session's engine."""
    made = watched(spy)

    def judge_within(handle: int, state: int) -> tuple[int, int]:
        spy.before.clear()
        assert made.decide([BREACH], NOW) == [Decision(Line.BREACHED)]
        return handle, state

    spy.before["start_action_for_state"] = judge_within
    assert made.decide([MET], NOW) == [Decision(Line.MET, 0)]
    assert len({handle for handle, _ in spy.of("assert_facts")}) == 2


def test_9_without_the_module_there_is_no_ruleset(monkeypatch):
    monkeypatch.setattr(ruleset, "engine", lambda: None)
    with pytest.raises(EngineError, match="not available"):
        Ruleset()
