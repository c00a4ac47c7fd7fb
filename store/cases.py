"""Finding everything that judging a case needs, for one case or for many, in a number of queries that does not grow with them.

Imports store.sql, store.together and rules.model.  Which cases know of each other: those merged, directly or through others, and those that
share a child (or another link key) with one of these, together with what they are merged with.  The relation is symmetric, so
the cases that an event makes dirty are the cases whose files it is part of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from rules.model import NEVER, CaseFile, Event, Heartbeat, Hold
from store.sql import Statement
from store.together import Asked, together

_NEIGHBOURS = Statement("""
    WITH RECURSIVE
    tied (case_id) AS (
        SELECT DISTINCT mine.case_id FROM case_link mine JOIN case_link theirs ON theirs.key = mine.key AND theirs.case_id <> mine.case_id
        WHERE mine.case_id IN LISTED(:cases)
    ),
    merged (root, case_id) AS (
        SELECT case_id, case_id FROM tied
        UNION
        SELECT merged.root, theirs.case_id
        FROM merged
        JOIN case_link mine ON mine.case_id = merged.case_id AND mine.kind = 'merge'
        JOIN case_link theirs ON theirs.key = mine.key
    ),
    sharing (root, case_id) AS (
        SELECT merged.root, theirs.case_id
        FROM merged
        JOIN case_link mine ON mine.case_id = merged.case_id
        JOIN case_link theirs ON theirs.key = mine.key
        UNION
        SELECT sharing.root, theirs.case_id
        FROM sharing
        JOIN case_link mine ON mine.case_id = sharing.case_id AND mine.kind = 'merge'
        JOIN case_link theirs ON theirs.key = mine.key
    )
    SELECT root, case_id FROM sharing WHERE case_id <> root
""")
_TARGETS = Statement("""
    WITH RECURSIVE spoken_of (source, id, case_id, target) AS (
        SELECT source, id, case_id, target FROM event WHERE id IN LISTED(:ids) AND source IN LISTED(:sources)
        UNION
        SELECT event.source, event.id, event.case_id, event.target
        FROM spoken_of JOIN event ON event.source = spoken_of.source AND event.id = spoken_of.target
    )
    SELECT DISTINCT case_id FROM spoken_of
""")
_EVENTS = Statement(
    """
    SELECT position, source, id, type, case_id, time, recorded, recorded_given, data
    FROM event WHERE case_id IN LISTED(:cases) AND position <= :upto
    """,
    documents=("data",),
)
_WORDS = Statement(
    """
    WITH RECURSIVE words (root, position, source, id) AS (
        SELECT event.case_id, word.position, word.source, word.id
        FROM event JOIN event word ON word.target = event.id AND word.source = event.source
        WHERE event.case_id IN LISTED(:cases)
        UNION
        SELECT words.root, word.position, word.source, word.id
        FROM words JOIN event word ON word.target = words.id AND word.source = words.source
    )
    SELECT words.root, event.position, event.source, event.id, event.type, event.case_id, event.time, event.recorded,
           event.recorded_given, event.data
    FROM words JOIN event ON event.position = words.position
    WHERE event.case_id <> words.root AND event.position <= :upto
    """,
    documents=("data",),
)
_HEARTBEATS = Statement("""
    WITH given (value) AS (
        SELECT source FROM event WHERE case_id IN LISTED(:cases) AND position <= :upto
        UNION
        SELECT source FROM case_hold
        WHERE case_id IN LISTED(:cases) AND since <= :known_at AND (released IS NULL OR released > :known_at)
    )
    SELECT beat.source, beat.recorded, beat.complete_until
    FROM given JOIN heartbeat beat ON beat.id IN (
        (SELECT id FROM heartbeat WHERE source = given.value AND recorded <= :known_at AND id <= :newest
         ORDER BY recorded DESC, complete_until DESC LIMIT 1),
        (SELECT id FROM heartbeat WHERE source = given.value AND recorded <= :known_at AND id <= :newest
         ORDER BY complete_until DESC, recorded LIMIT 1)
    )
    ORDER BY beat.source, beat.recorded, beat.complete_until
""")

_HOLDS = Statement("""
    SELECT source, case_id, since, complete_until FROM case_hold
    WHERE case_id IN LISTED(:cases) AND since <= :known_at AND (released IS NULL OR released > :known_at)
    ORDER BY source, case_id, since, id
""")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A case's file, the greatest event position in it (0: no events), and the (position, id) of each of its events."""

    file: CaseFile
    position: int
    arrivals: tuple[tuple[int, str], ...] = ()

    def arrived_after(self, position: int) -> tuple[str, ...]:
        """Ids of the events, those of linked cases included, that came after ``position``: why a verdict may have changed."""
        return tuple(event for at, event in self.arrivals if at > position)


