"""Taking events in: once each, the first kept, whoever delivers how often."""

import random
from typing import Any

import pytest
from sqlalchemy import func, select, text

from rules.model import Event, Heartbeat
from store.audits import newest_line
from store.engine import retrying
from store.errors import Unstorable
from store.events import Intake, insert_events, insert_heartbeats, insert_links, last_position
from store.models import CaseLinkRow, ConflictRow, EventRow, HeartbeatRow
from tests.support.stores import Store, at_once, event, opened

ACCEPTED, DUPLICATE, CONFLICT = Intake.ACCEPTED, Intake.DUPLICATE, Intake.CONFLICT


def take(store: Store, *events: Event, received: int = 9_000) -> list[Intake]:
    with store.write.begin() as session:
        return [receipt.status for receipt in insert_events(session, events, received=received)]


def test_the_same_event_again_is_a_duplicate_and_other_content_a_conflict(store):
    first = event("e1", mode="in_person", seen=["a", "b"])
    assert take(store, first, event("e2")) == [ACCEPTED, ACCEPTED]
    again = event("e1", seen=["a", "b"], mode="in_person")
    other = event("e1", mode="phone", seen=["a", "b"])
    assert take(store, again, other, event("e3"), event("e1", source="other")) == [DUPLICATE, CONFLICT, ACCEPTED, ACCEPTED]
    with store.read() as session:
        kept = session.scalar(select(EventRow).where(EventRow.id == "e1", EventRow.source == "cms"))
        assert kept.data == {"mode": "in_person", "seen": ["a", "b"]}
        assert session.scalar(select(func.count()).select_from(EventRow)) == 4


@pytest.mark.parametrize(
    "other",
    [
        event("e1", case="C2"),
        event("e1", type_="visit.cancelled"),
        event("e1", time=2_000),
        event("e1", x=1),
        Event("cms", "e1", "visit.held", "C1", 1_000, 2_001, True, {}),
        Event("cms", "e1", "visit.held", "C1", 1_000, 2_000, False, {}),
    ],
)
def test_every_part_of_the_content_counts(store, other):
    assert take(store, event("e1")) == [ACCEPTED]
    assert take(store, other) == [CONFLICT]


def test_without_a_recorded_time_the_moment_of_receipt_is_no_content(store):
    assert take(store, Event("cms", "e1", "t", "C1", 1, 50, False, {})) == [ACCEPTED]
    assert take(store, Event("cms", "e1", "t", "C1", 1, 99, False, {})) == [DUPLICATE]


def test_within_one_batch_the_first_is_kept(store):
    batch = (event("e1", n=1), event("e1", n=2), event("e1", n=1), event("e0"))
    assert take(store, *batch) == [ACCEPTED, CONFLICT, DUPLICATE, ACCEPTED]
    assert take(store, event("e1", n=2), event("e1", n=1)) == [CONFLICT, DUPLICATE]
    with store.read() as session:
        assert session.scalar(select(EventRow.data).where(EventRow.id == "e1")) == {"n": 1}


def test_receipts_name_the_position_that_is_kept(store):
    with store.write.begin() as session:
        one, two = insert_events(session, [event("b"), event("a")], received=1)
        again, other = insert_events(session, [event("a"), event("b", n=1)], received=1)
    assert (again.position, other.position) == (two.position, one.position)
    assert one.position != two.position


def test_conflicts_are_noted_once_for_each_content(store):
    take(store, event("e1"))
    take(store, event("e1", n=1), received=10)
    take(store, event("e1", n=1), event("e1", n=2, case_note="x"), received=20)
    with store.read() as session:
        rows = session.scalars(select(ConflictRow).order_by(ConflictRow.id)).all()
    assert [(row.event_id, row.received, row.deliveries) for row in rows] == [("e1", 20, 2), ("e1", 20, 1)]
    assert all(row.kept_digest != row.digest for row in rows)


def test_what_is_stored_comes_back_unchanged(store):
    data: dict[str, Any] = {
        "text": "ä\\u0000 \U0001f600 'quoted' \"x\" \\ %s :name",
        "deep": [{"a": [1, 2.5, -3, True, None, ""]}],
        "big": 2**53 + 1,
    }
    take(store, event("e'1;\"% :x", case="Fall ñ/#?", **data))
    with store.read() as session:
        row = session.scalar(select(EventRow))
    assert (row.id, row.case_id, row.data, row.received) == ("e'1;\"% :x", "Fall ñ/#?", data, 9_000)


