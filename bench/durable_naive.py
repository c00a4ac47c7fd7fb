"""durable-rules used as it comes: the events of a case as facts, one session a case, and rules that join them.  A peer for `bench.judge`.

Six of the ten rules can be put so.  C08 counts visits, and C12, C14 and C17 count weeks from a day that has to be found first: the
engine has neither counts of joined facts nor arithmetic over them, so a program around it would have to judge first.  Even the six
need what is nested (goals, participants) made into flags before, and a fact that no rule reads is an error.  Only the C part is
used, through the one module that may touch it.
"""

from __future__ import annotations

import json
from typing import Any

from bench.by_hand import day_of
from rules.decide.ruleset import engine
from rules.model import Event

RULES = ("C01", "C02", "C09", "C10", "C23", "C25")
SESSION = "s"


def _one(alias: str, kind: str, **flags: int) -> dict[str, Any]:
    return {alias: {"$and": [{"t": kind}, *({name: value} for name, value in flags.items())]}}


def _joined(alias: str, kind: str, to: str, *conditions: tuple[str, str], **flags: int) -> dict[str, Any]:
    """A fact joined to another; the last join is always true, since the engine misreads a false one."""
    joins = [{operator: {field: {to: field}}} for operator, field in conditions]
    return {alias: {"$and": [{"t": kind}, *({name: value} for name, value in flags.items()), *joins, {"one": {to: "one"}}]}}


_CONNECTED, _PLAN, _FIRST = _one("o", "connected"), _one("o", "plan"), _joined("x$not", "plan", "o", ("$lt", "at"))
_IN, _AFTER = ("$lte", "day"), ("$gt", "day")


def _closing(rule: str, kind: str, *given: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    over, running = _one("o", "closed", over=1), _one("o", "closed", over=0)
    return {
        f"{rule} met": [_one("o", "closed"), *given, _joined("e", kind, "o", _IN)],
        f"{rule} late": [over, *given, _joined("e", kind, "o", _AFTER), _joined("x$not", kind, "o", _IN)],
        f"{rule} breached": [over, *given, _joined("x$not", kind, "o")],
        f"{rule} due_soon": [running, *given, _joined("x$not", kind, "o", _IN)],
    }


RULESET = {
    "C01 met": [_CONNECTED, _joined("e", "referral", "o", ("$lte", "at"), whole=1)],
    "C01 breached": [_CONNECTED, _joined("x$not", "referral", "o", ("$lte", "at"), whole=1)],
    "C02 met": [_CONNECTED, _joined("e", "referral", "o", ("$lte", "at"), pathways=1)],
    "C02 breached": [_CONNECTED, _joined("x$not", "referral", "o", ("$lte", "at"), pathways=1)],
    "C09 met": [_one("o", "plan", family=1), _FIRST],
    "C09 breached": [_one("o", "plan", family=0), _FIRST],
    "C10 met": [_one("o", "plan", stated=1), _FIRST],
    "C10 breached": [_one("o", "plan", stated=0), _FIRST],
    **_closing("C23", "summary"),
    **_closing("C25", "follow_up", _joined("b", "baseline", "o")),
    "whole": [{"first": {"t": "begin"}}, {"last": {"t": "end"}}],
}


def facts(events: tuple[Event, ...], as_of: int) -> str:
    """What the rules read of a case, what they ask last."""
    evidence: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    today = day_of(as_of)
    for e in sorted(events, key=lambda e: e.time):
        kind, data = e.type, e.data
        if e.time > as_of:
            continue
        if kind == "referral.received":
            whole = "source" in data and "reason" in data and bool(data["children"])
            evidence.append({"t": "referral", "at": e.time, "whole": int(whole), "pathways": int(data["received_by"] == "pathways")})
        elif kind == "service.connected":
            asked.append({"t": "connected", "at": e.time})
        elif kind in ("safety_plan.recorded", "safety_plan.updated") and data["status"] in ("completed", "final"):
            roles = {p["role"] for p in data["participants"]}
            family = "parent" in roles and ("child" in roles or "reason" in data)
            stated = data["immediate_risks"] >= 1 and data["goals"] and all(g["measure"] and "target" in g for g in data["goals"])
            asked.append({"t": "plan", "at": e.time, "family": int(family), "stated": int(bool(stated))})
        elif kind == "snapshot.completed":
            evidence.append({"t": data["kind"], "day": day_of(e.time)})
        elif kind == "closure_summary.completed":
            evidence.append({"t": "summary", "day": day_of(e.time)})
        elif kind == "case.closed":
            day = day_of(e.time)
            asked.append({"t": "closed", "day": day, "over": int(day < today)})
    listed = [{"t": "begin"}, *evidence, *asked, {"t": "end"}]
    return json.dumps([{"id": str(number), "sid": SESSION, "one": 1, **fact} for number, fact in enumerate(listed)])


class Naive:
    """The engine with these rules, for one thread."""

    def __init__(self) -> None:
        found = engine()
        if found is None:
            raise RuntimeError("durable-rules is not available for this Python")
        self._engine = found
        self._handle = found.create_ruleset("naive", json.dumps({name: {"all": parts} for name, parts in RULESET.items()}))

    def judge(self, events: tuple[Event, ...], as_of: int) -> dict[str, str]:
        """Rule -> verdict of one case at an instant (ms); "not_applicable" where no rule said anything."""
        found = dict.fromkeys(RULES, "not_applicable")
        code, state = self._engine.assert_facts(self._handle, facts(events, as_of))
        if code != 0:
            raise RuntimeError(f"the engine took the facts with code {code}")
        started = self._engine.start_action_for_state(self._handle, state)
        fired = started[1] if started else None
        while fired:
            for name in json.loads(fired):
                rule, _, verdict = name.partition(" ")
                if verdict:
                    found[rule] = verdict
            fired = self._engine.complete_and_start_action(self._handle, state)
        self._engine.delete_state(self._handle, SESSION)
        return found
