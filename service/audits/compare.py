"""Two audits compared: how the counts differ, and for each differing case which events or policy versions made the difference.

Where two audits differ in a case, so do the digests that they have kept of it.  Such a case is judged again on the way from the first
audit to the second, one step at a time: what came on record, waivers, the day, the versions of policies.  A verdict's difference is
laid to the steps in which it changed, so nothing is guessed.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from rules.clock import iso
from rules.model import CaseFile, Event, Verdict
from rules.wording import day_words
from service.access import Access
from service.audits import runs as audits
from service.audits.prints import NOTHING, substance
from service.audits.report import OUTCOMES, Report
from service.audits.runs import SCOPE
from service.audits.work import Auditing, auditing
from service.bootstrap import Service
from service.errors import NotPossible
from service.findings import Waiver
from store import audits as stored
from store.audits import Audit
from store.ids import Key
from store.leftovers import has_prints

MOST = 200
MOST_EVENTS = 20
NONE = "none"
"""How a side is called that has no verdict on an obligation."""

Found = Mapping[Key, Verdict]


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a verdict another one.  ``kind``: ``events``, ``waiver``, ``time``, ``policy`` or ``scope``."""

    kind: str
    words: str
    events: tuple[str, ...] = ()
    """Ids of the events."""
    versions: tuple[str, ...] = ()
    """Digests of the policy versions before and after."""


@dataclass(frozen=True, slots=True)
class Differing:
    """One obligation that the two audits judge differently; a side without a verdict is ``none``."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    team: str | None
    office: str | None
    before: str
    after: str
    before_words: str
    after_words: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """How many obligations of a rule had a verdict before and after."""

    policy: str
    rule: str
    verdict: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``before`` is the first audit.  ``differing`` lists whole cases in order of their ids; ``next`` is where to go on, if anywhere."""

    before: Audit
    after: Audit
    deltas: tuple[Delta, ...]
    cases: int | None
    """Cases that differ; None for a reader with limits, who sees of them what lies within."""
    differing: tuple[Differing, ...]
    next: str | None


def compare(svc: Service, access: Access, before: str, after: str, *, start: str | None = None, limit: int = 50) -> Comparison:
    """Compare two finished audits; ``limit`` cases at a time, after the case ``start``.

    Raises Forbidden, NotFound, and NotPossible where one has no report or a version that it rests on cannot be loaded.
    """
    access.require(SCOPE)
    told = [audits.get(svc, access, one) for one in (before, after)]
    for one in told:
        if one.state != "done":
            raise NotPossible(f"there is no report: the audit {one.id} is {one.state}")
    reports = [audits.report(svc, access, one) for one in (before, after)]
    path = _path(svc, *told)
    everything = all(audits.sees_all(access, one) for one in told)
    with svc.reading() as session:
        if any(one.total and not has_prints(session, one.id) for one in told):
            raise NotPossible("what was found case by case is no longer kept of one of these audits: its report with all counts is")
        cases = 0
        page: list[str] = []
        for case in _differing(session, before, after):
            cases += 1
            if (start is None or case > start) and len(page) <= min(limit, MOST):
                page.append(case)
        shown = page[: min(limit, MOST)]
        found = [one for one in _explained(session, path, shown) if access.sees(team=one.team, office=one.office)]
    more = shown[-1] if len(page) > len(shown) else None
    return Comparison(told[0], told[1], tuple(_deltas(*reports)), cases if everything else None, tuple(found), more)


@dataclass(frozen=True, slots=True)
class _Step:
    """A point on the way: what is judged, and by the waivers and the record of which audit."""

    kind: str
    judges: Auditing
    record: Auditing
    waivers: Auditing


def _path(svc: Service, before: Audit, after: Audit) -> list[_Step]:
    first, last = auditing(svc, before), auditing(svc, after)
    known = replace(before, position=after.position, heartbeat=after.heartbeat, known_at=after.known_at)
    record = Auditing(known, first.policies)
    day = Auditing(replace(known, as_of=after.as_of), first.policies)
    return [
        _Step("", first, first, first),
        _Step("events", record, last, first),
        _Step("waiver", record, last, day),
        _Step("time", day, last, day),
        _Step("policy", last, last, last),
    ]


def _differing(session: Session, before: str, after: str) -> Iterator[str]:
    """The cases in which what was found differs, in order: both sides' digests come in order of the cases."""
    ours, theirs = stored.prints_of(session, before), stored.prints_of(session, after)
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[0] < other[0]):
            assert mine is not None
            yield mine[0]
            mine = next(ours, None)
        elif mine is None or other[0] < mine[0]:
            yield other[0]
            other = next(theirs, None)
        else:
            if (mine[1] or NOTHING) != (other[1] or NOTHING):
                yield mine[0]
            mine, other = next(ours, None), next(theirs, None)


def _explained(session: Session, path: Sequence[_Step], cases: Sequence[str]) -> Iterator[Differing]:
    files: dict[int, dict[str, tuple[CaseFile, list[Waiver]]]] = {}
    for step in path:
        for source in (step.record, step.waivers):
            if id(source) not in files:
                files[id(source)] = source.files(session, cases)
    for case in cases:
        found: list[Found] = []
        for step in path:
            file, waivers = files[id(step.record)][case][0], files[id(step.waivers)][case][1]
            found.append({verdict.key: verdict for verdict in step.judges.judge(file, waivers).verdicts})
        yield from _of_case(path, found, [files[id(path[end].record)][case][0] for end in (0, -1)])


