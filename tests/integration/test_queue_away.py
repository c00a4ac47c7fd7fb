"""A worker whose queue goes away says so in one line, and in one that it is back; whatever else its consumers log stays in the log."""

from __future__ import annotations

import logging
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.errors import ConnectionClosed
from structlog.testing import capture_logs

from tests.support.overseen import until
from tests.support.servers import Valkey
from workers.broker import redis_broker
from workers.reach import REMIND, Reach


def lines_of(logger: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith(logger)]


def test_a_worker_says_once_that_the_queue_is_away_and_once_that_it_is_back(own_redis: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    reach, done = Reach(), list[int]()
    brokers = [redis_broker(own_redis.url, reach=reach) for _ in range(2)]
    dramatiq.actor(broker=brokers[1], queue_name="letters")(lambda: None)

    @dramatiq.actor(broker=brokers[0], queue_name="notes")
    def note(number: int) -> None:
        done.append(number)

    note.send(1)
    workers = [dramatiq.Worker(broker, worker_threads=1, worker_timeout=50) for broker in brokers]
    for worker in workers:
        worker.start()
    try:
        with capture_logs() as lines:

            def told(event: str) -> bool:
                return event in [line["event"] for line in lines]

            until(lambda: done == [1])
            own_redis.kill()
            until(lambda: told("queue_away"))
            consumers = [thread for worker in workers for thread in worker.consumers.values()]
            for thread in consumers:
                thread.logger.critical("something else")
            own_redis.start()
            until(lambda: told("queue_back"))
            note.send(2)
            until(lambda: done == [1, 2])
    finally:
        for worker in workers:
            worker.stop()
            worker.broker.close()
    assert [(line["event"], line["log_level"]) for line in lines] == [("queue_away", "warning"), ("queue_back", "info")]
    assert lines_of("dramatiq.worker.ConsumerThread", caplog) == ["something else"] * 4
    assert all(reach not in thread.logger.filters for thread in consumers), "a consumer that has ended is left alone"


def line(text: str, *args: Any, error: BaseException | None = None) -> logging.LogRecord:
    """What a consumer logs."""
    told = (type(error), error, None) if error is not None else None
    return logging.LogRecord("dramatiq.worker.ConsumerThread(notes)", logging.CRITICAL, __file__, 1, text, args, told)


CLOSED = ConnectionClosed(redis.ConnectionError("refused"))
ABOUT_THE_QUEUE = [
    line("Consumer encountered a connection error: %s", CLOSED),
    line("Failed to post_process_message(%s) due to a connection error: %s\nretried in %s seconds", "a message", CLOSED, 5),
    line("Consumer encountered an unexpected error.", error=redis.TimeoutError("no answer")),
    line("Consumer encountered an unexpected error.", error=redis.ConnectionError("refused")),
]
ANYTHING_ELSE = [
    line("Consumer encountered an unexpected error.", error=redis.ResponseError("OOM command not allowed")),
    line("Consumer encountered an unexpected error.", error=ValueError("no message")),
    line("Unhandled error during post_process_message(%s).  You've found a bug in Dramatiq.", "m", error=redis.TimeoutError("no answer")),
    line("Received message for undefined actor %r. Moving it to the DLQ.", "nobody", error=KeyError("nobody")),
    line("Invalid eta value for message %r: %r. Setting eta to current_millis().", "m", "x"),
]


@pytest.mark.parametrize("record", ABOUT_THE_QUEUE, ids=lambda record: record.msg[:40])
def test_what_says_that_the_queue_is_away_becomes_one_line_with_the_kind_of_error(record: logging.LogRecord) -> None:
    reach = Reach()
    with capture_logs() as lines:
        assert not any(reach.filter(record) for _ in range(20))
    [told] = lines
    assert isinstance(told["exc_info"], redis.RedisError)


@pytest.mark.parametrize("record", ANYTHING_ELSE, ids=lambda record: record.msg[:40])
def test_nothing_else_is_taken_out(record: logging.LogRecord) -> None:
    with capture_logs() as lines:
        assert Reach().filter(record)
    assert lines == []


def test_a_queue_that_stays_away_is_told_of_now_and_then() -> None:
    seconds = [0.0]
    reach = Reach(steady=lambda: seconds[0])
    with capture_logs() as lines:
        for _ in range(200):
            reach.lost("notes", CLOSED)
            seconds[0] += REMIND / 100
        reach.found("notes")
        reach.found("notes")
        reach.lost("notes", CLOSED)
    away = [round(line["seconds"]) for line in lines]
    assert [line["event"] for line in lines] == ["queue_away", "queue_away", "queue_back", "queue_away"]
    assert away == [0, REMIND, 2 * REMIND, 0]


def test_the_queue_is_back_when_all_consumers_are() -> None:
    reach = Reach()
    with capture_logs() as lines:
        reach.lost("notes", CLOSED)
        reach.found("letters")
        reach.lost("letters", CLOSED)
        reach.found("notes")
        reach.lost("letters", CLOSED)
        reach.found("letters")
    assert [line["event"] for line in lines] == ["queue_away", "queue_back"]
