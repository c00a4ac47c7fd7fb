"""Loading case files: everything that a judgement needs, in a number of queries that does not grow."""

import random
from collections import defaultdict

import pytest

from rules.casefile import cluster
from rules.model import Event, Heartbeat
from store import cases as loading
from store.cases import Loaded, affected, load_case, load_cases, neighbours
from store.events import insert_events, insert_heartbeats, insert_links
from store.together import together as really
from tests.support.stores import Store, event


def put(store: Store, *events: Event, links: tuple[tuple[str, str], ...] = (), beats: tuple[Heartbeat, ...] = ()) -> list[int]:
    with store.write.begin() as session:
        insert_links(session, links)
        insert_heartbeats(session, beats)
        return [receipt.position for receipt in insert_events(session, events, received=1)]


def load(store: Store, case: str, **how: int) -> Loaded:
    with store.read() as session:
        return load_case(session, case, **how)


def ids(events: tuple[Event, ...]) -> list[str]:
    return sorted(one.id for one in events)


def test_a_file_holds_the_events_as_they_were_sent(store):
    sent = event("e1", seen=["p1"]), Event("cms", "e2", "t", "C1", -5, 7, False, {})
    positions = put(store, *sent, event("other", case="C2"))
    loaded = load(store, "C1")
    assert sorted(loaded.file.events, key=lambda one: one.id) == list(sent)
    assert loaded.file.linked == {}
    assert loaded.position == max(positions[:2])
    assert loaded.arrived_after(positions[0]) == ("e2",)
    assert type(loaded.file.events[0].recorded_given) is bool


def test_an_unknown_case_is_an_empty_file(store):
    loaded = load(store, "nobody")
    assert (loaded.file.case, loaded.file.events, loaded.position, loaded.arrived_after(0)) == ("nobody", (), 0, ())
    with store.read() as session:
        assert load_cases(session, []) == {}
        assert neighbours(session, []) == {}
        assert affected(session, []) == set()


def test_voids_and_corrections_are_found_wherever_they_were_filed(store):
    put(
        store,
        event("e1"),
        event("v1", case="X", type_="event.voided", target="e1"),
        event("v2", case="Y", type_="event.voided", target="v1"),
        event("c1", case="Z", type_="event.corrected", target="v2", set={}),
        event("v3", case="X", source="other", type_="event.voided", target="e1"),
        event("v4", case="X", type_="event.voided", target="e9"),
        event("v5", type_="event.voided", target="e1"),
    )
    assert ids(load(store, "C1").file.events) == ["c1", "e1", "v1", "v2", "v5"]
    assert ids(load(store, "X").file.events) == ["c1", "v1", "v2", "v3", "v4"]


def test_voids_in_a_ring_end(store):
    put(store, event("a", type_="event.voided", target="b"), event("b", case="C2", type_="event.voided", target="a"))
    assert ids(load(store, "C1").file.events) == ["a", "b"]


def test_linked_cases_are_one_child_away_and_any_number_of_merges(store):
    """C1 -child- C2 -merge- C3 -merge- C4;  C4 -child- C5 is a second step by child and is left out."""
    put(
        store,
        *(event(f"e{number}", case=f"C{number}") for number in range(1, 8)),
        links=(
            ("C1", "child:a"), ("C2", "child:a"), ("C2", "merge:C3"), ("C4", "merge:C3"), ("C4", "child:b"), ("C5", "child:b"),
            ("C6", "child:c"),
        ),
    )  # fmt: skip
    assert sorted(load(store, "C1").file.linked) == ["C2", "C3", "C4"]
    assert sorted(load(store, "C4").file.linked) == ["C1", "C2", "C3", "C5"]
    assert sorted(load(store, "C5").file.linked) == ["C2", "C3", "C4"]
    assert load(store, "C6").file.linked == {}
    assert ids(load(store, "C1").file.linked["C4"]) == ["e4"]
    assert load(store, "C1").position == load(store, "C1").arrivals[-1][0]
    assert set(load(store, "C1").arrived_after(0)) == {"e1", "e2", "e3", "e4"}


