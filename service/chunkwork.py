"""Working on a job over all cases: claim a chunk of them, judge each, keep what was found; at last, the report.

Backtests and audits are such jobs; what each does with a case stands in their own modules.  Whoever works gives way to cases that wait
to be judged: after a few cases it looks, and judges those first.  A chunk whose worker died is done again by another, noting each case
before it is judged; a case over which two workers died is named in the report instead.  Imports store/ and service/.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rules.errors import PolicyError
from service import evaluate as live
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.logs import get, where
from store.chunkedjobs import UNFINISHED, Chunk, ChunkedJobs
from store.models import DirtyRow
from store.sql import chunks

BUDGET = 5.0
"""Seconds that one wake-up goes on; then it lets others have their turn."""
AT_ONCE = 10
"""Cases between two looks at what else waits: a new event waits no longer than these take."""
TAKEN_AT_ONCE = 500
"""The same of cases that are looked through for those that need no judging."""
LIVE_BUDGET = 2.0
"""Seconds that a worker judges waiting cases before it gives its chunk back and stays away from the job."""
MOST_ATTEMPTS = 20
DIED = "the worker died, or took longer than its lease"

_UNLOADABLE = (PolicyError, NotFound, NotPossible)

_log = get("chunks")


class Tally(Protocol):
    """What was found so far."""

    failed: int

    def fail(self, case: str, why: str) -> None:
        """A case that could not be judged.  ``why`` holds nothing of its content."""

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values, to be kept with the chunk."""


class Task(Protocol):
    """One job, ready to judge."""

    @property
    def position(self) -> int:
        """The last event that counts."""

    def tally(self) -> Any:
        """An empty tally."""

    def take(self, session: Session, tally: Any, cases: Sequence[str]) -> Sequence[str]:
        """Count those of the cases that need no judging; the others, in order."""

    def load(self, session: Session, cases: Sequence[str]) -> Mapping[str, Any]:
        """By case, what judging it needs.  Raises ValueError for what is on record and cannot be read."""

    def add(self, tally: Any, case: str, found: Any) -> None:
        """Judge a case and count what comes of it.  Cases come in order of their ids.  Pure; may raise anything."""

    def keep(self, session: Session, chunk: Chunk, tally: Any) -> None:
        """Keep what else the chunk has come to, in the transaction that finishes it."""

    def report(self, session: Session, results: Iterator[dict[str, Any]], give_way: Callable[[], None]) -> tuple[str, str]:
        """The text of the report, made from what the chunks found, and its digest.  Calls ``give_way`` between pieces of long work."""


@dataclass(frozen=True)
class Kind:
    """A kind of job."""

    name: str
    jobs: ChunkedJobs
    ready: Callable[[Service, str], Task]
    """Raises NotFound, NotPossible and PolicyError."""
    hint: Callable[[Service, str, int], None]
    """Tell so many workers of a job."""
    together: Callable[[Service], int]
    """How many workers are told of a job that nobody works on."""
    ended: Callable[[Session, str, str, int], None] = lambda _session, _job, _state, _now: None
    """A job is over, in this transaction: done, or failed."""


class _GiveWay(Exception):
    """So much else waits that the chunk is given back."""


class _Lost(Exception):
    """Somebody else has the chunk, or the job is over."""


def work(svc: Service, kind: Kind, job: str, *, budget: float = BUDGET, give_way: bool = True) -> bool:
    """Work on a job until nothing is left to take, ``budget`` (seconds) is spent or other work waits; whether it is over.

    ``give_way`` False is for a process that judges nothing else.  Raises sqlalchemy.exc.DBAPIError where the database fails.
    """
    ends = time.monotonic() + budget
    task: Task | None = None
    while True:
        with svc.writing() as session:
            chunk = kind.jobs.claim(session, job, now=svc.now(), lease_ms=svc.settings.lease_seconds * 1000)
        if chunk is None:
            return _conclude(svc, kind, job, give_way=give_way)
        try:
            if task is None:
                task = kind.ready(svc, job)
            if chunk.attempts > MOST_ATTEMPTS:
                _fail(svc, kind, job, f"{chunk.attempts - 1} workers died over the cases from {chunk.first} to {chunk.last}")
                return True
            tally = _Worker(svc, kind, task, chunk, give_way=give_way).tally()
            with svc.writing() as session:
                if kind.jobs.finish_chunk(session, chunk, tally.as_dict(), now=svc.now()):
                    task.keep(session, chunk, tally)
        except _UNLOADABLE as error:
            _fail(svc, kind, job, _why(error))
            return True
        except _GiveWay:
            _give_back(svc, kind, chunk, tried=False)
            return False
        except _Lost:
            pass
        except BaseException as error:
            with contextlib.suppress(DBAPIError):
                _give_back(svc, kind, chunk, tried=isinstance(error, Exception))
            raise
        if time.monotonic() > ends:
            over = _conclude(svc, kind, job, give_way=give_way)
            if not over:
                kind.hint(svc, job, 1)
            return over


