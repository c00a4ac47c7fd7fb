"""Working on a backtest: claim a chunk of its cases, judge each by both versions, keep what was found; at last, the report.

Whoever works gives way to cases that wait to be judged: after a few cases it looks, and judges those first.  A chunk whose
worker died is done again by another, noting each case before it is judged; a case over which two workers died is named in the
report instead.  Imports store/, rules/ and service/.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from rules.clock import iso
from rules.comparison import Pair, compare
from rules.errors import PolicyError
from rules.evaluate import evaluate
from rules.explain import sentence
from rules.model import CaseFile, Verdict
from rules.policy import Policy
from service import evaluate as live
from service import policybook
from service.backtest import TOGETHER, throughout
from service.backtestreport import digest_of, document, text_of
from service.backtesttally import Tally
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.logs import get, where
from service.policies import Group, PolicySet
from service.whereabouts import whereabouts
from store import backtests
from store.backtests import Backtest, Chunk
from store.cases import load_cases
from store.models import DirtyRow
from store.sql import chunks

BUDGET = 5.0
"""Seconds that one wake-up goes on; then it lets others have their turn."""
AT_ONCE = 10
"""Cases between two looks at what else waits: a new event waits no longer than these take."""
LIVE_BUDGET = 2.0
"""Seconds that a worker judges waiting cases before it gives its chunk back and stays away from the backtest."""
MOST_ATTEMPTS = 20
DIED = "the worker died, or took longer than its lease"

Waived = frozenset[tuple[str, str, str]]
"""(episode, rule, obligation) that waivers cover."""

_UNLOADABLE = (PolicyError, NotFound, NotPossible)

_log = get("backtest")


class _GiveWay(Exception):
    """So much else waits that the chunk is given back."""


class _Lost(Exception):
    """Somebody else has the chunk, or the backtest is over."""


@dataclass(frozen=True)
class Sides:
    """The two sides of a backtest, ready to judge."""

    backtest: Backtest
    base: tuple[Policy, ...]
    candidate: Policy

    @cached_property
    def _after(self) -> tuple[Policy, ...]:
        return (throughout(self.candidate, self.base, self.backtest.since),)

    def compare(self, file: CaseFile, waived: Waived) -> list[Pair]:
        """What the versions in force and the candidate say of a case."""
        return compare(self._say(self.base, file, waived), self._say(self._after, file, waived), since=self.backtest.since)

    def _say(self, policies: tuple[Policy, ...], file: CaseFile, waived: Waived) -> Sequence[Verdict]:
        part = Group(policies[0].catalogue, policies).part_of(file) if policies else None
        if part is None:
            return ()
        return evaluate(policies, part, as_of=self.backtest.as_of, known_at=self.backtest.known_at, waived=waived).verdicts

    def tell(self, verdict: Verdict) -> str:
        """The verdict's sentence, by the version that gave it."""
        policy = next(one for one in (self.candidate, *self.base) if one.digest == verdict.policy_digest)
        rule = policy.rule(verdict.rule)
        today = iso(policy.zone.day_of(self.backtest.as_of)) or ""
        return sentence(verdict, rule.title, rule.unmet, today=today, done_word=rule.done_word, due_word=rule.due_word)

    def place(self, file: CaseFile) -> tuple[str | None, str | None]:
        """Team and office to which the case itself belongs."""
        found = whereabouts(PolicySet((Group(self.candidate.catalogue, (self.candidate,)),)), file, now=self.backtest.as_of)
        return found.team, found.office


def work(svc: Service, backtest: str, *, budget: float = BUDGET, give_way: bool = True) -> bool:
    """Work on a backtest until nothing is left to take, ``budget`` (seconds) is spent or other work waits; whether it is over.

    ``give_way`` False is for a process that judges nothing else.  Raises sqlalchemy.exc.DBAPIError where the database fails.
    """
    ends = time.monotonic() + budget
    sides: Sides | None = None
    while True:
        with svc.writing() as session:
            chunk = backtests.claim(session, backtest, now=svc.now(), lease_ms=svc.settings.lease_seconds * 1000)
        if chunk is None:
            return _conclude(svc, backtest, give_way=give_way)
        try:
            if sides is None:
                sides = _sides(svc, backtest)
            if chunk.attempts > MOST_ATTEMPTS:
                _fail(svc, backtest, f"{chunk.attempts - 1} workers died over the cases from {chunk.first} to {chunk.last}")
                return True
            tally = _Worker(svc, sides, chunk, give_way=give_way).tally()
            with svc.writing() as session:
                backtests.finish_chunk(session, chunk, tally.as_dict())
        except _UNLOADABLE as error:
            _fail(svc, backtest, _why(error))
            return True
        except _GiveWay:
            _give_back(svc, chunk, tried=False)
            return False
        except _Lost:
            pass
        except BaseException as error:
            with contextlib.suppress(DBAPIError):
                _give_back(svc, chunk, tried=isinstance(error, Exception))
            raise
        if time.monotonic() > ends:
            over = _conclude(svc, backtest, give_way=give_way)
            if not over:
                svc.hints.work_on(backtest)
            return over


def put_forward(svc: Service) -> int:
    """Tell the workers of backtests on which nobody works, unless cases wait to be judged; how many.  For the sweeper."""
    if _others_wait(svc):
        return 0
    with svc.reading() as session:
        waiting = backtests.idle(session, svc.now())
    for backtest in waiting:
        svc.hints.work_on(backtest, workers=TOGETHER)
        if not svc.hints.reachable:
            # The queue is away: slower than the workers, but nobody waits for it to come back.
            work(svc, backtest)
    return len(waiting)


