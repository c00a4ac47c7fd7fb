"""Whether a worker reaches its queue: said once when it is lost, now and then while it is away, and once when it is back.

dramatiq's consumers, a dozen in a process, each log that they cannot connect every three seconds, and each result that cannot be handed
in every five.  Those lines, and no others of theirs, are taken out of the log and stand in it as one.
Imports dramatiq, redis and service.logs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import dramatiq
import redis
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Middleware
from dramatiq.worker import ConsumerThread

from service.logs import get

REMIND = 600.0
"""Seconds after which it is said again that the queue is away."""

_log = get("queue")


class Reach(Middleware):
    """For the brokers of one process, which share no queue: a middleware of each, and a filter of what their consumers log.

    The queue is away while one of the consumers has not come back to it.  ``steady`` gives seconds.
    """

    def __init__(self, *, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._queues: dict[str, str] = {}
        self._lost: set[str] = set()
        self._since = self._said = 0.0

    def after_consumer_thread_boot(self, broker: dramatiq.Broker, thread: ConsumerThread) -> None:  # noqa: ARG002 - dramatiq's
        """Look at what it logs from now on."""
        self._queues[thread.logger.name] = thread.queue_name
        thread.logger.addFilter(self)

    def before_consumer_thread_shutdown(self, broker: dramatiq.Broker, thread: ConsumerThread) -> None:  # noqa: ARG002
        """Leave it alone."""
        thread.logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line of a consumer is to be logged as it is."""
        error = _connection_error(record)
        if error is None:
            return True
        self.lost(self._queues.get(record.name, record.name), error)
        return False

    def lost(self, queue: str, error: BaseException) -> None:
        """The consumer of ``queue`` was not answered."""
        now = self._steady()
        with self._lock:
            if not self._lost:
                self._since = now
            elif now - self._said < REMIND:
                self._lost.add(queue)
                return
            self._lost.add(queue)
            self._said, away = now, now - self._since
        _log.warning("queue_away", exc_info=error, seconds=round(away))

    def found(self, queue: str) -> None:
        """The consumer of ``queue`` was answered."""
        if queue not in self._lost:
            return
        with self._lock:
            self._lost.discard(queue)
            if self._lost:
                return
            away = self._steady() - self._since
        _log.info("queue_back", seconds=round(away))


def _connection_error(record: logging.LogRecord) -> BaseException | None:
    """What kept a consumer from the queue, where that is what the line says."""
    for told in record.args if isinstance(record.args, tuple) else ():
        if isinstance(told, BrokerConnectionError):
            cause = told.args[0] if told.args else None
            return cause if isinstance(cause, BaseException) else told
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, redis.ConnectionError | redis.TimeoutError) and str(record.msg).startswith("Consumer encountered"):
        return error
    return None
