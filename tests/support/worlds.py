"""An oracle for the deciders that knows no decision table: it tries out every way in which the missing data may turn out.

A *world* is one such way: each unclear candidate meets the condition or does not, each thing of which only a span is known happened
at one moment of it, and a source that has gone quiet does or does not bring one more piece of evidence in time.  In a world nothing
is missing, so the verdict follows from the plain meaning; where all worlds agree that is the verdict, otherwise it is unknown.
Time is small here: a day has three milliseconds, so that every moment can be tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement, product
from typing import NamedTuple

from rules.decide import Item
from rules.model import Candidate, Duty, Fit, Line, State

VERDICTS = {
    Line.OFF: "not_applicable: not_triggered",
    Line.UNSET: "not_applicable: parameter_unset",
    Line.HOLE: "unknown",
    Line.MET: "met",
    Line.UNCLEAR: "unknown",
    Line.SAME_DAY: "unknown",
    Line.ENDED: "not_applicable: ended_before_due",
    Line.DUE_SOON: "due_soon",
    Line.PENDING: "pending",
    Line.STALE: "unknown",
    Line.LATE: "late",
    Line.UNCLEAR_LATE: "unknown",
    Line.EXCUSED: "excused",
    Line.BREACHED: "breached",
}
"""The verdict that a line stands for; two of them that give different reasons for `not_applicable` are different."""

ACCUSING = {"late", "breached", "excused"}
"""A quiet source matters only where somebody would be accused: what is not due yet, or fell away, is no accusation."""


class World(NamedTuple):
    """``gate``: when the gate was passed.  ``done``: for each candidate, when it happened if it counts in this world, else None."""

    gate: int | None
    done: tuple[int | None, ...]


@cache
def worlds(gate: tuple[int, int] | None, candidates: tuple[Candidate, ...]) -> tuple[World, ...]:
    """Every way in which what is missing about these may turn out."""
    gates: Sequence[int | None] = range(gate[0], gate[1] + 1) if gate else (None,)
    choices: list[list[int | None]] = []
    for candidate in candidates:
        moments: list[int | None] = list(range(candidate.first, candidate.last + 1))
        if candidate.fit is Fit.NO:
            moments = [None]
        elif candidate.fit is Fit.UNCLEAR:
            moments.append(None)
        choices.append(moments)
    return tuple(World(at, done) for at in gates for done in product(*choices))


def in_time(duty: Duty, world: World, at: int) -> bool:
    if world.gate is not None:
        return at <= world.gate
    return duty.due is None or at < duty.due[1]


@cache
def _ways(duty: Duty, candidates: tuple[Candidate, ...]) -> frozenset[tuple[bool, bool]]:
    """Over all worlds: was it done in time, was it done at all."""
    ways = set()
    for world in worlds(duty.gate, candidates):
        done = [at for at in world.done if at is not None]
        ways.add((any(in_time(duty, world, at) for at in done), bool(done)))
    return frozenset(ways)


def over(duty: Duty, now: int) -> bool:
    """Whether the limit is over at ``now``; a gate that is in the record counts from the first moment at which it may have been."""
    if duty.gate is not None:
        return duty.gate[0] <= now
    return duty.due is not None and duty.due[1] <= now


def judge(duty: Duty, now: int, *, timely: bool, done: bool) -> str:
    """The verdict in a world in which nothing is missing."""
    if timely:
        return "met"
    if duty.ended is not None and duty.gate is None and (duty.due is None or duty.ended < duty.due[0]):
        return "not_applicable: ended_before_due"
    if not over(duty, now):
        return "due_soon" if duty.soon is not None and duty.soon <= now else "pending"
    if done and duty.curable:
        return "late"
    return "excused" if duty.waived else "breached"


def expected(duty: Duty, candidates: Sequence[Candidate], now: int) -> str:
    """The verdict on which all worlds agree, or `unknown`."""
    if duty.state is State.HOLE:
        return "unknown"  # not_triggered in one world, and in another whatever the rest says, which is never that
    if duty.state is not State.LIVE:
        return VERDICTS[Line(duty.state.value)]
    bare = Duty(due=duty.due, gate=duty.gate)
    verdicts = {judge(duty, now, timely=timely, done=done) for timely, done in _ways(bare, tuple(candidates))}
    quiet = duty.complete_until is not None and duty.complete_needed is not None and duty.complete_until < duty.complete_needed
    if quiet and verdicts & ACCUSING:
        verdicts.add(judge(duty, now, timely=True, done=True))
    return verdicts.pop() if len(verdicts) == 1 else "unknown"


# -------------------------------------------------------------------------------------------------------- small situations, all of them
DAY = (3, 5)
DUE = (3, 6)
LIMITS: tuple[dict[str, tuple[int, int]], ...] = ({"due": DUE}, {"gate": (4, 4)}, {"gate": DAY}, {})
SOURCES = ((None, 6), (5, 6), (6, 6), (5, None))


class Grid(NamedTuple):
    spans: tuple[tuple[int, int], ...]
    most: int
    nows: tuple[int, ...]
    soons: tuple[int | None, ...]
    ends: tuple[int | None, ...]


SMALL = Grid(((2, 2), (4, 4), (6, 6), DAY, (5, 6)), 2, (2, 3, 4, 5, 6), (None, 2, 5), (None, 2, 3))
WIDE = Grid(((2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (0, 2), DAY, (6, 8), (5, 6)), 2, (2, 3, 4, 5, 6, 7), (None, 2, 5), (None, 2, 3, 5, 7))
CROWD = Grid(((2, 2), (4, 4), (6, 6), (7, 7), DAY, (6, 8)), 3, (3, 4, 6, 7), (None, 2), (None, 2, 3))


def evidence(grid: Grid) -> Iterator[tuple[Candidate, ...]]:
    """Every set of up to ``grid.most`` candidates."""
    kinds = [Candidate(*span, fit) for span in grid.spans for fit in (Fit.YES, Fit.UNCLEAR)] + [Candidate(4, 4, Fit.NO)]
    for size in range(grid.most + 1):
        yield from combinations_with_replacement(kinds, size)


def situations(grid: Grid) -> Iterator[tuple[int, list[Item]]]:
    """Every situation of the grid, in batches of one ``now`` each."""
    sets = list(evidence(grid))
    for now in grid.nows:
        for limit, soon, end, (have, need), curable, waived in product(
            LIMITS, grid.soons, grid.ends, SOURCES, (True, False), (False, True)
        ):
            duty = Duty(State.LIVE, limit.get("due"), limit.get("gate"), soon, end, have, need, curable, waived)
            yield now, [(duty, candidates) for candidates in sets]
