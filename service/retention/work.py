"""A removal from its start to its certificate, in portions, so that a process that dies is taken up by the next.

First journeys go, a few in each transaction, with tombstones for what comes later; then what still names them in documents about many;
then what goes by its age; then the certificate is closed.  Every step may be done twice.  Imports store/ and service/.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound, NotPossible, ServiceError
from service.logs import get
from service.retention import ageing, names, plan, rules
from service.retention.access import administers
from service.retention.plan import Journey
from store import leftovers, removals, removedcounts, tombstones
from store.engine import retrying
from store.journeys import journeys
from store.models import EventRow, RemovalRow
from store.removals import Removal
from store.removing import redact_log, remove, take_turn, under_way

LEASE_MS = 60_000
_THREAD = "duecare-removal"
CASES_AT_ONCE = 50
"""Cases in one transaction, during which nothing is taken in; a journey is never divided."""

_log = get("retention")


class _Lost(Exception):
    """Somebody else has taken the removal up."""


class _Beside(Exception):
    """An audit or a backtest is not finished."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a removal is.  ``waits``: what it waits for (``audit``, ``backtest``, ``another``); None: nothing."""

    removal: Removal
    waits: str | None = None

    @property
    def done(self) -> bool:
        return self.removal.state == "done"


def start(svc: Service, access: Access, *, key_lost: bool = False) -> Removal:
    """Begin a removal under the rules as they are now, or give the one that is running.

    ``key_lost``: go on although cases were removed under another secret key, which is lost; what was removed then and comes again is
    taken in, and removed anew.

    Raises Forbidden, and NotPossible where there are no good rules or where tombstones could no longer be told.
    """
    administers(access)
    found = rules.load(svc.settings.retention)
    with svc.reading() as session:
        running = removals.running(session)
        if running is None and not key_lost and tombstones.other_keys(session, svc.settings.secret):
            raise NotPossible(
                "cases were removed under another secret key, so that they would not be known when they come again: set the former "
                "DUECARE_SECRET_KEY or, where it is lost, run `duecare retention run --former-key-lost`"
            )
    if running is not None:
        return running
    try:
        with svc.writing() as session:
            position = session.scalar(select(func.max(EventRow.position))) or 0
            made = removals.begin(
                session, by=access.actor, name=access.name, now=svc.now(), rules=found.as_json(), rules_digest=found.digest,
                position=position, secret=svc.settings.secret,
            )  # fmt: skip
    except IntegrityError:  # somebody else began one in this moment
        made = ""
    with svc.reading() as session:
        begun = removals.get(session, made) if made else removals.running(session)
    if begun is None:
        raise NotFound("the removal is over")
    return begun


def work(svc: Service, removal: str, *, budget: float | None = None) -> Progress:
    """Go on with a removal, for ``budget`` seconds or to its end.  Raises NotFound."""
    now = svc.now()
    with svc.writing() as session:
        token = removals.claim(session, removal, now=now, lease_ms=LEASE_MS)
    if token is None:
        found = _get(svc, removal)
        return Progress(found, None if found.state == "done" else "another")
    ends = None if budget is None else time.monotonic() + budget
    waits = None
    try:
        for _ in _Work(svc, removal, token).steps():
            if ends is not None and time.monotonic() > ends:
                break
    except _Beside as job:
        waits = job.kind
    except _Lost:
        waits = "another"
    finally:
        _let_go(svc, removal, token)
    return Progress(_get(svc, removal), waits)


def keep_up(svc: Service) -> threading.Thread | None:
    """For the sweeper: go on with a removal that is running, in a thread of its own; None where there is none."""
    with svc.reading() as session:
        running = removals.running(session)
    if running is None or any(thread.name == _THREAD for thread in threading.enumerate()):
        return None
    thread = threading.Thread(target=_quietly, args=(svc, running.id), name=_THREAD, daemon=True)
    thread.start()
    return thread


def _quietly(svc: Service, removal: str) -> None:
    try:
        work(svc, removal)
    except (SQLAlchemyError, ServiceError) as error:
        _log.warning("removal_interrupted", exc_info=error, removal=removal)


