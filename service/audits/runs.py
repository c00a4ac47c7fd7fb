"""Audits: every case in scope judged as of one instant, as known at one, counted into a report that never changes.

A *full* audit judges every case anew and compares with what is stored; an *incremental* one takes what is stored of the cases in which
nothing has happened since, which comes to the same.  The work is divided into chunks that any worker may take (service.audits.work).
An audit covers what its maker may see, and a reader gets of its report what the reader may see.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from typing import cast

from sqlalchemy.orm import Session

from service.access import Access
from service.audits.ending import ended
from service.audits.report import Report, cut, text_of
from service.bootstrap import Service
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible
from service.policies import book as policybook
from store import audits
from store.audits import Audit, AuditScope
from store.backtests import newest_heartbeat
from store.chunkedjobs import BREAK
from store.events import last_position
from store.ids import digest_of
from store.queue import mark_dirty

SCOPE = "audits:run"
CHUNKS = {"full": 250, "incremental": 1_000}
"""Cases that a worker takes at a time, by kind: of an incremental audit, few of them are judged."""
SAMPLE = 2
"""Cases drawn of each team and verdict, unless another number is asked for."""
MOST_DRAWN = 50
MOST_LISTED = 200
KINDS = ("full", "incremental")
When = int | dt.date
"""An instant (ms), or a local day: its last ms in the policy's zone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an audit is.  ``rate`` in cases a second (of a limited reader: per cent), ``expected`` (ms): only while it is under way."""

    done: int
    left: int
    rate: float | None
    expected: int | None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The schedule that an audit is made for: its id, the time (ms) that it names, and how many earlier ones it stands in for."""

    schedule: str
    at: int
    missed: int = 0


def start(
    svc: Service,
    access: Access,
    *,
    as_of: When | None = None,
    known_at: When | None = None,
    kind: str = "full",
    scope: AuditScope | None = None,
    seed: int | None = None,
    sample: int = SAMPLE,
    chunk: int | None = None,
) -> Audit:
    """Put an audit into the queue.  ``as_of`` and ``known_at``: now unless given, the latter never later than now.

    ``seed`` of the sample: unless given, made from everything else that the audit rests on.  Raises Forbidden and Invalid.
    """
    with svc.writing() as session:
        made = plan(svc, session, access, as_of=as_of, known_at=known_at, kind=kind, scope=scope, seed=seed, sample=sample, chunk=chunk)
    svc.hints.audit(made.id, workers=svc.settings.audit_workers)
    return get(svc, access, made.id)


def plan(
    svc: Service,
    session: Session,
    access: Access,
    *,
    as_of: When | None = None,
    known_at: When | None = None,
    kind: str = "full",
    scope: AuditScope | None = None,
    seed: int | None = None,
    sample: int = SAMPLE,
    chunk: int | None = None,
    scheduled: Scheduled | None = None,
) -> Audit:
    """The same within a transaction, telling no worker."""
    access.require(SCOPE)
    now = svc.now()
    wanted = check(svc, access, kind=kind, scope=scope, sample=sample)
    zones = [policy.zone for policy in svc.policies.policies]
    known = min([now, *(zone.last_ms_of(known_at) for zone in zones if known_at is not None)])
    in_force = svc.policies_at(known).policies
    chosen = [one for one in in_force if wanted.policies is None or one.id in wanted.policies]
    if not chosen:
        raise Invalid(Flaw("known_at", "out_of_range", "none of these policies was in force as it was known then"))
    at = now if as_of is None else min(policy.zone.last_ms_of(as_of) for policy in chosen)
    position, heartbeat, lines = last_position(session), newest_heartbeat(session), audits.newest_line(session)
    for one in in_force:
        policybook.keep(session, one, now=now)
    digests = tuple(one.digest for one in in_force)
    rests_on = [at, known, position, heartbeat, lines, digests, asdict(wanted), sample]
    made = Audit(
        id=str(uuid.uuid4()),
        kind=kind,
        as_of=at,
        known_at=known,
        position=position,
        heartbeat=heartbeat,
        lines=lines,
        policies=digests,
        scope=wanted,
        seed=int(digest_of(rests_on)[:8], 16) if seed is None else seed,
        sample=sample,
        created=now,
        created_by=access.actor,
        created_name=access.name,
        schedule=scheduled.schedule if scheduled else None,
        scheduled_for=scheduled.at if scheduled else None,
        missed=scheduled.missed if scheduled else 0,
    )
    audits.add(session, made, size=chunk or CHUNKS[kind])
    return made


def check(svc: Service, access: Access, *, kind: str, scope: AuditScope | None, sample: int) -> AuditScope:
    """The scope, narrowed to what the caller may see.  Raises Invalid with everything that is wrong."""
    wanted = scope or AuditScope()
    known = {policy.id for policy in svc.policies.policies}
    flaws = []
    if kind not in KINDS:
        flaws.append(Flaw("kind", "wrong_value", f"an audit is {' or '.join(KINDS)}"))
    if not 0 <= sample <= MOST_DRAWN:
        flaws.append(Flaw("sample", "out_of_range", f"draw 0 to {MOST_DRAWN} cases of each team and verdict"))
    if wanted.policies is not None and (not wanted.policies or set(wanted.policies) - known):
        flaws.append(Flaw("policies", "unknown", f"in force are: {', '.join(sorted(known))}"))
    if wanted.since is not None and wanted.until is not None and wanted.since > wanted.until:
        flaws.append(Flaw("until", "out_of_range", "the period ends before it begins"))
    if flaws:
        raise Invalid(*flaws)
    return replace(
        wanted,
        policies=_ordered(wanted.policies),
        teams=_ordered(_narrowed(wanted.teams, access.teams)),
        offices=_ordered(_narrowed(wanted.offices, access.offices)),
    )


def get(svc: Service, access: Access, audit: str) -> Audit:
    """An audit and how far it is.  Raises Forbidden and NotFound (also for one of teams that the caller does not see)."""
    access.require(SCOPE)
    with svc.reading() as session:
        return _shown(access, found_in(session, access, audit))


def listing(svc: Service, access: Access, *, state: str | None = None, schedule: str | None = None, limit: int = 50) -> list[Audit]:
    """Audits that the caller may read, the newest first, at most ``limit``.  Raises Forbidden."""
    access.require(SCOPE)
    shown: list[Audit] = []
    after: tuple[int, str] | None = None
    most = min(limit, MOST_LISTED)
    with svc.reading() as session:
        while len(shown) < most:
            some = audits.listed(session, state=state, schedule=schedule, after=after, limit=MOST_LISTED)
            shown += [_shown(access, one) for one in some if _overlaps(access, one)]
            if len(some) < MOST_LISTED:
                break
            after = (some[-1].created, some[-1].id)
    return shown[:most]


def progress(svc: Service, audit: Audit) -> Progress:
    """How far it is, how fast it goes, and when it will be over at this rate: while nobody worked on it does not count."""
    left = audit.total - audit.done
    if audit.over or audit.started is None or not audit.done:
        return Progress(audit.done, left, None, None)
    now = svc.now()
    rate = audit.pace
    if rate is None and now - audit.started <= BREAK:
        rate = audit.done * 1000 / max(1, now - audit.started)
    if rate is None:
        return Progress(audit.done, left, None, None)
    return Progress(audit.done, left, rate, now + int(left / rate * 1000))


def report(svc: Service, access: Access, audit: str) -> Report:
    """The report, cut to what the caller may see.  Raises Forbidden, NotFound, and NotPossible where there is none (yet)."""
    told, text = _report(svc, access, audit)
    whole = cast("Report", json.loads(text))
    return whole if sees_all(access, told) else cut(whole, lambda team, office: access.sees(team=team, office=office))


def report_text(svc: Service, access: Access, audit: str) -> str:
    """The same as text: for a caller who may see all of it the very bytes that ``report_digest`` is of."""
    told, text = _report(svc, access, audit)
    return text if sees_all(access, told) else text_of(report(svc, access, audit))


def sees_all(access: Access, audit: Audit) -> bool:
    """Whether all that an audit covers lies within the caller's limits."""
    return covers(access, audit.scope)


