"""Schedules of audits: a cron expression in a zone, fired once however many machines run.

A time that came while nothing was running is caught up with: the audit is made for the last of the times that went by, as of that time
and as known then, and says how many it stands in for.  What a schedule's maker may see is looked up each time anew.  Imports store/,
service/ and cronsim (https://github.com/cuu508/cronsim: Debian's cron, changes to and from daylight saving included).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy.orm import Session

from service import keys, users
from service.access import Access, system
from service.audits import runs as audits
from service.audits.runs import SAMPLE, SCOPE, Scheduled
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible, ServiceError
from service.logs import get as logger
from store import auditschedules
from store.audits import AuditScope
from store.auditschedules import Schedule
from store.clocksteps import fired_ahead

FIELDS = 5
LONGEST_NAME = 120
MOST_MISSED = 10_000
"""Times that went by are counted up to here."""
SOONEST = 10 * 60_000
"""ms between two times of a schedule, at least."""

_log = logger("audits")

__all__ = ["Schedule", "add", "fire_due", "listing", "pause", "remove", "reset_those_ahead", "resume", "times"]


def add(
    svc: Service,
    access: Access,
    *,
    name: str,
    cron: str,
    zone: str,
    kind: str = "incremental",
    scope: AuditScope | None = None,
    sample: int = SAMPLE,
) -> Schedule:
    """Have an audit made at every time that ``cron`` (five fields) names in ``zone``.

    Raises Forbidden, Invalid, and NotPossible where there is a schedule of this name.
    """
    access.require(SCOPE)
    called = name.strip()
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise Invalid(Flaw("name", "wrong_length", f"give a name of 1 to {LONGEST_NAME} printable characters"))
    now = svc.now()
    made = Schedule(
        id=str(uuid.uuid4()),
        name=called,
        cron=" ".join(cron.split()),
        zone=zone,
        kind=kind,
        scope=audits.check(svc, access, kind=kind, scope=scope, sample=sample),
        sample=sample,
        created=now,
        created_by=access.actor,
        created_name=access.name,
        next_at=times(cron, zone, after=now)[0],
    )
    with svc.writing() as session:
        if not auditschedules.add(session, made):
            raise NotPossible("there is a schedule of this name already")
    return made


def listing(svc: Service, access: Access) -> list[Schedule]:
    """All schedules that the caller may see, by name.  Raises Forbidden."""
    access.require(SCOPE)
    with svc.reading() as session:
        return [one for one in auditschedules.listed(session) if _sees(access, one)]


def pause(svc: Service, access: Access, schedule: str) -> Schedule:
    """Make none until it is resumed.  Raises Forbidden and NotFound."""
    return _changed(svc, access, schedule, next_at=None, paused_because=f"paused by {access.name}")


def resume(svc: Service, access: Access, schedule: str) -> Schedule:
    """Go on with the next time.  Raises Forbidden and NotFound."""
    access.require(SCOPE)
    with svc.reading() as session:
        found = _found(session, access, schedule)
    return _changed(svc, access, schedule, next_at=times(found.cron, found.zone, after=svc.now())[0], paused_because=None)


def remove(svc: Service, access: Access, schedule: str) -> None:
    """Forget a schedule; the audits that it made stay.  Raises Forbidden and NotFound."""
    access.require(SCOPE)
    with svc.writing() as session:
        _found(session, access, schedule)
        auditschedules.remove(session, schedule)


def times(cron: str, zone: str, *, after: int, count: int = 3) -> list[int]:
    """The next instants (ms) that an expression names.  Raises Invalid: not five fields, an unknown zone, never, or too often."""
    try:
        local = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Invalid(Flaw("zone", "unknown", "name a time zone as in Australia/Adelaide")) from None
    if len(cron.split()) != FIELDS:
        raise Invalid(Flaw("cron", "wrong_value", "give minute, hour, day, month and weekday, such as 30 2 * * 1-5"))
    begun = dt.datetime.fromtimestamp(after / 1000, local)
    try:
        found = CronSim(cron, begun)
        instants = [int(next(found).timestamp() * 1000) for _ in range(max(count, 2))]
    except (CronSimError, StopIteration, ValueError, OverflowError):
        raise Invalid(Flaw("cron", "wrong_value", "this names no time: give minute, hour, day, month and weekday")) from None
    if instants[1] - instants[0] < SOONEST:
        raise Invalid(Flaw("cron", "wrong_value", "this names times that are less than ten minutes apart"))
    return instants[:count]


def fire_due(svc: Service) -> list[str]:
    """Make the audits whose time has come; their ids.  For the sweeper: whoever comes first makes each, once."""
    with svc.reading() as session:
        if not auditschedules.any_due(session, svc.now()):
            return []
    made = []
    while True:
        with svc.writing() as session:
            due = auditschedules.take_due(session, svc.now())
            if due is None:
                break
            audit = _fire(svc, session, due)
        if audit is not None:
            made.append(audit)
            svc.hints.audit(audit, workers=svc.settings.audit_workers)
    return made


def reset_those_ahead(svc: Service) -> None:
    """Schedules that fired while the clock was ahead go on with the next time that comes by the clock as it is now."""
    with svc.writing() as session:
        for identity in fired_ahead(session, svc.now()):
            one = auditschedules.get(session, identity)
            if one is not None:
                ahead = times(one.cron, one.zone, after=svc.now())[0]
                auditschedules.change(session, identity, {"next_at": ahead, "last_at": svc.now()})


def _fire(svc: Service, session: Session, due: Schedule) -> str | None:
    """Make the audit of a schedule that this transaction holds; None where it may not be made any more, and the schedule is paused."""
    now = svc.now()
    assert due.next_at is not None
    at, missed, ahead = _last_before(due, now)
    try:
        access = _maker(svc, due)
        scheduled = Scheduled(due.id, at, missed)
        made = audits.plan(
            svc, session, access, as_of=at, known_at=at, kind=due.kind, scope=due.scope, sample=due.sample, scheduled=scheduled
        )
    except ServiceError as error:
        _log.warning("schedule_paused", schedule=due.id, exc_info=error)
        auditschedules.change(session, due.id, {"next_at": None, "paused_because": str(error)})
        return None
    auditschedules.change(session, due.id, {"next_at": ahead, "last_at": at, "last_audit": made.id, "missed": missed})
    if missed or now - at > SOONEST:
        _log.warning("audit_caught_up", schedule=due.id, audit=made.id, missed=missed, late_ms=now - at)
    return made.id


def _last_before(due: Schedule, now: int) -> tuple[int, int, int]:
    """The last time that has come, how many came before it and were not made, and the next one."""
    assert due.next_at is not None
    at, missed = due.next_at, 0
    ahead = times(due.cron, due.zone, after=at)[0]
    while ahead <= now and missed < MOST_MISSED:
        at, missed = ahead, missed + 1
        ahead = times(due.cron, due.zone, after=at)[0]
    return at, missed, max(ahead, times(due.cron, due.zone, after=now)[0])


def _maker(svc: Service, due: Schedule) -> Access:
    """What the schedule's maker may see and do now.  Raises Forbidden where the account or key holds no longer."""
    kind, _, identity = due.created_by.partition(":")
    try:
        if kind == "user":
            user = users.get(svc, identity)
            if user.disabled:
                raise Forbidden(f"the account of {due.created_name}, who made this schedule, is switched off")
            return replace(users.access_of(user), must_change=False)
        if kind == "key":
            key = keys.get(svc, identity)
            if key.revoked is not None or (key.expires is not None and key.expires <= svc.now()):
                raise Forbidden(f"the key {due.created_name}, which made this schedule, holds no longer")
            return keys.access_of(key)
    except NotFound:
        raise Forbidden(f"{due.created_name}, who made this schedule, has no account any more") from None
    return system(due.created_by)


def _changed(svc: Service, access: Access, schedule: str, **values: object) -> Schedule:
    access.require(SCOPE)
    with svc.writing() as session:
        _found(session, access, schedule)
        auditschedules.change(session, schedule, values)
        return _found(session, access, schedule)


def _found(session: Session, access: Access, schedule: str) -> Schedule:
    found = auditschedules.get(session, schedule)
    if found is None or not _sees(access, found):
        raise NotFound("no such schedule")
    return found


def _sees(access: Access, schedule: Schedule) -> bool:
    """A schedule is for those who may see all that its audits cover, and for its maker."""
    return schedule.created_by == access.actor or audits.covers(access, schedule.scope)
