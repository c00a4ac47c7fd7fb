"""Events from files, for the commands that judge without a store.  Imports adapters.files and rules.*."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.base import Reject
from adapters.files import read_events
from rules.casefile import gather
from rules.envelope import Parsed
from rules.model import EPOCH

if TYPE_CHECKING:
    from rules.model import CaseFile, Event, Heartbeat
    from rules.policy import Policy

HOUR = 3_600_000


@dataclass(slots=True)
class Input:
    """What files hold: cases ready to be judged, and what was refused."""

    cases: list[CaseFile] = field(default_factory=list)
    refusals: list[Reject] = field(default_factory=list)


def read_input(paths: Sequence[str], policy: Policy, *, mapping: str | None, received: int, known_at: int | dt.date) -> Input:
    """The cases in files, read together, for policies that share ``policy``'s catalogue.

    An event that stands there twice counts once; one that stands there with other content is refused.

    ``received`` (ms) stands in for recordedtime where that is missing; heartbeats that say nothing at ``known_at`` are left out.
    Raises PolicyError for a mapping that cannot be used.
    """
    chosen = None
    if mapping is not None:
        from adapters.mapping import Mapping

        chosen = Mapping.load(mapping, policy.catalogue)
    taken = _Taken()
    for path in paths:
        taken.take(path, read_events(path, policy.catalogue, chosen, received=received))
    return Input(gather(taken.events, telling(taken.heartbeats, known_at), policy.domain), taken.refusals)


def telling(heartbeats: Sequence[Heartbeat], known_at: int | dt.date) -> list[Heartbeat]:
    """Of each source the furthest heartbeat known at ``known_at``; the others, of which there may be one a night, are implied by it.

    A date ends at another instant in each zone, so what was recorded around its end is kept as it is.
    """
    if isinstance(known_at, int):
        sure = unsure = known_at
    else:
        end = (known_at.toordinal() + 1 - EPOCH.toordinal()) * 24 * HOUR
        sure, unsure = end - 14 * HOUR, end + 12 * HOUR
    furthest: dict[str, Heartbeat] = {}
    near = []
    for beat in heartbeats:
        if sure < beat.recorded <= unsure:
            near.append(beat)
        elif beat.recorded <= sure and (beat.source not in furthest or beat.complete_until > furthest[beat.source].complete_until):
            furthest[beat.source] = beat
    return [*furthest.values(), *near]


class _Taken:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.heartbeats: list[Heartbeat] = []
        self.refusals: list[Reject] = []
        self._seen: dict[tuple[str, str], str] = {}

    def take(self, path: str, results: Iterable[Parsed | Reject]) -> None:
        for result in results:
            if isinstance(result, Reject):
                self.refusals.append(result)
            elif result.heartbeat is not None:
                self.heartbeats.append(result.heartbeat)
            elif result.event is not None:
                self._take_event(path, result.line, result.event, result.content_digest)

    def _take_event(self, path: str, line: int, event: Event, digest: str) -> None:
        key = (event.source, event.id)
        kept = self._seen.setdefault(key, digest)
        if kept != digest:
            reason = f"event {event.id!r} of {event.source} stands here again with other content; the first is kept"
            self.refusals.append(Reject(path, line, "/id", "conflict", reason))
        elif len(self._seen) > len(self.events):
            self.events.append(event)
