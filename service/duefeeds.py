"""Calendars of due days that people subscribe to with a program of their own, by an address that holds a token.

The token is shown once and kept as a hash, as those of API keys.  A calendar shows what its maker may see at the moment of asking, less
all names: rules, severities, case ids and days.  It ends when it is revoked, and when its maker's account does.  Imports store/ and
service/.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update

from service import users
from service.access import Access
from service.bootstrap import Service
from service.calendartext import Entry, written
from service.errors import Flaw, Invalid, NotFound, NotPossible
from store.models import DueFeedRow
from store.queries import findings
from store.queries.due import OPEN
from store.queries.findings import StoredVerdict
from store.queries.narrow import Scope, Where
from store.queries.paging import MAX_LIMIT

SCOPE = "breaches:read"
OTHERS = "users:admin"
DAYS = 92
"""How many days ahead a calendar reaches."""
MOST_ENTRIES = 3 * MAX_LIMIT
MOST_FEEDS = 20
LAST_USED_EVERY = 3_600_000
NAME_LIMIT = 200
_TOKEN = re.compile(r"([a-z0-9]{12})-([0-9a-f]{64})", re.ASCII)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class DueFeed:
    """A calendar as it may be shown, without its token.  ``team`` of None: all that ``maker`` (``user:ID``) sees.  Instants in ms."""

    id: str
    maker: str
    team: str | None
    created: int
    revoked: int | None
    last_used: int | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar's text, and what of its reading is written down."""

    feed: DueFeed
    text: str
    entries: int


def create(svc: Service, access: Access, *, team: str | None) -> tuple[DueFeed, str]:
    """A new calendar of what the caller sees, or of one of their teams, and its token, which nobody can be shown again.

    Raises Forbidden, Invalid (a team outside the caller's limits), and NotPossible where they have twenty already.
    """
    access.require(SCOPE)
    if team is not None:
        outside = access.teams is not None and team not in access.teams
        if outside or not team.isprintable() or not 0 < len(team) <= NAME_LIMIT:
            raise Invalid(Flaw("team", "wrong_value", "choose one of your teams"))
    identity = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_hex(32)
    with svc.writing() as session:
        mine = select(DueFeedRow.id).where(DueFeedRow.maker == access.actor, DueFeedRow.revoked.is_(None)).limit(MOST_FEEDS)
        if len(session.scalars(mine).all()) >= MOST_FEEDS:
            raise NotPossible(f"you have {MOST_FEEDS} calendars already; revoke one that is not used")
        row = DueFeedRow(id=identity, hash=_hash(svc, identity, secret), maker=access.actor, team=team, created=svc.now())
        session.add(row)
        session.flush()
        made = _shown(row)
    return made, f"{identity}-{secret}"


def listed(svc: Service, access: Access) -> list[DueFeed]:
    """The caller's calendars that are not revoked, the newest first; to who looks after accounts, everybody's (at most 1,000)."""
    access.require(SCOPE)
    query = select(DueFeedRow).where(DueFeedRow.revoked.is_(None), *_reach(access))
    with svc.reading() as session:
        rows = session.scalars(query.order_by(DueFeedRow.created.desc(), DueFeedRow.id).limit(MAX_LIMIT))
        return [_shown(row) for row in rows]


def revoke(svc: Service, access: Access, feed_id: str) -> DueFeed:
    """The address answers as if it had never been, from now on.  Doing it twice changes nothing.  Raises Forbidden or NotFound."""
    access.require(SCOPE)
    with svc.writing() as session:
        row = session.scalar(select(DueFeedRow).where(DueFeedRow.id == feed_id, *_reach(access)))
        if row is None:
            raise NotFound("there is no such calendar")
        if row.revoked is None:
            row.revoked = svc.now()
        return _shown(row)


