"""Judging a case: history, obligations, decisions, verdicts.  Pure: the same inputs give the same bytes, for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import verdicts
from rules.clock import Zone, parse_day
from rules.course import dig
from rules.decide import Deciders, Disagreement, Item, decide
from rules.history import Episode, History, build
from rules.lean import lean
from rules.links import persons, roots
from rules.model import CaseFile, DataQuery, Decision, Event, Hold, Verdict
from rules.obligation import OUT_OF_SCOPE, Obligation, World, nothing
from rules.policy import Policy, Rule
from rules.record import Fact, standing
from rules.versions import Share, each_once, in_force, of_today, reigns, taken_over
from rules.view import Related, View

When = int | dt.date
"""An instant (ms), or a local date: its last ms in the policy's zone."""


@lean
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


@dataclass(frozen=True, slots=True)
class _Ask:
    """How a case is to be judged."""

    waived: frozenset[tuple[str, str, str]]
    deciders: Deciders | None
    statuses: frozenset[str]
    views: type[View]


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
    views: type[View] = View,
) -> Evaluation:
    """Every verdict of the policies on a case.

    Several policies of one id are its versions: the one in force on the day of the activation judges.  ``waived``: (episode,
    rule, obligation) of waivers that stand.  ``statuses``: rules of which status are judged.  ``views``: a kind of View that tells
    what it is asked, where that is to be measured.
    """
    run = _Run(file.case)
    ask = _Ask(frozenset(waived), deciders, frozenset(statuses), views)
    versions: dict[str, list[Policy]] = {}
    for policy in policies:
        versions.setdefault(policy.id, []).append(policy)
    merged_into: str | None = None
    worlds: _Stages = {}
    current: list[Policy] = []
    for same in versions.values():
        same.sort(key=lambda p: p.effective)
        now = _now(same, as_of)
        current.append(now)
        stage = _stage(now, now.zone, file, as_of, known_at, run, worlds)
        if isinstance(stage, str):
            merged_into = stage
            continue
        for episode in stage.history.episodes:
            own = now.zone_for(episode.programs, _office(episode, now))
            _judge_episode(same, *_seen_in(own, stage, episode, now, file, as_of, known_at, run, worlds), run, ask)
        run.changes += [t for policy in same if (t := policy.zone.start_of(policy.effective)) > stage.as_of]
    _tally(current, run, statuses)
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


_Stages = dict[tuple[str, str, int, int], "_Stage | str"]


def _stage(policy: Policy, zone: Zone, file: CaseFile, as_of: When, known_at: When, run: _Run, cache: _Stages) -> _Stage | str:
    """The history in a zone; a case id where the case was merged into that one."""
    at, known = zone.last_ms_of(as_of), zone.last_ms_of(known_at)
    key = (zone.name, policy.catalogue.digest, at, known)
    if key in cache:
        return cache[key]
    types = policy.catalogue.types
    heard = [event for event in _all_events(file) if event.type in types]
    facts, queries = standing(heard, known, policy.catalogue)
    domain = policy.domain
    into, merge_queries = roots(facts, domain, at)
    run.ask([*queries, *merge_queries])
    root = into.get(file.case, file.case)
    run.changes += [f.time for f in facts if f.time > at]
    run.changes += [t for f in facts if f.day is not None and (t := zone.start_of(parse_day(f.day))) > at]
    run.changes += [e.recorded for e in _all_events(file) if e.recorded > known]
    if root != file.case:
        run.ask([DataQuery("merged", file.case, f"this case was merged into {root} and is judged there")])
        cache[key] = root
        return root
    groups = _by_case(facts, into)
    history = build(file.case, groups.get(root, ()), zone=zone, as_of=at, domain=domain)
    run.ask(history.queries)
    others = tuple(build(case, mine, zone=zone, as_of=at, domain=domain) for case, mine in sorted(groups.items()) if case != root)
    beats: dict[str, int] = {}
    for beat in file.heartbeats:
        if beat.recorded <= known:
            beats[beat.source] = max(beats.get(beat.source, beat.complete_until), beat.complete_until)
    holds = [hold for hold in file.holds if hold.since <= known and hold.source in beats]
    own = together = None
    if beats:
        own = _complete({f.event.source for f in groups.get(root, ())}, beats, [h for h in holds if into.get(h.case, h.case) == root])
        together = _complete({f.event.source for f in facts}, beats, holds)
    stage = _Stage(zone, at, known, history, others, own, together)
    cache[key] = stage
    return stage


def _by_case(facts: list[Fact], into: Mapping[str, str]) -> dict[str, list[Fact]]:
    """The facts by the case into which theirs was merged."""
    cases = {fact.event.case for fact in facts}
    if not into and len(cases) == 1:
        return {cases.pop(): facts}
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(into.get(fact.event.case, fact.event.case), []).append(fact)
    return groups


def _complete(sources: set[str], beats: Mapping[str, int], holds: Sequence[Hold]) -> int | None:
    """How far all sources that have spoken are complete, as far as they say so: by their heartbeats, and by what could not be read."""
    said = [beats[source] for source in sources | {hold.source for hold in holds} if source in beats]
    return min([*said, *(hold.complete_until for hold in holds)], default=None)


