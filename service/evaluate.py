"""Judging the cases that wait: claim, read, judge, write, release.  Imports store/ and service/.

A claim is a lease: whoever holds it may write, and proves it again in the writing transaction.  Whatever happens to the
worker, the dirty row stays until the outcome is on record.  Cases go in batches, since one transaction for fifty of them
costs little more than for one; a case that has been claimed before without an outcome goes alone, so that a case that kills
its worker cannot take the blame to others.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from service.bootstrap import Service
from service.errors import NotFound
from service.findings import Found, Known, Settle, judge, read, write
from service.hints import CASES_A_CLAIM
from service.logs import get, where
from store.engine import is_trouble
from store.errors import LeaseLost, StaleVersion
from store.models import DirtyRow
from store.queue import Claim, claim_case, claim_dirty, fail, pardon, release

BUDGET = 5.0
"""Seconds that one wake-up goes on while cases wait; then it lets others have their turn."""
STALE_TRIES = 3
HOUR = 3_600_000

_log = get("evaluate")


def drain(svc: Service, *, budget: float = BUDGET) -> int:
    """Judge waiting cases until none is left or ``budget`` (seconds) is spent; how many were judged.

    Raises sqlalchemy.exc.DBAPIError where the database fails; the cases at hand wait until their lease is over.
    """
    ends = time.monotonic() + budget
    judged = 0
    while True:
        claims, suspects = _claim(svc)
        judged += _judge(svc, claims)
        for case in suspects:
            judged += evaluate_now(svc, case)
        if len(claims) + len(suspects) < CASES_A_CLAIM:
            return judged
        if time.monotonic() > ends:
            svc.hints.send([claims[-1].case_id if claims else suspects[-1]])
            return judged


def evaluate_now(svc: Service, case_id: str) -> bool:
    """Judge one case at once if it waits and nobody else has it; whether it was judged."""
    with svc.writing() as session:
        claim = claim_case(session, case_id, now=svc.now(), lease_ms=_lease(svc), worker=worker_name())
    return claim is not None and _judge(svc, [claim]) == 1


def requeue(svc: Service, case_id: str) -> None:
    """Let a case out of quarantine, to be tried again.  Raises NotFound where it is not in it."""
    with svc.writing() as session:
        if not pardon(session, case_id):
            raise NotFound("the case is not in quarantine")
    svc.hints.send([case_id])


def take_back(svc: Service) -> int:
    """Free the claims that dead processes of this machine have left, for a start right after a kill; how many.

    Only for the embedded mode, where no other machine shares the database.  Attempts stay counted.
    """
    here = socket.gethostname()
    with svc.writing() as session:
        holders = session.scalars(select(DirtyRow.claimed_by).where(DirtyRow.token.is_not(None)).distinct()).all()
        gone = [holder for holder in holders if holder is not None and _is_gone(holder, here)]
        if not gone:
            return 0
        freed = update(DirtyRow).where(DirtyRow.claimed_by.in_(gone)).values(claimed_until=None, claimed_by=None, token=None)
        return len(session.execute(freed.returning(DirtyRow.case_id)).all())


def worker_name() -> str:
    """Who claims: host, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def _claim(svc: Service) -> tuple[list[Claim], list[str]]:
    """The next cases to judge together, and those that have been claimed in vain before: they go back, to come alone."""
    if _nothing_waits(svc):
        return [], []
    with svc.writing() as session:
        claims = claim_dirty(session, limit=CASES_A_CLAIM, now=svc.now(), lease_ms=_lease(svc), worker=worker_name())
        if len(claims) <= 1:
            return claims, []
        suspects = [claim for claim in claims if claim.attempts > 1]
        for claim in suspects:
            release(session, claim, done=False)
    return [claim for claim in claims if claim.attempts == 1], [claim.case_id for claim in suspects]


def _nothing_waits(svc: Service) -> bool:
    """On SQLite a look costs nothing and a claim takes the one write lock; on PostgreSQL a claim that finds nothing is as cheap."""
    if svc.engine.dialect.name != "sqlite":
        return False
    now = svc.now()
    free = DirtyRow.claimed_until.is_(None) | (DirtyRow.claimed_until <= now)
    with svc.reading() as session:
        return session.scalar(select(DirtyRow.case_id).where(~DirtyRow.quarantined, free).limit(1)) is None


