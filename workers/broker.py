"""The brokers that carry hints to the workers: Redis, tuned as measured, or a stub inside one process.  Imports dramatiq, redis, service.

Stock settings are made for other work: a killed worker's messages come back only after minutes to hours, by chance; idle
consumers look for messages once a second; redis-py gives up after five seconds and then loses an acknowledgement.  The
figures here are measured: 15 s until a killed worker's messages come back, about 20 ms from a hint to its evaluation.
"""

from __future__ import annotations

import socket
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, ShutdownNotifications, TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.contextvars import bind_contextvars, unbind_contextvars

from service.hints import AUDITS, BULK, COUNTS, NOTICES, PULLS, QUEUE
from workers.reach import Reach

HEARTBEAT_TIMEOUT = 15_000
"""ms after which a worker that says nothing counts as dead."""
ALWAYS = 1_000_000
"""Look after dead workers' messages at each command, not at one in a thousand."""
POLL = 20
"""Longest pause (ms) of an idle consumer between two looks."""
POLL_DELAYED = 1_000
PREFETCH = 64
TIME_LIMIT = 120_000
"""ms that one wake-up of a worker may take before it is interrupted."""


class HintBroker(RedisBroker):
    """A Redis broker whose consumers look often and fetch many, however the worker was started, and that tells whether it answers."""

    def __init__(self, reach: Reach, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._reach = reach
        self.add_middleware(reach)

    def do_fetch(self, queue_name: str, count: int) -> list[bytes]:
        """The next messages; each of dramatiq's consumers asks for them by this name."""
        fetched: list[bytes] = super().__getattr__("do_fetch")(queue_name, count)  # type: ignore[no-untyped-call]
        self._reach.found(queue_name)
        return fetched

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        if queue_name in (AUDITS, BULK):
            # One at a time, so that a worker does not keep from the others what it cannot take up yet.
            return super().consume(queue_name, prefetch=1, timeout=min(timeout, POLL_DELAYED))
        if queue_name in (NOTICES, COUNTS):
            return super().consume(queue_name, prefetch=prefetch, timeout=min(timeout, POLL_DELAYED))
        delayed = queue_name.endswith(".DQ")
        return super().consume(queue_name, prefetch=max(prefetch, PREFETCH), timeout=min(timeout, POLL_DELAYED if delayed else POLL))


def redis_broker(url: str, *, heartbeat_timeout: int = HEARTBEAT_TIMEOUT, reach: Reach | None = None) -> HintBroker:
    """The workers' broker on the Redis at ``url``.  Connects to nothing yet.  The brokers of one process share a ``reach``.

    Its client waits as long as Redis needs: a timeout would strand a message that is done.  Keepalive finds peers that are gone.
    """
    client = redis.Redis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=5,
        socket_keepalive=True,
        socket_keepalive_options=_keepalive(),
        retry=Retry(NoBackoff(), 1),
    )
    options = {"client": client, "middleware": _middleware(), "heartbeat_timeout": heartbeat_timeout, "maintenance_chance": ALWAYS}
    return HintBroker(reach or Reach(), **options)


def stub_broker() -> StubBroker:
    """A broker that never leaves the process."""
    return StubBroker(middleware=_middleware())


def start_judging(broker: dramatiq.Broker, *, threads: int, timeout: int = 1_000) -> dramatiq.Worker:
    """Start the threads that judge.  ``timeout``: ms that an idle one sleeps at most."""
    return _started(dramatiq.Worker(broker, queues={QUEUE, BULK, AUDITS}, worker_threads=threads, worker_timeout=timeout))


def start_asking(broker: dramatiq.Broker, *, timeout: int = 1_000) -> dramatiq.Worker:
    """Start the thread that asks client systems, which is mostly waiting; on a broker of its own, as a broker has one worker."""
    return _started(dramatiq.Worker(broker, queues={PULLS}, worker_threads=1, worker_timeout=timeout))


def start_telling(broker: dramatiq.Broker, *, timeout: int = 1_000) -> dramatiq.Worker:
    """Start the thread that sends messages and has the verdicts counted: mostly waiting; on a broker of its own as well."""
    return _started(dramatiq.Worker(broker, queues={NOTICES, COUNTS}, worker_threads=1, worker_timeout=timeout))


def _started(worker: dramatiq.Worker) -> dramatiq.Worker:
    worker.start()
    return worker


def _middleware() -> list[Middleware]:
    """No Retries: a hint that failed needs none, since its dirty row stays and the sweeper finds it.

    No AgeLimit either: it goes by the machines' clocks, and an old hint costs one look.
    """
    return [TimeLimit(time_limit=TIME_LIMIT), ShutdownNotifications(), LogIds()]


class LogIds(Middleware):
    """Every line that a worker logs while it follows a message carries the message's id and that of the request which sent it."""

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:  # noqa: ARG002 - dramatiq's
        """Bind them."""
        request = message.options.get("request_id")
        bind_contextvars(message_id=message.message_id, **({"request_id": request} if request else {}))

    def after_process_message(
        self,
        broker: dramatiq.Broker,  # noqa: ARG002
        message: dramatiq.MessageProxy,  # noqa: ARG002
        *,
        result: Any = None,  # noqa: ARG002
        exception: BaseException | None = None,  # noqa: ARG002
    ) -> None:
        """Forget them."""
        unbind_contextvars("message_id", "request_id")


def _keepalive() -> dict[int, Any]:
    options = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in options.items() if hasattr(socket, name)}
