"""Who has a case: when which team, office and worker was named in an episode.  Imports rules.course and rules.history."""

from __future__ import annotations

from rules.course import CourseOfCase, dig
from rules.history import Episode

Owners = tuple[str | None, str | None, str | None]
"""Team, office, worker."""
Named = tuple[list[tuple[int, str]], list[tuple[int, str]], list[tuple[int, str]]]
"""When each was named, in order: (day, code)."""


def named(episode: Episode, domain: CourseOfCase) -> Named:
    """When which team, office and worker was named in an episode; an event says each once."""
    found: Named = ([], [], [])
    telling = domain.telling_owners
    for entry in episode.entries:
        data = entry.data
        if telling.isdisjoint(data):
            continue
        for mine, paths in zip(found, domain.naming(entry.type), strict=True):
            for path in paths:
                if (value := dig(data, path)) is not None:
                    mine.append((entry.day, str(value)))
                    break
    return found


def on_day(found: Named, day: int) -> Owners:
    """The last ones named by a day, else the first ones named at all."""
    team, office, worker = found
    return _by(team, day), _by(office, day), _by(worker, day)


def _by(mine: list[tuple[int, str]], day: int) -> str | None:
    for at, code in reversed(mine):
        if at <= day:
            return code
    return mine[0][1] if mine else None