def _judge(svc: Service, claims: Sequence[Claim]) -> int:
    """Judge the claimed cases and write all outcomes in one transaction, or each in its own where that fails."""
    if not claims:
        return 0
    try:
        svc.refresh()  # after the claim: whatever comes into force from now on makes these cases wait again
    except Exception:  # a version that this program cannot read, say, for it is of a newer one: none of these cases has been tried
        _give_back(svc, claims)
        raise
    with svc.reading() as session:
        known = read(session, [claim.case_id for claim in claims])
    outcomes = [(claim, found) for claim in claims if (found := _attempt(svc, claim, known[claim.case_id])) is not None]
    try:
        return _record(svc, outcomes)
    except (StaleVersion, DBAPIError, ValueError) as error:
        if is_trouble(error):
            _give_back(svc, claims)
        if is_trouble(error) or len(outcomes) == 0:
            raise
        return sum(_again(svc, claim) for claim, _ in outcomes)


def _attempt(svc: Service, claim: Claim, known: Known) -> Found | None:
    """What judging finds; None where it failed, which is put on record with the case."""
    began = time.perf_counter()
    try:
        found = judge(svc.policies, known, now=svc.now(), settle=_settle(svc))
    except Exception as error:  # noqa: BLE001 - one case that cannot be judged must not stop the others
        _failed(svc, claim, error)
        return None
    svc.metrics.seconds.observe(time.perf_counter() - began)
    if found.disagreements:
        svc.metrics.disagreements.inc(found.disagreements)
        _log.error("deciders_disagree", case=claim.case_id, obligations=found.disagreements)
    return found


def _record(svc: Service, outcomes: Sequence[tuple[Claim, Found]]) -> int:
    with svc.writing() as session:
        done = write(session, [found for _, found in outcomes], [claim for claim, _ in outcomes], now=svc.now())
    if lost := len(outcomes) - len(done):
        svc.metrics.evaluations.labels("lost").inc(lost)
    svc.metrics.evaluations.labels("done").inc(len(done))
    if done:
        _log.info("cases_judged", cases=[found.state.case for found in done])
    for found in done:
        for change in found.changes.breaches:
            for line in change.lines:
                svc.metrics.transitions.labels(line.kind).inc()
    return len(done)


def _again(svc: Service, claim: Claim) -> int:
    """One case from the start: read, judged and written alone, until no reviewer changes a breach in between."""
    error: Exception | None = None
    for _ in range(STALE_TRIES):
        with svc.reading() as session:
            known = read(session, [claim.case_id])[claim.case_id]
        found = _attempt(svc, claim, known)
        if found is None:
            return 0
        try:
            return _record(svc, [(claim, found)])
        except (StaleVersion, DBAPIError, ValueError) as caught:
            if is_trouble(caught):
                raise
            error = caught
    if isinstance(error, StaleVersion):
        with svc.writing() as session:
            release(session, claim, done=False)
    elif error is not None:
        _failed(svc, claim, error)
    return 0


def _give_back(svc: Service, claims: Sequence[Claim]) -> None:
    """It was the store and none of these cases: they have not been tried.  A store that cannot even note that has their leases end."""
    with suppress(DBAPIError, LeaseLost), svc.writing() as session:
        for claim in claims:
            release(session, claim, done=False)


def _failed(svc: Service, claim: Claim, error: Exception) -> None:
    """Put a failure on record: what kind and where, and nothing of the case's content."""
    _log.error("evaluation_failed", case=claim.case_id, attempt=claim.attempts, exc_info=error)
    with svc.writing() as session:
        quarantined = fail(session, claim, f"{type(error).__qualname__} at {where(error)}", now=svc.now())
    svc.metrics.evaluations.labels("quarantined" if quarantined else "failed").inc()
    if quarantined:
        _log.error("case_quarantined", case=claim.case_id)


def _settle(svc: Service) -> Settle:
    return Settle(order=svc.settings.settle_hours * HOUR, deadline=svc.settings.deadline_settle_hours * HOUR)


def _lease(svc: Service) -> int:
    return svc.settings.lease_seconds * 1000


def _is_gone(holder: str, here: str) -> bool:
    """Whether a claim's holder was a process of this machine that no longer runs (or ran under our own id before us)."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    if host != here or not rest.isdecimal():
        return False
    if int(rest) == os.getpid():
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
