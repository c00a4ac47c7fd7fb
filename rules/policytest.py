"""Policy tests: timelines in YAML, each with what a good QA officer expects of it.  Pure; imports rules.* and pydantic.

A file holds a list of timelines::

    - name: a plan after the third visit is a breach that was remedied
      policy: cfss                       # one, or several with commas
      events:
        - {id: k1, at: 2026-03-02 09:00, type: service.connected, data: {program: cfss}}
      checks:
        - {as_of: 2026-03-24, expect: {C08: {verdict: breached, due_on: 2026-03-23}}}

``at`` is local time in the timeline's zone (the first policy's where none is given), ``on`` a day whose moment is unknown, ``rec`` when
it was recorded (default: when it happened).  A day without a year lies in the timeline's ``year``.  Every verdict of a rule
that ``expect`` names must be expected.  A breach of another enforced rule fails the check too, unless the timeline names that
rule under ``beside`` with the reason (``beside: {"C01, C02": no referral is told}``); what stands there without need fails as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rules.casefile import gather
from rules.envelope import parse_event
from rules.errors import EventRefused, Fault, ParameterError, PolicyError
from rules.evaluate import Evaluation, evaluate
from rules.model import Event, Heartbeat, Outcome, Verdict, to_ms
from rules.parameters import with_parameters
from rules.timelines import Check, Timeline, read_timelines
from rules.view import View
from rules.yamlsource import Key

if TYPE_CHECKING:
    from rules.coverage import Coverage
    from rules.policy import Policy

__all__ = ["Failure", "Result", "collect", "read_timelines", "run_timeline", "verdicts_of"]

BREACHES = frozenset({Outcome.BREACHED.value, Outcome.LATE.value})
OTHERS = "others"
JUDGED = ("enforced", "shadow", "draft")
"""Rules of which status are judged in a test: a draft is there to be tried."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold; ``wanted`` and ``got`` are ready to be read."""

    as_of: str
    rule: str
    wanted: str
    got: str
    place: str = ""
    """``file:line`` of the check."""

    def __str__(self) -> str:
        return f"{self.as_of}  {self.rule}\n    - wanted  {self.wanted}\n    + got     {self.got}"


@dataclass(slots=True)
class Result:
    """What became of one timeline; ``passed`` counts the expectations that hold."""

    timeline: Timeline
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)


def collect(paths: Iterable[Path]) -> list[Timeline]:
    """The timelines of files, and of every ``*.yaml`` in folders, in order.  Raises PolicyError with the faults of all files."""
    found: list[Timeline] = []
    faults: list[Fault] = []
    for path in paths:
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            try:
                found.extend(read_timelines(file))
            except PolicyError as error:
                faults.extend(error.faults)
    if faults:
        raise PolicyError(faults)
    return found


def run_timeline(timeline: Timeline, policy_of: Callable[[str], Policy], coverage: Coverage | None = None) -> Result:
    """Judges a timeline at each of its checks.  Raises PolicyError where its events or names do not fit the policies.

    ``coverage`` looks on; then ``policy_of`` must give the policies that it watches.
    """
    policies = [policy_of(name) for name in timeline.policies]
    zone = ZoneInfo(timeline.zone or policies[0].zone_name)
    events, beats = _facts(timeline, policies[0], zone)
    result = Result(timeline)
    known_rules = frozenset(rule.id for policy in policies for rule in policy.rules)
    _refuse_unknown(timeline, known_rules)
    binding = frozenset(rule.id for policy in policies for rule in policy.rules if rule.status == "enforced")
    beside: set[str] = set()
    for index, check in enumerate(timeline.checks):
        evaluation = _judge(timeline, index, check, policies, zone, events, beats, View if coverage is None else coverage.views)
        verdicts = evaluation.verdicts
        held = _compare(result, index, check, verdicts, known_rules)
        held += _compare_counts(result, index, check, evaluation)
        if coverage is not None:
            coverage.keep(evaluation, held)
        beside |= _unexpected(result, index, check, [one for one in verdicts if one.rule in binding])
    needless = [name for name in timeline.tolerated if name not in beside and (name != OTHERS or not beside - {*timeline.tolerated})]
    result.failures += [
        Failure(timeline.name, name, "a breach that no check expects, since beside names it", "none", timeline.place("beside"))
        for name in needless
    ]
    return result


def verdicts_of(timeline: Timeline, index: int, policies: Sequence[Policy]) -> tuple[Verdict, ...]:
    """What the policies say at one of a timeline's checks.  Raises PolicyError where its events do not fit them."""
    zone = ZoneInfo(timeline.zone or policies[0].zone_name)
    return _judge(timeline, index, timeline.checks[index], policies, zone, *_facts(timeline, policies[0], zone), View).verdicts


