"""Whether a rule can be unknown at all: found by leaving out, one at a time, what the tests' timelines say.  Pure; imports rules.*.

An attribute left out, a day without its hour, a source that has gone quiet: where none of these makes the rule unknown, no test is
asked to show it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rules.errors import PolicyError
from rules.model import Outcome
from rules.policytest import verdicts_of
from rules.timelines import Timeline, TimelineEvent

if TYPE_CHECKING:
    from rules.policy import Policy

TRIED = 12
"""How many timelines are tried for one rule, the shortest first."""


def how_unknown(timelines: Sequence[Timeline], policy_of: Callable[[str], Policy], policy: str, rule: str) -> str:
    """How a rule can be made unknown, as an idea of a timeline; "" where it cannot.

    A rule that no timeline expects anything of can be, until the opposite is shown.
    """
    about = [t for t in timelines if any(rule in check.expect for check in t.checks)]
    if not about:
        return f"a case in which {rule} cannot be judged, since something it needs is not on record"
    for timeline in sorted(about, key=lambda t: len(t.events))[:TRIED]:
        policies = [policy_of(name) for name in timeline.policies if policy_of(name).id == policy]
        index = max(number for number, check in enumerate(timeline.checks) if rule in check.expect)
        for poorer, how in _poorer(timeline) if policies else ():
            try:
                found = verdicts_of(poorer, index, policies)
            except PolicyError:
                continue
            if any(one.rule == rule and one.verdict is Outcome.UNKNOWN for one in found):
                return f"as the timeline {timeline.name!r}, but {how}, with expect: {{{rule}: unknown}}"
    return ""


def _poorer(timeline: Timeline) -> Iterator[tuple[Timeline, str]]:
    """The timeline with one thing less, each in turn, and what it is."""
    for number, event in enumerate(timeline.events):
        for path in _paths(event.data):
            yield (
                _with(timeline, number, event.model_copy(update={"data": _without(event.data, path)})),
                f"{event.id} without {'.'.join(path)}",
            )
        if event.at is not None:
            day = event.at[: event.at.index(" ")] if " " in event.at else event.at
            yield _with(timeline, number, event.model_copy(update={"at": None, "on": day})), f"with the hour of {event.id} unknown"
    for source in dict.fromkeys(event.source for event in timeline.events):
        beat = {"complete_until": "1970-01-02T00:00:00Z"}
        quiet = TimelineEvent(id="-quiet", type="source.heartbeat", at="2000-01-01 00:00", source=source, subject="-", data=beat)
        yield timeline.model_copy(update={"events": [*timeline.events, quiet]}), f"with {source} gone quiet"


def _with(timeline: Timeline, number: int, event: TimelineEvent) -> Timeline:
    return timeline.model_copy(update={"events": [*timeline.events[:number], event, *timeline.events[number + 1 :]]})


def _paths(data: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in data.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _paths(value))


def _without(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    poorer = copy.deepcopy(data)
    inner = poorer
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return poorer
