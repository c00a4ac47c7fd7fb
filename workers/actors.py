"""What the workers do when a hint comes: thin entries into service/.  Imports dramatiq and service/.

An actor raises nothing: whatever goes wrong is on record with the case (its dirty row stays, its attempts are counted), and
the queue's own memory of failures would be lost with the queue.
"""

from __future__ import annotations

from collections.abc import Callable

import dramatiq

from service import evaluate
from service.bootstrap import Service
from service.hints import AUDIT, AUDITS, BACKTEST, BULK, COUNT, COUNTS, NOTICES, NOTIFY, ONE_CASE, PULL, PULLS, QUEUE, WAITING
from service.logs import get

LAST = 100
"""The priority of work that a worker takes up only when no case waits in its hands: the greater the number, the later."""

PULL_LIMIT = 600_000
"""ms that asking a source once may take, a slow page included."""
LONG_LIMIT = 1_800_000
"""ms that one wake-up may take that puts a report over very many cases together, or counts all verdicts."""

_log = get("workers")


def declare(broker: dramatiq.Broker, service: Callable[[], Service]) -> None:
    """Declare the actors on ``broker``; ``service`` gives the process's service when the first message comes."""

    def evaluate_case(case_id: str) -> None:  # noqa: ARG001 - cases are judged in the order in which they wait, this one among them
        _evaluate(service)

    def evaluate_waiting() -> None:
        _evaluate(service)

    def work_on_backtest(backtest: str) -> None:
        _backtest(service, backtest)

    def work_on_audit(audit: str) -> None:
        _audit(service, audit)

    def pull_source(source: str) -> None:
        _pull(service, source)

    def send_notices(receiver: str) -> None:
        _send(service, receiver)

    def count_verdicts() -> None:
        _count(service)

    dramatiq.actor(actor_name=ONE_CASE, queue_name=QUEUE, broker=broker)(evaluate_case)
    dramatiq.actor(actor_name=WAITING, queue_name=QUEUE, broker=broker)(evaluate_waiting)
    dramatiq.actor(actor_name=BACKTEST, queue_name=BULK, priority=LAST, time_limit=LONG_LIMIT, broker=broker)(work_on_backtest)
    dramatiq.actor(actor_name=AUDIT, queue_name=AUDITS, priority=LAST, time_limit=LONG_LIMIT, broker=broker)(work_on_audit)
    dramatiq.actor(actor_name=PULL, queue_name=PULLS, time_limit=PULL_LIMIT, broker=broker)(pull_source)
    dramatiq.actor(actor_name=NOTIFY, queue_name=NOTICES, broker=broker)(send_notices)
    dramatiq.actor(actor_name=COUNT, queue_name=COUNTS, time_limit=LONG_LIMIT, broker=broker)(count_verdicts)


def _evaluate(service: Callable[[], Service]) -> None:
    try:
        evaluate.drain(service())
    except Exception as error:  # noqa: BLE001 - the database may be away; the sweeper comes back to it
        _log.warning("evaluation_interrupted", exc_info=error)


def _backtest(service: Callable[[], Service], backtest: str) -> None:
    from service.backtests.work import work

    try:
        work(service(), backtest)
    except Exception as error:  # noqa: BLE001 - its chunk is free again, and the sweeper comes back to it
        _log.warning("backtest_interrupted", exc_info=error)


def _audit(service: Callable[[], Service], audit: str) -> None:
    from service.audits.work import work

    try:
        work(service(), audit)
    except Exception as error:  # noqa: BLE001 - its chunk is free again, and the sweeper comes back to it
        _log.warning("audit_interrupted", exc_info=error)


def _pull(service: Callable[[], Service], source: str) -> None:
    from service.sources.pull import pull_due

    try:
        pull_due(service(), source)
    except Exception as error:  # noqa: BLE001 - what was read is on record, and the sweeper comes back to it
        _log.warning("pull_interrupted", exc_info=error)


def _send(service: Callable[[], Service], receiver: str) -> None:
    from service.notify.sending import send_due

    try:
        send_due(service(), receiver)
    except Exception as error:  # noqa: BLE001 - what was not marked as taken is sent again, and the sweeper comes back to it
        _log.warning("sending_interrupted", exc_info=error)


def _count(service: Callable[[], Service]) -> None:
    from service.statistics import keep_up

    try:
        keep_up(service())
    except Exception as error:  # noqa: BLE001 - the count before stands, and the sweeper asks again
        _log.warning("counting_interrupted", exc_info=error)
