"""Judging a case: history, obligations, decisions, verdicts.  Pure: the same inputs give the same bytes, for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import verdicts
from rules.clock import Zone
from rules.course import dig
from rules.decide import Deciders, Disagreement, Item, decide
from rules.history import Episode, History, build
from rules.kinds.metric import Metric
from rules.links import persons, roots
from rules.model import CaseFile, DataQuery, Decision, Duty, Event, Outcome, Verdict
from rules.obligation import BEFORE_POLICY, OUT_OF_SCOPE, Obligation, World, nothing, off
from rules.policy import Policy, Rule
from rules.record import Fact, standing
from rules.view import Related, View

When = int | dt.date
"""An instant (ms), or a local date: its last ms in the policy's zone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with all that it came from; `rules.explain` tells it in words."""

    verdict: Verdict
    policy: Policy
    rule: Rule
    obligation: Obligation
    world: World
    decision: Decision
    view: View


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a case comes to at (as_of, known_at).

    ``next_change``: unless an event arrives, all of it stays so until then (ms; None: for ever).  ``metrics``: counts by rule.
    """

    case: str
    verdicts: tuple[Verdict, ...]
    queries: tuple[DataQuery, ...]
    next_change: int | None
    metrics: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    details: tuple[Judged, ...] = ()
    merged_into: str | None = None
    disagreements: tuple[tuple[str, Disagreement], ...] = ()


@dataclass(slots=True)
class _Run:
    """What is gathered while one case is judged."""

    case: str
    details: list[Judged] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    queries: dict[tuple[str, str, tuple[str, ...]], DataQuery] = field(default_factory=dict)
    changes: list[int] = field(default_factory=list)
    metrics: dict[str, dict[str, int]] = field(default_factory=dict)
    disagreements: list[tuple[str, Disagreement]] = field(default_factory=list)

    def ask(self, found: Sequence[DataQuery]) -> None:
        for query in found:
            self.queries.setdefault((query.code, query.case, query.events), query)


def evaluate(
    policies: Sequence[Policy],
    file: CaseFile,
    *,
    as_of: When,
    known_at: When,
    waived: Collection[tuple[str, str, str]] = (),
    deciders: Deciders | None = None,
    statuses: Collection[str] = ("enforced", "shadow"),
) -> Evaluation:
    """Every verdict of the policies on a case.

    Several policies of one id are its versions: the one in force on the day of the activation judges.  ``waived``: (episode,
    rule, obligation) of waivers that stand.  ``statuses``: rules of which status are judged.
    """
    run = _Run(file.case)
    versions: dict[str, list[Policy]] = {}
    for policy in policies:
        versions.setdefault(policy.id, []).append(policy)
    merged_into: str | None = None
    worlds: dict[tuple[str, str, int, int], _Stage | str] = {}
    for same in versions.values():
        same.sort(key=lambda p: p.effective)
        stage = _stage(same[-1], file, as_of, known_at, run, worlds)
        if isinstance(stage, str):
            merged_into = stage
            continue
        for episode in stage.history.episodes:
            _judge_episode(same, stage, episode, run, set(waived), deciders, statuses)
    _count_unknown(policies, run, statuses)
    return Evaluation(
        file.case,
        tuple(run.verdicts),
        tuple(sorted(run.queries.values(), key=lambda q: (q.code, q.events, q.message))),
        min(run.changes, default=None),
        run.metrics,
        tuple(run.details),
        merged_into,
        tuple(run.disagreements),
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """Stage 1 done: the history of the case in one zone, and the related ones."""

    zone: Zone
    as_of: int
    known_at: int
    history: History
    others: tuple[History, ...]
    complete_until: int | None
    complete_with_others: int | None
    office: str | None


def _stage(
    policy: Policy, file: CaseFile, as_of: When, known_at: When, run: _Run, cache: dict[tuple[str, str, int, int], _Stage | str]
) -> _Stage | str:
    """The history as the policy sees it; a case id where the case was merged into that one."""
    zone = policy.zone
    facts, queries = _facts(policy, file, zone.last_ms_of(known_at))
    programs, office = _named(facts, policy, zone.last_ms_of(as_of), file.case)
    own_zone = policy.zone_for(programs, office)
    if own_zone is not zone and not isinstance(known_at, int):
        facts, queries = _facts(policy, file, own_zone.last_ms_of(known_at))
    at, known = own_zone.last_ms_of(as_of), own_zone.last_ms_of(known_at)
    key = (own_zone.name, policy.catalogue.digest, at, known)
    if key in cache:
        return cache[key]
    domain = policy.domain
    into, merge_queries = roots(facts, domain, at)
    run.ask([*queries, *merge_queries])
    root = into.get(file.case, file.case)
    run.changes += [t for t in (*(f.time for f in facts), *(_day_start(f, own_zone) for f in facts)) if t > at]
    run.changes += [e.recorded for e in _all_events(file) if e.recorded > known]
    if root != file.case:
        run.ask([DataQuery("merged", file.case, f"this case was merged into {root} and is judged there")])
        cache[key] = root
        return root
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(into.get(fact.event.case, fact.event.case), []).append(fact)
    history = build(file.case, groups.get(root, ()), zone=own_zone, as_of=at, domain=domain)
    run.ask(history.queries)
    others = tuple(build(case, mine, zone=own_zone, as_of=at, domain=domain) for case, mine in sorted(groups.items()) if case != root)
    beats: dict[str, int] = {}
    for beat in file.heartbeats:
        if beat.recorded <= known:
            beats[beat.source] = max(beats.get(beat.source, beat.complete_until), beat.complete_until)
    own = _complete({f.event.source for f in groups.get(root, ())}, beats)
    stage = _Stage(own_zone, at, known, history, others, own, _complete({f.event.source for f in facts}, beats), office)
    cache[key] = stage
    return stage


def _complete(sources: set[str], beats: Mapping[str, int]) -> int | None:
    return min((beats[s] for s in sources if s in beats), default=None)


def _day_start(fact: Fact, zone: Zone) -> int:
    return fact.time if fact.day is None else zone.start_of(dt.date.fromisoformat(fact.day).toordinal())


def _all_events(file: CaseFile) -> list[Event]:
    return [*file.events, *(event for events in file.linked.values() for event in events)]


def _facts(policy: Policy, file: CaseFile, known_at: int) -> tuple[list[Fact], list[DataQuery]]:
    return standing(_all_events(file) if file.linked else file.events, known_at, policy.catalogue)


def _named(facts: Sequence[Fact], policy: Policy, as_of: int, case: str) -> tuple[set[str], str | None]:
    """The programs that the case names, and its latest office."""
    course = policy.domain.course
    mine = [f for f in facts if f.event.case == case and f.time <= as_of]
    programs = {dig(f.data, course.program) for f in mine} - {None} if course.program else set()
    offices = [(f.time, f.event.recorded, f.event.id, dig(f.data, course.office)) for f in mine] if course.office and policy.offices else []
    return programs, max((row for row in offices if row[3] is not None), default=(0, 0, "", None))[3]


def _judge_episode(
    versions: Sequence[Policy],
    stage: _Stage,
    episode: Episode,
    run: _Run,
    waived: set[tuple[str, str, str]],
    deciders: Deciders | None,
    statuses: Collection[str],
) -> None:
    newest = versions[-1]
    today = stage.zone.day_of(stage.as_of)
    for policy in versions:
        if policy.effective > today:
            run.changes.append(stage.zone.start_of(policy.effective))
    if newest.program is not None and not episode.programs:
        return
    now = next((p for p in reversed(versions) if p.effective <= today), versions[0])
    if newest.program is not None and newest.program not in episode.programs:
        view = _view(now, stage, episode)
        for rule in now.rules:
            if rule.status in statuses and not isinstance(rule.clauses[0], Metric):
                _settle(run, now, rule, view, [nothing(OUT_OF_SCOPE)], set(), deciders, stage)
        return
    for number, policy in enumerate(versions):
        until = versions[number + 1].effective if number + 1 < len(versions) else None
        view = _view(policy, stage, episode)
        run.changes += [t for day in view.boundaries() if 1 < day < 3_000_000 and (t := stage.zone.start_of(day)) > stage.as_of]
        for rule in policy.rules:
            if rule.status not in statuses:
                continue
            if isinstance(rule.clauses[0], Metric):
                if policy is now:
                    _count(rule, view, run)
                continue
            found = [o for clause in rule.clauses for o in clause.obligations(view)]
            found = [_in_force(o, policy, until, is_first=number == 0, is_now=policy is now) for o in found]
            _settle(run, policy, rule, view, _without_placeholders(found, is_now=policy is now), waived, deciders, stage)


def _in_force(obligation: Obligation, policy: Policy, until: int | None, *, is_first: bool, is_now: bool) -> Obligation:
    """The obligation without the worlds whose activation another version of the policy judges."""
    kept: list[World] = []
    for world in obligation.worlds:
        day = world.activated_day
        if day is None:
            kept += [world] if is_now else []
        elif day < policy.effective:
            kept += [replace(off(BEFORE_POLICY), activated_day=day)] if is_first else []
        elif until is None or day < until:
            kept.append(world)
    return replace(obligation, worlds=tuple(kept))


def _without_placeholders(found: list[Obligation], *, is_now: bool) -> list[Obligation]:
    live = [o for o in found if o.worlds and not (o.key == "case" and not o.activation)]
    if live or not is_now:
        return live
    return [o for o in found if o.worlds][:1] or [nothing()]


def _view(policy: Policy, stage: _Stage, episode: Episode) -> View:
    return View(
        policy,
        stage.history,
        episode,
        zone=stage.zone,
        calendar=policy.calendar_for(stage.office),
        as_of=stage.as_of,
        complete_until=stage.complete_until,
        complete_with_others=stage.complete_with_others,
        related=_related(policy, stage, episode),
        domain=policy.domain,
    )


def _related(policy: Policy, stage: _Stage, episode: Episode) -> tuple[Related, ...]:
    if not stage.others:
        return ()
    mine = persons(episode, policy.domain)
    found = []
    for other in stage.others:
        anywhere = {name for e in other.episodes for name in persons(e, policy.domain)}
        found += [Related(other.case, e) for e in other.episodes if mine & (persons(e, policy.domain) or anywhere)]
    return tuple(found)


def _settle(
    run: _Run,
    policy: Policy,
    rule: Rule,
    view: View,
    found: Sequence[Obligation],
    waived: set[tuple[str, str, str]],
    deciders: Deciders | None,
    stage: _Stage,
) -> None:
    """Stage 3: every world of every obligation decided, and the worlds of each joined into one verdict."""
    items: list[Item] = []
    episode = str(view.episode.number)
    for obligation in found:
        spared = (episode, rule.id, obligation.key) in waived
        for world in _flat(obligation):
            duty: Duty = replace(world.duty, waived=True) if spared else world.duty
            items.append((duty, world.candidates))
    told: list[Disagreement] = []
    decisions = iter(decide(items, stage.as_of, deciders=deciders, on_disagreement=told.append))
    for obligation in found:
        decided = {id(world): next(decisions) for world in _flat(obligation)}
        verdict, world, decision = verdicts.join(obligation, decided, view=view, policy=policy, rule=rule, known_at=stage.known_at)
        run.verdicts.append(verdict)
        run.details.append(Judged(verdict, policy, rule, obligation, world, decision, view))
        if verdict.next_change is not None:
            run.changes.append(verdict.next_change)
    run.disagreements += [(rule.id, one) for one in told]


def _flat(obligation: Obligation) -> list[World]:
    return [w for world in obligation.worlds for w in ((world,) if world.excusing is None else (world, world.excusing))]


def _count(rule: Rule, view: View, run: _Run) -> None:
    counts = run.metrics.setdefault(rule.id, {})
    for clause in rule.clauses:
        if isinstance(clause, Metric) and clause.verdicts is None:
            for name, number in clause.count(view).items():
                counts[name] = counts.get(name, 0) + number


def _count_unknown(policies: Sequence[Policy], run: _Run, statuses: Collection[str]) -> None:
    for policy in policies:
        for rule in policy.rules:
            clause = rule.clauses[0]
            if rule.status in statuses and isinstance(clause, Metric) and clause.verdicts is not None:
                counts = run.metrics.setdefault(rule.id, {})
                for verdict in run.verdicts:
                    if verdict.verdict is Outcome.UNKNOWN:
                        counts[verdict.reason or "-"] = counts.get(verdict.reason or "-", 0) + 1
