"""The tests of a rule as small stories for people: what happened on which day, and what the rule says to it.

Imports rules/ and this package's views; reads the tests that belong to a policy's package.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from api.web import words
from api.web.policies.views import Expectation, Shown, Step
from rules.timelines import Check, Timeline, TimelineEvent, with_year

MOST = 12
"""So many tests of one rule are shown."""
_TELLING = frozenset({"met", "breached", "late", "unknown"})


def shown(timelines: Iterable[Timeline], policy: str, rule: str) -> list[Shown]:
    """The tests that expect something of this rule: those that show most of its verdicts with the fewest events come first."""
    found = [one for one in timelines if policy in one.policies and any(_speaks(check, rule) for check in one.checks)]
    left = sorted(((_plain(one), _shown(one, rule)) for one in found), key=lambda each: (len(each[1].steps), each[1].name))
    chosen: list[Shown] = []
    seen: set[str] = set()
    while left and len(chosen) < MOST:
        best = max(left, key=lambda each: _worth(each[0], set(each[1].outcomes), seen))
        left.remove(best)
        chosen.append(best[1])
        seen |= set(best[1].outcomes)
    return chosen


def _worth(plain: bool, outcomes: set[str], seen: set[str]) -> tuple[bool, bool, int, int]:
    """How much a test adds to those that are shown already; plain ones first."""
    new = _TELLING & outcomes - seen
    return bool(new), plain, len(new), len(_TELLING & outcomes)


def _plain(timeline: Timeline) -> bool:
    """Whether nothing but days plays a part: no waiver, and no look back with less on record."""
    return not any(check.waived or check.known_at for check in timeline.checks)


def _speaks(check: Check, rule: str) -> bool:
    return rule in check.expect or rule in check.counted


def _shown(timeline: Timeline, rule: str) -> Shown:
    checks = [check for check in timeline.checks if _speaks(check, rule)]
    expects = [_expectation(timeline, check, rule) for check in checks]
    given = dict(timeline.params)
    for check in checks:
        given |= check.params
    return Shown(
        name=words.sentence_case(timeline.name),
        parameters=", ".join(f"{name} not set" if value is None else f"{name} = {value}" for name, value in sorted(given.items())),
        steps=[_step(timeline, event) for event in sorted(timeline.events, key=lambda event: _instant(timeline, event))],
        expects=expects,
        outcomes=list(dict.fromkeys(outcome for one in expects for outcome in one.outcomes)),
    )


def _instant(timeline: Timeline, event: TimelineEvent) -> dt.datetime:
    return _moment(event.at or event.on or "", timeline.year).replace(tzinfo=None)


def _moment(text: str, year: int) -> dt.datetime:
    return dt.datetime.fromisoformat(with_year(text, year))


def _step(timeline: Timeline, event: TimelineEvent) -> Step:
    when = _moment(event.at or event.on or "", timeline.year)
    recorded = _moment(event.rec, timeline.year) if event.rec else when
    clock = f", {words.clock(when)}" if event.at and (when.hour or when.minute) else ""
    case = f"case {event.subject}" if event.subject not in {None, "-", timeline.case} else ""
    detail = "; ".join(part for part in (case, data_words(event.data)) if part)
    return Step(
        when=words.short_day(when.date()) + clock,
        what=words.sentence_case(event.type.replace(".", " ").replace("_", " ")),
        detail=detail,
        recorded=words.short_day(recorded.date()) if recorded.date() != when.date() else "",
    )


def data_words(data: Mapping[str, Any]) -> str:
    """Attributes of an event as a reader skims them: ``status held, mode in person, seen mum and kid``."""
    return ", ".join(f"{_spoken(name)} {_value(value)}" for name, value in data.items())


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"({data_words(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_value(one) for one in value) if value else "none"
    return _spoken(str(value))


def _expectation(timeline: Timeline, check: Check, rule: str) -> Expectation:
    wanted = check.expect.get(rule)
    outcomes: list[str] = []
    details: list[str] = []
    if wanted is None:
        details = [f"counted: {data_words(check.counted[rule])}"]
    elif isinstance(wanted, Mapping) and "counts" in wanted:
        outcomes = [name for name, count in wanted["counts"].items() if count]
        counted = ((words.word("outcome", name).lower(), count) for name, count in wanted["counts"].items() if count)
        details = [", ".join(f"{count} \N{MULTIPLICATION SIGN} {name}" for name, count in counted) or "no verdict"]
    else:
        for one in wanted if isinstance(wanted, list) else [wanted]:
            fields = {"verdict": one} if isinstance(one, str) else dict(one)
            if verdict := fields.pop("verdict", ""):
                outcomes.append(str(verdict))
            details.append(_fields(timeline, fields))
        if not wanted:
            details = ["no verdict"]
    if rule in check.waived:
        details.append("with a waiver")
    known = f", as known on {_day(timeline, check.known_at)}" if check.known_at else ""
    told = dict.fromkeys(part for part in details if part)
    return Expectation(_day(timeline, check.as_of) + known, list(dict.fromkeys(outcomes)), "; ".join(told))


def _day(timeline: Timeline, text: str) -> str:
    when = _moment(text, timeline.year)
    if when.tzinfo is not None and timeline.zone:
        when = when.astimezone(ZoneInfo(timeline.zone))
    return words.short_day(when.date()) + (f", {words.clock(when)}" if when.hour or when.minute else "")


def reason(text: str) -> str:
    """A verdict's reason as a clause."""
    return (
        f"the record does not say: {_spoken(text.removeprefix('missing '))}"
        if text.startswith("missing ")
        else _REASONS.get(text, _spoken(text))
    )


_REASONS = {
    "not_triggered": "nothing has happened that calls for it",
    "ended_before_due": "it ended before it was due",
    "out_of_scope": "the case is not in this policy's program",
    "before_policy": "it began before the policy was in force",
    "parameter_unset": "the number that gives the limit is not set",
}
_FIELDS = {
    "due_on": "due",
    "due_soon_on": "due soon from",
    "activated_on": "asked for from",
    "satisfied_on": "done",
    "days_late": "days late:",
    "reason": "",
    "obligation": "about",
    "curable": "can still be mended:",
    "evidence": "resting on",
    "rejected": "not counted:",
    "contested": "contested:",
}


def _fields(timeline: Timeline, fields: Mapping[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        if value is None:
            continue
        text = _day(timeline, value) if name.endswith("_on") else reason(str(value)) if name == "reason" else _value(value)
        parts.append(f"{_FIELDS.get(name, _spoken(name))} {text}".strip())
    return ", ".join(parts)
