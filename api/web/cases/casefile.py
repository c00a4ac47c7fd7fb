"""The page of a case: judged anew at the two instants that were asked for, with its picture and its journey.

Imports rules/, store.queries, service/ and this package.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from api.web import words
from api.web.cases import picture, tables
from api.web.cases.journey import episodes, journey, plain_journey, recording_limit
from api.web.cases.lines import group_of, office, short_line, verdict_line
from api.web.cases.story import Run, Story, record_of, tell
from api.web.cases.views import CasePage, EarlierLine, EpisodeLine, JourneyDay, Query, VerdictGroup, VerdictLine
from rules.clock import Zone
from rules.evaluate import Judged, evaluate
from rules.explain import explained
from rules.model import NEVER, CaseFile, DataQuery
from service import onrecord
from service.access import Access
from service.bootstrap import Service
from service.judge import Stored, stored
from service.policies.policyset import OUT_OF_SCOPE, Group
from service.retention.earlier import Earlier, earlier
from service.whereabouts import Whereabouts
from store.cases import neighbours
from store.ids import finding_id
from store.queries import MAX_LIMIT, Waiting, casework

GROUPS = ("breached", "late", "due_soon", "unknown", "excused", "pending", "unset", "ended", "met", "not_applicable")
OPEN = frozenset({"breached", "late", "due_soon", "unknown", "excused"})
LONG = 40
"""Verdicts of one kind from which on their list is folded."""


URGENT = frozenset({"breached", "late", "due_soon", "excused"})
"""Kinds of which every verdict is told with its reasons, however many there are."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """What every group of policies is asked with."""

    held: Stored
    access: Access
    links: set[str]
    """Ids of the breaches that have a page."""
    limit: int
    """Days within which events are to be recorded."""
    now: int
    linked: Sequence[str]
    """Cases of other ids that the viewer may see."""
    rule: str


@dataclass(slots=True)
class _Found:
    """What the groups of policies say of the case together."""

    zone: Zone
    instants: tuple[int, int]
    story: Story | None = None
    whole: tuple[int, int] | None = None
    """The days that the picture reaches over, whatever it is judged at; ``runs``: the episodes in these."""
    runs: list[Run] = field(default_factory=list)
    root: str = ""
    cases: set[str] = field(default_factory=set)
    happened: set[dt.date] = field(default_factory=set)
    """The days of all events, of those too that had not happened or were not known then."""
    days: dict[dt.date, list[JourneyDay]] = field(default_factory=lambda: defaultdict(list))
    episodes: list[EpisodeLine] = field(default_factory=list)
    lines: dict[str, list[VerdictLine]] = field(default_factory=lambda: defaultdict(list))
    queries: dict[tuple[str, str, tuple[str, ...]], DataQuery] = field(default_factory=dict)


def case_page(
    svc: Service, access: Access, case: str, *, as_of: dt.date | None, known_at: dt.date | None, show: str = "", rule: str = ""
) -> CasePage:
    """``show`` names the part of the case that the picture is of; empty: all of it.  ``rule``: its verdicts are told with their reasons,
    however many there are.

    Raises NotFound for a case that is not on record, or that the viewer may not see.
    """
    now = svc.now()
    with svc.reading() as session:
        shown = onrecord.show(svc, session, access, case)
        detail = shown.detail
        held = stored(svc, session, case, as_of=as_of or now, known_at=known_at or now)
        removed = earlier(svc, session, access, case)
        linked = onrecord.visible(svc, session, access, neighbours(session, [case]).get(case, frozenset()))
        sent = () if shown.judgeable else casework.list_events(session, case, sort="-time", limit=MAX_LIMIT).items
    links = {breach.id for breach in detail.breaches}
    found = _Found(held.policies.policies[0].zone, (now, now))
    found.instants = (found.zone.last_ms_of(held.as_of), found.zone.last_ms_of(held.known_at))
    limit = recording_limit(policy.values for policy in held.policies.policies)
    for group in held.policies.groups if shown.judgeable else ():
        part = held.file if len(held.policies.groups) == 1 else group.part_of(held.file)
        if part is not None:
            _judge(found, _Ask(held, access, links, limit, now, linked, rule), group, part)
    zone, (at, known) = found.zone, found.instants
    story, whole = found.story, found.whole
    drawn = None
    if story is not None and whole is not None:
        scale, periods = picture.parts(found.runs, whole, show)
        drawn = picture.draw(story, scale, periods)
    if not shown.judgeable:
        for one in plain_journey(sent, zone=zone, as_of=at, known_at=known):
            found.days[one.day].append(one)
    day = dt.date.fromordinal(zone.day_of(at))
    turning = {*found.days, *found.happened}
    merged_into = found.root if found.root not in ("", case) else ""
    return CasePage(
        case=case,
        zone=zone.name,
        as_of=at,
        known_at=known,
        now=as_of is None and known_at is None,
        day=day,
        known_day=dt.date.fromordinal(zone.day_of(known)),
        facts=_facts(shown.where),
        episodes=found.episodes,
        picture=drawn,
        days=[JourneyDay(at_day, [item for entry in found.days[at_day] for item in entry.items]) for at_day in sorted(found.days)],
        groups=[
            VerdictGroup(name, found.lines[name], open=name in OPEN and len(found.lines[name]) <= LONG)
            for name in GROUPS
            if found.lines[name]
        ],
        due=tables.due(story.windows) if story is not None else (),
        course=tables.course(story) if story is not None else (),
        people=tables.people(story.people) if story is not None else (),
        queries=[Query(one.code, one.message, one.events) for one in found.queries.values()],
        events=detail.events,
        judged=detail.summary is not None,
        withdrawn=shown.where.withdrawn,
        unjudgeable="" if shown.judgeable else _unjudgeable(detail.waiting),
        waiting=None if detail.waiting is None else detail.waiting.since,
        merged_into="" if not merged_into else merged_into if merged_into in linked else "-",
        merged=sorted(one for one in found.cases if one not in (case, merged_into)),
        linked=[one for one in linked if one not in found.cases and one != merged_into],
        earlier=None if removed is None else _earlier(removed, zone),
        before=max((one for one in turning if one < day), default=None),
        after=min((one for one in turning if one > day), default=None),
    )


def _earlier(removed: Earlier, zone: Zone) -> EarlierLine:
    until, then = (dt.date.fromordinal(zone.day_of(at)) for at in (removed.through, removed.removed_at))
    return EarlierLine(until, then, removed.certificate or "")


def _unjudgeable(waiting: Waiting | None) -> str:
    """What stopped the workers, and what becomes of it."""
    if waiting is None:
        return ""
    if waiting.quarantined:
        what = "so it was put aside. Somebody who looks after the installation has to look at it: see Status."
    else:
        what = "and it will be tried again by itself."
    told = f"Judging it failed {words.count(waiting.attempts, 'time')}, {what}"
    return f"{told} What failed: {waiting.last_error}." if waiting.last_error else told


def _facts(where: Whereabouts) -> dict[str, str]:
    shown = {
        "Program": words.word("program", where.program),
        "Team": where.team or "",
        "Office": office(where.office or ""),
        "Worker": where.worker or "",
    }
    return {name: value for name, value in shown.items() if value}


def _judge(found: _Found, ask: _Ask, group: Group, part: CaseFile) -> None:
    held, access, links, limit, now, linked = ask.held, ask.access, ask.links, ask.limit, ask.now, ask.linked
    evaluation = evaluate(group.policies, part, as_of=held.as_of, known_at=held.known_at, waived=held.waived)
    seen = [
        one
        for one in evaluation.details
        if one.verdict.reason != OUT_OF_SCOPE and access.sees(team=one.verdict.team, office=one.verdict.office)
    ]
    if seen:
        found.zone, found.instants = seen[0].view.zone, (seen[0].verdict.as_of, seen[0].verdict.known_at)
    zone, (at, known) = found.zone, found.instants

    def address(judged: Judged) -> str:
        name = finding_id(judged.verdict.key)
        return f"/breaches/{name}" if name in links else ""

    record = record_of(part, group, zone=zone, as_of=at, known_at=known, visible=linked)
    for day in journey(record, seen, zone=zone, as_of=at, known_at=known, limit=limit, breach=address, case=part.case):
        found.days[day.day].append(day)
    found.root = record.root if record.root != part.case else found.root
    found.cases.update(record.cases)
    if record.history.entries or found.story is None:
        everything = record_of(part, group, zone=zone, as_of=max(now, at), known_at=NEVER, visible=linked)
        whole = tell(everything, group.domain, (), zone=zone, as_of=max(now, at), known_at=now, limit=limit, link=lambda _: "")
        found.happened.update(dt.date.fromordinal(entry.day) for entry in everything.history.entries)
        if everything.history.entries:
            found.whole = picture.extent(whole, zone.day_of(max(now, at)))
            found.story = tell(record, group.domain, seen, zone=zone, as_of=at, known_at=known, limit=limit, link=address)
            found.runs = whole.runs
            found.episodes = episodes(record)
    many = {name for name, number in Counter(group_of(one.verdict) for one in seen).items() if number > LONG and name not in URGENT}
    in_short = {one.verdict.key for one in seen if group_of(one.verdict) in many and one.rule.id != ask.rule}
    told = {one.verdict.key: one for one in explained(replace(evaluation, details=tuple(j for j in seen if j.verdict.key not in in_short)))}
    for one in seen:
        verdict, name = one.verdict, finding_id(one.verdict.key)
        linked_to = name if name in links else ""
        explanation = told.get(verdict.key)
        line = (
            short_line(one, held.policies, breach=linked_to)
            if explanation is None
            else verdict_line(explanation, held.policies, breach=linked_to)
        )
        found.lines[group_of(verdict)].append(line)
    found.queries.update({(one.code, one.message, one.events): one for one in evaluation.queries})
