"""The first decider: the decision table as one plain function over the raw candidates.

It is the hot path (a case has some 40 obligations) and the meaning that people read.  It imports rules.model and nothing of
the other decider, so that a fault in either shows as a disagreement.

The principle: a verdict is unknown exactly when the ways in which the missing data may turn out lead to different verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.decide.items import Item, decision
from rules.model import NEVER, Candidate, Decision, Duty, Fit, Line, State

_WITHOUT_LOOKING = {
    State.OFF: decision(Line.OFF),
    State.UNSET: decision(Line.UNSET),
    State.HOLE: decision(Line.HOLE),
}
_LIVE, _NO, _YES = State.LIVE, Fit.NO, Fit.YES
_ENDED, _DUE_SOON, _PENDING = decision(Line.ENDED), decision(Line.DUE_SOON), decision(Line.PENDING)
_STALE, _EXCUSED, _BREACHED = decision(Line.STALE), decision(Line.EXCUSED), decision(Line.BREACHED)
_BEYOND = NEVER + 1


def decide(items: Sequence[Item], now: int) -> list[Decision]:
    """The line of the table that holds for each obligation at ``now`` (ms)."""
    return [decide_one(duty, candidates, now) for duty, candidates in items]


def decide_one(duty: Duty, candidates: Sequence[Candidate], now: int) -> Decision:
    """The first line of the table that holds for one obligation at ``now`` (ms).

    What is handed in counts as having happened; ``now`` only says whether the limit is over, and a gate of which only the day is
    known is over as soon as it may have passed.
    """
    if duty.state != _LIVE:
        return _WITHOUT_LOOKING[duty.state]
    due, gate = duty.due, duty.gate

    late = maybe_late = -1
    if candidates:
        early, maybe, same, late, maybe_late = _sift(duty, candidates)
        if early >= 0:
            return decision(Line.MET, early)
        if maybe >= 0:
            return decision(Line.UNCLEAR, maybe)
        if same >= 0:
            return decision(Line.SAME_DAY, same)

    if gate is None:
        ended = duty.ended
        if ended is not None and (due is None or ended < due[0]):
            return _ENDED
    over = gate[0] if gate is not None else due[1] if due is not None else _BEYOND
    if now < over:
        soon = duty.soon
        return _DUE_SOON if soon is not None and soon <= now else _PENDING

    return _unfulfilled(duty, late, maybe_late)


def _unfulfilled(duty: Duty, late: int, maybe_late: int) -> Decision:
    """Nothing in time, and the limit is over."""
    complete, needed = duty.complete_until, duty.complete_needed
    if complete is not None and needed is not None and complete < needed:
        return _STALE
    if duty.curable:
        if late >= 0:
            return decision(Line.LATE, late)
        if maybe_late >= 0:
            return decision(Line.UNCLEAR_LATE, maybe_late)
    return _EXCUSED if duty.waived else _BREACHED


def _sift(duty: Duty, candidates: Sequence[Candidate]) -> tuple[int, int, int, int, int]:
    """The candidate (or -1) that is surely in time, may be in time if unclear, may be in time if only its moment is unknown;
    comes surely too late, comes too late if unclear.  Of several, the earliest.
    """
    if duty.gate is not None:
        surely_until, maybe_until = duty.gate
    elif duty.due is not None:
        surely_until = maybe_until = duty.due[1] - 1
    else:
        surely_until = maybe_until = _BEYOND
    early = maybe = same = late = maybe_late = -1
    early_at = maybe_at = same_at = late_at = maybe_late_at = _BEYOND
    for index, candidate in enumerate(candidates):
        fit, first, last = candidate.fit, candidate.first, candidate.last
        if fit == _YES:
            if last <= surely_until:
                if last < early_at:
                    early, early_at = index, last
            elif first > maybe_until:
                if last < late_at:
                    late, late_at = index, last
            elif first < same_at:
                same, same_at = index, first
        elif fit == _NO:
            continue
        elif first > maybe_until:
            if first < maybe_late_at:
                maybe_late, maybe_late_at = index, first
        elif first < maybe_at:
            maybe, maybe_at = index, first
    return early, maybe, same, late, maybe_late
