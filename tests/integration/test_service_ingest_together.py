"""Many senders at once, on PostgreSQL: every event once, and no case that another one concerns is left as it was."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from service import ingest as ingest_module
from service.ingest import Status, ingest
from store.events import insert_links
from store.models import DirtyRow, EventRow, HeartbeatRow
from tests.support.service_kit import connected, event, kit, three_visits, visit


@pytest.fixture
def house(store_url, tmp_path):
    with kit(store_url, tmp_path, database_pool=12) as made:
        yield made


def referral(case: str, child: str):
    return event("referral.received", "2026-03-01T09:00", {"source": "school", "reason": "x", "children": [child]}, case=case)


def test_the_same_events_from_many_senders_count_once(house):
    events = [visit("2026-03-09T10:00", case=f"k{number}") for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda shift: house.take(*events[shift:], *events[:shift]), range(0, 40, 5)))
    accepted = sum(1 for report in reports for result in report.results if result.status is Status.ACCEPTED)
    assert accepted == 60
    assert {result.status for report in reports for result in report.results} == {Status.ACCEPTED, Status.DUPLICATE}
    with house.svc.reading() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 60
        assert session.scalar(select(func.count()).select_from(DirtyRow)) == 60


def test_cases_that_are_tied_together_at_the_same_moment_both_learn_of_it(house, monkeypatch):
    """Two referrals of one child in two transactions that overlap: whichever comes second sees the first and makes its case dirty."""

    def slowly(session, links):
        insert_links(session, links)
        time.sleep(0.3)

    monkeypatch.setattr(ingest_module, "insert_links", slowly)
    threads = [threading.Thread(target=house.take, args=(referral(case, "child1"),)) for case in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.svc.reading() as session:
        generations = {row.case_id: row.generation for row in session.scalars(select(DirtyRow))}
    assert sorted(generations) == ["a", "b"]
    assert max(generations.values()) >= 2, "the second one made the first one's case dirty again"


def test_a_correction_filed_under_another_case_ties_its_targets_case(house):
    """The child comes into case a only by a correction that is filed under case x; case b has the child from the start."""
    first = referral("a", "nobody")
    house.take(first, referral("b", "child1"))
    house.settle()
    house.take(event("event.corrected", "2026-05-01T09:00", {"target": first["id"], "set": {"children": ["child1"]}}, case="x"))
    with house.svc.reading() as session:
        waiting = set(session.scalars(select(DirtyRow.case_id)))
    assert waiting >= {"a", "b", "x"}


def test_a_correction_that_comes_before_its_target_ties_it_too(house):
    first = referral("a", "nobody")
    house.take(
        referral("b", "child1"),
        event("event.corrected", "2026-05-01T09:00", {"target": first["id"], "set": {"children": ["child1"]}}, case="x"),
    )
    house.settle()
    house.take(first)
    with house.svc.reading() as session:
        assert set(session.scalars(select(DirtyRow.case_id))) >= {"a", "b"}


def test_a_repeated_heartbeat_is_stored_once(house):
    beat = event("source.heartbeat", "2026-05-20T10:00", {"complete_until": "2026-05-20T00:00:00Z"}, case="-")
    house.take(beat, beat)
    house.take(beat)
    with house.svc.reading() as session:
        assert session.scalar(select(func.count()).select_from(HeartbeatRow)) == 1


@pytest.mark.parametrize("item", [b"{", b"[]", b"\xff", {"a": 1}, {"specversion": "1.0", "data": "\ud800"}, {}], ids=str)
def test_what_is_no_event_is_refused_and_the_rest_is_taken(house, item):
    report = ingest(house.svc, [connected(), item, visit("2026-03-09T10:00")], via="test")
    assert [result.status for result in report.results] == [Status.ACCEPTED, Status.REJECTED, Status.ACCEPTED]
    assert report.results[1].problems
    assert dict(report.counts) == {"accepted": 2, "rejected": 1}


def test_an_event_in_bytes_is_held_against_the_limit(house):
    import json

    huge = visit("2026-03-09T10:00", seen=["p" * 1000] * 1000)
    report = ingest(house.svc, [json.dumps(huge).encode()], via="test")
    assert report.results[0].status is Status.REJECTED


def test_a_batch_larger_than_a_transaction_goes_in_whole(house, monkeypatch):
    monkeypatch.setattr(ingest_module, "CHUNK", 7)
    events = [event for number in range(10) for event in three_visits(f"k{number}")]
    report = house.take(*events)
    assert dict(report.counts) == {"accepted": 40}
    assert [result.id for result in report.results] == [event["id"] for event in events]
    assert house.settle() == 10


def test_a_case_that_gets_an_event_while_it_is_judged_is_judged_again(house, monkeypatch):
    from service import evaluate, findings

    original = findings.judge
    sent = []

    def judge_while_more_comes(policies, known, **more):
        found = original(policies, known, **more)
        if not sent:
            sent.append(house.take(three_visits()[3]))
        return found

    house.take(*three_visits()[:3])
    monkeypatch.setattr(evaluate, "judge", judge_while_more_comes)
    house.settle()
    assert sent
    assert house.verdict("C08") == "breached"


def test_a_worker_that_has_lost_its_lease_writes_nothing(house, monkeypatch):
    """Judging takes longer than the lease; another worker takes over; the first one's outcome is thrown away."""
    from service import evaluate, findings

    original = findings.judge
    others = []

    def slow(policies, known, **more):
        found = original(policies, known, **more)
        if not others:
            others.append(None)
            house.clock.advance(seconds=house.svc.settings.lease_seconds + 1)
            others.append(evaluate.drain(house.svc))
        return found

    house.take(*three_visits())
    monkeypatch.setattr(evaluate, "judge", slow)
    assert evaluate.drain(house.svc) == 0
    assert others == [None, 1]
    assert house.kinds("C08") == ["opened", "announced"]
    assert 'duecare_evaluations_total{result="lost"} 1.0' in house.svc.metrics.text().decode()
