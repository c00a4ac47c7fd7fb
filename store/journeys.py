"""Which cases hang together, directly or through others: they are kept or removed as a whole.  Imports store.cases and store.sql.

Wider than what judging one case reads (``store.cases.neighbours``): a child who stands in two cases, and a parent's older case beyond
that, make one journey; so does a correction that was filed under another case.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from store.cases import neighbours
from store.sql import Statement

MOST_CASES = 500
"""A journey of more cases is none that a person would call so: an id that many share by mistake, say."""

_CLOSED = Statement("""
    SELECT DISTINCT case_id FROM event WHERE type IN LISTED(:types) AND time <= :before AND case_id > :after
    ORDER BY case_id LIMIT :most
""")
_SPOKEN = Statement("""
    WITH own AS (SELECT case_id, source, id, target FROM event WHERE case_id IN LISTED(:cases))
    SELECT own.case_id AS here, word.case_id AS there FROM own
    JOIN event word ON word.target = own.id AND word.source = own.source
    WHERE word.case_id <> own.case_id
    UNION
    SELECT own.case_id, about.case_id FROM own
    JOIN event about ON about.source = own.source AND about.id = own.target
    WHERE about.case_id <> own.case_id
""")


def closed_by(session: Session, types: Collection[str], *, before: int, after: str, most: int) -> list[str]:
    """Cases with an event of these types that happened by ``before`` (ms), in order of their ids, those after ``after``."""
    return list(_CLOSED.on(session, types=set(types), before=before, after=after, most=most).scalars())


def journeys(session: Session, cases: Collection[str]) -> list[tuple[str, ...]]:
    """The journeys that these cases belong to, each whole and once, its cases in order.

    One of more than ``MOST_CASES`` is given as far as it was followed, which is at least one case more than that.
    """
    group: dict[str, set[str]] = {case: {case} for case in cases}
    frontier = set(cases)
    while frontier:
        reached: set[str] = set()
        edges = {(here, there) for here, there in _SPOKEN.on(session, cases=frontier)}
        edges |= {(here, there) for here, found in neighbours(session, frontier).items() for there in found}
        for here, there in sorted(edges):
            if there not in group:
                group[there] = {there}
                reached.add(there)
            _join(group, here, there)
        frontier = {case for case in reached if len(group[case]) <= MOST_CASES}
    whole = {min(members): members for members in group.values()}
    return [tuple(sorted(whole[first])) for first in sorted(whole)]


def _join(group: dict[str, set[str]], here: str, there: str) -> None:
    mine, theirs = group[here], group[there]
    if mine is theirs:
        return
    small, large = sorted((mine, theirs), key=len)
    large |= small
    for case in small:
        group[case] = large
