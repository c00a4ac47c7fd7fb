"""Counting what an audit finds, case by case and chunk by chunk.  Pure; imports rules.obligation, and shapes of store.auditcount.

Tallies of any division of the cases into chunks add up to the same, so that a report does not depend on who did which part.  What is
drawn for the sample is drawn by a digest of the seed and the case, which no division changes either.  Findings may come one by one, or
from the database as groups that count alike.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from typing import Any, Protocol

from rules.obligation import BEFORE_POLICY, NOT_TRIGGERED, OUT_OF_SCOPE
from service.audits.report import EDGES, OUTCOMES
from store.auditcount import Cell, Counted

FAILURES = 200
"""So many cases that could not be judged are named; all of them are counted."""
ENDED = 10_000
"""So many obligations that ended before their due day are listed; all of them are counted."""
DIFFERENCES = 1_000
"""So many differences from what is stored are listed; all of them are counted."""
MOVES = ("opened", "reopened", "remedied", "withdrawn", "excused")
ENDED_BEFORE_DUE = "ended_before_due"
_NO_BINS = [0] * (len(EDGES) + 1)
_PLACE = {outcome: place for place, outcome in enumerate(OUTCOMES)}
TOLD = frozenset({"not_applicable", "unknown", "excused"})
"""Verdicts whose reasons are counted."""
NOT_ASKED = frozenset({OUT_OF_SCOPE, NOT_TRIGGERED, BEFORE_POLICY})
"""Reasons for which what does not apply stands in no sample."""

Key = tuple[str | None, ...]
Place = tuple[str | None, str | None]
"""Team and office."""


class Finding(Protocol):
    """What is counted of a verdict, judged anew or stored."""

    @property
    def case(self) -> str: ...
    @property
    def episode(self) -> str: ...
    @property
    def policy(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def obligation(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def severity(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def activated_on(self) -> str | None: ...
    @property
    def due_on(self) -> str | None: ...
    @property
    def satisfied_on(self) -> str | None: ...
    @property
    def days_late(self) -> int | None: ...
    @property
    def team(self) -> str | None: ...
    @property
    def office(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Movement:
    """How often something became of a breach, as the history of the breach calls it; ``waived``: by a waiver."""

    policy: str
    rule: str
    severity: str
    team: str | None
    office: str | None
    kind: str
    waived: bool
    times: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A case compared with what is stored.  ``left_out``: why it could not be; None: it was."""

    left_out: str | None
    differences: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class CaseFound:
    """What an audit found in one case.  ``place`` None: the case itself lies outside the scope."""

    case: str
    place: Place | None
    findings: Sequence[Finding]
    queries: Collection[str] = ()
    movements: Sequence[Movement] = ()
    checked: Checked | None = None
    print: str = ""


