"""Backtests: what a version of a policy would have said of the cases on record, compared with the versions in force.

Read-only: no verdict, no breach and no message comes of it.  The work is divided into chunks that any worker may take
(service.backtests.work); what comes out is one report that never changes.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from sqlalchemy.orm import Session

from rules.clock import iso
from rules.policy import Policy
from service.access import Access
from service.backtests.report import cut
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound, NotPossible
from service.policies import book as policybook
from store import backtests
from store.backtests import Backtest
from store.events import last_position

SCOPE = "policies:write"
CHUNK = 100
"""Cases that a worker takes at a time."""
TOGETHER = 4
"""So many workers are told of a backtest that nobody works on."""
MOST_LISTED = 200
When = int | dt.date
"""An instant (ms), or a local day: its last ms in the policy's zone."""

__all__ = ["Backtest", "cancel", "get", "latest", "listing", "passed", "report", "report_text", "start"]


def start(
    svc: Service,
    access: Access,
    *,
    candidate: str,
    since: dt.date | None = None,
    as_of: When | None = None,
    known_at: When | None = None,
    chunk: int = CHUNK,
) -> Backtest:
    """Put a backtest of the version ``candidate`` (a digest on record) into the queue.

    It is compared with the versions of its policy that are in force as known at ``known_at``, and taken as in force throughout,
    from their first effective day on.  ``since``: only obligations activated on that day or later.  Both instants are now unless
    given, and ``known_at`` is never later than that.  Raises Forbidden, NotFound, Invalid and NotPossible.
    """
    access.require(SCOPE)
    policy = policybook.version(svc, candidate)
    svc.refresh()
    now = svc.now()
    at = now if as_of is None else policy.zone.last_ms_of(as_of)
    known = now if known_at is None else min(now, policy.zone.last_ms_of(known_at))
    if since is not None and since.toordinal() > policy.zone.day_of(at):
        raise Invalid(Flaw("since", "out_of_range", f"{since} is after the day as of which the cases are judged"))
    base = sorted((one for one in svc.policies_at(known).policies if one.id == policy.id), key=lambda one: one.effective)
    with svc.writing() as session:
        position = last_position(session)
        heartbeat = backtests.newest_heartbeat(session)
    made = Backtest(
        id=str(uuid.uuid4()),
        policy=policy.id,
        candidate=candidate,
        base=tuple(one.digest for one in base),
        as_of=at,
        known_at=known,
        position=position,
        heartbeat=heartbeat,
        since=None if since is None else iso(since.toordinal()),
        created=now,
        created_by=access.actor,
        created_name=access.name,
    )
    with svc.writing() as session:
        for one in base:
            policybook.keep(session, one, now=now)
        backtests.add(session, made, size=chunk)
    svc.hints.work_on(made.id, workers=TOGETHER)
    return get(svc, access, made.id)


def get(svc: Service, access: Access, backtest: str) -> Backtest:
    """A backtest and how far it is.  Raises Forbidden and NotFound."""
    access.require(SCOPE)
    with svc.reading() as session:
        return _get(session, backtest)


def listing(svc: Service, access: Access, *, policy: str | None = None, candidate: str | None = None, limit: int = 50) -> list[Backtest]:
    """Backtests, the newest first, at most ``limit``.  Raises Forbidden."""
    access.require(SCOPE)
    with svc.reading() as session:
        return backtests.listed(session, policy=policy, candidate=candidate, limit=min(limit, MOST_LISTED))


def report(svc: Service, access: Access, backtest: str) -> dict[str, Any]:
    """The report, cut to what the caller may see.  Raises Forbidden, NotFound, and NotPossible where there is none (yet)."""
    whole: dict[str, Any] = json.loads(_report(svc, access, backtest))
    return cut(whole, lambda team, office: access.sees(team=team, office=office)) if _limited(access) else whole


def report_text(svc: Service, access: Access, backtest: str) -> str:
    """The same as text: for a caller without limits the very bytes that the report's digest is of."""
    if not _limited(access):
        return _report(svc, access, backtest)
    from service.backtests.report import text_of

    return text_of(report(svc, access, backtest))


def cancel(svc: Service, access: Access, backtest: str) -> Backtest:
    """End a backtest that is under way.  Raises Forbidden, NotFound, and NotPossible where it is over."""
    access.require(SCOPE)
    with svc.writing() as session:
        found = _get(session, backtest)
        if not backtests.JOBS.end(session, backtest, "cancelled", now=svc.now()):
            raise NotPossible(f"the backtest is over already: it is {found.state}")
    return get(svc, access, backtest)


def passed(session: Session, digest: str) -> str | None:
    """The newest finished backtest of exactly this version; None where there is none.  A rule may be enforced only after one."""
    return backtests.latest_done(session, digest)


def latest(svc: Service, access: Access, digest: str) -> Backtest | None:
    """The newest backtest of exactly this version, finished or not.  Raises Forbidden."""
    return next(iter(listing(svc, access, candidate=digest, limit=1)), None)


def throughout(candidate: Policy, base: tuple[Policy, ...], since: str | None) -> Policy:
    """The candidate as in force from the first version's effective day on.

    A policy of which none is in force judges from ``since`` on, or from the beginning of the record.
    """
    from dataclasses import replace

    from rules.clock import parse_day

    first = min((one.effective for one in base), default=1 if since is None else parse_day(since))
    return replace(candidate, effective=first, applies_to_open=False)


def _report(svc: Service, access: Access, backtest: str) -> str:
    access.require(SCOPE)
    with svc.reading() as session:
        text = backtests.JOBS.report_of(session, backtest)
        if text is None:
            raise NotPossible(f"there is no report: the backtest is {_get(session, backtest).state}")
    return text


def _get(session: Session, backtest: str) -> Backtest:
    found = backtests.get(session, backtest)
    if found is None:
        raise NotFound("no such backtest")
    return found


def _limited(access: Access) -> bool:
    return access.teams is not None or access.offices is not None