def calendar(svc: Service, token: str, *, address_of: Callable[[str], str]) -> Calendar:
    """What the holder of a token is given; ``address_of`` gives a case's page.

    Raises NotFound for a token that is wrong or revoked, and where its maker's account is disabled or may no longer read such lists:
    they cannot be told apart.
    """
    feed, access = _recognised(svc, token)
    today = _today(svc)
    where = Where(
        verdict=OPEN,
        status=("enforced",),
        team=() if feed.team is None else (feed.team,),
        since=today.isoformat(),
        until=(today + dt.timedelta(days=DAYS)).isoformat(),
    )
    scope = Scope(teams=access.teams, offices=access.offices)
    found: list[StoredVerdict] = []
    cursor: str | None = None
    with svc.reading() as session:
        while len(found) < MOST_ENTRIES:
            page = findings.list_verdicts(session, where=where, scope=scope, sort="due_on", limit=MAX_LIMIT, cursor=cursor)
            found.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
    whose = f"Due: {feed.team}" if feed.team is not None else "Due"
    until = f"{today + dt.timedelta(days=DAYS):%d %B %Y}".lstrip("0")
    cut = f" Only the first {MOST_ENTRIES:,} are here." if cursor is not None else ""
    told = f"What rules ask for and is not done yet, by its due day, up to {until}. What has no day yet is not here.{cut}"
    entries = [entry for one in found if (entry := _entry(svc, one, address_of)) is not None]
    return Calendar(feed, written(whose, told, entries), len(entries))


def _recognised(svc: Service, token: str) -> tuple[DueFeed, Access]:
    found = _TOKEN.fullmatch(token)
    identity, secret = found.groups() if found else ("", "")
    now = svc.now()
    with svc.reading() as session:
        row = session.get(DueFeedRow, identity)
        good = hmac.compare_digest(row.hash if row is not None else "0" * 64, _hash(svc, identity, secret))
        if row is None or not good or row.revoked is not None:
            raise NotFound("there is no such calendar")
        feed = _shown(row)
    user = users.get(svc, feed.maker.removeprefix("user:"))
    access = users.access_of(user)
    if user.disabled or not access.allows(SCOPE):
        raise NotFound("there is no such calendar")
    if feed.last_used is None or now - feed.last_used >= LAST_USED_EVERY:
        with svc.writing() as session:
            session.execute(update(DueFeedRow).where(DueFeedRow.id == feed.id).values(last_used=now))
    return feed, access


def _entry(svc: Service, stored: StoredVerdict, address_of: Callable[[str], str]) -> Entry | None:
    verdict = stored.verdict
    if verdict.due_on is None:
        return None
    policy = svc.policies.get(verdict.policy)
    rule = None if policy is None else next((one for one in policy.rules if one.id == verdict.rule), None)
    title = rule.title if rule is not None else f"Rule {verdict.rule}"
    return Entry(
        uid=f"{stored.id}@duecare",
        day=dt.date.fromisoformat(verdict.due_on),
        stamp=stored.changed_at,
        summary=f"{title} \N{EN DASH} case {verdict.case}",
        description=f"Rule {verdict.rule}{f', {policy.title}' if policy is not None else ''}. Severity: {verdict.severity}.",
        category=verdict.severity,
        url=address_of(verdict.case),
    )


def _today(svc: Service) -> dt.date:
    """The earliest local day of any policy's place."""
    now = svc.now()
    days = [policy.zone.day_of(now) for policy in svc.policies.policies]
    return dt.date.fromordinal(min(days)) if days else dt.datetime.fromtimestamp(now / 1000, dt.UTC).date()


def _reach(access: Access) -> list[ColumnElement[bool]]:
    return [] if access.allows(OTHERS) else [DueFeedRow.maker == access.actor]


def _hash(svc: Service, identity: str, secret: str) -> str:
    return hmac.new(svc.settings.secret, f"due-feed:{identity}:{secret}".encode(), hashlib.sha256).hexdigest()


def _shown(row: DueFeedRow) -> DueFeed:
    return DueFeed(row.id, row.maker, row.team, row.created, row.revoked, row.last_used)