def covers(access: Access, scope: AuditScope) -> bool:
    """Whether a scope lies within the caller's limits."""
    return _within(scope.teams, access.teams) and _within(scope.offices, access.offices)


def cancel(svc: Service, access: Access, audit: str) -> Audit:
    """End an audit that is under way.  Raises Forbidden, NotFound, and NotPossible where it is over."""
    access.require(SCOPE)
    with svc.writing() as session:
        found = found_in(session, access, audit)
        if not sees_all(access, found):
            raise Forbidden("this audit covers more than you may see: ask somebody who sees all of it")
        now = svc.now()
        if not audits.JOBS.end(session, audit, "cancelled", now=now):
            raise NotPossible(f"the audit is over already: it is {found.state}")
        ended(session, audit, "cancelled", now)
    return get(svc, access, audit)


def judge_again(svc: Service, access: Access, audit: str) -> int:
    """Have the cases judged again whose stored findings a full audit found to differ; how many.

    Raises Forbidden (who may not see all of the report), NotFound, and NotPossible where there is no report or nothing differs.
    """
    access.require(SCOPE)
    with svc.writing() as session:
        found = found_in(session, access, audit)
        if not sees_all(access, found):
            raise Forbidden("this report covers more than you may see")
        if found.state != "done":
            raise NotPossible(f"there is no report: the audit is {found.state}")
        cases = audits.differing(session, audit)
        if not cases:
            raise NotPossible("nothing that is stored was found to differ")
        mark_dirty(session, cases, svc.now())
    svc.hints.send(cases)
    return len(cases)


def _report(svc: Service, access: Access, audit: str) -> tuple[Audit, str]:
    access.require(SCOPE)
    with svc.reading() as session:
        told = found_in(session, access, audit)
        text = audits.JOBS.report_of(session, audit)
    if text is None:
        raise NotPossible(f"there is no report: the audit is {told.state}")
    return told, text


def found_in(session: Session, access: Access, audit: str) -> Audit:
    """An audit that the caller may know of.  Raises NotFound."""
    found = audits.get(session, audit)
    if found is None or not _overlaps(access, found):
        raise NotFound("no such audit")
    return found


def _shown(access: Access, audit: Audit) -> Audit:
    """For a reader with limits: how far it is, and not how many cases there are."""
    if access.teams is None and access.offices is None:
        return audit
    share = 100 * audit.done // audit.total if audit.total else 100 * audit.over
    pace = 100 * audit.pace / audit.total if audit.pace and audit.total else None
    return replace(audit, total=100, done=share, pace=pace, in_percent=True)


def _overlaps(access: Access, audit: Audit) -> bool:
    def meets(scope: Collection[str] | None, limit: Collection[str] | None) -> bool:
        return scope is None or limit is None or bool(set(scope) & set(limit))

    return audit.created_by == access.actor or (meets(audit.scope.teams, access.teams) and meets(audit.scope.offices, access.offices))


def _within(scope: Collection[str] | None, limit: Collection[str] | None) -> bool:
    return limit is None or (scope is not None and set(scope) <= set(limit))


def _narrowed(wanted: Collection[str] | None, limit: Collection[str] | None) -> Collection[str] | None:
    if limit is None:
        return wanted
    return limit if wanted is None else set(wanted) & set(limit)


def _ordered(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(sorted(set(values)))
