"""The queue of dirty cases: nobody gets a case twice, nothing is lost when somebody dies, and a case that kills is set aside."""

import threading
import time

import pytest
from sqlalchemy import select, text

from store import queue
from store.errors import LeaseLost
from store.models import DirtyRow
from store.queue import Claim, claim_case, claim_dirty, extend, fail, hold, mark_dirty, pardon, release, requeue_due, stale
from store.states import CaseState, write_state
from tests.support.stores import Store, at_once, event, opened


def mark(store: Store, *cases: str, now: int = 1) -> None:
    with store.write.begin() as session:
        mark_dirty(session, cases, now)


def claim(store: Store, *, now: int = 10, limit: int = 10, worker: str = "w", lease_ms: int = 100) -> list[Claim]:
    with store.write.begin() as session:
        return claim_dirty(session, limit=limit, now=now, lease_ms=lease_ms, worker=worker)


def row(store: Store, case: str = "C1") -> DirtyRow | None:
    with store.read() as session:
        return session.get(DirtyRow, case)


def end(store: Store, one: Claim, *, done: bool = True) -> bool:
    with store.write.begin() as session:
        hold(session, one)
        return release(session, one, done=done)


def test_the_longest_waiting_come_first_and_none_twice(store):
    mark(store, "C3", "C1", now=5)
    mark(store, "C2", now=4)
    assert [one.case_id for one in claim(store, limit=2)] == ["C1", "C2"]
    assert [one.case_id for one in claim(store, limit=2)] == ["C3"]
    assert claim(store) == []


def test_done_and_gone(store):
    mark(store, "C1")
    [one] = claim(store)
    assert end(store, one) is False
    assert row(store) is None


def test_an_event_that_comes_during_the_evaluation_keeps_the_case_waiting(store):
    mark(store, "C1")
    [one] = claim(store)
    mark(store, "C1", now=20)
    assert end(store, one) is True
    left = row(store)
    assert (left.generation, left.attempts, left.token, left.since) == (2, 0, None, 1)
    [again] = claim(store)
    assert again.generation == 2
    assert end(store, again) is False


def test_an_event_that_comes_while_the_outcome_is_being_written(pg_db):
    """The event's transaction waits for the evaluation's, and then makes the case dirty anew."""
    with opened(pg_db) as store:
        mark(store, "C1")
        [one] = claim(store)
        with store.write() as writing:
            hold(writing, one)
            assert release(writing, one, done=True) is False
            late = threading.Thread(target=mark, args=(store, "C1"))
            late.start()
            time.sleep(0.2)
            assert late.is_alive()
            writing.commit()
        late.join(120)
        assert row(store).generation == 1


def test_an_event_not_yet_committed_when_the_evaluation_ends(pg_db):
    """The evaluation waits for the event's transaction, sees the newer generation and leaves the row."""
    with opened(pg_db) as store:
        mark(store, "C1")
        [one] = claim(store)
        with store.write() as writing:
            mark_dirty(writing, ["C1"], 2)
            results: list[bool] = []
            ending = threading.Thread(target=lambda: results.append(end(store, one)))
            ending.start()
            time.sleep(0.2)
            writing.commit()
        ending.join(120)
        assert results == [True]
        assert row(store).generation == 2


def test_a_lease_that_ran_out_is_given_to_another(store):
    mark(store, "C1")
    [first] = claim(store, now=10, lease_ms=100)
    assert claim(store, now=109) == []
    [second] = claim(store, now=110, worker="v")
    assert (second.attempts, row(store).claimed_by) == (2, "v")
    with store.write() as session, pytest.raises(LeaseLost):
        hold(session, first)
    with store.write() as session, pytest.raises(LeaseLost):
        release(session, first, done=True)
    with store.write() as session, pytest.raises(LeaseLost):
        extend(session, first, now=1, lease_ms=1)
    with store.write.begin() as session:
        assert fail(session, first, "late", now=1) is False
    assert end(store, second) is False


def test_an_old_claim_cannot_touch_a_row_that_came_anew(store):
    mark(store, "C1")
    [first] = claim(store, lease_ms=1)
    [second] = claim(store, now=20)
    end(store, second)
    mark(store, "C1")
    with store.write() as session, pytest.raises(LeaseLost):
        hold(session, first)


