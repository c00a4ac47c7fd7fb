"""The ruleset belongs to one thread of one process: what threads, forks and killed processes do to it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rules.decide import both, decide
from rules.decide.ruleset import Ruleset, engine
from rules.errors import EngineError
from rules.model import Candidate, Decision, Duty, Line

pytestmark = pytest.mark.skipif(engine() is None, reason="durable-rules is not available for this Python")

ROOT = Path(__file__).parents[2]
ITEMS = [(Duty(due=(100, 110)), ()), (Duty(due=(100, 110)), (Candidate(105, 105),))]
RIGHT = [Decision(Line.BREACHED), Decision(Line.MET, 0)]

PRELUDE = """
import os, signal, sys, time
from rules.decide import both, decide
from rules.decide.ruleset import Ruleset
from rules.errors import EngineError
from rules.model import Candidate, Decision, Duty, Line
items = [(Duty(due=(100, 110)), ()), (Duty(due=(100, 110)), (Candidate(105, 105),))]
right = [Decision(Line.BREACHED), Decision(Line.MET, 0)]
def strict(found):
    raise SystemExit(f"disagreement: {found}")
def judge():
    return decide(items, 200, deciders="both", on_disagreement=strict)
def child(work):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = 0 if work() else 2
    finally:
        os._exit(status)
def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def run(script: str) -> str:
    """The script's output, in a process of its own: forking the process that runs the tests would take everything along."""
    done = subprocess.run([sys.executable, "-c", PRELUDE + script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_thread(work):
    out = []
    thread = threading.Thread(target=lambda: out.append(work()))
    thread.start()
    thread.join()
    return out[0]


def test_another_thread_is_refused():
    made = Ruleset()

    def attempt() -> str:
        with pytest.raises(EngineError, match="another process or thread"):
            made.decide(ITEMS, 200)
        return "refused"

    assert in_thread(attempt) == "refused"
    assert made.decide(ITEMS, 200) == RIGHT


def test_each_thread_has_its_own():
    def work():
        return decide(ITEMS, 200), both._ruleset(), both._ruleset()

    here = both._ruleset()
    said, first, second = in_thread(work)
    assert said == RIGHT
    assert first is second
    assert first is not here
    assert both._ruleset() is here


def test_many_threads_at_once():
    failures: list[object] = []

    def work() -> None:
        for _ in range(30):
            if decide(ITEMS * 20, 200, on_disagreement=failures.append) != RIGHT * 20:
                failures.append("wrong")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_forked_child_is_refused_its_parents_engine():
    out = run(
        """
made = Ruleset()
def work():
    try:
        made.decide(items, 200)
    except EngineError as fault:
        return "another process" in str(fault)
print(ended(child(work)), made.decide(items, 200) == right)
"""
    )
    assert out == "0 True"


def test_a_forked_child_judges_with_an_engine_of_its_own():
    out = run(
        """
assert judge() == right
mine = both._ruleset()
print(ended(child(lambda: judge() == right and both._ruleset() is not mine)), judge() == right, both._ruleset() is mine)
"""
    )
    assert out == "0 True True"


def test_a_child_that_ends_normally_leaves_the_engine_of_its_parent_alone():
    out = run(
        """
calls = []
class Watched:
    def __getattr__(self, name):
        import durable_rules_engine
        calls.append(name)
        return getattr(durable_rules_engine, name)
made = Ruleset(module=Watched())
def work():
    calls.clear()
    made.close()
    return not calls
print(ended(child(work)))
"""
    )
    assert out == "0"


def test_a_child_that_is_killed_while_it_judges_leaves_nothing_wrong():
    """Twenty children, each killed somewhere in the midst of judging; the parent, forked from while it had an engine, judges on."""
    out = run(
        """
assert judge() == right
codes = set()
for turn in range(20):
    ready, told = os.pipe()
    def forever():
        os.write(told, b".")
        while True:
            decide(items * 20, 200, deciders="both")
    pid = child(forever)
    assert os.read(ready, 1) == b"."
    time.sleep(0.004 + 0.0007 * turn)
    os.kill(pid, signal.SIGKILL)
    codes.add(ended(pid))
    os.close(ready), os.close(told)
    assert judge() == right
print(codes, ended(child(lambda: judge() == right)))
"""
    )
    assert out == "{-9} 0"