class _Work:
    def __init__(self, svc: Service, removal: str, token: str) -> None:
        self.svc, self.removal, self.token = svc, removal, token
        self.rules = rules.of_json(_get(svc, removal).rules)
        self.kept: Counter[str] = Counter()

    def steps(self) -> Iterator[None]:
        """All that is left to do; each yield is a moment at which it may be left off."""
        for page in plan.pages(self.svc, self.rules):
            self.kept.update(one.kept for one in page if one.kept is not None)
            self._in_one(lambda *_: None)
            for some in _portions([one for one in page if one.kept is None]):
                self._in_one(lambda session, row, some=some: self._take(session, row, some))  # type: ignore[misc]
                yield
        yield from self._leftovers()
        while self._in_one(lambda session, row: ageing.age_log(session, row, self.rules, self.svc.now())):
            yield
        while self._in_one(lambda session, row: ageing.age_rejects(session, row, self.rules, self.svc.now())):
            yield
        self._in_one(lambda session, row: ageing.age_audits(session, row, self.rules, self.svc.now()))
        self._in_one(self._finish)

    def _take(self, session: Session, row: RemovalRow, some: Collection[Journey]) -> None:
        take_turn(session)
        if (beside := under_way(session)) is not None:
            raise _Beside(beside)
        cases = [case for one in some for case in one.cases]
        going: dict[str, str] = {}
        for one in plan.decide(self.svc, session, self.rules, [case for found in journeys(session, cases) for case in found]):
            if one.kept is None and one.mode is not None:
                going.update(dict.fromkeys(one.cases, one.mode))
                row.journeys += 1
            else:
                self.kept[one.kept or "open"] += 1
        if going:
            remove(session, row, going, secret=self.svc.settings.secret, now=self.svc.now())

    def _leftovers(self) -> Iterator[None]:
        with self.svc.reading() as session:
            taken = leftovers.pseudonyms(session)
            audits, backtests = (leftovers.reports(session, kind) for kind in ("audit", "backtest"))
            lists = leftovers.prints(session)
        if not taken:
            return
        for audit in audits:
            self._in_one(lambda session, row, audit=audit: leftovers.rewrite_audit(session, row, audit, taken, names.of_audit))  # type: ignore[misc]
            yield
        for one in backtests:
            self._in_one(lambda session, row, one=one: leftovers.rewrite_backtest(session, row, one, taken, names.of_backtest))  # type: ignore[misc]
            yield
        for one, number in lists:
            self._in_one(lambda session, row, one=one, number=number: leftovers.forget_prints(session, row, one, number, taken))  # type: ignore[misc]
            yield
        after: tuple[str, str, str] | None = None
        while True:
            after = self._in_one(lambda session, row, after=after: _records(session, row, taken, after))  # type: ignore[misc]
            yield
            if after is None:
                break
        digests = {case: tombstones.digest_of_case(self.svc.settings.secret, case) for case in taken}
        self._in_one(lambda session, row: _log_lines(session, row, leftovers.references(taken, digests)))
        self._in_one(lambda session, row: leftovers.forget_views(session, row, taken))

    def _finish(self, session: Session, row: RemovalRow) -> None:
        if (beside := under_way(session)) is not None and leftovers.pseudonyms(session):
            raise _Beside(beside)
        removedcounts.together(session)
        leftovers.forget_cases(session)
        removals.finish(session, row, now=self.svc.now(), kept=self.kept, secret=self.svc.settings.secret)
        _log.info("removal_done", removal=row.id, cases=row.cases, lines=row.lines)

    def _in_one(self, step: Callable[[Session, RemovalRow], Any]) -> Any:
        """One step in a transaction of its own, if the claim still stands."""

        def run() -> Any:
            with self.svc.writing() as session:
                row = removals.hold(session, self.removal, self.token, until=self.svc.now() + LEASE_MS)
                if row is None:
                    raise _Lost
                done = step(session, row)
                if row.state == "running":
                    removals.sign(row, self.svc.settings.secret)
            return done

        return retrying(run)


def _records(session: Session, row: RemovalRow, taken: dict[str, str], after: tuple[str, str, str] | None) -> tuple[str, str, str] | None:
    further, gone = leftovers.forget_records(session, taken, after)
    removals.tally(row, {"source_record": {"removed": gone}})
    return further


def _log_lines(session: Session, row: RemovalRow, refs: dict[str, str]) -> None:
    """Lines that were written while the cases were taken."""
    found = redact_log(session, row, refs, ())
    removals.tally(row, found.counts)


def _portions(going: list[Journey]) -> Iterator[list[Journey]]:
    some: list[Journey] = []
    for one in going:
        if some and sum(len(known.cases) for known in some) + len(one.cases) > CASES_AT_ONCE:
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _get(svc: Service, removal: str) -> Removal:
    with svc.reading() as session:
        found = removals.get(session, removal)
    if found is None:
        raise NotFound("no such removal")
    return found


def _let_go(svc: Service, removal: str, token: str) -> None:
    with svc.writing() as session:
        row = removals.hold(session, removal, token, until=0)
        if row is not None:
            row.token = None
