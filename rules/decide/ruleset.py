"""The second decider: the same table as a small fixed ruleset of durable-rules, inside a fence.

The only module of the project that touches the engine, and only its C part: the Python layer above it (hosts, sessions, timers)
gives wrong answers and crashes.  docs/explanation/deciders.md tells the fence rule by rule; tests/unit/test_decide_fence.py holds
a test for each.  Imports rules.model, rules.errors and its own facts; never the other decider.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Protocol, cast

from rules.decide.facts import SESSION, Batch, batch
from rules.decide.items import Item, decision
from rules.errors import EngineError
from rules.model import Decision, Duty, Line

CHUNK = 64
"""Obligations in one session: bounds the memory; the cost of one is the same from 8 to 300."""
PRIME = 4 * CHUNK
"""Obligations in the first session of an engine, so that malloc keeps pages enough for every later one."""

Pattern = dict[str, Any]


class Engine(Protocol):
    """The part of the C module that the fence lets through."""

    error: type[Exception]

    def create_ruleset(self, name: str, rules: str, /) -> int: ...
    def delete_ruleset(self, handle: int, /) -> None: ...
    def assert_facts(self, handle: int, facts: str, /) -> tuple[int, int]: ...
    def start_action_for_state(self, handle: int, state: int, /) -> tuple[str, str] | None: ...
    def complete_and_start_action(self, handle: int, state: int, /) -> str | None: ...
    def delete_state(self, handle: int, sid: str, /) -> None: ...


@cache
def engine() -> Engine | None:
    """The C module, or None where it cannot be had: it is not installed, or Python is 3.13 or later, for which it was never made."""
    if sys.version_info >= (3, 13):
        return None
    try:
        return cast(Engine, importlib.import_module("durable_rules_engine"))
    except ImportError:
        return None


# ------------------------------------------------------------------------------------------------------------------- the rules
def _duty(*conditions: Pattern) -> Pattern:
    return {"o": {"$and": [{"t": "ob"}, *conditions]}}


def _evidence(*conditions: Pattern) -> Pattern:
    return {"e": {"$and": _of_duty(conditions)}}


def _no_evidence(*conditions: Pattern) -> Pattern:
    return {"x$not": {"$and": _of_duty(conditions)}}


def _of_duty(conditions: tuple[Pattern, ...]) -> list[Pattern]:
    """Joined to the obligation on its number, and closed by a join that is always true: a false one at the end reads past the program."""
    return [{"t": "ev"}, *conditions, {"k": {"o": "k"}}, {"one": {"o": "one"}}]


def _to_duty(operator: str, field: str, other: str) -> Pattern:
    return {operator: {field: {"o": other}}}


def _within(operator: str, field: str, other: str) -> Pattern:
    return {operator: {field: {"$m": other}}}


_LIVE = {"state": "live"}
_SURE, _UNSURE = {"sure": 1}, {"sure": 0}
_IN, _NOT_IN = _to_duty("$lte", "hi", "lo"), _to_duty("$gt", "hi", "lo")
_MAYBE_IN, _AFTER = _to_duty("$lte", "lo", "hi"), _to_duty("$gt", "lo", "hi")
_COUNTS = _to_duty("$lte", "lo", "mend")
_ENDED, _OPEN = _within("$lt", "end", "day"), _within("$gte", "end", "day")
_OVER, _RUNNING = _within("$lte", "over", "now"), _within("$gt", "over", "now")
_WARN, _CALM = _within("$lte", "soon", "now"), _within("$gt", "soon", "now")
_COMPLETE, _STALE = _within("$gte", "have", "need"), _within("$lt", "have", "need")
_JUDGED = (_LIVE, _OPEN, _OVER, _COMPLETE)

WHOLE = "whole"
"""The sentinel: it fires once if the engine has read its batch from the first fact to the last."""

RULES: dict[str, list[Pattern]] = {
    Line.OFF: [_duty({"state": "off"})],
    Line.UNSET: [_duty({"state": "unset"})],
    Line.HOLE: [_duty({"state": "hole"})],
    Line.MET: [_duty(_LIVE), _evidence(_SURE, _IN)],
    Line.UNCLEAR: [_duty(_LIVE), _evidence(_UNSURE, _MAYBE_IN), _no_evidence(_SURE, _IN)],
    Line.SAME_DAY: [_duty(_LIVE), _evidence(_SURE, _MAYBE_IN, _NOT_IN), _no_evidence(_UNSURE, _MAYBE_IN)],
    Line.ENDED: [_duty(_LIVE, _ENDED), _no_evidence(_MAYBE_IN)],
    Line.DUE_SOON: [_duty(_LIVE, _OPEN, _RUNNING, _WARN), _no_evidence(_MAYBE_IN)],
    Line.PENDING: [_duty(_LIVE, _OPEN, _RUNNING, _CALM), _no_evidence(_MAYBE_IN)],
    Line.STALE: [_duty(_LIVE, _OPEN, _OVER, _STALE), _no_evidence(_MAYBE_IN)],
    Line.LATE: [_duty(*_JUDGED), _evidence(_SURE, _AFTER, _COUNTS), _no_evidence(_UNSURE, _MAYBE_IN)],
    Line.UNCLEAR_LATE: [_duty(*_JUDGED), _evidence(_UNSURE, _AFTER, _COUNTS), _no_evidence(_SURE)],
    Line.EXCUSED: [_duty(*_JUDGED, {"waived": 1}), _no_evidence(_COUNTS)],
    Line.BREACHED: [_duty(*_JUDGED, {"waived": 0}), _no_evidence(_COUNTS)],
    WHOLE: [{"first": {"t": "begin"}}, {"last": {"t": "end"}}],
}
_RESTS_ON_SURE = {Line.MET: 1, Line.LATE: 1, Line.SAME_DAY: 0}  # which end of the interval names the candidate
_RESTS_ON_UNSURE = {Line.UNCLEAR: 0, Line.UNCLEAR_LATE: 0}
_LINES = {line.value: line for line in Line}


# ------------------------------------------------------------------------------------------------------------------- the fence
class Ruleset:
    """One engine, for the thread and the process that made it: the C module has no locks and does not survive a fork.

    ``rules`` and ``module`` are for tests, which break the one or watch the other.
    """

    def __init__(self, *, rules: dict[str, list[Pattern]] | None = None, module: Engine | None = None) -> None:
        found = module or engine()
        if found is None:
            raise EngineError("durable-rules is not available for this Python")
        self._engine = found
        self._rules = json.dumps({name: {"all": patterns} for name, patterns in (rules or RULES).items()})
        self._owner = os.getpid(), threading.get_ident()
        self._handle: int | None = self._open()

    @property
    def mine(self) -> bool:
        """Whether the calling thread of the calling process made it."""
        return self._owner == (os.getpid(), threading.get_ident())

    def decide(self, items: Sequence[Item], now: int) -> list[Decision]:
        """The line that holds for each obligation at ``now`` (ms).

        Raises EngineError where the engine did not say exactly one line for each, or was shown what it must not see: nothing that it
        said is then used, and the next call makes a new engine.
        """
        if not self.mine:
            raise EngineError("a ruleset made in another process or thread")
        decisions: list[Decision] = []
        for start in range(0, len(items), CHUNK):
            part = items[start : start + CHUNK]
            decisions += self._session(batch(part, now), len(part))
        return decisions

    def close(self) -> None:
        """Give the engine's memory back.  A later call makes a new engine.  Does nothing in another process than its maker's."""
        handle, self._handle = self._handle, None
        if handle is not None and self._owner[0] == os.getpid():
            self._free(handle)

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not _finalizing() and getattr(self, "_handle", None) is not None:
            self.close()

    def _session(self, facts: Batch, count: int) -> list[Decision]:
        # Taken out while in use, and put back only after a session without fault: what is half done can never be looked at again.
        handle, self._handle = self._handle, None
        if handle is None:
            handle = self._open()
        decisions = self._run(handle, facts, count)
        self._handle = handle
        return decisions

    def _run(self, handle: int, facts: Batch, count: int) -> list[Decision]:
        """One session, deleted at its end; after anything but success the whole engine goes."""
        try:
            decisions = self._read(handle, facts, count)
            self._engine.delete_state(handle, SESSION)
        except EngineError:
            self._free(handle)
            raise
        except Exception as fault:
            self._free(handle)
            raise EngineError(f"the engine failed: {type(fault).__name__}") from fault
        except BaseException:
            self._free(handle)
            raise
        return decisions

    def _read(self, handle: int, facts: Batch, count: int) -> list[Decision]:
        found: list[Decision | None] = [None] * count
        whole = 0
        for name, match in self._fire(handle, facts.text):
            if name == WHOLE:
                whole += 1
                continue
            line, k = _LINES[name], match["o"]["k"]
            if found[k] is not None:
                raise EngineError("two lines for one obligation")
            rests_on = -1
            if "e" in match:
                evidence = match["e"]
                if evidence["k"] != k:
                    raise EngineError("evidence of another obligation")
                rests_on = facts.sure[k][_RESTS_ON_SURE[line]] if evidence["sure"] else facts.unsure[k][_RESTS_ON_UNSURE[line]]
            found[k] = decision(line, rests_on)
        decisions = [each for each in found if each is not None]
        if whole != 1 or len(decisions) != count:
            raise EngineError("a batch cut short, or an obligation without a line")
        return decisions

    def _fire(self, handle: int, facts: str) -> Iterator[tuple[str, dict[str, Any]]]:
        code, state = self._engine.assert_facts(handle, facts)
        if code != 0:
            raise EngineError(f"the engine took the facts with code {code}: one that no rule reads, or an id twice")
        started = self._engine.start_action_for_state(handle, state)
        fired = started[1] if started else None
        while fired:
            yield from json.loads(fired).items()
            fired = self._engine.complete_and_start_action(handle, state)

    def _open(self) -> int:
        """A new engine, primed: its first session fires (else the module frees what it never made) and is large."""
        items = [(Duty(), ())] * PRIME
        try:
            handle = self._engine.create_ruleset("verdicts", self._rules)
        except Exception as fault:
            raise EngineError(f"no engine: {type(fault).__name__}") from fault
        self._run(handle, batch(items, 0), PRIME)
        return handle

    def _free(self, handle: int) -> None:
        with contextlib.suppress(self._engine.error):  # no session was begun
            self._engine.delete_state(handle, SESSION)
        self._engine.delete_ruleset(handle)
