"""When a journey ended: whether every episode of its cases is closed, and on which day the last one was.  Pure; imports rules/.

What counts as an episode and its closure is what judging says, with reopenings, merges, voids and corrections.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from rules.history import build
from rules.links import roots
from rules.model import Event
from rules.record import Fact, standing
from service.policies.policyset import Group, PolicySet


@dataclass(frozen=True, slots=True)
class Ended:
    """``closed``: the local day of the last closure, None while anything is open.  ``today``: the earliest local day that it is now."""

    closed: dt.date | None
    today: dt.date
    programs: frozenset[str]


def ended(policies: PolicySet, events: Iterable[Event], *, now: int) -> Ended:
    """How a journey stands at ``now`` (ms), by all of its events.

    An event that no policy knows, or that is still to come, keeps it open; so does a case of which nothing stands any more, since
    nobody has closed it.
    """
    unique = {(event.source, event.id): event for event in events}
    zones = {policy.zone.name: policy.zone for policy in policies.policies}
    today = dt.date.fromordinal(min(zone.day_of(now) for zone in zones.values()))
    known = {name for group in policies.groups for name in group.catalogue.types}
    if not unique or any(event.type not in known or event.time > now for event in unique.values()):
        return Ended(None, today, frozenset())
    days: list[int] = []
    programs: set[str] = set()
    for group in policies.groups:
        mine = [event for event in unique.values() if event.type in group.catalogue.types]
        if not any(event.type in group.own_types for event in mine):
            continue
        found = _closures(group, mine, now, programs)
        if found is None:
            return Ended(None, today, frozenset(programs))
        days += found
    closed = max(days, default=None)
    return Ended(None if closed is None else dt.date.fromordinal(closed), today, frozenset(programs))


def _closures(group: Group, events: list[Event], now: int, programs: set[str]) -> list[int] | None:
    """The days of all closures, as late as any of the zones has it; None while an episode is open."""
    facts, _ = standing(events, now, group.catalogue)
    into, _ = roots(facts, group.domain, now)
    by_root: dict[str, list[Fact]] = {}
    for fact in facts:
        by_root.setdefault(into.get(fact.event.case, fact.event.case), []).append(fact)
    zones = list({policy.zone.name: policy.zone for policy in group.policies}.values())
    days: list[int] = []
    for root, mine in sorted(by_root.items()):
        for zone in zones:
            history = build(root, mine, zone=zone, as_of=now, domain=group.domain)
            if not history.episodes:
                return None
            for episode in history.episodes:
                programs |= episode.programs
                if episode.closed is None:
                    return None
                days.append(max(episode.closed.day, zone.day_of(episode.closed.last)))
    return days