def test_a_lease_can_be_extended(store):
    mark(store, "C1")
    [one] = claim(store, now=10, lease_ms=10)
    with store.write.begin() as session:
        extend(session, one, now=15, lease_ms=100)
    assert claim(store, now=100) == []


def test_a_failure_rests_longer_each_time_and_the_third_is_quarantined(store):
    mark(store, "C1")
    now = 0
    for attempt, rest in ((1, 2_000), (2, 16_000)):
        [one] = claim(store, now=now)
        assert one.attempts == attempt
        with store.write.begin() as session:
            assert fail(session, one, "ValueError in rule C01", now=now) is False
        assert claim(store, now=now + rest - 1) == []
        now += rest
    [one] = claim(store, now=now)
    with store.write.begin() as session:
        assert fail(session, one, "x" * 900, now=now) is True
    assert (row(store).quarantined, row(store).last_error) == (True, "x" * queue.ERROR_LIMIT)
    assert claim(store, now=10**12) == []
    with store.write.begin() as session:
        assert claim_case(session, "C1", now=10**12, lease_ms=1, worker="w") is None


def test_a_case_that_kills_three_workers_is_quarantined_and_the_others_go_on(store):
    mark(store, "C1", "C2", "C3", now=1)
    for death in range(3):
        assert [one.case_id for one in claim(store, now=1_000 * death, limit=1)] == ["C1"]
    assert [one.case_id for one in claim(store, now=5_000, limit=1)] == ["C2"]
    assert (row(store).quarantined, row(store).last_error, row(store).attempts) == (True, queue.DIED, 3)
    assert [one.case_id for one in claim(store, now=5_000)] == ["C3"]


def test_a_hint_for_a_case_that_killed_three_workers_quarantines_it_too(store):
    mark(store, "C1")
    for death in range(3):
        with store.write.begin() as session:
            assert claim_case(session, "C1", now=1_000 * death, lease_ms=10, worker="w") is not None
    with store.write.begin() as session:
        assert claim_case(session, "C1", now=9_000, lease_ms=10, worker="w") is None
    assert row(store).quarantined


def test_quarantine_lasts_until_it_is_pardoned(store):
    mark(store, "C1")
    for death in range(4):
        claim(store, now=1_000 * death)
    mark(store, "C1")
    assert claim(store, now=10_000) == []
    with store.write.begin() as session:
        assert pardon(session, "C1") is True
        assert pardon(session, "C1") is False
        assert pardon(session, "nobody") is False
    [one] = claim(store, now=10_000)
    assert one.attempts == 1


def test_success_forgets_old_failures(store):
    mark(store, "C1")
    [one] = claim(store, now=0)
    with store.write.begin() as session:
        fail(session, one, "once", now=0)
    [two] = claim(store, now=5_000)
    mark(store, "C1")
    end(store, two)
    assert (row(store).attempts, row(store).last_error) == (0, None)


def test_a_claim_given_back_does_not_count(store):
    mark(store, "C1")
    for _ in range(5):
        [one] = claim(store)
        assert end(store, one, done=False) is True
    assert row(store).attempts == 0


def test_one_case_is_claimed_by_one(store):
    mark(store, "C1")
    with store.write.begin() as session:
        one = claim_case(session, "C1", now=1, lease_ms=100, worker="w")
        assert one == Claim("C1", 1, one.token, 1)
    with store.write.begin() as session:
        assert claim_case(session, "C1", now=1, lease_ms=100, worker="v") is None
        assert claim_case(session, "nobody", now=1, lease_ms=100, worker="v") is None


def test_no_case_is_claimed_twice_by_many_threads(store):
    cases = {f"C{number}" for number in range(600)}
    mark(store, *cases)

    def work(name: str) -> list[str]:
        mine: list[str] = []
        while claims := claim(store, limit=7, worker=name, lease_ms=10**6):
            mine += [one.case_id for one in claims]
        return mine

    got = [case for part in at_once([lambda name=f"w{number}": work(name) for number in range(8)]) for case in part]
    assert len(got) == len(cases)
    assert set(got) == cases


