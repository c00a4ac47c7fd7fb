"""What keeps messages flowing, and what people do about those that did not arrive.  Imports store/ and service/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rules.errors import Fault
from service.access import Access
from service.bootstrap import Service
from service.errors import Forbidden, NotFound
from service.notify import digests, passing, sending
from service.notify.config import Receiver
from store import notices, outbox
from store.notices import Notice, Standing
from store.queries.notices import list_given_up
from store.queries.paging import Page

SCOPE = "users:admin"
KEPT = 30 * 86_400_000
"""ms for which what was sent stays on record."""
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Told:
    """A receiver and how it stands; ``receiver`` is None where the file names it no longer."""

    name: str
    receiver: Receiver | None
    standing: Standing
    quiet: bool

    @property
    def state(self) -> Literal["good", "away", "quiet", "off", "unnamed"]:
        """``away``: it does not answer; ``off``: the file says so; ``unnamed``: the file says nothing of it."""
        if self.receiver is None:
            return "unnamed"
        if not self.receiver.enabled:
            return "off"
        if self.quiet:
            return "quiet"
        return "away" if self.standing.failures else "good"


@dataclass(frozen=True, slots=True)
class Overview:
    """Everybody who is told, the file's faults, and a page of what was given up."""

    receivers: Sequence[Told]
    faults: Sequence[Fault]
    owed: int
    """Messages that nobody has passed on yet."""
    dead: Sequence[Notice]
    dead_count: int
    more: bool


def keep_up(svc: Service) -> None:
    """For the sweeper: pass on, write digests, have sent what waits."""
    passing.pass_on(svc)
    digests.write_due(svc)
    sending.put_forward(svc)


def tidy(svc: Service) -> int:
    """Delete what was sent a month ago or longer; how many messages."""
    with svc.writing() as session:
        before = svc.now() - KEPT
        return notices.purge(session, ended_before=before) + outbox.purge(session, sent_before=before)


def overview(svc: Service, access: Access | None = None, *, after: int | None = None, limit: int = SHOWN) -> Overview:
    """How it stands with everybody who is told.  ``access`` of None: whoever runs the machine.  Raises Forbidden."""
    _check(access)
    known, now = svc.receivers.current(), svc.now()
    with svc.reading() as session:
        standings = notices.standings(session)
        dead = notices.dead(session, limit=limit + 1, after=after)
        owed = outbox.count_owed(session)
    names = sorted({*known.items, *standings})
    told = []
    for name in names:
        one = known.items.get(name)
        quiet = one is not None and one.quiet is not None and one.quiet.at(now)
        told.append(Told(name, one, standings.get(name, Standing()), quiet))
    count = sum(one.dead for one in standings.values())
    return Overview(told, known.faults, owed, dead[:limit], count, len(dead) > limit)


def given_up(svc: Service, access: Access, *, receiver: str | None, limit: int, cursor: str | None = None) -> Page[Notice]:
    """A page of what was given up, the latest first.  Raises Forbidden and store.errors.CursorError."""
    _check(access)
    with svc.reading() as session:
        return list_given_up(session, receiver=receiver, limit=limit, cursor=cursor)


def retry(svc: Service, access: Access | None = None, *, number: int | None = None, receiver: str | None = None) -> int:
    """Send again what was given up: one message, all of a receiver, or all; how many.  Raises Forbidden and NotFound."""
    _check(access)
    with svc.writing() as session:
        one = notices.get(session, number) if number is not None else None
        done = notices.revive(session, number, now=svc.now(), receiver=receiver)
        notices.wake(session, receiver if one is None else one.receiver)
    return _done(done, number)


def dismiss(svc: Service, access: Access | None = None, *, number: int | None = None, receiver: str | None = None) -> int:
    """Take what was given up off the list, for good; as ``retry``."""
    _check(access)
    with svc.writing() as session:
        done = notices.dismiss(session, number, now=svc.now(), receiver=receiver)
    return _done(done, number)


def _done(done: int, number: int | None) -> int:
    if number is not None and not done:
        raise NotFound("there is no such message among those that were given up")
    return done


def _check(access: Access | None) -> None:
    """Messages speak of every team, so that limits cannot be kept in them."""
    if access is None:
        return
    access.require(SCOPE)
    if access.teams is not None or access.offices is not None:
        raise Forbidden("messages speak of every team and office: administrators without limits look after them")
