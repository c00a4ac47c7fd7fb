"""Writes the digests whose time has come: numbers of what is new, of what falls due, and of what nobody has looked at for long.

A digest is counted and put on record in one transaction with the moment up to which it speaks, so that each time is spoken of once,
however many machines run, and after downtime one digest speaks of all of it.  It names no case and no person.  Imports store/ and
service/.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service import users
from service.audits.schedules import times
from service.bootstrap import Service
from service.errors import NotFound
from service.notify.config import Digest
from store import notices
from store.ids import digest_of
from store.outbox import Message
from store.queries.due import count_due, due_by_day
from store.queries.narrow import Scope
from store.queries.notices import open_breaches

DIGEST = "digest"
DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a digest: ``ref`` is an account (``user:ID``) or an address; ``scope``: what it speaks of."""

    ref: str
    scope: Scope


def write_due(svc: Service) -> int:
    """Write the digests whose time has come; how many mails that makes."""
    return sum(_write(svc, one) for one in svc.receivers.current().items.values() if isinstance(one, Digest) and one.enabled)


def address(svc: Service, ref: str) -> str | None:
    """Where a reader's mail goes now; None: nowhere any more."""
    kind, _, user = ref.partition(":")
    if kind != "user":
        return ref
    try:
        found = users.get(svc, user)
    except NotFound:
        return None
    return None if found.disabled else found.email


def numbers(session: Session, digest: Digest, scope: Scope, *, after: int, now: int) -> dict[str, object]:
    """What a digest says of the time from ``after`` to ``now`` (ms)."""
    zone = ZoneInfo(digest.zone)
    today = dt.datetime.fromtimestamp(now / 1000, zone).date()
    last = today + dt.timedelta(days=digest.due_within)
    period = (today.isoformat(), last.isoformat())
    rules = open_breaches(session, after=after, until=now, stale_before=now - digest.stale_after * DAY, scope=scope)
    (dated,), _ = count_due(session, [period], scope=scope)
    falling: dict[tuple[str, str], int] = {}
    for group in due_by_day(session, since=period[0], until=period[1], scope=scope):
        falling[(group.policy, group.rule)] = falling.get((group.policy, group.rule), 0) + group.number
    return {
        "after": after,
        "until": now,
        "zone": digest.zone,
        "due_until": period[1],
        "stale_days": digest.stale_after,
        "new": sum(one.new for one in rules),
        "stale": sum(one.stale for one in rules),
        "due": dated,
        "new_by_rule": [[one.policy, one.rule, one.severity, one.new] for one in rules if one.new],
        "stale_by_rule": [[one.policy, one.rule, one.severity, one.stale] for one in rules if one.stale],
        "due_by_rule": [[*rule, "", number] for rule, number in sorted(falling.items(), key=lambda one: (-one[1], one[0]))],
        "teams": None if scope.teams is None else sorted(scope.teams),
        "offices": None if scope.offices is None else sorted(scope.offices),
    }


def readers(svc: Service, digest: Digest) -> Iterator[Reader]:
    """Who gets it, each with what they may be told."""
    teams, offices = _limit(digest.teams), _limit(digest.offices)
    if digest.to is not None:
        yield from (Reader(one, Scope(teams, offices)) for one in digest.to)
        return
    for user in users.listed(svc):
        if digest.role in user.roles and user.email and not user.disabled:
            yield Reader(f"user:{user.id}", Scope(_both(teams, user.teams), _both(offices, user.offices)))


def _write(svc: Service, digest: Digest) -> int:
    now = svc.now()
    with svc.reading() as session:
        before = notices.last_digest(session, digest.name)
    if before is not None and times(digest.when, digest.zone, after=before, count=1)[0] > now:
        return 0
    told = list(readers(svc, digest)) if before is not None else []
    with svc.writing() as session:
        after = notices.digest_from(session, digest.name, now=now)
        if before is None or after != before:
            return 0  # its first digest speaks from now on; or another process was quicker
        messages = []
        counted: dict[Scope, dict[str, object]] = {}
        for reader in told:
            if reader.scope not in counted:
                counted[reader.scope] = numbers(session, digest, reader.scope, after=after, now=now)
            found = counted[reader.scope]
            if found["new"] or found["stale"] or found["due"]:
                identity = digest_of([DIGEST, digest.name, reader.ref, after])[:32]
                messages.append(Message(identity, DIGEST, reader.ref, found, now))
        notices.add(session, digest.name, messages, now=now)
        notices.digest_to(session, digest.name, now)
    return len(messages)


def _limit(codes: list[str] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(codes)


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return other if one is None else one if other is None else one & other
