"""Workers and sweeper inside the one process of an embedded installation.  Imports dramatiq and service/.

The serving process starts this and stops it.  Killing the process at any point loses nothing: the dirty rows are the truth,
and the next start begins with them.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import dramatiq

from service import evaluate, logs, sweeper
from service.bootstrap import Service
from service.hints import QUEUE, QueueHints
from workers.actors import declare
from workers.broker import start_asking, start_judging, start_telling, stub_broker

STOP_MS = 30_000
WORKER_TIMEOUT = 100
"""ms that an idle thread sleeps at most; a message wakes it at once."""

_log = logs.get("embedded")


class Embedded:
    """Runs while it is open: ``with Embedded(svc): serve()``."""

    def __init__(self, svc: Service) -> None:
        self._svc = svc
        self._stop = threading.Event()
        self._sweeper: threading.Thread | None = None
        self._workers: list[dramatiq.Worker] = []

    def start(self) -> Self:
        """Take back what an earlier process of this installation left claimed, then start worker threads and sweeper."""
        broker, asking, telling = stub_broker(), stub_broker(), stub_broker()
        for one in (broker, asking, telling):
            declare(one, lambda: self._svc)
        evaluate.take_back(self._svc)
        # A worker inside a process never says that its process has started, and without that its time limit does nothing.
        for one in (broker, asking, telling):
            one.emit_after("process_boot")
        judging = start_judging(broker, threads=self._svc.settings.worker_threads, timeout=WORKER_TIMEOUT)
        self._workers = [start_asking(asking, timeout=WORKER_TIMEOUT), start_telling(telling, timeout=WORKER_TIMEOUT), judging]
        waiting = broker.queues[QUEUE]
        self._svc.hints = QueueHints(broker, self._svc.metrics, backlog=waiting.qsize, asking=asking, telling=telling)
        self._sweeper = threading.Thread(target=sweeper.run, args=(self._svc, self._stop), name="sweeper", daemon=True)
        self._sweeper.start()
        _log.info("embedded_started", threads=self._svc.settings.worker_threads)
        return self

    def stop(self) -> None:
        """Finish what is being judged and end all threads.  Safe to call twice."""
        self._stop.set()
        if self._sweeper is not None:
            self._sweeper.join(STOP_MS / 1000)
            self._sweeper = None
        for worker in self._workers:
            worker.stop(timeout=STOP_MS)
        self._workers = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