def test_knowing_of_each_other_goes_both_ways(store):
    put(store, links=(("C1", "child:a"), ("C2", "child:a"), ("C2", "merge:C3"), ("C4", "merge:C3"), ("C4", "child:b"), ("C5", "child:b")))
    cases = [f"C{number}" for number in range(1, 6)]
    with store.read() as session:
        found = neighbours(session, cases)
    assert {(a, b) for a, others in found.items() for b in others} == {(b, a) for a, others in found.items() for b in others}
    assert all(case not in others for case, others in found.items())


@pytest.mark.parametrize("seed", range(20))
def test_the_store_links_the_same_cases_as_files_do(store, seed):
    chance = random.Random(seed)
    cases = [f"C{number}" for number in range(9)]
    keys: dict[str, set[str]] = {case: set() for case in cases}
    for _ in range(chance.randint(1, 7)):
        one, other = chance.sample(cases, 2)
        if chance.random() < 0.5:
            keys[one].add(f"merge:{other}")
            keys[other].add(f"merge:{other}")
        else:
            keys[one].add(f"child:{chance.randint(0, 3)}")
    holders: dict[str, set[str]] = defaultdict(set)
    for case, mine in keys.items():
        for key in mine:
            holders[key].add(case)
    put(store, links=tuple((case, key) for case, mine in keys.items() for key in mine))
    with store.read() as session:
        found = neighbours(session, cases)
    assert {case: set(found.get(case, ())) for case in cases} == {case: cluster(case, keys, holders) for case in cases}


def test_a_merge_into_a_case_that_has_sent_nothing_yet(store):
    put(store, event("e1"), links=(("C1", "merge:C9"),))
    assert load(store, "C1").file.linked == {}
    put(store, event("e9", case="C9"))
    assert sorted(load(store, "C1").file.linked) == ["C9"]
    assert sorted(load(store, "C9").file.linked) == ["C1"]


def test_heartbeats_of_the_sources_as_they_were_known(store):
    put(
        store,
        event("e1"),
        beats=(
            Heartbeat("cms", 10, 8),
            Heartbeat("cms", 20, 18),
            Heartbeat("cms", 30, 15),
            Heartbeat("cms", 40, 12),
            Heartbeat("other", 10, 9),
        ),
    )
    assert load(store, "C1").file.heartbeats == (Heartbeat("cms", 20, 18), Heartbeat("cms", 40, 12))
    assert load(store, "C1", known_at=20).file.heartbeats == (Heartbeat("cms", 20, 18),)
    assert load(store, "C1", known_at=9).file.heartbeats == ()
    assert load(store, "nobody").file.heartbeats == ()


def test_events_after_a_position_are_left_out(store):
    first, *_ = put(store, event("e1"))
    put(store, event("e2"), event("v1", case="X", type_="event.voided", target="e1"))
    loaded = load(store, "C1", upto=first)
    assert (ids(loaded.file.events), loaded.position) == (["e1"], first)


def test_affected_are_all_cases_whose_files_an_event_is_part_of(store):
    events = [
        event("e1", case="C1"),
        event("v1", case="C2", type_="event.voided", target="e1"),
        event("v2", case="C3", type_="event.voided", target="v1"),
    ]
    put(store, *events, links=(("C1", "child:a"), ("C7", "child:a")))
    with store.read() as session:
        assert affected(session, events[2:]) == {"C1", "C2", "C3", "C7"}
        assert affected(session, events[:1]) == {"C1", "C7"}
        assert affected(session, [event("vx", case="C4", source="other", type_="event.voided", target="e1")]) == {"C4"}
        assert affected(session, [event("vy", case="C4", type_="event.voided", target="unknown")]) == {"C4"}


def test_many_cases_are_loaded_as_one_is_and_in_as_many_queries(store, monkeypatch):
    events = [event(f"e{number}-{place}", case=f"C{number}", n=place) for number in range(60) for place in range(3)]
    voids = [event(f"v{number}", case=f"C{number + 1}", type_="event.voided", target=f"e{number}-0") for number in range(50)]
    put(
        store, *events, *voids, links=tuple((f"C{number}", f"child:{number // 2}") for number in range(60)), beats=(Heartbeat("cms", 1, 1),)
    )
    cases = [f"C{number}" for number in range(60)]
    asked = []

    def counted(session, some):
        asked.append(len(some))
        return really(session, some)

    monkeypatch.setattr(loading, "together", counted)
    with store.read() as session:
        together = load_cases(session, cases)
    assert asked == [5]
    for case in cases:
        assert load(store, case) == together[case]
