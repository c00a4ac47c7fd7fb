"""A case as its picture and its tables tell it: what happened, what was due, who belongs to it; all of it in days.

Nothing is judged here: the record and its episodes are those that judging saw.  Imports rules/, service.policies and this package's words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.web.cases.windows import Finding, Window, findings, windows
from api.web.present import event_words
from rules.clock import Zone
from rules.course import CourseOfCase, dig
from rules.evaluate import Judged
from rules.history import Entry, Episode, History, build
from rules.links import roots
from rules.model import CaseFile, Event, Fit
from rules.pauses import Pause, pauses_of
from rules.record import Fact, standing
from rules.roster import FAR_FUTURE, FAR_PAST, Roster
from rules.view import View
from service.policies.policyset import Group

OFTEN = 4
"""From so many events on, a type has a lane of its own where no rule counts anything."""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a case as it was known, whatever ids it was reported for."""

    root: str
    """The case in which it is judged: another one, if it was merged."""
    cases: tuple[str, ...]
    """All ids of that case."""
    events: tuple[Event, ...]
    facts: tuple[Fact, ...]
    history: History


@dataclass(frozen=True, slots=True)
class Dot:
    """Something that happened on a day."""

    day: int
    event: Entry
    what: str
    ordinal: int = 0
    """The how-manieth of those that count; 0: it counts as none, or no rule counts it."""
    unclear: bool = False
    used: bool = False
    """A finding rests on it."""
    late: int = 0
    """Days after which it was recorded, where that is later than it should be."""
    recorded: int = 0
    """The day on which it was recorded."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person about whom rules ask something."""

    person: str
    role: str
    spans: Sequence[tuple[int | None, int | None]]
    seen: Sequence[int]
    windows: Sequence[Window]
    until: int
    """Until when the case has been open."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A closure or its end, or the case going over to another team."""

    day: int
    kind: str
    """closed, closed_again, error (a closure that was one), reopened, moved or merged."""
    text: str


@dataclass(slots=True)
class Run:
    """One episode."""

    number: int
    name: str
    program: str
    spans: list[tuple[int, int | None]]
    """In which days it was open; None: still."""
    pauses: list[Pause]
    turns: list[Turn]


@dataclass(slots=True)
class Story:
    """What the picture shows."""

    today: int
    known: int
    runs: list[Run] = field(default_factory=list)
    contacts: dict[str, list[Dot]] = field(default_factory=dict)
    events: list[Dot] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    @property
    def late(self) -> list[Dot]:
        """What was recorded late, in the order of happening."""
        return sorted((dot for dot in self.dots if dot.late), key=lambda dot: (dot.day, dot.recorded, dot.event.order))

    @property
    def dots(self) -> list[Dot]:
        return [*(dot for dots in self.contacts.values() for dot in dots), *self.events]


def record_of(file: CaseFile, group: Group, *, zone: Zone, as_of: int, known_at: int, visible: Collection[str] = ()) -> Record:
    """What stood on record, with the events of the other ids of the case.

    A case that was merged into one that is not among ``visible`` is told by its own events.
    """
    known = group.catalogue.types
    heard = [event for events in (file.events, *file.linked.values()) for event in events if event.type in known]
    facts, _ = standing(heard, known_at, group.catalogue)
    into, _ = roots(facts, group.domain, as_of)
    root = into.get(file.case, file.case)
    cases = (root, *sorted(case for case, other in into.items() if other == root and case != root))
    if root != file.case and root not in visible:
        cases = (file.case,)
    mine = tuple(fact for fact in facts if fact.event.case in cases)
    history = build(root, mine, zone=zone, as_of=as_of, domain=group.domain)
    return Record(root, cases, tuple(event for event in heard if event.case in cases), mine, history)


def tell(
    record: Record,
    domain: CourseOfCase,
    judged: Sequence[Judged],
    *,
    zone: Zone,
    as_of: int,
    known_at: int,
    limit: int,
    link: Callable[[Judged], str],
) -> Story:
    """The story of a record.  ``judged``: what the viewer may see of it; ``link``: the address of a finding's breach."""
    today = zone.day_of(as_of)
    story = Story(today, zone.day_of(known_at))
    story.runs = [_run(episode, domain, today) for episode in record.history.episodes]
    closed = {run.number: run.spans[-1][1] for run in story.runs}
    story.windows = windows(judged, closed=closed, today=today, link=link)
    story.findings = findings(judged, link=link)
    _place(story, record, domain, judged, zone, limit)
    story.people = _people(story, record, domain)
    return story


def counted(judged: Iterable[Judged]) -> tuple[dict[tuple[str, str], tuple[int, bool]], set[str]]:
    """What rules count: of each event (source, id) the how-manieth it is and whether that is unclear; and the types of these events.

    Rules that ask for the n-th event say what is counted; where there is none, what is counted once though several report it.
    """
    views: dict[tuple[str, int], View] = {}
    asked: dict[tuple[str, int], set[str]] = {}
    for one in judged:
        key = (one.policy.id, one.view.episode.number)
        views[key] = one.view
        named = {str(name) for clause in one.rule.clauses if (name := getattr(getattr(clause, "by", None), "of", None)) in one.policy.terms}
        asked.setdefault(key, set()).update(named)
    found: dict[tuple[str, str], tuple[int, bool]] = {}
    types: set[str] = set()
    for key, view in views.items():
        terms = view.policy.terms
        for name in sorted(asked[key] or (name for name, term in terms.items() if term.once_per)):
            types.update(terms[name].names)
            number = 0
            for hit in view.counted(name):
                number += hit.fit is Fit.YES
                found.setdefault((hit.entry.source, hit.entry.id), (number, False) if hit.fit is Fit.YES else (number + 1, True))
    return found, types


