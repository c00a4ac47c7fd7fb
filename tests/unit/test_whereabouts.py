"""Whose a case is, by its own events; and when all of these were withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import CaseFile, Event
from service.whereabouts import Whereabouts, whereabouts
from tests.support.service_kit import shipped

NOW = 1_780_000_000_000


def event(name: str, type_: str = "service.connected", *, case: str = "k1", recorded: int = NOW - 10, **data: Any) -> Event:
    return Event("urn:test", name, type_, case, NOW - 20, recorded, True, data)


def found(*events: Event) -> Whereabouts:
    return whereabouts(shipped(), CaseFile(case="k1", events=events), now=NOW)


FIRST = event("a", team="north", office="adelaide", program="cfss")
GONE = event("v", "event.voided", target="a")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), Whereabouts()),
        ((FIRST,), Whereabouts("cfss", "adelaide", "north")),
        ((FIRST, GONE), Whereabouts(withdrawn=True)),
        ((FIRST, event("v", "event.voided", case="k2", target="a")), Whereabouts(withdrawn=True)),
        ((FIRST, GONE, event("w", "event.voided", target="v")), Whereabouts("cfss", "adelaide", "north")),
        ((FIRST, GONE, event("b", team="south")), Whereabouts(team="south")),
        ((FIRST, event("v", "event.voided", recorded=NOW + 1, target="a")), Whereabouts("cfss", "adelaide", "north")),
        ((event("a", recorded=NOW + 1, team="north"),), Whereabouts()),
        ((event("v", "event.voided", target="elsewhere"),), Whereabouts()),
        ((FIRST, GONE, event("c", case="k2", team="south")), Whereabouts(withdrawn=True)),
    ],
    ids=[
        "nothing", "one", "voided", "voided from another case", "the void voided", "another stands", "not voided yet", "not known yet",
        "only a word about another", "what stands is another case's",
    ],
)  # fmt: skip
def test_a_case_is_whose_its_standing_events_say_and_withdrawn_when_none_stands(events: tuple[Event, ...], expected: Whereabouts) -> None:
    assert found(*events) == expected
