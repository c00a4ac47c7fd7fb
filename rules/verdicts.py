"""From decisions to a verdict: what each line of the decision table means, and how the possible worlds of an obligation are joined.

A verdict is ``unknown`` exactly when the ways in which the missing data may turn out lead to different verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    obligation: Obligation, decided: Mapping[int, Decision], *, view: View, policy: Policy, rule: Rule, known_at: int
) -> tuple[Verdict, World, Decision]:
    """The one verdict of an obligation, with the world and decision that it is told from."""
    told = [_told(world, decided) for world in obligation.worlds]
    if len(told) == 1:
        _, _, only, said = told[0]
        verdict = _verdict(
            obligation, told[0], view=view, policy=policy, rule=rule, known_at=known_at, next_change=_next_change(told[0], view)
        )
        return verdict, only, said
    outcomes = {outcome for outcome, *_ in told}
    outcome, reason, world, decision = max(told, key=_weight)
    if len(outcomes) > 1:
        outcome, reason = Outcome.UNKNOWN, _why_unknown(obligation, told)
    change = min((t for one in told if (t := _next_change(one, view)) is not None), default=None)
    shown = outcome, reason, world, decision
    return _verdict(obligation, shown, view=view, policy=policy, rule=rule, known_at=known_at, next_change=change), world, decision


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


def _told(world: World, decided: Mapping[int, Decision]) -> Told:
    decision = decided[id(world)]
    outcome, reason = _meaning(world, decision)
    if world.excusing is not None and outcome in (Outcome.LATE, Outcome.BREACHED):
        moved, why = _meaning(world.excusing, decided[id(world.excusing)])
        if moved in (Outcome.MET, Outcome.PENDING, Outcome.DUE_SOON):
            return Outcome.EXCUSED, PAUSE_APPROVED_LATER, world, decided[id(world.excusing)]
        if moved is Outcome.UNKNOWN:
            return moved, why, world, decided[id(world.excusing)]
    return outcome, reason, world, decision


def _meaning(world: World, decision: Decision) -> tuple[Outcome, str | None]:
    line = decision.line
    if line is Line.OFF:
        return Outcome.NOT_APPLICABLE, world.reason or NOT_TRIGGERED
    if line is Line.HOLE:
        return Outcome.UNKNOWN, missing_reason(world.reason)
    if line in (Line.UNCLEAR, Line.UNCLEAR_LATE):
        return Outcome.UNKNOWN, missing_reason(world.candidates[decision.candidate].missing or "attribute")
    return _OUTCOMES[line], _REASONS.get(line)


def _next_change(told: Told, view: View) -> int | None:
    """Until when the decision stays as it is unless an event arrives (ms)."""
    outcome, reason, world, _ = told
    if world.moving:
        return view.zone.end_of(view.today)
    limit = world.excusing if outcome is Outcome.EXCUSED and reason == PAUSE_APPROVED_LATER and world.excusing is not None else world
    duty = limit.duty
    if duty.due is None or outcome in (Outcome.MET, Outcome.LATE, Outcome.BREACHED, Outcome.NOT_APPLICABLE):
        return None
    return min((t for t in (duty.soon, duty.due[1]) if t is not None and t > view.as_of), default=None)


def _verdict(
    obligation: Obligation, told: Told, *, view: View, policy: Policy, rule: Rule, known_at: int, next_change: int | None
) -> Verdict:
    outcome, reason, world, decision = told
    candidate = world.candidates[decision.candidate] if decision.candidate >= 0 else None
    satisfied = _satisfied(outcome, candidate, view)
    live = world.duty.state in (State.LIVE, State.UNSET) or world.due_day is not None
    late = satisfied - world.due_day if outcome is Outcome.LATE and satisfied is not None and world.due_day is not None else None
    evidence = dict.fromkeys((*obligation.activation, *world.limits, *(candidate.events if candidate is not None else ())))
    owner_day = world.due_day if world.due_day is not None and world.due_day <= view.today else view.today
    team, office, worker = view.owners(owner_day)
    return Verdict(
        case=view.history.case,
        episode=str(view.episode.number),
        rule=rule.id,
        policy=policy.id,
        policy_digest=policy.digest,
        obligation=obligation.key,
        verdict=outcome,
        reason=reason,
        activated_on=iso(world.activated_day),
        due_on=iso(world.due_day) if live else None,
        due_soon_on=iso(world.soon_day) if live else None,
        satisfied_on=iso(satisfied),
        days_late=late,
        curable=world.duty.curable,
        evidence=tuple(evidence),
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


def _satisfied(outcome: Outcome, candidate: Candidate | None, view: View) -> int | None:
    if candidate is None or outcome not in (Outcome.MET, Outcome.LATE, Outcome.EXCUSED):
        return None
    return view.zone.day_of(candidate.last)