def _facts(timeline: Timeline, policy: Policy, zone: ZoneInfo) -> tuple[list[Event], list[Heartbeat]]:
    events: list[Event] = []
    beats: list[Heartbeat] = []
    faults: list[Fault] = []
    for index, given in enumerate(timeline.events):
        when = timeline.instant(given.at or given.on or "", zone)
        recorded = timeline.instant(given.rec, zone) if given.rec else when
        data = dict(given.data)
        if given.on:
            data["occurred_on"] = when.date().isoformat()
        envelope = {
            "specversion": "1.0",
            "id": given.id,
            "source": given.source,
            "type": given.type,
            "subject": given.subject or timeline.case,
            "time": when.isoformat(),
            "recordedtime": recorded.isoformat(),
            "data": data,
        }
        try:
            parsed = parse_event(envelope, policy.catalogue, received=to_ms(recorded))
        except EventRefused as error:
            faults.extend(timeline.fault(("events", index), p.code, f"{p.pointer} {p.message}") for p in error.problems)
            continue
        unknown = (f"{given.type} has no attribute {path}" for path in parsed.dropped)
        faults.extend(timeline.fault(("events", index), "unknown-attribute", message) for message in unknown)
        if parsed.event is not None:
            events.append(parsed.event)
        if parsed.heartbeat is not None:
            beats.append(parsed.heartbeat)
    if faults:
        raise PolicyError(faults)
    return events, beats


def _judge(
    timeline: Timeline,
    index: int,
    check: Check,
    policies: Sequence[Policy],
    zone: ZoneInfo,
    events: Sequence[Event],
    beats: Sequence[Heartbeat],
    views: type[View],
) -> Evaluation:
    try:
        chosen = with_parameters(policies, {**timeline.params, **check.params})
    except ParameterError as error:
        raise PolicyError([timeline.fault(("checks", index), "parameter", str(error))]) from error
    as_of = timeline.moment(check.as_of, zone)
    known_at = timeline.moment(check.known_at, zone) if check.known_at else _everything(as_of, zone, events, beats)
    case = check.case or timeline.case
    for file in gather(events, beats, policies[0].domain):
        if file.case == case:
            return evaluate(chosen, file, as_of=as_of, known_at=known_at, waived=check.waivers, statuses=JUDGED, views=views)
    raise PolicyError([timeline.fault(("checks", index), "unknown-case", f"no event is about the case {case!r}")])


def _everything(as_of: int | dt.date, zone: ZoneInfo, events: Sequence[Event], beats: Sequence[Heartbeat]) -> int:
    """An instant by which all that the timeline tells had been recorded."""
    last = as_of if isinstance(as_of, int) else to_ms(dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(), zone))
    return max([last, *(event.recorded for event in events), *(beat.recorded for beat in beats)])


def _refuse_unknown(timeline: Timeline, known: Collection[str]) -> None:
    named: list[tuple[tuple[Key, ...], str]] = [
        (("checks", index, "expect", rule), rule) for index, check in enumerate(timeline.checks) for rule in check.expect
    ]
    for index, check in enumerate(timeline.checks):
        named += [(("checks", index, part, rule), rule) for part in ("waived", "counted") for rule in getattr(check, part)]
    named += [(("beside",), rule) for rule in timeline.tolerated if rule != OTHERS]
    faults = [timeline.fault(path, "unknown-rule", f"no rule is called {rule!r}") for path, rule in named if rule not in known]
    if faults:
        raise PolicyError(faults)


def _compare(result: Result, index: int, check: Check, verdicts: Sequence[Verdict], known_rules: Iterable[str]) -> list[str]:
    """Notes what does not hold; gives the rules whose expectations do."""
    place = result.timeline.place("checks", index)
    by_rule: dict[str, list[dict[str, Any]]] = {rule: [] for rule in known_rules}
    for verdict in verdicts:
        by_rule[verdict.rule].append(verdict.as_dict())
    held = []
    for rule, wanted in result.timeline.expected(check).items():
        got = by_rule[rule]
        if wanted.holds(got):
            held.append(rule)
            result.passed += 1
        else:
            result.failures.append(Failure(check.as_of, rule, str(wanted), wanted.shown(got), place))
    return held


def _compare_counts(result: Result, index: int, check: Check, evaluation: Evaluation) -> list[str]:
    held = []
    for rule, wanted in check.counted.items():
        got = {name: number for name, number in evaluation.metrics.get(rule, {}).items() if number}
        if got == {name: number for name, number in wanted.items() if number}:
            held.append(rule)
            result.passed += 1
        else:
            place = result.timeline.place("checks", index)
            result.failures.append(Failure(check.as_of, rule, _counts(wanted), _counts(got), place))
    return held


def _counts(numbers: Mapping[str, int]) -> str:
    told = ", ".join(f"{name}: {number}" for name, number in sorted(numbers.items()))
    return f"counted {{{told}}}"


def _unexpected(result: Result, index: int, check: Check, verdicts: Sequence[Verdict]) -> set[str]:
    """Notes every breach that neither the check nor ``beside`` names; gives the rules that were breached and not expected."""
    found: dict[str, list[str]] = {}
    for one in verdicts:
        if one.verdict.value in BREACHES and one.rule not in check.expect:
            found.setdefault(one.rule, []).append(f"{one.verdict} {one.obligation}")
    tolerated = result.timeline.tolerated
    place = result.timeline.place("checks", index)
    failures = [
        Failure(check.as_of, rule, "no breach, since the check does not name one", ", ".join(shown), place)
        for rule, shown in found.items()
        if rule not in tolerated and OTHERS not in tolerated
    ]
    result.failures += failures
    result.passed += not failures and not check.expect and not check.counted
    return set(found)
