"""Counting what a backtest finds, case by case and chunk by chunk.  Pure; imports rules/ only.

Tallies of any division of the cases into chunks add up to the same, so that a report does not depend on who did which part.
Everything is counted by rule, team and office, so that it can be cut to what a reader may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.comparison import Pair
from rules.model import Verdict

SAMPLES = 5
"""So many cases are kept to open of each change in each rule, team and office: the first in order of their ids."""
FAILURES = 200
"""So many cases that could not be judged are named; all of them are counted."""

Place = tuple[str | None, str | None]
"""Team and office."""
_SIDE = ("verdict", "reason", "status", "severity", "activated_on", "due_on", "satisfied_on", "days_late")


@dataclass(slots=True)
class Tally:
    """What was found so far."""

    cases: dict[Place, list[int]] = field(default_factory=dict)
    """By place: cases judged, and how many of them have no difference."""
    rows: dict[tuple[str, str | None, str | None, str], list[int]] = field(default_factory=dict)
    """By rule, team, office and change: obligations, and the cases that they are in."""
    transitions: dict[tuple[str, str | None, str | None, str, str], int] = field(default_factory=dict)
    """By rule, team, office, verdict before and verdict after: obligations."""
    samples: dict[tuple[str, str | None, str | None, str], list[dict[str, Any]]] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Cases that could not be judged, and why."""
    failed: int = 0

    def add(self, case: str, place: Place, pairs: Sequence[Pair], tell: Callable[[Verdict], str]) -> None:
        """One case.  Cases come in order of their ids; ``tell`` gives a verdict's sentence, and is asked for samples alone."""
        changed: dict[tuple[str, str | None, str | None, str], int] = defaultdict(int)
        for pair in pairs:
            verdict = pair.either
            spot = (verdict.rule, verdict.team, verdict.office)
            step = (*spot, *pair.transition)
            self.transitions[step] = self.transitions.get(step, 0) + 1
            if pair.change is not None:
                key = (*spot, pair.change.value)
                changed[key] += 1
                kept = self.samples.setdefault(key, [])
                if len(kept) < SAMPLES:
                    kept.append(_sample(case, pair, tell))
        for key, count in changed.items():
            row = self.rows.setdefault(key, [0, 0])
            row[0] += count
            row[1] += 1
        counts = self.cases.setdefault(place, [0, 0])
        counts[0] += 1
        counts[1] += not changed

    def fail(self, case: str, why: str) -> None:
        """A case that could not be judged.  ``why`` holds nothing of its content."""
        self.failed += 1
        if len(self.failures) < FAILURES:
            self.failures.append((case, why))

    def merge(self, found: Mapping[str, Any]) -> None:
        """Adds what ``as_dict`` gave of cases that come after all of these."""
        for team, office, judged, unchanged in found["cases"]:
            counts = self.cases.setdefault((team, office), [0, 0])
            counts[0] += judged
            counts[1] += unchanged
        for rule, team, office, change, obligations, cases in found["rows"]:
            row = self.rows.setdefault((rule, team, office, change), [0, 0])
            row[0] += obligations
            row[1] += cases
        for rule, team, office, before, after, count in found["transitions"]:
            step = (rule, team, office, before, after)
            self.transitions[step] = self.transitions.get(step, 0) + count
        for sample in found["samples"]:
            kept = self.samples.setdefault((sample["rule"], sample["team"], sample["office"], sample["change"]), [])
            if len(kept) < SAMPLES:
                kept.append(sample)
        self.failures += [(case, why) for case, why in found["failures"]][: FAILURES - len(self.failures)]
        self.failed += found["failed"]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values, in one order whatever the order in which it was counted."""
        return {
            "cases": [[*place, *counts] for place, counts in sorted(self.cases.items(), key=lambda item: _key(item[0]))],
            "rows": [[*key, *row] for key, row in sorted(self.rows.items(), key=lambda item: _key(item[0]))],
            "transitions": [[*step, count] for step, count in sorted(self.transitions.items(), key=lambda item: _key(item[0]))],
            "samples": [one for _, kept in sorted(self.samples.items(), key=lambda item: _key(item[0])) for one in kept],
            "failures": [list(failure) for failure in self.failures],
            "failed": self.failed,
        }


def _key(parts: Sequence[str | None]) -> list[tuple[bool, str]]:
    return [(part is not None, part or "") for part in parts]


def _sample(case: str, pair: Pair, tell: Callable[[Verdict], str]) -> dict[str, Any]:
    verdict = pair.either
    assert pair.change is not None
    return {
        "rule": verdict.rule,
        "change": pair.change.value,
        "team": verdict.team,
        "office": verdict.office,
        "case": case,
        "episode": verdict.episode,
        "obligation": verdict.obligation,
        "differs": list(pair.differs),
        "before": _side(pair.before, tell),
        "after": _side(pair.after, tell),
    }


def _side(verdict: Verdict | None, tell: Callable[[Verdict], str]) -> dict[str, Any] | None:
    if verdict is None:
        return None
    facts = verdict.as_dict()
    return {**{name: facts[name] for name in _SIDE}, "sentence": tell(verdict)}