def load_case(session: Session, case_id: str, *, known_at: int = NEVER, upto: int = NEVER) -> Loaded:
    """``load_cases`` for one case; a case without events gives an empty file."""
    return load_cases(session, [case_id], known_at=known_at, upto=upto)[case_id]


def load_cases(
    session: Session, case_ids: Collection[str], *, known_at: int = NEVER, upto: int = NEVER, heartbeat: int = NEVER
) -> dict[str, Loaded]:
    """The files of ``case_ids``, with linked cases, voids and corrections wherever they were filed, heartbeats and holds.

    ``upto`` leaves out events of a greater position, ``heartbeat`` heartbeats of a greater id, so that an audit sees one state of
    the record.  Of each source the last heartbeat and the furthest one recorded by ``known_at`` are given: all others are implied
    by these.
    """
    return load_with(session, case_ids, (), known_at=known_at, upto=upto, heartbeat=heartbeat)[0]


def load_with(
    session: Session,
    case_ids: Collection[str],
    also: Sequence[Asked],
    *,
    known_at: int = NEVER,
    upto: int = NEVER,
    heartbeat: int = NEVER,
) -> tuple[dict[str, Loaded], list[Sequence[Any]]]:
    """``load_cases``, and the rows of what else is to be read, in the same message: a second is sent only where cases are linked."""
    own: dict[str, list[Any]] = defaultdict(list)
    held: dict[str, list[Hold]] = defaultdict(list)
    beats: dict[str, list[Heartbeat]] = {}

    def parts(cases: set[str]) -> list[Asked]:
        until = {"cases": cases, "upto": upto}
        known = {"cases": cases, "known_at": known_at}
        return [(_EVENTS, until), (_WORDS, until), (_HOLDS, known), (_HEARTBEATS, {**until, **known, "newest": heartbeat})]

    def keep(events: Sequence[Any], words: Sequence[Any], holds: Sequence[Any], heard: Sequence[Any]) -> None:
        for row in events:
            own[row.case_id].append(row)
        for word in words:
            own[word.root].append(word)
        for hold in holds:
            held[hold.case_id].append(Hold(hold.source, hold.case_id, hold.since, hold.complete_until))
        for source, some in groupby(heard, key=attrgetter("source")):
            beats[source] = [Heartbeat(beat.source, beat.recorded, beat.complete_until) for beat in some]

    wanted = set(case_ids)
    ties, *rest = together(session, [(_NEIGHBOURS, {"cases": wanted}), *parts(wanted), *also])
    keep(*rest[:4])
    linked = _by_root(ties)
    if further := set().union(*linked.values()) - wanted:
        keep(*together(session, parts(further)))
    wanted |= further
    built: dict[str, tuple[Event, ...]] = {}
    for case in wanted:
        unique = {row.position: row for row in own.get(case, ())}
        built[case] = tuple(_event(unique[position]) for position in sorted(unique))
    loaded = {}
    for case in case_ids:
        cluster = [case, *sorted(linked.get(case, ()))]
        holds = tuple(hold for one in cluster for hold in held.get(one, ()))
        sources = sorted({row.source for one in cluster for row in own.get(one, ())} | {hold.source for hold in holds})
        file = CaseFile(
            case=case,
            events=built[case],
            linked={other: built[other] for other in cluster[1:] if built[other]},
            heartbeats=tuple(beat for source in sources for beat in beats.get(source, ())),
            holds=holds,
        )
        arrivals = sorted({(row.position, row.id) for one in cluster for row in own.get(one, ())})
        loaded[case] = Loaded(file, arrivals[-1][0] if arrivals else 0, tuple(arrivals))
    return loaded, rest[4:]


def neighbours(session: Session, case_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """For each case that has any: the other cases that are judged with knowledge of it."""
    return _by_root(_NEIGHBOURS.on(session, cases=set(case_ids))) if case_ids else {}


def _by_root(ties: Iterable[Any]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for root, case in ties:
        found[root].add(case)
    return {root: frozenset(cases) for root, cases in found.items()}


def affected(session: Session, events: Collection[Event]) -> set[str]:
    """The cases whose verdicts the events may change, once events and links are stored: their own, those of the events that
    they void or correct, and the neighbours of all these."""
    cases = {event.case for event in events}
    targets = {(event.source, event.data["target"]) for event in events if isinstance(event.data.get("target"), str)}
    if targets:
        found = _TARGETS.on(session, ids={target for _, target in targets}, sources={source for source, _ in targets})
        cases.update(found.scalars())
    return cases.union(*neighbours(session, cases).values())


def _event(row: Any) -> Event:
    return Event(row.source, row.id, row.type, row.case_id, row.time, row.recorded, bool(row.recorded_given), row.data)
