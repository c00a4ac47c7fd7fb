"""Where a mutant lives and dies: the tests that reach it, run in a forked child or, for what runs at import, in a fresh process.

Imports nothing of the product: the tests do.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import math
import mmap
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest

from bench.mutations import ROOT, Mutant, mutants_of, path_of

TESTS = ("tests/policies", "tests/unit", "tests/property")
LEFT_OUT = (
    "test_demo",
    "test_reconcile",
    "test_comparison",
    "test_yamlsource",
    "test_layout",
    "test_logs_and_metrics",
    "test_settings",
    "memory_stays_flat",
    "the_trial_meets_every_rule",
    "every_small_situation",
)
WITHOUT = f"not ({' or '.join(LEFT_OUT)})"
"""Tests that say nothing of the core, or take long."""
EXAMPLES = 25
"""Of each test by properties."""
CALLS_WATCHED = 300
"""How often a function is looked at in one test."""
FRESH_SECONDS = 900.0
SOUND, KILLED, TOO_LONG, UNTRIED = range(4)
ENDS = {SOUND: "survived", KILLED: "killed", TOO_LONG: "too long"}
Note = Callable[[Mutant, str, str], None]


def put_in_place(code: CodeType) -> bool:
    """Gives every living function of a module its new code; False where one cannot take it."""
    fresh: dict[tuple[str, int], CodeType] = {}
    waiting = [code]
    while waiting:
        one = waiting.pop()
        fresh[one.co_qualname, one.co_firstlineno] = one
        waiting += [inner for inner in one.co_consts if isinstance(inner, CodeType)]
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename == code.co_filename:
            new = fresh.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
            if new is None or new.co_freevars != function.__code__.co_freevars:
                return False
            function.__code__ = new
    return True


class Loop:
    """The pytest plugin that, instead of running the tests, tries the mutants on them."""

    def __init__(self, mutants: Sequence[Mutant], note: Note, *, budget: float = math.inf, afresh: bool = True) -> None:
        self.mutants, self.note, self.budget, self.afresh = mutants, note, budget, afresh
        self.seconds: dict[str, float] = {}
        self.by_line: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.kills: Counter[tuple[str, str]] = Counter()
        self.failed = False
        self.word = mmap.mmap(-1, 4096)

    # -- hooks of pytest
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        from hypothesis import HealthCheck, Phase, settings  # pytest wants to be there before it

        for item in items:
            function: Any = getattr(item, "function", None)
            if hasattr(function, "hypothesis"):
                given = function._hypothesis_internal_use_settings  # noqa: SLF001 - there is no other way to change them afterwards
                function._hypothesis_internal_use_settings = settings(  # noqa: SLF001
                    given,
                    max_examples=min(given.max_examples, EXAMPLES),
                    phases=[Phase.explicit, Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._look(session.items)
        sound = {item.nodeid: item for item in session.items if item.nodeid in self.seconds}
        print(f"{len(self.mutants)} mutants, {len(sound)} tests of {sum(self.seconds.values()):.0f} s", flush=True)
        for mutant in self.mutants:
            names = {name for line in mutant.lines for name in self.by_line.get((str(path_of(mutant.module)), line), ())}
            if not mutant.function or not names:
                self.note(mutant, ENDS[fresh(mutant) if self.afresh else SOUND], "no test reaches it")
                continue
            order = self._order(mutant, names)
            end = self._child(partial(self._try, mutant, [sound[name] for name in order]))
            by = self.word[: self.word.find(b"\0")].decode()
            if end == UNTRIED:
                end = fresh(mutant)
            elif end == KILLED:
                self.kills[mutant.function, by] += 1
                self.kills["", by] += 1
            self.note(mutant, ENDS[end], by)
        return True

    def _order(self, mutant: Mutant, names: set[str]) -> list[str]:
        """What has killed mutants of the function first, then tests named for the module, then the quickest; as the budget allows."""
        kills, seconds = self.kills, self.seconds
        words = mutant.module.split(".")[1:]

        def rank(name: str) -> tuple[int, bool, int, float]:
            file = name.partition("::")[0]
            return -kills[mutant.function, name], not any(word in file for word in words), -kills["", name], seconds[name]

        order = sorted(names, key=rank)
        return [name for name, spent in zip(order, accumulate(seconds[name] for name in order), strict=True) if spent < self.budget]

    # -- children
    def _try(self, mutant: Mutant, items: Sequence[pytest.Item]) -> int:
        return self._run(items) if put_in_place(mutant.code()) else UNTRIED

    def _child(self, work: Callable[[], int]) -> int:
        """What ``work()`` gives in a forked child that says nothing."""
        self.word[:] = bytes(len(self.word))
        child = os.fork()
        if child == 0:
            code = KILLED
            try:
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 1)
                os.dup2(null, 2)
                resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
                signal.signal(signal.SIGPROF, lambda *_: os._exit(TOO_LONG))
                code = work()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code if code in (*ENDS, UNTRIED) else KILLED

    def _run(self, items: Sequence[pytest.Item]) -> int:
        """Runs tests until one fails, each within its own time on the processor."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            name = item.nodeid.encode()[:4000]
            self.word[: len(name) + 1] = name + b"\0"
            signal.setitimer(signal.ITIMER_PROF, 4 + 5 * self.seconds[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return KILLED
        return SOUND

    def _look(self, items: Sequence[pytest.Item]) -> None:
        """Finds out how long each test takes and which lines it reaches; what fails without a mutant is left out."""
        files = {str(path_of(module)) for module in {mutant.module for mutant in self.mutants}}
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "seen"
            self._child(lambda: _watched(self, items, files, kept))
            seen, lines = pickle.loads(kept.read_bytes())
            self._child(lambda: _watched(self, [item for item in items if item.nodeid in seen], set(), kept))
            self.seconds, _ = pickle.loads(kept.read_bytes())
        for name in self.seconds:
            for line in lines[name]:
                self.by_line[line].add(name)


def _watched(loop: Loop, items: Sequence[pytest.Item], files: set[str], kept: Path) -> int:
    """The time of each test that passes, and the lines that it reaches, into a file."""
    seconds: dict[str, float] = {}
    lines: dict[str, set[tuple[str, int]]] = {}
    for item, following in zip(items, [*items[1:], None], strict=True):
        seen: set[tuple[str, int]] = set()
        began, loop.failed = time.process_time(), False
        if files:
            sys.settrace(_tracer(files, seen))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        sys.settrace(None)
        if not loop.failed:
            seconds[item.nodeid], lines[item.nodeid] = time.process_time() - began, seen
    kept.write_bytes(pickle.dumps((seconds, lines)))
    return SOUND


def _tracer(files: set[str], seen: set[tuple[str, int]]) -> Callable[[FrameType, str, Any], Any]:
    """Puts the lines of some files that are reached into ``seen``; it stops looking at a function that is called again and again."""
    calls: Counter[CodeType] = Counter()

    def on_line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return on_line

    def on_call(frame: FrameType, _event: str, _: object) -> Any:
        code = frame.f_code
        if code.co_filename not in files or calls[code] > CALLS_WATCHED:
            return None
        calls[code] += 1
        return on_line

    return on_call


# ------------------------------------------------------------------------------------------------------ fresh processes
def fresh(mutant: Mutant) -> int:
    """Tries a mutant in a process in which the module has never been loaded sound."""
    command = [sys.executable, "-m", "bench.mutants", "--fresh", mutant.module, str(mutant.number)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=FRESH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return TOO_LONG
    return SOUND if done.returncode == 0 else KILLED


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module other code."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:  # noqa: ARG002
        return importlib.util.spec_from_file_location(name, path_of(name), loader=self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def run_fresh(module: str, number: int) -> int:
    """The exit code of the tests on the ``number``-th mutant of a module."""
    mutant = mutants_of(module)[number]
    sys.meta_path.insert(0, _Instead(module, mutant.code()))
    loop = Loop([], lambda *_: None)
    Loop.pytest_runtestloop = lambda *_: None  # type: ignore[assignment, method-assign]
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", WITHOUT, *TESTS], plugins=[loop]))