@dataclass(slots=True)
class Tally:
    """What was found so far.  ``today``: the day of the audit (ordinal) by policy."""

    seed: int = 0
    size: int = 0
    today: Mapping[str, int] = field(default_factory=dict)
    places: dict[Key, list[int]] = field(default_factory=dict)
    rows: dict[Key, list[int]] = field(default_factory=dict)
    reasons: dict[Key, list[int]] = field(default_factory=dict)
    timeliness: dict[Key, list[int]] = field(default_factory=dict)
    movements: dict[Key, list[int]] = field(default_factory=dict)
    strata: dict[Key, list[int]] = field(default_factory=dict)
    queries: dict[Key, list[int]] = field(default_factory=dict)
    differences: dict[Key, list[int]] = field(default_factory=dict)
    compared: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    """Cases compared, of these differing; left out as waiting, judged since, never judged."""
    drawn: dict[Key, list[list[str]]] = field(default_factory=dict)
    """By stratum: (digest, case, episode, policy, rule, obligation), the least digests first."""
    ended: list[list[str | None]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    failures: list[list[str]] = field(default_factory=list)
    failed: int = 0
    prints: dict[str, str] = field(default_factory=dict)
    """Not part of what is merged: kept with the chunk."""
    differing: list[str] = field(default_factory=list)
    """The same."""

    def add(self, found: CaseFound) -> None:
        """One case."""
        breached = False
        strata: dict[Key, list[Finding]] = {}
        ended: list[list[str | None]] = []
        for one in found.findings:
            cell = self._cell(one)
            self._count(cell)
            if cell.reason == ENDED_BEFORE_DUE:
                ended.append([*_place_of(one), one.due_on, one.team, one.office])
            if one.status == "enforced":
                breached |= one.verdict == "breached"
                if one.verdict != "not_applicable" or one.reason not in NOT_ASKED:
                    strata.setdefault((one.team, one.office, str(one.verdict)), []).append(one)
        for stratum, ones in strata.items():
            _plus(self.strata, stratum, (1,))
            self._draw(stratum, found.case, ones)
        if found.place is not None:
            _plus(self.places, found.place, (1, int(breached)))
            for code in found.queries:
                _plus(self.queries, (*found.place, code), (1,))
        if ended:
            self._list(ended)
        for moved in found.movements:
            self._move(moved)
        if found.checked is not None:
            self._check(found.case, found.checked)
        self.prints[found.case] = found.print

    def take(self, counted: Counted) -> None:
        """Cases that the database has counted."""
        for cell in counted.cells:
            self._count(cell)
        for *stratum, cases, drawn in counted.strata:
            key = tuple(stratum)
            _plus(self.strata, key, (cases,))
            if drawn:
                self.drawn[key] = nsmallest(self.size, [*self.drawn.get(key, ()), *drawn])
        for *place, cases, breached in counted.places:
            _plus(self.places, tuple(place), (cases, breached))
        for *code, times in counted.queries:
            _plus(self.queries, tuple(code), (times,))
        for policy, rule, severity, team, office, kind, waived, times in counted.movements:
            self._move(Movement(policy, rule, severity, team, office, kind, waived, times))
        self._list(counted.listed)
        self.prints.update(counted.prints)

    def fail(self, case: str, why: str) -> None:
        """A case that could not be judged.  ``why`` holds nothing of its content."""
        self.failed += 1
        if len(self.failures) < FAILURES:
            self.failures.append([case, why])

    def merge(self, found: Mapping[str, Any]) -> None:
        """Adds what ``as_dict`` gave of other cases; those that are compared with what is stored come after all of these."""
        for name in _COUNTED:
            counts: dict[Key, list[int]] = getattr(self, name)
            plus = _plus_times if name == "timeliness" else _plus
            for key, values in found[name]:
                plus(counts, tuple(key), values)
        for place, number in enumerate(found["compared"]):
            self.compared[place] += number
        for key, kept in found["drawn"]:
            self.drawn[tuple(key)] = nsmallest(self.size, [*self.drawn.get(tuple(key), ()), *kept])
        self._list(found["ended"])
        self.items += found["items"][: DIFFERENCES - len(self.items)]
        self.failures += found["failures"][: FAILURES - len(self.failures)]
        self.failed += found["failed"]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values, in one order whatever the order in which it was counted."""
        return {
            **{name: [[list(key), values] for key, values in in_order(getattr(self, name))] for name in _COUNTED},
            "compared": self.compared,
            "drawn": [[list(key), kept] for key, kept in in_order(self.drawn)],
            "ended": self.ended,
            "items": self.items,
            "failures": self.failures,
            "failed": self.failed,
        }

    def _cell(self, one: Finding) -> Cell:
        """What a finding counts as."""
        outcome, day = str(one.verdict), one.due_on or one.activated_on
        what = days = None
        if one.due_on is not None:
            if outcome in ("met", "late") and one.satisfied_on is not None:
                what, days = "done", _day(one.satisfied_on) - _day(one.due_on)
            elif outcome == "breached":
                what, days = "open", self.today[one.policy] - _day(one.due_on)
        return Cell(
            one.policy,
            one.rule,
            one.severity,
            one.status,
            one.team,
            one.office,
            None if day is None else day[:7],
            outcome,
            one.reason if outcome in TOLD else None,
            what,
            None if days is None else bisect_left(EDGES, days),
            1,
            days,
            days,
        )

    def _count(self, cell: Cell) -> None:
        policy, rule, severity, status, team, office, month, outcome, reason, what, edges, times, days, longest = cell
        row = self.rows.setdefault((policy, rule, severity, status, team, office, month), [0] * len(OUTCOMES))
        row[_PLACE[outcome]] += times
        if outcome in TOLD:
            _plus(self.reasons, (policy, rule, status, team, office, outcome, reason), (times,))
        if what is not None:
            assert edges is not None
            assert days is not None
            assert longest is not None
            key = (policy, rule, status, team, office, what)
            have = self.timeliness.get(key)
            if have is None:
                have = self.timeliness[key] = [0, 0, longest, *_NO_BINS]
            have[0] += times
            have[1] += days
            have[2] = max(have[2], longest)
            have[3 + edges] += times

    def _list(self, ended: Sequence[list[str | None]]) -> None:
        """Obligations that ended before they were due, of whichever cases: the first ones in order are kept."""
        if ended:
            self.ended = sorted([*self.ended, *ended])[:ENDED]

    def _move(self, moved: Movement) -> None:
        counts = [moved.times if moved.kind == kind else 0 for kind in MOVES]
        key = (moved.policy, moved.rule, moved.severity, moved.team, moved.office)
        _plus(self.movements, key, (*counts, moved.times if moved.waived else 0))

    def _draw(self, stratum: Key, case: str, ones: Sequence[Finding]) -> None:
        """Draw the case, for the first of its obligations in the stratum, if its digest is among the least."""
        if not self.size:
            return
        drawn = "\x00".join((str(self.seed), *(part or "" for part in stratum), case))
        digest = hashlib.sha256(drawn.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        kept = self.drawn.setdefault(stratum, [])
        if len(kept) < self.size or (kept and digest < kept[-1][0]):
            self.drawn[stratum] = nsmallest(self.size, [*kept, [digest, *min(map(_place_of, ones))]])

    def _check(self, case: str, checked: Checked) -> None:
        if checked.left_out is not None:
            self.compared[{"waiting": 2, "judged_since": 3, "never_judged": 4}[checked.left_out]] += 1
            return
        self.compared[0] += 1
        self.compared[1] += bool(checked.differences)
        for one in checked.differences:
            _plus(self.differences, (one["policy"], one["rule"], one["team"], one["office"], one["kind"]), (1,))
            if len(self.items) < DIFFERENCES:
                self.items.append(dict(one))
        if checked.differences:
            self.differing.append(case)


_COUNTED = ("places", "rows", "reasons", "timeliness", "movements", "strata", "queries", "differences")


def in_order(counts: Mapping[Key, Any]) -> Iterable[tuple[Key, Any]]:
    """Counts in order of what they are of; what has no value comes first."""
    return sorted(counts.items(), key=lambda item: [(part is not None, part or "") for part in item[0]])


def _plus(counts: dict[Key, list[int]], key: Key, values: Sequence[int]) -> None:
    have = counts.setdefault(key, [0] * len(values))
    for place, value in enumerate(values):
        have[place] += value


def _plus_times(counts: dict[Key, list[int]], key: Key, values: Sequence[int]) -> None:
    """Of a distribution: how many, the sum of their days, the most days (which is no sum), and the bins."""
    longest = max(values[2], counts[key][2]) if key in counts else values[2]
    _plus(counts, key, values)
    counts[key][2] = longest


def _place_of(one: Finding) -> list[str]:
    return [one.case, one.episode, one.policy, one.rule, one.obligation]


@lru_cache(maxsize=4_096)
def _day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()
