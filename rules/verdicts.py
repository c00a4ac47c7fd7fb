"""From decisions to a verdict: what each line of the decision table means, and how the possible worlds of an obligation are joined.

A verdict is ``unknown`` exactly when the ways in which the missing data may turn out lead to different verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rules.clock import iso
from rules.hits import MOMENT
from rules.model import Candidate, Decision, Line, Outcome, State, Verdict
from rules.obligation import BEFORE_POLICY, NOT_TRIGGERED, OUT_OF_SCOPE, Obligation, World
from rules.view import View

if TYPE_CHECKING:
    from rules.policy import Policy, Rule

_OUTCOMES = {
    Line.OFF: Outcome.NOT_APPLICABLE,
    Line.UNSET: Outcome.NOT_APPLICABLE,
    Line.HOLE: Outcome.UNKNOWN,
    Line.MET: Outcome.MET,
    Line.UNCLEAR: Outcome.UNKNOWN,
    Line.SAME_DAY: Outcome.UNKNOWN,
    Line.ENDED: Outcome.NOT_APPLICABLE,
    Line.DUE_SOON: Outcome.DUE_SOON,
    Line.PENDING: Outcome.PENDING,
    Line.STALE: Outcome.UNKNOWN,
    Line.LATE: Outcome.LATE,
    Line.UNCLEAR_LATE: Outcome.UNKNOWN,
    Line.EXCUSED: Outcome.EXCUSED,
    Line.BREACHED: Outcome.BREACHED,
    Line.DISAGREE: Outcome.UNKNOWN,
}
_REASONS = {
    Line.UNSET: "parameter_unset",
    Line.SAME_DAY: MOMENT,
    Line.ENDED: "ended_before_due",
    Line.STALE: "source_stale",
    Line.EXCUSED: "waiver",
    Line.DISAGREE: "engines_disagree",
}
_MEANINGS = {line: (outcome, _REASONS.get(line)) for line, outcome in _OUTCOMES.items()}
_MET, _OFF, _HOLE, _UNCLEAR, _UNCLEAR_LATE = Line.MET, Line.OFF, Line.HOLE, Line.UNCLEAR, Line.UNCLEAR_LATE
_LIVE, _UNSET = State.LIVE, State.UNSET
MET, LATE, BREACHED, UNKNOWN, NOT_APPLICABLE = Outcome.MET, Outcome.LATE, Outcome.BREACHED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
PAUSE_APPROVED_LATER = "pause_approved_later"
_RANK = (OUT_OF_SCOPE, BEFORE_POLICY, NOT_TRIGGERED, "parameter_unset", "ended_before_due")

Told = tuple[Outcome, str | None, World, Decision]


def outcome_of(line: Line) -> Outcome:
    """What a line of the decision table means in a single world."""
    return _OUTCOMES[line]


def missing_reason(missing: str) -> str:
    """The reason of an `unknown` verdict: what is missing."""
    return MOMENT if missing == MOMENT else f"missing {missing}"


def join(
    obligation: Obligation, decisions: Iterator[Decision], *, view: View, policy: Policy, rule: Rule, known_at: int, until: int | None
) -> tuple[Verdict, World, Decision]:
    """The one verdict of an obligation, with the world and decision that it is told from.

    ``decisions``: those of its worlds come next, each followed by that of its excusing one.  It holds ``until`` at most (ms).
    """
    told = [_told(world, decisions) for world in obligation.worlds]
    if len(told) == 1:
        (shown,) = told
        change = _next_change(shown, view)
    else:
        shown = max(told, key=_weight)
        if len({outcome for outcome, *_ in told}) > 1:
            shown = UNKNOWN, _why_unknown(obligation, told), shown[2], shown[3]
        change = min((t for one in told if (t := _next_change(one, view)) is not None), default=None)
    if until is not None and (change is None or until < change):
        change = until
    verdict = _verdict(obligation, shown, view, policy, rule, known_at, change)
    return verdict, shown[2], shown[3]


def _why_unknown(obligation: Obligation, told: list[Told]) -> str | None:
    if obligation.missing:
        return missing_reason(obligation.missing)
    return next((reason for outcome, reason, *_ in told if outcome is Outcome.UNKNOWN), None)


def _weight(told: Told) -> tuple[int, int, int]:
    """Which world is shown: a live one before one that is off, then the latest due day; of two that are off, the higher rank."""
    outcome, reason, world, _ = told
    live = outcome is not Outcome.NOT_APPLICABLE
    rank = -_RANK.index(reason) if not live and reason in _RANK else 0
    return (int(live), rank, world.due_day or 0)


def _told(world: World, decisions: Iterator[Decision]) -> Told:
    decision = next(decisions)
    outcome, reason = _meaning(world, decision)
    if world.excusing is not None:
        other = next(decisions)
        if outcome in (LATE, BREACHED):
            moved, why = _meaning(world.excusing, other)
            if moved in (Outcome.MET, Outcome.PENDING, Outcome.DUE_SOON):
                return Outcome.EXCUSED, PAUSE_APPROVED_LATER, world, other
            if moved is UNKNOWN:
                return moved, why, world, other
    return outcome, reason, world, decision


def _meaning(world: World, decision: Decision) -> tuple[Outcome, str | None]:
    line = decision.line
    if line is _MET:
        return MET, None
    if line is _OFF:
        return NOT_APPLICABLE, world.reason or NOT_TRIGGERED
    if line is _HOLE:
        return UNKNOWN, missing_reason(world.reason)
    if line is _UNCLEAR or line is _UNCLEAR_LATE:
        return UNKNOWN, missing_reason(world.candidates[decision.candidate].missing or "attribute")
    return _MEANINGS[line]


def _next_change(told: Told, view: View) -> int | None:
    """Until when the decision stays as it is unless an event arrives (ms)."""
    outcome, reason, world, _ = told
    if world.moving:
        return view.zone.end_of(view.today)
    if outcome is MET or outcome is NOT_APPLICABLE or outcome is BREACHED or outcome is LATE:
        return None
    limit = world.excusing if outcome is Outcome.EXCUSED and reason == PAUSE_APPROVED_LATER and world.excusing is not None else world
    duty = limit.duty
    if duty.due is None:
        return None
    return min((t for t in (duty.soon, duty.due[1]) if t is not None and t > view.as_of), default=None)


def _verdict(obligation: Obligation, told: Told, view: View, policy: Policy, rule: Rule, known_at: int, next_change: int | None) -> Verdict:
    outcome, reason, world, decision = told
    due = world.due_day
    candidate = world.candidates[decision.candidate] if decision.candidate >= 0 else None
    satisfied = _satisfied(outcome, candidate, view) if candidate is not None else None
    duty, today = world.duty, view.today
    live = due is not None or duty.state is _LIVE or duty.state is _UNSET
    evidence = obligation.activation
    if world.limits or candidate is not None:
        evidence = tuple(dict.fromkeys(evidence + world.limits + (candidate.events if candidate is not None else ())))
    team, office, worker = view.owners(due if due is not None and due < today else today)
    return Verdict(
        view.history.case,
        view.number,
        rule.id,
        policy.id,
        policy.digest,
        obligation.key,
        outcome,
        reason,
        activated_on=iso(world.activated_day),
        due_on=iso(due) if live else None,
        due_soon_on=iso(world.soon_day) if live else None,
        satisfied_on=iso(satisfied),
        days_late=satisfied - due if outcome is LATE and satisfied is not None and due is not None else None,
        curable=duty.curable,
        evidence=evidence,
        rejected=obligation.rejected,
        as_of=view.as_of,
        known_at=known_at,
        severity=rule.severity,
        status=rule.status,
        team=team,
        office=office,
        worker=worker,
        contested=obligation.contested,
        next_change=next_change,
    )


def _satisfied(outcome: Outcome, candidate: Candidate, view: View) -> int | None:
    return view.zone.day_of(candidate.last) if outcome in (MET, LATE, Outcome.EXCUSED) else None