class _Worker:
    """One chunk in hand."""

    def __init__(self, svc: Service, sides: Sides, chunk: Chunk, *, give_way: bool) -> None:
        self._svc, self._sides, self._chunk, self._give_way = svc, sides, chunk, give_way
        self._careful = chunk.attempts > 1
        self._suspects = dict(chunk.suspects)
        self._held_since = time.monotonic()

    def tally(self) -> Tally:
        """What the cases of the chunk come to.  Raises _GiveWay and _Lost."""
        tally = Tally()
        with self._svc.reading() as session:
            cases = backtests.cases_of(session, self._chunk, position=self._sides.backtest.position)
        for some in chunks(cases, 1 if self._careful else AT_ONCE):
            self._hold()
            self._judge(some, tally)
        return tally

    def _hold(self) -> None:
        """Let others have their turn, and keep the lease."""
        svc = self._svc
        if self._give_way and _others_wait(svc):
            began = time.monotonic()
            live.drain(svc, budget=LIVE_BUDGET)
            if time.monotonic() - began >= LIVE_BUDGET and _others_wait(svc):
                raise _GiveWay
        lease = svc.settings.lease_seconds
        if time.monotonic() - self._held_since > lease / 3:
            with svc.writing() as session:
                if not backtests.extend(session, self._chunk, until=svc.now() + lease * 1000):
                    raise _Lost
            self._held_since = time.monotonic()

    def _judge(self, cases: Sequence[str], tally: Tally) -> None:
        if self._careful:
            (case,) = cases
            if self._suspects.get(case, 0) > 1:
                tally.fail(case, DIED)
                return
            self._suspects[case] = self._suspects.get(case, 0) + 1
            self._note()
        try:
            files, waived = self._load(cases)
        except ValueError as error:
            if len(cases) > 1:
                for case in cases:
                    self._judge([case], tally)
            else:
                self._failed(cases[0], error, tally)
            return
        for case in cases:
            try:
                pairs = self._sides.compare(files[case], waived.get(case, frozenset()))
                place = self._sides.place(files[case])
            except Exception as error:  # noqa: BLE001 - one case that cannot be judged must not stop the others
                self._failed(case, error, tally)
            else:
                tally.add(case, place, pairs, self._sides.tell)
        if self._careful:
            del self._suspects[cases[0]]

    def _failed(self, case: str, error: Exception, tally: Tally) -> None:
        _log.error("backtest_case_failed", backtest=self._chunk.backtest, case=case, exc_info=error)
        tally.fail(case, f"{type(error).__qualname__} at {where(error)}")

    def _load(self, cases: Sequence[str]) -> tuple[dict[str, CaseFile], dict[str, Waived]]:
        told = self._sides.backtest
        with self._svc.reading() as session:
            loaded = load_cases(session, cases, known_at=told.known_at, upto=told.position, heartbeat=told.heartbeat)
            waived = backtests.waived(session, cases, as_of=told.as_of, known_at=told.known_at)
        return {case: one.file for case, one in loaded.items()}, waived

    def _note(self) -> None:
        with self._svc.writing() as session:
            if not backtests.suspect(session, self._chunk, self._suspects):
                raise _Lost


def _sides(svc: Service, backtest: str) -> Sides:
    with svc.reading() as session:
        told = backtests.get(session, backtest)
    if told is None:
        raise NotFound("no such backtest")
    return Sides(told, tuple(policybook.version(svc, digest) for digest in told.base), policybook.version(svc, told.candidate))


def _others_wait(svc: Service) -> bool:
    """Whether cases wait to be judged that nobody has taken."""
    free = DirtyRow.claimed_until.is_(None) | (DirtyRow.claimed_until <= svc.now())
    with svc.reading() as session:
        return session.scalar(select(DirtyRow.case_id).where(~DirtyRow.quarantined, free).limit(1)) is not None


def _conclude(svc: Service, backtest: str, *, give_way: bool) -> bool:
    """Make the report if all chunks are done and nobody else is making it; whether the backtest is over."""
    alone = svc.engine.dialect.name == "sqlite"
    with svc.reading() if alone else svc.writing() as session:
        held = backtests.hold(session, backtest)
        told = backtests.get(session, backtest)
        if told is None or told.over:
            return True
        if not held or backtests.unfinished_chunks(session, backtest):
            return False
        tally = Tally()
        for result in backtests.results(session, backtest):
            tally.merge(result)
            if give_way and _others_wait(svc):
                live.drain(svc, budget=LIVE_BUDGET)
        try:
            text = _report(svc, told, tally)
            ending = {"state": "done", "report": text, "digest": digest_of(text)}
        except _UNLOADABLE as error:
            ending = {"state": "failed", "error": _why(error)}
        if not alone:
            backtests.end(session, backtest, now=svc.now(), **ending)
    if alone:
        with svc.writing() as session:
            backtests.end(session, backtest, now=svc.now(), **ending)
    _log.info("backtest_ended", backtest=backtest, policy=told.policy, state=ending["state"], cases=told.total, failed=tally.failed)
    return True


def _report(svc: Service, told: Backtest, tally: Tally) -> str:
    sides = _sides(svc, told.id)
    instants = {"as_of": told.as_of, "known_at": told.known_at, "position": told.position}
    return text_of(document(candidate=sides.candidate, base=sides.base, since=told.since, tally=tally, **instants))


def _why(error: Exception) -> str:
    return f"a version of the policy cannot be loaded: {type(error).__name__}"


def _fail(svc: Service, backtest: str, error: str) -> None:
    _log.error("backtest_failed", backtest=backtest, why=error)
    with svc.writing() as session:
        backtests.end(session, backtest, "failed", now=svc.now(), error=error)


def _give_back(svc: Service, chunk: Chunk, *, tried: bool) -> None:
    with svc.writing() as session:
        backtests.give_back(session, chunk, tried=tried)
