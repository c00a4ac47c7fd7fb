"""Who belongs to a case on which day: household lists over time, each holding until the next.

The first list of an episode holds from the episode's start, every other from its own day.  A member counts only between
``from`` and ``to``, both inclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.clock import latest_at, parse_day
from rules.course import RosterEvents, dig
from rules.history import Entry, Episode

FAR_PAST, FAR_FUTURE = 0, 10**7


@dataclass(frozen=True, slots=True)
class Member:
    """A line of a list; ``person`` or ``role`` is None where the list does not say."""

    person: str | None
    role: str | None
    start: int
    end: int

    def on(self, day: int) -> bool:
        return self.start <= day <= self.end


class Roster:
    """The lists of one episode."""

    def __init__(self, episode: Episode, names: RosterEvents | None) -> None:
        self.lists: list[tuple[int, Entry, tuple[Member, ...]]] = []
        self._on: dict[int, list[Member]] = {}
        if names is None:
            return
        for entry in episode.by_type.get(names.event, ()):
            listed = dig(entry.data, names.list_)
            if listed is None:
                continue
            day = entry.day if self.lists else FAR_PAST
            self.lists.append((day, entry, tuple(_member(line, names) for line in listed)))
        self._days = [day for day, _, _ in self.lists]

    @property
    def known(self) -> bool:
        return bool(self.lists)

    def members(self, day: int) -> list[Member]:
        """Members on the local day."""
        if not self.lists:
            return []
        found = self._on.get(day)
        if found is None:
            _, _, listed = self.lists[latest_at(self._days, day)]
            found = self._on[day] = [member for member in listed if member.on(day)]
        return found

    def entry_on(self, day: int) -> Entry | None:
        """The event that gives the list in force on the day."""
        return self.lists[latest_at(self._days, day)][1] if self.lists else None

    def roles(self, person: str, day: int) -> set[str]:
        return {m.role for m in self.members(day) if m.person == person and m.role is not None}

    def spans(self, roles: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
        """For each person ever listed in one of the roles: the spans of days (inclusive) of that membership, joined where they touch."""
        wanted = set(roles)
        found: dict[str, list[tuple[int, int]]] = {}
        for index, (start, _, listed) in enumerate(self.lists):
            end = self._days[index + 1] - 1 if index + 1 < len(self.lists) else FAR_FUTURE
            for member in listed:
                low, high = max(start, member.start), min(end, member.end)
                if member.person is not None and member.role in wanted and low <= high:
                    found.setdefault(member.person, []).append((low, high))
        return {person: _joined(spans) for person, spans in found.items()}

    def boundaries(self) -> Iterable[int]:
        """Days on which membership changes by itself."""
        for _, _, listed in self.lists:
            for member in listed:
                yield member.start
                yield member.end + 1


def _member(line: dict[str, object], names: RosterEvents) -> Member:
    person, role = dig(line, names.person), dig(line, names.role)
    start = dig(line, names.from_) if names.from_ else None
    end = dig(line, names.to) if names.to else None
    return Member(person, role, FAR_PAST if start is None else parse_day(start), FAR_FUTURE if end is None else parse_day(end))


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out
