"""How the feeds stand: what was read when, what was refused, who has gone quiet.  Imports store/ and service/."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from service.bootstrap import Service
from service.sources.definitions import Configured
from store.queries import upkeep

FAILING = 3
"""Pulls that have to fail in a row before a source counts as failing: one may be chance."""
SOURCE_QUIET = 86_400_000
"""ms after which a source that gives heartbeats, and says nothing else about it, counts as quiet."""


class State(StrEnum):
    """How a feed stands, in the order in which it is looked at."""

    OFF = "off"
    FAILING = "failing"
    QUIET = "quiet"
    WAITING = "waiting"
    """It has not been asked yet."""
    GOOD = "good"
    PUSHED = "pushed"
    """It is not asked: it sends what it has."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A source: ``name`` by which its file calls it (None: it has none, it only sends), and how it stands."""

    name: str | None
    title: str
    state: State
    every: int | None
    """Seconds between two pulls."""
    stored: upkeep.Source

    @property
    def heard(self) -> int | None:
        """When it was read well last, sent an event or gave a heartbeat (ms)."""
        stored = self.stored
        return max((at for at in (stored.last_good_pull, stored.last_event, stored.last_heartbeat) if at is not None), default=None)

    @property
    def settled(self) -> bool:
        """Whether nobody has to look after it now."""
        return self.state not in {State.FAILING, State.QUIET} and not self.stored.rejects


def feeds(svc: Service, session: Session) -> list[Feed]:
    """Every source that is configured or ever sent something, those that need somebody first."""
    now = svc.now()
    known = {one.uri: one for one in svc.feeds.current().items.values()}
    stored = {one.source: one for one in upkeep.list_sources(session)}
    empty = (None, None, None, None, None, None, None, 0, 0, 0, 0)
    for uri, source in known.items():
        stored.setdefault(uri, upkeep.Source(uri, source.kind.name, *empty))
    found = [_feed(one, known.get(uri), now) for uri, one in stored.items()]
    order = list(State)
    return sorted(found, key=lambda feed: (feed.settled, order.index(feed.state), feed.stored.source))


def _feed(stored: upkeep.Source, source: Configured | None, now: int) -> Feed:
    name, title = (source.name, source.title) if source is not None else (None, stored.source)
    return Feed(name, title, _state(stored, source, now), source.every if source is not None and source.kind.asked else None, stored)


def _state(stored: upkeep.Source, source: Configured | None, now: int) -> State:
    if source is None or (source.enabled and not source.kind.asked):
        beating = stored.complete_until is not None and now - stored.complete_until > SOURCE_QUIET
        return State.QUIET if beating else State.PUSHED
    if not source.enabled:
        return State.OFF
    if stored.failures >= FAILING:
        return State.FAILING
    if stored.last_good_pull is None:
        return State.WAITING
    heard = max(stored.last_good_pull, stored.last_event or 0)
    return State.QUIET if now - heard > source.quiet_after * 1000 else State.GOOD