def _run(episode: Episode, domain: CourseOfCase, today: int) -> Run:
    course = domain.course
    turns = []
    standing_closures = {closing.entry.order: closing for closing in episode.closings}
    for entry in episode.entries:
        if course.closes is not None and entry.type == course.closes.event:
            reason = dig(entry.data, course.closes.reason) if course.closes.reason else None
            why = f": {str(reason).replace('_', ' ')}" if reason else ""
            closing = standing_closures.get(entry.order)
            if entry.stray_closure:
                turns.append(Turn(entry.day, "closed_again", f"Closed again{why}"))
            elif closing is None:
                turns.append(Turn(entry.day, "error", "Closed in error"))
            else:
                attempt = f" (attempt {closing.attempt})" if len(episode.closings) > 1 else ""
                turns.append(Turn(entry.day, "closed", f"Closed{why}{attempt}"))
        elif course.reopens is not None and entry.type == course.reopens.event:
            turns.append(Turn(entry.day, "reopened", "Reopened"))
        elif course.team is not None and course.team.moves is not None and entry.type == course.team.moves.event:
            team = dig(entry.data, course.team.moves.attribute)
            turns.append(Turn(entry.day, "moved", f"To team {name}" if (name := str(team or "").replace("_", " ")) else "To another team"))
        elif course.merges is not None and entry.type == course.merges.event:
            turns.append(Turn(entry.day, "merged", f"{entry.case} was merged into this case"))
    return Run(
        episode.number,
        str(episode.name or episode.number),
        min(episode.programs, default=""),
        list(episode.open_days()),
        pauses_of(episode, course.pauses, today),
        turns,
    )


def _course_types(domain: CourseOfCase) -> set[str]:
    course = domain.course
    named = [course.closes, course.reopens, course.pauses, course.merges, course.team.moves if course.team is not None else None]
    found = {part.event for part in named if part is not None}
    return found | ({course.pauses.resumes} if course.pauses is not None else set())


def _place(story: Story, record: Record, domain: CourseOfCase, judged: Sequence[Judged], zone: Zone, limit: int) -> None:
    """Every event into its lane."""
    numbers, types = counted(judged)
    entries = record.history.entries
    if not types:
        often = Counter(entry.type for entry in entries if entry.type not in _course_types(domain))
        types = {name for name, number in often.most_common(1) if number >= OFTEN}
    used = {event for one in judged if one.rule.clauses[0].sets_a_day for event in one.verdict.evidence}
    shown_as_turns = _course_types(domain)
    for entry in entries:
        recorded = zone.day_of(entry.recorded)
        lag = recorded - entry.day if entry.recorded_given else 0
        number, unclear = numbers.get((entry.source, entry.id), (0, False))
        what = event_words(entry.type)
        dot = Dot(entry.day, entry, what, number, unclear, entry.id in used, lag if lag > limit else 0, recorded)
        if entry.type in types:
            story.contacts.setdefault(what, []).append(dot)
        elif entry.type not in shown_as_turns or dot.late:
            story.events.append(dot)


def _people(story: Story, record: Record, domain: CourseOfCase) -> list[Person]:
    """Those about whom something is asked, with what says that they were met."""
    asked = sorted({window.person for window in story.windows if window.person} | {one.person for one in story.findings if one.person})
    spans: dict[str, list[tuple[int | None, int | None]]] = {}
    roles: dict[str, str] = {}
    for episode in record.history.episodes:
        roster = Roster(episode, domain.roster)
        for member in (member for _, _, listed in roster.lists for member in listed):
            if member.person is not None and member.role is not None:
                roles[member.person] = member.role
        for person in asked:
            for low, high in roster.spans({roles.get(person, "")}).get(person, ()):
                start = episode.start_day if low <= FAR_PAST else low
                spans.setdefault(person, []).append((start, None if high >= FAR_FUTURE else high))
    ends = [end for run in story.runs for _, end in run.spans]
    until = max((end for end in ends if end is not None), default=story.today) if None not in ends[-1:] else story.today
    dots = [dot for contact in story.contacts.values() for dot in contact]
    found = []
    for person in asked:
        seen = [dot.day for dot in dots if mentions(dot.event.data, person)]
        mine = [window for window in story.windows if window.person == person]
        found.append(Person(person, roles.get(person, ""), spans.get(person, []), seen, mine, until))
    order = {"child": 0}
    return sorted(found, key=lambda one: (order.get(one.role, 1), [(len(part), part) for part in re.split(r"(\d+)", one.person)]))


def mentions(data: Any, person: str) -> bool:
    """Whether a person's id stands anywhere in what an event says."""
    if isinstance(data, Mapping):
        return any(mentions(value, person) for value in data.values())
    if isinstance(data, list | tuple):
        return any(mentions(value, person) for value in data)
    return bool(data == person)
