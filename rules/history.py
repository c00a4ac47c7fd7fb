"""The effective history of a case at (as_of, known_at): entries in order, episodes, closures and their attempts.

Second half of stage 1.  It knows the time zone: what is known by its day only lies somewhere in that local day, and is
placed at the day's start, except a closure or reopening, which is placed at its end (what happened on the day of a closure
belongs to the episode that was closed, and what may have followed a reopening on its day to the one that was reopened).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from rules.clock import Zone, parse_day
from rules.course import Course, CourseOfCase, dig
from rules.model import DataQuery
from rules.record import Fact


@dataclass(slots=True, eq=False)
class Entry:
    """One event of the effective history.  It happened between ``first`` and ``last`` (ms), on the local ``day``."""

    source: str
    id: str
    type: str
    case: str
    data: Mapping[str, Any]
    first: int
    last: int
    day: int
    recorded: int
    recorded_given: bool
    moved_back: int | None
    order: int = 0
    episode: int = 0
    attempt: int = 1
    after_reopening: bool = False
    """It may have followed a reopening that is placed after it, and belongs to the episode because of that."""
    stray_closure: bool = False
    """A second closure without a reopening between: it closes nothing."""

    @property
    def exact(self) -> bool:
        return self.first == self.last

    @property
    def ref(self) -> str:
        """Identity within the case, for obligation keys."""
        return f"{self.id}@{self.source}"

    def surely_before(self, other: Entry) -> bool:
        """Whether this happened before ``other`` whatever the unknown moments are; equal known moments go by the record's order."""
        if self.last < other.first:
            return True
        return self.first == self.last == other.first == other.last and self.order < other.order


@dataclass(slots=True, eq=False)
class Closing:
    """A closure that holds (one that was an error is not among them), and the reopening that followed it."""

    entry: Entry
    attempt: int
    reopened: Entry | None = None


@dataclass(slots=True, eq=False)
class Episode:
    """One course of a case, from its first event to its closure (or to now)."""

    number: int
    entries: list[Entry] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    programs: set[str] = field(default_factory=set)
    by_type: dict[str, list[Entry]] = field(default_factory=dict)
    name: str | None = None

    @property
    def start_day(self) -> int:
        return self.entries[0].day

    @property
    def closed(self) -> Entry | None:
        """The closure that stands, if any."""
        return self.closings[-1].entry if self.closings and self.closings[-1].reopened is None else None

    def closing_of(self, attempt: int) -> Entry | None:
        for closing in self.closings:
            if closing.attempt == attempt:
                return closing.entry
        return None

    def belongs_to(self, entry: Entry, attempt: int) -> bool | None:
        """Whether an event belongs to a closure attempt; None where only its day, or that of the reopening between, is known."""
        begun, ended = (self.closings[n].reopened if 0 <= n < len(self.closings) else None for n in (attempt - 2, attempt - 1))
        if entry is begun or entry is ended or entry.after_reopening or (begun is None and ended is None):
            return entry.attempt == attempt
        after = begun is None or begun.surely_before(entry)
        before = ended is None or entry.surely_before(ended)
        if after and before:
            return True
        if (begun is not None and entry.surely_before(begun)) or (ended is not None and ended.surely_before(entry)):
            return False
        return None

    def open_days(self) -> Iterator[tuple[int, int | None]]:
        """The spans of days in which it was open; None: still open."""
        start = self.start_day
        for closing in self.closings:
            yield start, closing.entry.day
            if closing.reopened is None:
                return
            start = closing.reopened.day
        yield start, None


@dataclass(slots=True, eq=False)
class History:
    """All episodes of a case."""

    case: str
    entries: list[Entry]
    episodes: list[Episode]
    queries: list[DataQuery]


def entries_of(facts: Iterable[Fact], *, zone: Zone, as_of: int, course: Course) -> list[Entry]:
    """The facts that have happened by ``as_of``, in order of (happened, recorded, source, id)."""
    turning = {part.event for part in (course.closes, course.reopens) if part is not None}
    placed: list[tuple[int, int, str, str, Entry]] = []
    day_of = zone.day_of
    for fact in facts:
        if fact.day is None:
            first = last = fact.time
            day = day_of(first)
        else:
            day = parse_day(fact.day)
            first, last = zone.start_of(day), zone.end_of(day) - 1
        if first > as_of:
            continue
        event = fact.event
        source, name, kind, recorded = event.source, event.id, event.type, event.recorded
        entry = Entry(source, name, kind, event.case, fact.data, first, last, day, recorded, event.recorded_given, fact.moved_back)
        placed.append((last if kind in turning else first, recorded, source, name, entry))
    placed.sort(key=_PLACE)
    entries = [row[4] for row in placed]
    if sum(entry.type in turning for entry in entries) > 1:
        _take_turns(entries, course)
    for order, entry in enumerate(entries):
        entry.order = order
    return entries


_PLACE = itemgetter(0, 1, 2, 3)


