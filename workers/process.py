"""The processes of an installation with Redis: workers, what looks after them, and the scheduler.  Imports dramatiq and service/.

One worker is one process with one judging thread: the engine holds the interpreter's lock, so threads bring nothing.  A worker
that dies is started again, alone; its cases are free again when their lease is over.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import dramatiq

from service import logs, sweeper
from service.bootstrap import Service, build
from service.company import keep_company
from service.errors import SettingsError
from service.settings import load
from workers.actors import declare
from workers.broker import redis_broker, start_asking, start_judging, start_telling
from workers.reach import Reach

STOP_MS = 30_000
STEADY = 20.0
"""A worker that has run so many seconds may be started again at once; one that dies sooner waits, longer each time."""
LONGEST_PAUSE = 30.0
_PR_SET_PDEATHSIG = 1

_log = logs.get("process")


@functools.cache
def service() -> Service:
    """The service of this process, made when it is first used, so never before a fork.

    Programs, policies and rules stay until the process ends: the garbage collector need not look at them again and again.  A full
    look takes as long as three or four evaluations, and comes with every hundredth.
    """
    made = build(load())
    gc.collect()
    gc.freeze()
    return made


@functools.cache
def reach() -> Reach:
    """What the brokers of this process say together of the queue."""
    return Reach()


def make_broker() -> dramatiq.Broker:
    """A broker that the settings name, with the actors declared on it.  Raises SettingsError where there is no Redis."""
    settings = load()
    logs.configure(settings)
    if settings.redis is None:
        raise SettingsError("REDIS_URL is not set: without it the workers run inside the serving process and none are started")
    broker = redis_broker(settings.redis, reach=reach())
    declare(broker, service)
    return broker


def run_worker() -> int:
    """Be one worker until told to stop."""
    with _stopping() as stop:
        broker = make_broker()
        broker.emit_after("process_boot")
        tell_figures(service())
        others = [make_broker(), make_broker()]
        for other in others:
            other.emit_after("process_boot")
        workers = [start_asking(others[0]), start_telling(others[1]), start_judging(broker, threads=1)]
        _log.info("worker_started")
        keep_company(service(), stop)
        for worker in workers:
            worker.stop(timeout=STOP_MS)
        for one in (*others, broker):
            one.close()
    return 0


def tell_figures(svc: Service) -> None:
    """Tell Prometheus what this process counts, where the settings name a port.  A port that cannot be had stops no work."""
    settings = svc.settings
    if settings.metrics_port is None:
        return
    try:
        port = svc.metrics.serve(settings.metrics_address, settings.metrics_port)
    except OSError as error:
        _log.error("metrics_not_told", exc_info=error)
    else:
        if port is None:
            _log.error("metrics_not_told", why="no port is free", first=settings.metrics_port)
        else:
            _log.info("metrics_told", port=port)


def run_workers(processes: int | None = None) -> int:
    """Keep ``processes`` workers (default: one a core) running until told to stop."""
    settings = load()
    logs.configure(settings)
    if settings.redis is None:
        raise SettingsError("REDIS_URL is not set: without it the workers run inside the serving process and none are started")
    count = processes or os.cpu_count() or 1
    with _stopping() as stop:
        keep_running([sys.executable, "-m", "workers.process"], count, stop)
    return 0


def run_scheduler() -> int:
    """Sweep until told to stop.  Two schedulers at once do the work twice and nothing wrong."""
    settings = load()
    logs.configure(settings)
    with _stopping() as stop:
        svc = build(settings)
        tell_figures(svc)
        _log.info("scheduler_started")
        threading.Thread(target=keep_company, args=(svc, stop), daemon=True).start()
        sweeper.run(svc, stop)
        svc.close()
    return 0


def keep_running(
    command: Sequence[str],
    count: int,
    stop: threading.Event,
    *,
    started: Callable[[int], None] = lambda _: None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run ``command`` ``count`` times over and start again whatever ends, until ``stop``; then end all of them in order.

    ``started`` is told each new process id; ``env`` is their environment, our own unless given.
    """
    slots: list[_Slot] = [_Slot(command, started, env) for _ in range(count)]
    while not stop.wait(0.1):
        for slot in slots:
            slot.look()
    for slot in slots:
        slot.tell()
    for slot in slots:
        slot.end()


class _Slot:
    """One child process and its successors."""

    def __init__(self, command: Sequence[str], started: Callable[[int], None], env: Mapping[str, str] | None) -> None:
        self._command = list(command)
        self._env = env
        self._started = started
        self._process: subprocess.Popen[bytes] | None = None
        self._since = 0.0
        self._pause = 0.0
        self._next = 0.0

    def look(self) -> None:
        now = time.monotonic()
        if self._process is not None and (code := self._process.poll()) is not None:
            self._pause = 0.0 if now - self._since > STEADY else min(max(0.5, self._pause * 2), LONGEST_PAUSE)
            self._next = now + self._pause
            self._process = None
            _log.warning("worker_ended", exit_code=code, again_in=self._pause)
        if self._process is None and now >= self._next:
            self._since = now
            self._process = subprocess.Popen(self._command, env=self._env, preexec_fn=_die_with_parent)  # noqa: PLW1509, S603 - our own command; before any thread
            self._started(self._process.pid)

    def tell(self) -> None:
        """Ask it to end, so that all of them end at the same time."""
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_MS / 1000 + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> None:
    """On Linux: a worker whose overseer was killed ends too, in order, instead of running on unseen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(run_worker())
