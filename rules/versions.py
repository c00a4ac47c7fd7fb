"""Versions of a policy: which of them judges what was activated when, and each obligation is judged once.

The version in force on the day of the activation judges, except in an episode that was open on the day from which a version applies
to open ones: from that day on it judges the whole episode, down to the first version's day.  Before its day a version changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rules.clock import Zone
from rules.history import Episode
from rules.obligation import BEFORE_POLICY, Obligation, World, nothing, off
from rules.policy import Policy, Rule
from rules.view import View


@dataclass(frozen=True, slots=True)
class Reign:
    """A version and the days (ordinals) whose activations it judges in an episode; ``until`` is the first that it does not.

    ``is_first``: what was activated before ``since`` began before the policy.  ``is_now``: it is the version of today.
    """

    policy: Policy
    since: int
    until: int | None
    is_first: bool
    is_now: bool


def of_today(versions: Sequence[Policy], today: int) -> Policy:
    """The version in force on a day, of versions in the order of their days; before all of them, the first."""
    return next((policy for policy in reversed(versions) if policy.effective <= today), versions[0])


def reigns(versions: Sequence[Policy], episode: Episode, today: int) -> list[Reign]:
    """Which versions judge an episode, as of a day, and what of it."""
    begun = [policy for policy in versions if policy.effective <= today] or [versions[0]]
    taken = max((n for n, policy in enumerate(begun) if policy.applies_to_open and n and _open_on(episode, policy.effective)), default=0)
    days = [begun[0].effective, *(policy.effective for policy in begun[taken + 1 :])]
    untils = [*days[1:], None]
    return [
        Reign(policy, since, until, is_first=number == 0, is_now=policy is begun[-1])
        for number, (policy, since, until) in enumerate(zip(begun[taken:], days, untils, strict=True))
    ]


def _open_on(episode: Episode, day: int) -> bool:
    return any(begun <= day and (closed is None or closed >= day) for begun, closed in episode.open_days())


def taken_over(versions: Sequence[Policy], episode: Episode, today: int, zone: Zone) -> int | None:
    """When, unless an event arrives, a version that applies to open episodes begins to judge this one (ms)."""
    if episode.closed is not None:
        return None
    return min((zone.start_of(p.effective) for p in versions[1:] if p.applies_to_open and p.effective > today), default=None)


@dataclass(slots=True)
class Share:
    """What one version of a policy has to judge in an episode: by rule, the obligations, and what stands in where there are none."""

    reign: Reign
    view: View
    rules: list[tuple[Rule, list[Obligation], Obligation]] = field(default_factory=list)

    def add(self, rule: Rule, found: list[Obligation]) -> None:
        real = [o for o in found if o.worlds and (o.activation or o.key != "case")]
        self.rules.append((rule, real, real[0] if real else next((o for o in found if o.worlds), nothing())))


def each_once(shares: Sequence[Share]) -> Iterator[tuple[Share, list[tuple[Rule, Obligation]]]]:
    """What each version is asked for, in order.

    An obligation of which the possible activations fall into several versions is judged by the last of them, with the worlds of
    all; a rule that no version finds activated is said not to be by the version of today.
    """
    if len(shares) == 1:
        (only,) = shares
        yield only, [(rule, one) for rule, real, stand_in in only.rules for one in _distinct(real) or (stand_in,)]
        return
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
            if share.reign.is_now and rule.id not in activated:
                asked.append((rule, stand_in))
        yield share, asked


def _distinct(found: Sequence[Obligation]) -> Sequence[Obligation]:
    """Each obligation once, the worlds of those with one key together."""
    if len(found) < 2:
        return found
    by_key: dict[str, Obligation] = {}
    for obligation in found:
        before = by_key.get(obligation.key)
        by_key[obligation.key] = obligation if before is None else _joined(before, obligation)
    return list(by_key.values())


def _joined(one: Obligation, other: Obligation) -> Obligation:
    return replace(
        other,
        worlds=(*one.worlds, *other.worlds),
        missing=one.missing or other.missing,
        activation=tuple(dict.fromkeys((*one.activation, *other.activation))),
        rejected=tuple(dict.fromkeys((*one.rejected, *other.rejected))),
        contested=one.contested or other.contested,
    )


def in_force(obligation: Obligation, reign: Reign) -> Obligation:
    """The obligation without the worlds whose activation another version of the policy judges."""
    since, until = reign.since, reign.until
    if reign.is_now and until is None:
        for world in obligation.worlds:
            if world.activated_day is not None and world.activated_day < since:
                break
        else:
            return obligation
    kept: list[World] = []
    undated = 0
    for world in obligation.worlds:
        day = world.activated_day
        if day is None:
            kept.append(world)
            undated += 1
        elif day < since:
            kept += [replace(off(BEFORE_POLICY), activated_day=day)] if reign.is_first else []
        elif until is None or day < until:
            kept.append(world)
    only_undated = len(kept) == undated
    if only_undated and (undated < len(obligation.worlds) or not reign.is_now):
        kept = []
    return replace(obligation, worlds=tuple(kept))