def _of_case(path: Sequence[_Step], found: Sequence[Found], files: Sequence[CaseFile]) -> Iterator[Differing]:
    first, last = path[0].judges, path[-1].judges
    news = _news(first.audit, last.audit, *files)
    for key in sorted(set().union(*found)):
        says = [_substance(step.get(key)) for step in found]
        before, after = _within(first, found[0].get(key)), _within(last, found[-1].get(key))
        if _substance(before) == _substance(after):
            continue
        causes = [
            _cause(step.kind, path, found, key, news) for step, (old, new) in zip(path[1:], pairwise(says), strict=True) if old != new
        ]
        if not all(_looks_at(judges, key[2]) for judges in (first, last)):
            causes = []
        if before is not found[0].get(key) or after is not found[-1].get(key) or not causes:
            causes = [*causes, Cause("scope", "The two audits do not look at the same.")]
        owner = after or before
        assert owner is not None
        yield Differing(
            *key,
            team=owner.team,
            office=owner.office,
            before=NONE if before is None else before.verdict.value,
            after=NONE if after is None else after.verdict.value,
            before_words="" if before is None else first.words(before),
            after_words="" if after is None else last.words(after),
            causes=tuple(causes),
        )


def _looks_at(judges: Auditing, policy: str) -> bool:
    chosen = judges.audit.scope.policies
    return chosen is None or policy in chosen


def _within(judges: Auditing, verdict: Verdict | None) -> Verdict | None:
    return verdict if verdict is not None and judges.within(verdict) else None


def _substance(verdict: Verdict | None) -> tuple[Any, ...] | None:
    return None if verdict is None else substance(verdict)


def _cause(kind: str, path: Sequence[_Step], found: Sequence[Found], key: Key, news: Sequence[Event]) -> Cause:
    first, last = path[0].judges, path[-1].judges
    if kind == "events":
        return _events(found[0].get(key), found[1].get(key), news, first)
    if kind == "waiver":
        return Cause(kind, "A waiver was approved, was found void or ended.")
    if kind == "time":
        days = [day_words(iso(one.chosen[0].zone.day_of(one.audit.as_of))) for one in (first, last)]
        told = f"The day moved on from {days[0]} to {days[1]}." if days[0] != days[1] else f"It is later on {days[1]}."
        return Cause(kind, told)
    verdicts = [found[-2].get(key), found[-1].get(key)]
    digests = [None if verdict is None else verdict.policy_digest for verdict in verdicts]
    names = [_version(judges, key[2], digest) for judges, digest in zip((first, last), digests, strict=True)]
    return Cause(kind, f"It is judged by {names[1]}, and was by {names[0]}.", versions=tuple(digest for digest in digests if digest))


def _version(judges: Auditing, policy: str, digest: str | None) -> str:
    """How the version is called that judged; of an obligation that is not there, the newest version of its policy."""
    own = [one for one in judges.policies.policies if one.id == policy]
    found = next((one for one in own if one.digest == digest), own[-1] if own else None)
    return f"no version of {policy}" if found is None else f"{policy} {found.version} ({found.digest[:12]})"


def _events(before: Verdict | None, after: Verdict | None, news: Sequence[Event], judges: Auditing) -> Cause:
    """The new events that either verdict speaks of; where neither names one, all that are new in the case."""
    named = {
        one for verdict in (before, after) if verdict is not None for one in (*verdict.evidence, *(event for event, _ in verdict.rejected))
    }
    those = [event for event in news if event.id in named] or list(news)
    shown = those[:MOST_EVENTS]
    if not shown:
        return Cause("events", "More is known of how far the sources of the case are complete.")
    zone = judges.chosen[0].zone
    told = "; ".join(f"{event.type} of {day_words(event.data.get('occurred_on') or iso(zone.day_of(event.time)))}" for event in shown)
    more = f" and {len(those) - len(shown)} more" if len(those) > len(shown) else ""
    return Cause("events", f"On record in one of the two alone: {told}{more}.", events=tuple(event.id for event in shown))


def _news(before: Audit, after: Audit, first: CaseFile, last: CaseFile) -> list[Event]:
    """The events that count in one of the two audits alone, as they came on record."""
    known = [
        {(event.source, event.id): event for event in _all(file) if event.recorded <= audit.known_at}
        for audit, file in ((before, first), (after, last))
    ]
    apart = known[0].keys() ^ known[1].keys()
    return sorted(({**known[0], **known[1]}[key] for key in apart), key=lambda event: (event.recorded, event.source, event.id))


def _all(file: CaseFile) -> Iterator[Event]:
    yield from file.events
    for events in file.linked.values():
        yield from events


def _deltas(before: Report, after: Report) -> Iterator[Delta]:
    sums: list[Counter[tuple[str, str, str]]] = []
    for report in (before, after):
        counted: Counter[tuple[str, str, str]] = Counter()
        for row in report["results"]["rows"]:
            values: Mapping[str, Any] = row
            for outcome in OUTCOMES:
                counted[row["policy"], row["rule"], outcome] += values[outcome]
        sums.append(counted)
    for policy, rule, outcome in sorted(sums[0].keys() | sums[1].keys(), key=lambda key: (key[0], key[1], OUTCOMES.index(key[2]))):
        old, new = (one[policy, rule, outcome] for one in sums)
        if old != new:
            yield Delta(policy, rule, outcome, old, new)
