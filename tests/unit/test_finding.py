"""Selectors made ready: what a view keeps of what they find, and what it asks anew each time."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from rules.conditions import ASKED, DATA, EVENT, Selector, Where
from rules.finding import made
from rules.matching import Context
from rules.model import Candidate, Duty, Fit, Line, Outcome, State
from rules.policy import load_shipped
from tests.support.core import ev, view_of, visit

TERMS = load_shipped("cfss").terms
START = ev("k1", "service.connected", "03-02 09:00", program="cfss")


def selector(written: Any) -> Selector:
    return Selector.model_validate(written)


@pytest.mark.parametrize(
    ("written", "reach"),
    [
        ({"status": "held"}, DATA),
        ({"status": ["held", "done"], "topics": {"has_all": ["a", "b"]}}, DATA),
        ({"goals": {"each": {"owner": "family"}}}, DATA),
        ({"participants": {"includes_role": ["parent"]}}, EVENT),
        ({"by": {"differs_from": {"state": "worker"}}}, EVENT),
        ({"version": {"after": {"previous": {"attribute": "version"}}}}, EVENT),
        ({"target": {"after": "$this.start"}}, EVENT),
        ({"seen": {"has": "$person"}}, ASKED),
        ({"goal": "$item.id"}, ASKED),
        ({"meeting": "$activation.meeting"}, ASKED),
        ({"on": {"after": {"last": "visit.held", "attribute": "on"}}}, ASKED),
        ({"any": [{"status": "held"}, {"not": {"seen": {"has": "$person"}}}]}, ASKED),
        ({"goals": {"some": {"id": {"equals": "$item.id"}}}}, ASKED),
    ],
)
def test_a_condition_says_how_far_it_looks(written: Any, reach: int) -> None:
    assert Where.model_validate(written).reach == reach


@pytest.mark.parametrize(
    ("written", "alone"),
    [
        ("visit.held", True),
        ({"event": "visit.held", "where": {"status": "held"}}, True),
        ({"event": "safety_plan.updated", "where": {"participants": {"includes_role": ["parent"]}}}, True),
        ({"event": "qualifying_visit", "where": {"seen": {"has": "$person"}}}, False),
        ({"event": "closure_summary.completed", "of": "attempt"}, False),
        ({"event": "snapshot.completed", "same": ["instrument"]}, False),
    ],
)
def test_what_hangs_on_who_asks_is_not_kept(written: Any, alone: bool) -> None:
    assert made(selector(written), TERMS).alone is alone


def test_equal_selectors_share_a_finder_and_others_do_not() -> None:
    seen = view_of([START])
    held, again = (selector({"event": "visit.held", "where": {"status": "held"}}) for _ in range(2))
    assert seen.finder(held) is seen.finder(again)
    assert seen.finder(held) is not seen.finder(selector({"event": "visit.held", "where": {"status": "attempted"}}))
    assert seen.finder(held) is not seen.finder(selector({"event": "visit.held", "where": {"status": "held"}, "related": True}))


def test_what_was_found_once_is_the_same_list_and_no_longer_asked() -> None:
    seen = view_of([START, visit("v1", "03-03 09:00"), visit("v2", "03-04 09:00", status="attempted")])
    asked = selector({"event": "visit.held", "where": {"status": "held"}})
    first = seen.find(asked)
    assert [hit.fit for hit in first] == [Fit.YES, Fit.NO]
    assert seen.find(asked, Context(seen)) is first


def test_each_person_gets_an_answer_of_its_own() -> None:
    seen = view_of([START, visit("v1", "03-03 09:00", "c1"), visit("v2", "03-04 09:00", "c2")])
    asked = selector({"event": "qualifying_visit", "where": {"seen": {"has": "$person"}}})
    fits = {person: [hit.fit for hit in seen.find(asked, Context(seen, person=person))] for person in ("c1", "c2", "c3")}
    assert fits == {"c1": [Fit.YES, Fit.NO], "c2": [Fit.NO, Fit.YES], "c3": [Fit.NO, Fit.NO]}


def test_values_of_judging_have_slots_and_are_equal_and_hashed_by_their_fields() -> None:
    one, other = Candidate(1, 2, events=("e",)), Candidate(1, 2, events=("e",))
    assert one == other
    assert hash(one) == hash(other)
    assert one != replace(one, last=3)
    assert not hasattr(one, "__dict__")
    assert [field.name for field in fields(Duty())][:2] == ["state", "due"]
    with pytest.raises(AttributeError):
        one.seen = True  # type: ignore[attr-defined]


@pytest.mark.parametrize("member", [*State, *Line, *Outcome])
def test_a_word_is_found_by_its_text_and_the_text_by_the_word(member: State | Line | Outcome) -> None:
    by_word: dict[str, int] = {member: 1}
    by_text: dict[str, int] = {member.value: 1}
    assert by_word[member.value] == by_text[member] == 1