def _take_turns(entries: list[Entry], course: Course) -> None:
    """Of a closure and a reopening on one day whose order is not known, puts first the one that can come first.

    An open case is closed before it is reopened, and a closed one is reopened before it is closed again.
    """
    closes, reopens = (None if part is None else part.event for part in (course.closes, course.reopens))
    closed = False
    for place, entry in enumerate(entries):
        if entry.type not in (closes, reopens):
            closed = closed and entry.type in course.closing_papers
            continue
        if (entry.type == closes) == closed:
            other = closes if entry.type == reopens else reopens
            for later in range(place + 1, len(entries)):
                candidate = entries[later]
                if candidate.type == other and candidate.day == entry.day and not (entry.exact and candidate.exact):
                    entries.insert(place, entries.pop(later))
                    break
        closed = entries[place].type == closes


def build(case: str, facts: Iterable[Fact], *, zone: Zone, as_of: int, domain: CourseOfCase) -> History:
    """The history of one case (or of several that were merged into one)."""
    course = domain.course
    entries = entries_of(facts, zone=zone, as_of=as_of, course=course)
    splitter = _Splitter(course, _closed_in_error(entries, course), entries)
    for entry in entries:
        splitter.place(entry)
    return History(case, entries, splitter.episodes, _queries(case, splitter.episodes, course))


def _closed_in_error(entries: list[Entry], course: Course) -> set[int]:
    """Orders of closures that a later reopening calls an error: it is as if they had not happened."""
    closes, reopens = course.closes, course.reopens
    if closes is None or reopens is None or reopens.error_flag is None:
        return set()
    if reopens.event not in [entry.type for entry in entries]:
        return set()
    standing: list[Entry] = []
    wrong: set[int] = set()
    for entry in entries:
        if entry.type == closes.event:
            standing.append(entry)
        elif entry.type == reopens.event and standing:
            if dig(entry.data, reopens.error_flag) is True:
                wrong.add(standing.pop().order)
            else:
                standing.clear()
    return wrong


class _Splitter:
    def __init__(self, course: Course, wrong: set[int], entries: list[Entry]) -> None:
        self.wrong = wrong
        self.name, self.program, self.closing_papers = course.episode, course.program, course.closing_papers
        self.telling = {path.partition(".")[0] for path in (self.name, self.program) if path is not None}
        self.closes = course.closes.event if course.closes else None
        self.reopens = course.reopens.event if course.reopens else None
        self.merges = course.merges.event if course.merges else None
        self.reopenings = [entry for entry in entries if entry.type == self.reopens]
        self.episodes: list[Episode] = []
        self.open_one: Episode | None = None
        """The last episode while it was never closed: what names no other belongs to it."""
        self.named: dict[str, Episode] = {}

    def place(self, entry: Entry) -> None:
        """Puts the next event into its episode."""
        data, kind = entry.data, entry.type
        name = program = None
        if not self.telling.isdisjoint(data):
            name = dig(data, self.name) if self.name is not None else None
            program = dig(data, self.program) if self.program is not None else None
        episode = self.open_one
        if episode is None or name is not None:
            episode = self._episode_of(entry, name)
            self.open_one = episode if episode is self.episodes[-1] and not episode.closings else None
        episode.entries.append(entry)
        entry.episode = episode.number
        if name is not None and episode.name is None and name not in self.named:
            episode.name = name
            self.named[name] = episode
        if program is not None:
            episode.programs.add(program)
        closings = episode.closings
        if closings:
            entry.attempt = len(closings) + (1 if closings[-1].reopened or entry.after_reopening else 0)
        if kind == self.closes:
            if entry.order in self.wrong:
                return
            self._close(episode, entry)
            if entry.stray_closure:
                return
        elif kind == self.reopens and closings and closings[-1].reopened is None:
            closings[-1].reopened = entry
            entry.attempt += 1
        mine = episode.by_type.get(kind)
        if mine is None:
            episode.by_type[kind] = [entry]
        else:
            mine.append(entry)

    def _close(self, episode: Episode, entry: Entry) -> None:
        self.open_one = None
        if episode.closed is None:
            episode.closings.append(Closing(entry, entry.attempt))
        else:
            entry.stray_closure = True

    def _episode_of(self, entry: Entry, name: str | None) -> Episode:
        if name is not None and name in self.named:
            return self.named[name]
        if self.episodes:
            current = self.episodes[-1]
            if not current.closings or current.closed is None or self._belongs_to_closed(entry, name, current):
                return current
        self.episodes.append(Episode(len(self.episodes) + 1))
        return self.episodes[-1]

    def _belongs_to_closed(self, entry: Entry, name: str | None, closed: Episode) -> bool:
        if entry.type in (self.closes, self.reopens, self.merges):
            return True
        if name is not None and closed.name is not None:
            return False
        if entry.type in self.closing_papers:
            return True
        entry.after_reopening = any(other.order > entry.order and not entry.surely_before(other) for other in self.reopenings)
        return entry.after_reopening


def _queries(case: str, episodes: list[Episode], course: Course) -> list[DataQuery]:
    queries = []
    for episode in episodes:
        if course.program is not None and not episode.programs:
            ids = (episode.entries[0].id,)
            queries.append(DataQuery("program_not_known", case, f"no event of episode {episode.number} names the program", ids))
        queries.extend(
            DataQuery("closed_twice", case, f"episode {episode.number} was closed again without having been reopened", (entry.id,))
            for entry in episode.entries
            if entry.stray_closure
        )
    return queries