def put_forward(svc: Service, kind: Kind) -> int:
    """Tell the workers of jobs on which nobody works, unless cases wait to be judged; how many.  For the sweeper."""
    if _others_wait(svc):
        return 0
    with svc.reading() as session:
        waiting = kind.jobs.idle(session, svc.now())
    for job in waiting:
        kind.hint(svc, job, kind.together(svc))
        if not svc.hints.reachable:
            # The queue is away: slower than the workers, but nobody waits for it to come back.
            work(svc, kind, job)
    return len(waiting)


class _Worker:
    """One chunk in hand."""

    def __init__(self, svc: Service, kind: Kind, task: Task, chunk: Chunk, *, give_way: bool) -> None:
        self._svc, self._kind, self._task, self._chunk, self._give_way = svc, kind, task, chunk, give_way
        self._careful = chunk.attempts > 1
        self._suspects = dict(chunk.suspects)
        self._held_since = time.monotonic()

    def tally(self) -> Tally:
        """What the cases of the chunk come to.  Raises _GiveWay and _Lost."""
        tally: Tally = self._task.tally()
        with self._svc.reading() as session:
            cases = self._kind.jobs.cases_of(session, self._chunk, position=self._task.position)
        for part in chunks(cases, TAKEN_AT_ONCE):
            self._hold()
            with self._svc.reading() as session:
                left = self._task.take(session, tally, part)
            for some in chunks(left, 1 if self._careful else AT_ONCE):
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
                if not self._kind.jobs.extend(session, self._chunk, until=svc.now() + lease * 1000):
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
            with self._svc.reading() as session:
                loaded = self._task.load(session, cases)
        except ValueError as error:
            if len(cases) > 1:
                for case in cases:
                    self._judge([case], tally)
            else:
                self._failed(cases[0], error, tally)
            return
        for case in cases:
            try:
                self._task.add(tally, case, loaded[case])
            except Exception as error:  # noqa: BLE001 - one case that cannot be judged must not stop the others
                self._failed(case, error, tally)
        if self._careful:
            del self._suspects[cases[0]]

    def _failed(self, case: str, error: Exception, tally: Tally) -> None:
        _log.error(f"{self._kind.name}_case_failed", job=self._chunk.job, case=case, exc_info=error)
        tally.fail(case, f"{type(error).__qualname__} at {where(error)}")

    def _note(self) -> None:
        with self._svc.writing() as session:
            if not self._kind.jobs.suspect(session, self._chunk, self._suspects):
                raise _Lost


def _others_wait(svc: Service) -> bool:
    """Whether cases wait to be judged that nobody has taken."""
    free = DirtyRow.claimed_until.is_(None) | (DirtyRow.claimed_until <= svc.now())
    with svc.reading() as session:
        return session.scalar(select(DirtyRow.case_id).where(~DirtyRow.quarantined, free).limit(1)) is not None


def _conclude(svc: Service, kind: Kind, job: str, *, give_way: bool) -> bool:
    """Make the report if all chunks are done and nobody else is making it; whether the job is over."""
    alone = svc.engine.dialect.name == "sqlite"
    with svc.reading() if alone else svc.writing() as session:
        held = kind.jobs.hold(session, job)
        state = kind.jobs.state_of(session, job)
        if state is None or state not in UNFINISHED:
            return True
        if not held or kind.jobs.unfinished_chunks(session, job):
            return False

        def pause() -> None:
            if give_way and _others_wait(svc):
                live.drain(svc, budget=LIVE_BUDGET)

        def found() -> Iterator[dict[str, Any]]:
            for result in kind.jobs.results(session, job):
                yield result
                pause()

        try:
            text, digest = kind.ready(svc, job).report(session, found(), pause)
            ending = {"state": "done", "report": text, "digest": digest}
        except _UNLOADABLE as error:
            ending = {"state": "failed", "error": _why(error)}
        if not alone:
            _end(svc, kind, session, job, **ending)
    if alone:
        with svc.writing() as session:
            _end(svc, kind, session, job, **ending)
    _log.info(f"{kind.name}_ended", job=job, state=ending["state"])
    return True


def _end(svc: Service, kind: Kind, session: Session, job: str, *, state: str, **ending: str) -> None:
    now = svc.now()
    if kind.jobs.end(session, job, state, now=now, **ending):
        kind.ended(session, job, state, now)


def _why(error: Exception) -> str:
    return f"a version of the policy cannot be loaded: {type(error).__name__}"


def _fail(svc: Service, kind: Kind, job: str, error: str) -> None:
    _log.error(f"{kind.name}_failed", job=job, why=error)
    with svc.writing() as session:
        _end(svc, kind, session, job, state="failed", error=error)


def _give_back(svc: Service, kind: Kind, chunk: Chunk, *, tried: bool) -> None:
    with svc.writing() as session:
        kind.jobs.give_back(session, chunk, tried=tried)