def test_no_mark_is_lost_while_many_evaluate(store):
    """Each mark must be followed by an evaluation that was claimed after it."""
    cases = [f"C{number}" for number in range(5)]
    counted = dict.fromkeys(cases, 0)
    seen = dict.fromkeys(cases, 0)
    lock, stop = threading.Lock(), threading.Event()

    def send() -> None:
        for turn in range(25):
            case = cases[turn % 5]
            with lock:
                counted[case] += 1  # the event; its mark is committed after it
            mark(store, case)

    def judge() -> None:
        while not stop.is_set():
            claims = claim(store, limit=2, lease_ms=10**6)
            for one in claims:
                with lock:
                    found = counted[one.case_id]
                end(store, one)
                with lock:
                    seen[one.case_id] = max(seen[one.case_id], found)
            if not claims and not senders_alive.is_set():
                return

    senders_alive = threading.Event()
    senders_alive.set()

    def all_senders() -> None:
        at_once([send, send])
        senders_alive.clear()

    try:
        at_once([all_senders, judge, judge, judge])
    finally:
        stop.set()
    assert seen == counted
    with store.read() as session:
        assert session.scalars(select(DirtyRow.case_id)).all() == []


def test_time_makes_cases_dirty(store):
    with store.write.begin() as session:
        for case, due in (("C1", 100), ("C2", 200), ("C3", None), ("C4", 50)):
            write_state(session, CaseState(case, evaluated_at=1, as_of=1, position=1, next_check_at=due, open_breaches=0))
        mark_dirty(session, ["C4"], 1)
    with store.write.begin() as session:
        assert requeue_due(session, 99) == []
        assert requeue_due(session, 100) == ["C1"]
        assert requeue_due(session, 300) == ["C2"]
        assert requeue_due(session, 300) == []
    assert row(store, "C4").generation == 1


def test_due_cases_come_in_portions_that_get_through(store):
    """Cases that wait already must not fill the portion for ever."""
    with store.write.begin() as session:
        for number in range(10):
            write_state(session, CaseState(f"C{number}", evaluated_at=1, as_of=1, position=1, next_check_at=number, open_breaches=0))
    told: list[str] = []
    for _ in range(5):
        with store.write.begin() as session:
            told += requeue_due(session, 100, limit=2)
    assert told == [f"C{number}" for number in range(10)]


def test_two_schedulers_at_once_mark_once(store):
    with store.write.begin() as session:
        for number in range(200):
            write_state(session, CaseState(f"C{number}", evaluated_at=1, as_of=1, position=1, next_check_at=1, open_breaches=0))

    def sweep() -> list[str]:
        with store.write.begin() as session:
            return requeue_due(session, 10)

    told = [case for part in at_once([sweep] * 4) for case in part]
    assert len(told) == len(set(told)) == 200


def test_stale_are_those_that_nobody_judges(store):
    mark(store, "C1", now=1)
    mark(store, "C2", now=2)
    mark(store, "C3", now=50)
    with store.write.begin() as session:
        claim_case(session, "C1", now=10, lease_ms=100, worker="w")
    with store.read() as session:
        assert stale(session, 60, 10, waiting_ms=20) == ["C2"]
        assert stale(session, 60, 10) == ["C2", "C3"]
        assert stale(session, 200, 1) == ["C1"]


def test_every_case_on_record_can_be_marked(store):
    from store.events import insert_events
    from store.queue import mark_every_case

    mark(store, "C1")
    with store.write.begin() as session:
        insert_events(session, [event("e1"), event("e2"), event("e3", case="C2")], received=1)
    with store.write.begin() as session:
        assert mark_every_case(session, 5) == 2
    assert (row(store, "C1").generation, row(store, "C2").generation) == (2, 1)


def test_outcomes_of_many_cases_and_marks_of_the_same_do_not_deadlock(pg_db):
    """Cases came in one order and are named in another; both sides must take their rows in the same one."""
    with opened(pg_db) as store:
        for turn in range(30):
            mark(store, f"C{29 - turn:02}", now=turn)
        claims = claim(store, limit=30)

        def write() -> None:
            with store.write.begin() as session:
                for one in claims:
                    hold(session, one)
                    time.sleep(0.005)

        at_once([write, *[lambda: mark(store, *{one.case_id for one in claims})] * 3])


def test_marks_from_many_threads_in_any_order_do_not_deadlock(store):
    cases = [f"C{number}" for number in range(40)]
    at_once([lambda part=part: [mark(store, *part) for _ in range(5)] for part in (cases, cases[::-1], cases[::2], cases[::-3])])
    with store.read() as session:
        assert session.execute(text("SELECT sum(generation) FROM dirty")).scalar() == 5 * (40 + 40 + 20 + 14)