def _all_events(file: CaseFile) -> Sequence[Event]:
    return [*file.events, *(event for events in file.linked.values() for event in events)] if file.linked else file.events


def _office(episode: Episode, policy: Policy) -> str | None:
    """The office that the episode named last."""
    path = policy.domain.course.office
    if path is None or not policy.offices:
        return None
    return next((office for entry in reversed(episode.entries) if (office := dig(entry.data, path)) is not None), None)


def _seen_in(
    zone: Zone, stage: _Stage, episode: Episode, policy: Policy, file: CaseFile, as_of: When, known_at: When, run: _Run, cache: _Stages
) -> tuple[_Stage, Episode]:
    """The same episode in the zone of its own program or office."""
    if zone is stage.zone:
        return stage, episode
    other = _stage(policy, zone, file, as_of, known_at, run, cache)
    if isinstance(other, str) or len(other.history.episodes) < episode.number:
        return stage, episode
    return other, other.history.episodes[episode.number - 1]


def _now(versions: Sequence[Policy], as_of: When) -> Policy:
    """The version whose day is the last that has begun, each by its own zone."""
    return next((p for p in reversed(versions) if p.effective <= p.zone.day_of(p.zone.last_ms_of(as_of))), versions[0])


def _judge_episode(versions: Sequence[Policy], stage: _Stage, episode: Episode, run: _Run, ask: _Ask) -> None:
    today = stage.zone.day_of(stage.as_of)
    run.changes += [stage.zone.start_of(policy.effective) for policy in versions if policy.effective > today]
    now = of_today(versions, today)
    if now.program is not None and not episode.programs:
        return
    until = taken_over(versions, episode, today, stage.zone)
    if now.program is not None and now.program not in episode.programs:
        view = _view(now, stage, episode, ask.views)
        judged = [rule for rule in now.rules if rule.status in ask.statuses and not rule.counted]
        _settle(run, now, [(rule, nothing(OUT_OF_SCOPE)) for rule in judged], view, ask, stage, until)
        return
    shares: list[Share] = []
    for reign in reigns(versions, episode, today):
        policy = reign.policy
        view = _view(policy, stage, episode, ask.views)
        run.changes += [t for day in view.boundaries() if 1 < day < 3_000_000 and (t := stage.zone.start_of(day)) > stage.as_of]
        share = Share(reign, view)
        for rule in policy.rules:
            if rule.status not in ask.statuses:
                continue
            if rule.counted:
                if reign.is_now:
                    _count(rule, view, run)
                continue
            share.add(rule, [in_force(o, reign) for clause in rule.clauses for o in clause.obligations(view)])
        shares.append(share)
    for share, asked in each_once(shares):
        _settle(run, share.reign.policy, asked, share.view, ask, stage, until)
        run.ask(share.view.data_queries())


def _view(policy: Policy, stage: _Stage, episode: Episode, views: type[View]) -> View:
    return views(
        policy,
        stage.history,
        episode,
        zone=stage.zone,
        calendar=policy.calendar_for(_office(episode, policy)),
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
    run: _Run, policy: Policy, asked: Sequence[tuple[Rule, Obligation]], view: View, ask: _Ask, stage: _Stage, until: int | None
) -> None:
    """Stage 3: every world of every obligation decided, and the worlds of each joined into one verdict, which holds ``until`` at most."""
    items: list[Item] = []
    for rule, obligation in asked:
        spared = bool(ask.waived) and (view.number, rule.id, obligation.key) in ask.waived
        for world in obligation.worlds:
            items.append((replace(world.duty, waived=True) if spared else world.duty, world.candidates))
            if world.excusing is not None:
                duty = world.excusing.duty
                items.append((replace(duty, waived=True) if spared else duty, world.excusing.candidates))
    told: list[Disagreement] = []
    decisions = decide(items, stage.as_of, deciders=ask.deciders, on_disagreement=told.append)
    if told:
        ids = [rule.id for rule, obligation in asked for world in obligation.worlds for _ in range(1 + (world.excusing is not None))]
        run.disagreements += [(ids[one.index], one) for one in told]
    coming = iter(decisions)
    for rule, obligation in asked:
        verdict, world, decision = verdicts.join(
            obligation, coming, view=view, policy=policy, rule=rule, known_at=stage.known_at, until=until
        )
        run.verdicts.append(verdict)
        run.details.append(Judged(verdict, policy, rule, obligation, world, decision, view))
        if verdict.next_change is not None:
            run.changes.append(verdict.next_change)


def _count(rule: Rule, view: View, run: _Run) -> None:
    counts = run.metrics.setdefault(rule.id, {})
    for clause in rule.clauses:
        for name, number in clause.count(view).items():
            counts[name] = counts.get(name, 0) + number


def _tally(policies: Sequence[Policy], run: _Run, statuses: Collection[str]) -> None:
    once = {(policy.id, rule.id): rule for policy in policies for rule in policy.rules if rule.status in statuses and rule.counted}
    for rule in once.values():
        for clause in rule.clauses:
            for name, number in clause.tally(run.verdicts).items():
                counts = run.metrics.setdefault(rule.id, {})
                counts[name] = counts.get(name, 0) + number
