"""Hints to the workers that a case waits.  A hint may be lost, late or given ten times: the dirty row is the truth.

So sending one never raises and never waits long: a queue that stalls or refuses is counted, left alone for a moment, and
the sweeper finds the rows.  Imports dramatiq and redis, as a producer only; the workers' own broker stands in workers/broker.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import dramatiq
from structlog.contextvars import get_contextvars

from service.logs import get
from service.metrics import Metrics

QUEUE = "evaluate"
ONE_CASE = "evaluate_case"
WAITING = "evaluate_waiting"
PULLS = "pulls"
"""The queue of client systems to be asked; it has threads of its own, since asking means waiting."""
PULL = "pull_source"
BULK = "bulk"
"""The queue of work that gives way to everything else."""
BACKTEST = "backtest"
AUDITS = "audits"
"""The queue of audits, which give way as well."""
AUDIT = "audit"
NOTICES = "notices"
"""The queue of messages to be sent; with a thread of its own, since sending means waiting too."""
NOTIFY = "send_notices"
COUNTS = "counts"
"""The queue of counting all verdicts, which is mostly waiting for the database; on the thread that sends messages."""
COUNT = "count_verdicts"
CASES_A_CLAIM = 50
"""Cases that one wake-up of a worker takes at a time."""
SINGLE_HINTS = 8
"""Up to so many cases get a hint of their own; for more, the workers are told that there is a lot to do."""
PAUSE = 1.0
PRODUCER_TIMEOUT = 0.5

_log = get("hints")


class Hints(Protocol):
    """Where hints go."""

    def send(self, cases: Sequence[str]) -> None:
        """Tell the workers of these cases.  Never raises."""

    def work_on(self, backtest: str, *, workers: int = 1) -> None:
        """Tell so many workers that a backtest waits for somebody to go on with it.  Never raises."""

    def audit(self, audit: str, *, workers: int = 1) -> None:
        """Tell so many workers that an audit waits for somebody to go on with it.  Never raises."""

    def ask(self, source: str) -> None:
        """Tell a worker that the time of a source has come to be asked.  Never raises."""

    def notify(self, receiver: str) -> None:
        """Tell a worker that something waits to be sent to a receiver.  Never raises."""

    def count(self) -> bool:
        """Tell a worker that the verdicts are to be counted anew; whether one may have heard.  Never raises."""

    @property
    def reachable(self) -> bool:
        """Whether the last hint went out."""


class NoHints:
    """For processes in which nobody listens (the command line, tests): the sweeper finds the rows."""

    reachable = True

    def send(self, cases: Sequence[str]) -> None:
        """Does nothing."""

    def work_on(self, backtest: str, *, workers: int = 1) -> None:
        """Does nothing."""

    def audit(self, audit: str, *, workers: int = 1) -> None:
        """Does nothing."""

    def ask(self, source: str) -> None:
        """Does nothing."""

    def notify(self, receiver: str) -> None:
        """Does nothing."""

    def count(self) -> bool:
        """Does nothing."""
        return False


class QueueHints:
    """Hints by way of a dramatiq broker, with a short break after a failure so that a stalled queue does not hold up ingest."""

    def __init__(
        self,
        broker: dramatiq.Broker,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        backlog: Callable[[], int] | None = None,
        asking: dramatiq.Broker | None = None,
        telling: dramatiq.Broker | None = None,
    ) -> None:
        self._broker = broker
        self._asking = asking or broker
        self._telling = telling or broker
        self._metrics = metrics
        self._clock = clock
        self._backlog = backlog
        self._closed_until = 0.0

    @property
    def reachable(self) -> bool:
        return self._closed_until == 0.0

    def send(self, cases: Sequence[str]) -> None:
        messages = [_message(ONE_CASE, case) for case in cases]
        if len(cases) > SINGLE_HINTS:
            messages = [_message(WAITING)] * min(len(cases) // CASES_A_CLAIM + 2, 2 * SINGLE_HINTS)
        if self._backlog is not None and self._backlog() > 2 * SINGLE_HINTS:
            messages = []
        if cases:
            told = [message.message_id for message in messages[:SINGLE_HINTS]]
            _log.info("cases_wait", cases=list(cases[:SINGLE_HINTS]), count=len(cases), messages=told)
        self._enqueue(messages)

    def work_on(self, backtest: str, *, workers: int = 1) -> None:
        self._enqueue([_message(BACKTEST, backtest, queue=BULK) for _ in range(workers)])

    def audit(self, audit: str, *, workers: int = 1) -> None:
        self._enqueue([_message(AUDIT, audit, queue=AUDITS) for _ in range(workers)])

    def ask(self, source: str) -> None:
        self._enqueue([_message(PULL, source, queue=PULLS)], self._asking)

    def notify(self, receiver: str) -> None:
        self._enqueue([_message(NOTIFY, receiver, queue=NOTICES)], self._telling)

    def count(self) -> bool:
        self._enqueue([_message(COUNT, queue=COUNTS)], self._telling)
        return self.reachable

    def _enqueue(self, messages: Sequence[dramatiq.Message[None]], broker: dramatiq.Broker | None = None) -> None:
        if not messages or (self._closed_until and self._clock() < self._closed_until):
            return
        try:
            for message in messages:
                (broker or self._broker).enqueue(message)
        except Exception as error:  # noqa: BLE001 - whatever the queue's trouble is, the sweeper makes it good
            self._metrics.hints.labels("failed").inc()
            if self.reachable:
                _log.warning("queue_unreachable", exc_info=error)
            self._closed_until = self._clock() + PAUSE
        else:
            self._closed_until = 0.0
            self._metrics.hints.labels("sent").inc(len(messages))


def producer(url: str, metrics: Metrics) -> QueueHints:
    """Hints through the Redis at ``url``, by a client that gives up quickly.  Connects to nothing yet."""
    import redis
    from dramatiq.brokers.redis import RedisBroker
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis.from_url(
        url, socket_timeout=PRODUCER_TIMEOUT, socket_connect_timeout=PRODUCER_TIMEOUT, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )
    broker = RedisBroker(client=client, middleware=[], maintenance_chance=0)  # type: ignore[no-untyped-call]
    return QueueHints(broker, metrics)


def _message(actor: str, *args: str, queue: str = QUEUE) -> dramatiq.Message[None]:
    request = get_contextvars().get("request_id")
    return dramatiq.Message(queue_name=queue, actor_name=actor, args=args, kwargs={}, options={"request_id": request} if request else {})
