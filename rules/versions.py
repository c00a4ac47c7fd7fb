"""Versions of a policy: the one in force on the day of an activation judges it, and each obligation is judged once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rules.obligation import BEFORE_POLICY, Obligation, World, nothing, off
from rules.policy import Policy, Rule
from rules.view import View


@dataclass(slots=True)
class Share:
    """What one version of a policy has to judge in an episode: by rule, the obligations, and what stands in where there are none."""

    policy: Policy
    view: View
    is_now: bool
    """Whether it is the version in force today."""
    rules: list[tuple[Rule, list[Obligation], Obligation]] = field(default_factory=list)

    def add(self, rule: Rule, found: list[Obligation]) -> None:
        real = [o for o in found if o.worlds and not (o.key == "case" and not o.activation)]
        self.rules.append((rule, real, next((o for o in found if o.worlds), nothing())))


def each_once(shares: Sequence[Share]) -> Iterator[tuple[Share, list[tuple[Rule, Obligation]]]]:
    """What each version is asked for, in order.

    An obligation of which the possible activations fall into several versions is judged by the last of them, with the worlds of
    all; a rule that no version finds activated is said not to be by the version of today.
    """
    joined: dict[tuple[str, str], tuple[int, Obligation]] = {}
    for number, share in enumerate(shares):
        for rule, real, _ in share.rules:
            for obligation in real:
                before = joined.get((rule.id, obligation.key))
                whole = obligation if before is None else _joined(before[1], obligation)
                joined[rule.id, obligation.key] = number, whole
    activated = {rule for rule, _ in joined}
    for number, share in enumerate(shares):
        asked: list[tuple[Rule, Obligation]] = []
        for rule, real, stand_in in share.rules:
            mine = dict.fromkeys(obligation.key for obligation in real)
            asked += [(rule, whole) for key in mine for at, whole in (joined[rule.id, key],) if at == number]
            if share.is_now and rule.id not in activated:
                asked.append((rule, stand_in))
        yield share, asked


def _joined(one: Obligation, other: Obligation) -> Obligation:
    return replace(
        other,
        worlds=(*one.worlds, *other.worlds),
        missing=one.missing or other.missing,
        activation=tuple(dict.fromkeys((*one.activation, *other.activation))),
        rejected=tuple(dict.fromkeys((*one.rejected, *other.rejected))),
        contested=one.contested or other.contested,
    )


def in_force(obligation: Obligation, policy: Policy, until: int | None, *, is_first: bool, is_now: bool) -> Obligation:
    """The obligation without the worlds whose activation another version of the policy judges."""
    if is_now and until is None and all(w.activated_day is None or w.activated_day >= policy.effective for w in obligation.worlds):
        return obligation
    kept: list[World] = []
    undated = 0
    for world in obligation.worlds:
        day = world.activated_day
        if day is None:
            kept.append(world)
            undated += 1
        elif day < policy.effective:
            kept += [replace(off(BEFORE_POLICY), activated_day=day)] if is_first else []
        elif until is None or day < until:
            kept.append(world)
    only_undated = len(kept) == undated
    if only_undated and (undated < len(obligation.worlds) or not is_now):
        kept = []
    return replace(obligation, worlds=tuple(kept))
