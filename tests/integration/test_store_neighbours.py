"""The breaches before and after one, in the list that somebody came from."""

from __future__ import annotations

import random

import pytest

from store import queries
from store.queries import Scope, Where
from store.queries.findings import neighbours
from tests.integration.test_store_lists import put_breaches
from tests.support.stores import breach


@pytest.mark.parametrize("sort", [None, "opened_at", "severity", "-due_on", "case", "-case"])
def test_going_from_one_to_the_next_is_the_list(store, sort):
    dice = random.Random(7)
    for number in range(40):
        due = dice.choice([None, "2026-03-01", "2026-03-02"])
        put_breaches(store, breach(f"C{number}", opened_at=dice.randrange(5), due_on=due, severity=dice.choice(["low", "high"])))
    where, scope = Where(severity=("high",)), Scope(teams=frozenset({"north"}))
    with store.read() as session:
        listed = [one.id for one in queries.list_breaches(session, where=where, scope=scope, sort=sort, limit=100).items]
        assert len(listed) > 5
        around = [neighbours(session, one, where=where, scope=scope, sort=sort) for one in listed]
        everything = [one.id for one in queries.list_breaches(session, sort=sort, limit=100).items]
        gone = next(one for one in everything if one not in listed and 0 < everything.index(one) < 39)
        before, after = neighbours(session, gone, where=where, scope=scope, sort=sort)
    assert around == list(zip([None, *listed[:-1]], [*listed[1:], None], strict=True))
    place = everything.index(gone)
    assert before == next((one for one in reversed(everything[:place]) if one in listed), None)
    assert after == next((one for one in everything[place:] if one in listed), None)


def test_what_is_not_on_record_has_no_neighbours(store):
    put_breaches(store, breach("C1"))
    with store.read() as session:
        assert neighbours(session, "nothing") == (None, None)