@pytest.mark.parametrize(
    "bad",
    [
        event("e1", a="x\x00y"),
        event("e1", a=[{"b\x00": 1}]),
        event("e1", a="\ud800"),
        event("e1", a=float("nan")),
        event("e1", a={1, 2}),
        event("e\x00"),
        event("\udfff"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_is_kept(store, bad):
    with store.write() as session, pytest.raises(Unstorable):
        insert_events(session, [event("good"), bad], received=1, digests=["a", "b"])
    assert take(store, event("good")) == [ACCEPTED]


def test_voids_and_corrections_carry_their_target(store):
    take(
        store,
        event("v", type_="event.voided", target="e1"),
        event("c", type_="event.corrected", target="e2", set={}),
        event("x", target="e3"),
    )
    with store.read() as session:
        assert dict(session.execute(select(EventRow.id, EventRow.target)).all()) == {"v": "e1", "c": "e2", "x": None}


def test_many_in_one_call(store):
    batch = [event(f"e{number}") for number in range(4_500)]
    assert set(take(store, *batch)) == {ACCEPTED}
    assert set(take(store, *batch)) == {DUPLICATE}


def test_nothing_is_nothing(store):
    assert take(store) == []


def test_the_same_events_from_many_threads_are_accepted_once(store):
    """Every thread delivers all ids, shuffled into batches of its own; half of the threads with other content."""
    ids = [f"e{number}" for number in range(120)]

    def deliver(seed: int) -> list[tuple[str, Intake]]:
        mine = random.Random(seed).sample(ids, len(ids))
        told = []
        for start in range(0, len(mine), 30):
            batch = [event(one, n=seed % 2) for one in mine[start : start + 30]]
            told += zip(mine[start : start + 30], retrying(lambda batch=batch: take(store, *batch)), strict=True)
        return told

    told = [entry for part in at_once([lambda seed=seed: deliver(seed) for seed in range(8)]) for entry in part]
    accepted = [one for one, status in told if status == ACCEPTED]
    assert sorted(accepted) == sorted(ids)
    with store.read() as session:
        kept = dict(session.execute(select(EventRow.id, EventRow.data)).all())
    assert len(kept) == len(ids)
    for one in ids:
        statuses = [status for id_, status in told if id_ == one]
        assert (statuses.count(ACCEPTED), statuses.count(DUPLICATE), statuses.count(CONFLICT)) == (1, 3, 4)


def test_a_rolled_back_batch_leaves_its_ids_free(store):
    with store.write() as session:
        insert_events(session, [event("e1")], received=1)
        session.rollback()
    assert take(store, event("e1", n=2)) == [ACCEPTED]


def test_heartbeats_and_links_are_kept_once(store):
    for _ in range(2):
        with store.write.begin() as session:
            insert_heartbeats(session, [Heartbeat("cms", 1, 5), Heartbeat("cms", 1, 5), Heartbeat("cms", 2, 5)])
            insert_links(session, [("C1", "child:9"), ("C2", "merge:C1"), ("C1", "child:9")])
            insert_heartbeats(session, [])
            insert_links(session, [])
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(HeartbeatRow)) == 2
        links = session.execute(
            select(CaseLinkRow.case_id, CaseLinkRow.key, CaseLinkRow.kind).order_by(CaseLinkRow.case_id, CaseLinkRow.key)
        ).all()
    assert [tuple(link) for link in links] == [("C1", "child:9", "child"), ("C1", "merge:C1", "merge"), ("C2", "merge:C1", "merge")]


def test_the_last_position_is_a_clean_cut(store):
    with store.write.begin() as session:
        assert last_position(session) == 0
    take(store, event("e1"), event("e2"))
    with store.write.begin() as session:
        cut = last_position(session)
    take(store, event("e0"))
    with store.read() as session:
        after = session.scalars(select(EventRow.id).where(EventRow.position > cut)).all()
    assert after == ["e0"]


def test_the_last_position_waits_for_an_insert_that_is_under_way(pg_db):
    """Otherwise that insert could commit a smaller position after the cut was taken."""
    with opened(pg_db) as store, store.write() as slow:
        insert_events(slow, [event("slow")], received=1)
        with store.write() as session:
            session.execute(text("SET LOCAL lock_timeout = 100"))
            with pytest.raises(Exception, match="lock timeout"):
                last_position(session)
        slow.commit()
        with store.write.begin() as session:
            assert last_position(session) == session.scalar(select(func.max(EventRow.position)))


def test_who_has_taken_the_cut_holds_up_nobody_while_going_on(pg_db):
    """Planning a job over many cases takes seconds."""
    with opened(pg_db) as store, store.write.begin() as planning:
        last_position(planning)
        newest_line(planning)
        with store.write.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = 100"))
            insert_events(session, [event("meanwhile")], received=1)
            session.execute(text("LOCK TABLE breach_history IN ROW EXCLUSIVE MODE"))
