"""Conditions are three-valued: every word of the language, with what is there, what is absent, and what cannot be told."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pydantic import ValidationError

from rules.conditions import Where
from rules.matching import Answer, Context, check
from rules.model import Event, Fit
from tests.support.core import ev, fix, household, people, view_of, visit

NO, YES, UNCLEAR = Fit.NO, Fit.YES, Fit.UNCLEAR


def put(where: dict[str, Any], data: dict[str, Any], *events: Event, name: str = "e") -> Answer:
    """A condition on some data; with ``events``: on the event ``name`` among them."""
    view = view_of([ev("e0", "service.connected", "03-01 09:00", program="cfss"), *events])
    entry = next((e for e in view.episode.entries if e.id == name), None)
    return check(Where.model_validate(where), entry.data if entry is not None and not data else data, Context(view, entry, entry))


def fit(where: dict[str, Any], data: dict[str, Any]) -> Fit:
    return put(where, data)[0]


# -------------------------------------------------------------------------------------------------------------------- one word at a time
@pytest.mark.parametrize(
    ("test", "value", "wanted"),
    [
        ("a", "a", YES),
        ("a", "b", NO),
        (True, True, YES),
        (True, False, NO),
        (True, 1, NO),  # a number is no flag
        (1, True, NO),
        (1, 1, YES),
        ({"equals": "a"}, "a", YES),
        (["a", "b"], "b", YES),
        (["a", "b"], "c", NO),
        ({"in": ["a"]}, "a", YES),
        ({"differs_from": "a"}, "b", YES),
        ({"differs_from": "a"}, "a", NO),
        ({"differs_from": ["a", "b"]}, "b", NO),
        ({"differs_from": ["a", "b"]}, "c", YES),
        ({"has": "a"}, ["a", "b"], YES),
        ({"has": "c"}, ["a", "b"], NO),
        ({"has": "a"}, [], NO),
        ({"has_all": ["a", "b"]}, ["b", "c", "a"], YES),
        ({"has_all": ["a", "b"]}, ["a"], NO),
        ({"has_any": ["a", "b"]}, ["b", "c"], YES),
        ({"has_any": ["a", "b"]}, ["c"], NO),
        ({"has_any": ["a", "b"]}, [], NO),
        ({"at_least": 1}, ["x"], YES),  # a list is as great as it is long
        ({"at_least": 1}, [], NO),
        ({"at_least": 2}, 2, YES),
        ({"at_least": 2}, 1, NO),
        ({"at_most": 2}, 2, YES),
        ({"at_most": 2}, 3, NO),
        ({"at_least": 1, "at_most": 2}, 3, NO),
        ({"before": "2026-03-02"}, "2026-03-01", YES),
        ({"before": "2026-03-02"}, "2026-03-02", NO),
        ({"after": "2026-03-02"}, "2026-03-03", YES),
        ({"after": "2026-03-02"}, "2026-03-02", NO),
        ({"present": True}, "a", YES),
        ({"present": True}, False, YES),  # false and 0 are there
        ({"present": True}, 0, YES),
        ({"present": True}, [], YES),
        ({"present": False}, "a", NO),
        ({"present": True, "equals": "a"}, "b", NO),
        ({"present": True, "equals": "a"}, "a", YES),
        ({"each": {"measure": True}}, [{"measure": True}, {"measure": True}], YES),
        ({"each": {"measure": True}}, [{"measure": True}, {"measure": False}], NO),
        ({"each": {"measure": True}}, [{"measure": True}, {}], UNCLEAR),
        ({"each": {"measure": True}}, [{}, {"measure": False}], NO),  # one false part is enough
        ({"each": {"measure": True}}, [], YES),
        ({"some": {"owner": "family"}}, [{"owner": "x"}, {"owner": "family"}], YES),
        ({"some": {"owner": "family"}}, [{"owner": "x"}, {}], UNCLEAR),
        ({"some": {"owner": "family"}}, [{}, {"owner": "family"}], YES),  # one true part is enough
        ({"some": {"owner": "family"}}, [{"owner": "x"}], NO),
        ({"some": {"owner": "family"}}, [], NO),
    ],
)
def test_a_word_and_a_value(test: Any, value: Any, wanted: Fit) -> None:
    assert fit({"it": test}, {"it": value}) is wanted


@pytest.mark.parametrize(
    "test",
    [
        "a",
        True,
        ["a"],
        {"differs_from": "a"},
        {"has": "a"},
        {"has_all": ["a"]},
        {"has_any": ["a"]},
        {"at_least": 1},
        {"at_most": 1},
        {"before": "2026-01-01"},
        {"after": "2026-01-01"},
        {"includes_role": ["child"]},
        {"each": {"x": 1}},
        {"some": {"x": 1}},
        {"present": False, "equals": "a"},  # absent, as wanted; but then it cannot be compared
    ],
)
def test_an_absent_attribute_is_unclear_and_named(test: Any) -> None:
    assert put({"deep.down": test}, {"deep": {}}) == (UNCLEAR, "deep.down")


@pytest.mark.parametrize(
    ("test", "value", "why"),
    [
        ("a", "b", "it is b, not a"),
        (True, False, "it is no, not yes"),
        (["a", "b"], "c", "it is c, not a or b"),
        ({"differs_from": "a"}, "a", "it is a"),
        ({"has": "c"}, ["a"], "it does not hold c"),
        ({"has_all": ["a", "b", "c"]}, ["b"], "it lacks a and c"),
        ({"has_any": ["a", "b", "c"]}, ["d"], "it holds none of a, b or c"),
        ({"at_least": 2}, ["a"], "it is 1, below 2"),
        ({"at_most": 2}, 3, "it is 3, above 2"),
        ({"before": "2026-03-02"}, "2026-03-03", "it is 2026-03-03, not before 2026-03-02"),
        ({"after": "2026-03-02"}, "2026-03-01", "it is 2026-03-01, not after 2026-03-02"),
        ({"some": {"a": 1}}, [], "none of it is as required"),
    ],
)
def test_what_does_not_hold_says_why_with_the_value_and_what_was_asked(test: Any, value: Any, why: str) -> None:
    assert put({"it": test}, {"it": value}) == (NO, why)


def test_where_presence_is_asked_for_absence_is_plainly_false() -> None:
    assert put({"reason": {"present": True}}, {}) == (NO, "reason is absent")
    assert put({"reason": {"present": True, "equals": "a"}}, {})[0] is NO
    assert fit({"reason": {"present": False}}, {}) is YES
    assert put({"reason": {"present": False}}, {"reason": "x"}) == (NO, "reason is present")


def test_a_path_leads_through_objects() -> None:
    assert fit({"by.role": "manager"}, {"by": {"role": "manager"}}) is YES
    assert put({"by.role": "manager"}, {}) == (UNCLEAR, "by.role")
    assert put({"by.role": "manager"}, {"by": "manager"}) == (UNCLEAR, "by.role")


def test_what_is_missing_in_a_list_is_named_with_its_list() -> None:
    assert put({"goals": {"each": {"measure": True}}}, {"goals": [{}]}) == (UNCLEAR, "goals.measure")
    assert put({"goals": {"some": {"owner": "x"}}}, {"goals": [{}]}) == (UNCLEAR, "goals.owner")


# -------------------------------------------------------------------------------------------------------------------------- joiners
VALUES: dict[str, dict[str, Any]] = {"Y": {"v": "yes"}, "N": {"v": "no"}, "U": {}}
WORTH = {"N": 0, "U": 1, "Y": 2}


def part(letter: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A condition on the attribute ``name`` that is true, false or unclear, and the data that make it so."""
    return {name: "yes"}, {} if letter == "U" else {name: "yes" if letter == "Y" else "no"}


def letter(answer: Fit) -> str:
    return {YES: "Y", NO: "N", UNCLEAR: "U"}[answer]


@pytest.mark.parametrize("letters", list(itertools.product("YNU", repeat=3)))
def test_and_is_as_true_as_its_least_part_and_or_as_its_greatest(letters: tuple[str, ...]) -> None:
    parts = [part(one, f"a{index}") for index, one in enumerate(letters)]
    data = {key: value for _, values in parts for key, value in values.items()}
    least, greatest = min(letters, key=WORTH.__getitem__), max(letters, key=WORTH.__getitem__)
    assert letter(fit({"all": [where for where, _ in parts]}, data)) == least
    assert letter(fit({key: value for where, _ in parts for key, value in where.items()}, data)) == least
    assert letter(fit({"any": [where for where, _ in parts]}, data)) == greatest


@pytest.mark.parametrize(("inner", "outer"), [("Y", "N"), ("N", "Y"), ("U", "U")])
def test_not_turns_true_and_false_around(inner: str, outer: str) -> None:
    where, data = part(inner, "a")
    assert letter(fit({"not": where}, data)) == outer


def test_joiners_and_attributes_stand_together_as_and() -> None:
    where = {"a": "yes", "any": [{"b": "yes"}, {"c": "yes"}], "not": {"d": "yes"}}
    assert fit(where, {"a": "yes", "c": "yes", "d": "no"}) is YES
    assert fit(where, {"a": "yes", "b": "no", "c": "no", "d": "no"}) is NO
    assert fit(where, {"a": "yes", "c": "yes", "d": "yes"}) is NO
    assert fit(where, {"a": "yes", "c": "yes"}) is UNCLEAR


def test_the_first_missing_attribute_is_named_in_the_order_of_the_policy() -> None:
    assert put({"b": 1, "a": 1}, {}) == (UNCLEAR, "b")
    assert put({"b": 1, "a": 1}, {"b": 1}) == (UNCLEAR, "a")
    assert put({"any": [{"y": 1}, {"x": 1}]}, {}) == (UNCLEAR, "y")
    assert put({"all": [{"y": 1}], "x": 1}, {}) == (UNCLEAR, "x")  # attributes come before joiners


def test_what_is_false_says_why() -> None:
    assert put({"status": ["completed", "final"]}, {"status": "draft"}) == (NO, "status is draft, not completed or final")
    assert put({"ok": True}, {"ok": False}) == (NO, "ok is no, not yes")
    assert put({"seen": {"at_least": 1}}, {"seen": []}) == (NO, "seen is 0, below 1")
    assert put({"covers": {"has_all": ["a", "b", "c"]}}, {"covers": ["b"]}) == (NO, "covers lacks a and c")


# ------------------------------------------------------------------------------------------------------------------- what is no condition
@pytest.mark.parametrize(
    "where",
    [
        {"a": {}},
        {"a": {"equal": 1}},
        {"a": {"at_least": [1]}},
        {"a": {"present": "perhaps"}},
        {"all": []},
        {"any": []},
        {"any": [{"a": {"matches": ".*"}}]},
        {"a": {"each": {"b": {"eval": "1"}}}},
        {"a": {"in": "abc"}},
        {"a": None},
        {"a": {"at_least": {"last": "visit.held"}}},  # a look-up needs an attribute
        {"a": {"equals": {"state": "worker", "previous": {"attribute": "a"}}}},  # of one kind only
    ],
)
def test_a_word_that_the_language_does_not_have_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Where.model_validate(where)


# ------------------------------------------------------------------------------------------------------------------------------ roles
def roles(participants: list[dict[str, Any]], *wanted: str, lists: tuple[Event, ...] = ()) -> Answer:
    meeting = ev("e", "network_meeting.held", "03-10 09:00", participants=participants)
    return put({"participants": {"includes_role": list(wanted)}}, {}, meeting, *lists)


HOME = household("h", "03-01 09:00", "m1:parent", "c1:child", {"person": "x1"})


def test_a_role_that_is_stated_counts() -> None:
    assert roles(people("m1:parent"), "parent", "carer")[0] is YES
    assert roles(people("c1:child", "n1:network"), "parent") == (NO, "participants include no parent")
    assert roles([], "parent")[0] is NO


def test_without_a_stated_role_the_household_says_it() -> None:
    assert roles(people("m1"), "parent", lists=(HOME,))[0] is YES
    assert roles(people("c1"), "parent", lists=(HOME,))[0] is NO
    assert roles(people("m1:network"), "parent", lists=(HOME,))[0] is YES  # the household's role counts beside the stated one


@pytest.mark.parametrize("lists", [(), (HOME,)])
def test_a_role_that_nobody_states_is_missing_whether_or_not_there_is_a_household(lists: tuple[Event, ...]) -> None:
    assert roles(people("stranger"), "parent", lists=lists) == (UNCLEAR, "participants.role")
    assert roles([{}], "parent", lists=lists) == (UNCLEAR, "participants.role")
    assert roles(people("x1"), "parent", lists=(*lists, HOME)[:1]) == (UNCLEAR, "participants.role")  # listed, without a role
    assert roles(people("stranger", "m1:parent"), "parent", lists=lists)[0] is YES


def test_the_household_of_the_day_counts() -> None:
    later = household("h2", "03-11 09:00", "m1:other")
    assert roles(people("m1"), "parent", lists=(HOME, later))[0] is YES
    assert roles(people("m1"), "parent", lists=(HOME, household("h2", "03-10 17:00", "m1:other")))[0] is NO


def test_bare_ids_have_the_role_of_the_household_only() -> None:
    def agreed(*lists: Event) -> Answer:
        plan = ev("e", "sf_plan.recorded", "03-10 09:00", agreed_by=["m1"])
        return put({"agreed_by": {"includes_role": ["parent"]}}, {}, plan, *lists)

    assert agreed(HOME)[0] is YES
    assert agreed(household("h", "03-01 09:00", "m1:other"))[0] is NO
    assert agreed(household("h", "03-01 09:00", "c1:child"))[0] is NO
    assert agreed() == (UNCLEAR, "household")


# ------------------------------------------------------------------------------------------------------------------------- references
def differs(ref: dict[str, Any], *events: Event, **by: str) -> Answer:
    granted = ev("e", "approval.granted", "03-10 12:00", of="closure", by={"id": "m9", **by})
    return put({"by.id": {"differs_from": ref}}, {}, granted, *events)


LAST = {"last": "closure.requested", "attribute": "requested_by.id"}


def asked(name: str, when: str, who: str | None) -> Event:
    return ev(name, "closure.requested", when, requested_by=None if who is None else {"id": who})


def test_the_last_of_some_events_counts_up_to_the_event_itself() -> None:
    assert differs(LAST, asked("a", "03-09 09:00", "w1"))[0] is YES
    assert differs(LAST, asked("a", "03-09 09:00", "m9")) == (NO, "by.id is m9")
    assert differs(LAST, asked("a", "03-09 09:00", "m9"), asked("b", "03-10 11:00", "w1"))[0] is YES
    assert differs(LAST, asked("a", "03-09 09:00", "w1"), asked("b", "03-11 09:00", "m9"))[0] is YES  # comes later


@pytest.mark.parametrize(("word", "wanted"), [("true", YES), ("false", NO), ("unknown", UNCLEAR)])
def test_if_none_says_what_holds_where_there_is_nothing_to_compare_with(word: str, wanted: Fit) -> None:
    assert differs({**LAST, "if_none": word})[0] is wanted


def test_where_if_none_decides_it_decides_whatever_else_is_missing() -> None:
    """A risk of which the level is missing, with nothing before it, does not stay or rise."""
    ref = {"previous": {"attribute": "level"}, "if_none": "false"}
    assert put({"level": {"at_least": ref}}, {}, ev("e", "risk.assessed", "03-10 09:00"))[0] is NO
    before = ev("b", "risk.assessed", "03-09 09:00", level=1)
    assert put({"level": {"at_least": ref}}, {}, before, ev("e", "risk.assessed", "03-10 09:00")) == (UNCLEAR, "level")


def test_of_an_event_of_which_only_the_day_is_known_another_of_that_day_may_be_the_previous_one() -> None:
    ref = {"previous": {"attribute": "level"}, "if_none": "false"}
    day_only, other = ev("e", "risk.assessed", "03-10", level=2), ev("b", "risk.assessed", "03-10 09:00", level=1)
    assert put({"level": {"at_least": ref}}, {}, day_only, other) == (UNCLEAR, "day_without_moment")


def test_an_attribute_that_the_last_event_lacks_is_missing() -> None:
    assert differs(LAST, asked("a", "03-09 09:00", None)) == (UNCLEAR, "requested_by.id")
    assert differs(LAST, asked("a", "03-08 09:00", None), asked("b", "03-09 09:00", "w1"))[0] is YES


@pytest.mark.parametrize(
    ("day_only", "before", "wanted"),
    [
        ("w1", "w1", (YES, "")),  # whichever came last, it is somebody else
        ("m9", "w1", (UNCLEAR, "day_without_moment")),
        ("w1", "m9", (UNCLEAR, "day_without_moment")),
        ("m9", "m9", (NO, "by.id is m9")),
    ],
)
def test_several_possible_values_are_unclear_only_where_they_lead_to_different_answers(day_only: str, before: str, wanted: Answer) -> None:
    assert differs(LAST, asked("a", "03-09 09:00", before), asked("b", "03-10", day_only)) == wanted


def test_a_possible_value_and_none_at_all_may_lead_to_the_same() -> None:
    assert differs({**LAST, "if_none": "true"}, asked("b", "03-10", "w1"))[0] is YES
    assert differs({**LAST, "if_none": "true"}, asked("b", "03-10", "m9")) == (UNCLEAR, "day_without_moment")
    assert differs({**LAST, "if_none": "false"}, asked("b", "03-10", "m9"))[0] is NO


STATE = {"state": "worker"}


def opened(name: str, when: str, worker: str) -> Event:
    return ev(name, "case.opened", when, worker={"id": worker})


def test_a_state_is_what_was_said_last() -> None:
    assert differs(STATE, opened("o", "03-02 09:00", "w1"))[0] is YES
    assert differs(STATE, opened("o", "03-02 09:00", "m9")) == (NO, "by.id is m9")
    transfer = ev("t", "case.transferred", "03-05 09:00", worker={"id": "m9"})
    assert differs(STATE, opened("o", "03-02 09:00", "w1"), transfer)[0] is NO
    assert differs(STATE, opened("o", "03-02 09:00", "m9"), ev("t", "case.transferred", "03-05 09:00"))[0] is NO  # names no other one
    assert differs(STATE) == (UNCLEAR, "worker.id")


@pytest.mark.parametrize(("worker", "wanted"), [("w2", YES), ("m9", UNCLEAR)])
def test_a_change_of_state_on_the_day_may_or_may_not_have_come_before(worker: str, wanted: Fit) -> None:
    transfer = ev("t", "case.transferred", "03-10", worker={"id": worker})
    assert differs(STATE, opened("o", "03-02 09:00", "w1"), transfer)[0] is wanted


def risk(name: str, when: str, level: int | None, **data: Any) -> Event:
    return ev(name, "risk.assessed", when, **{"instrument": "ra", "level": level, **data})


PREVIOUS = {"previous": {"attribute": "level", "same": ["instrument"], "same_or_absent": ["person"]}, "if_none": "false"}


def rises(*events: Event) -> Answer:
    return put({"level": {"at_least": PREVIOUS}}, {}, *events)


def test_the_previous_event_is_the_last_alike() -> None:
    assert rises(risk("a", "03-08 09:00", 3), risk("b", "03-09 09:00", 1), risk("e", "03-10 09:00", 2))[0] is YES
    assert rises(risk("a", "03-08 09:00", 1), risk("b", "03-09 09:00", 3), risk("e", "03-10 09:00", 2)) == (NO, "level is 2, below 3")
    assert rises(risk("a", "03-09 09:00", 2), risk("e", "03-10 09:00", 2))[0] is YES  # that stays


def test_another_instrument_or_person_is_not_compared() -> None:
    assert rises(risk("a", "03-09 09:00", 3, instrument="rb"), risk("e", "03-10 09:00", 2))[0] is NO
    assert rises(risk("a", "03-08 09:00", 1), risk("b", "03-09 09:00", 3, person="c1"), risk("e", "03-10 09:00", 2))[0] is YES
    assert rises(risk("a", "03-08 09:00", 3), risk("b", "03-09 09:00", 1, person="c1"), risk("e", "03-10 09:00", 2, person="c1"))[0] is YES


def test_an_instrument_that_is_missing_leaves_it_open_only_if_it_matters() -> None:
    assert rises(risk("a", "03-09 09:00", 1, instrument=None), risk("e", "03-10 09:00", 2)) == (UNCLEAR, "instrument")
    assert rises(risk("a", "03-09 09:00", 3, instrument=None), risk("e", "03-10 09:00", 2))[0] is NO  # there is none, or it was higher


GREATEST = {"greatest": {"event": ["safety_plan.recorded", "safety_plan.updated"]}, "attribute": "version", "if_none": "true"}


def newest(version: int, *events: Event) -> Answer:
    minutes = ev("e", "minutes.recorded", "03-10 12:00", safety_plan={"version": version})
    return put({"safety_plan.version": {"at_least": GREATEST}}, {}, minutes, *events)


def plan(name: str, when: str, version: int | None) -> Event:
    return ev(name, "safety_plan.updated", when, version=version)


def test_the_greatest_is_the_greatest_and_not_the_last() -> None:
    assert newest(3, plan("a", "03-02 09:00", 3), plan("b", "03-03 09:00", 2))[0] is YES
    assert newest(2, plan("a", "03-02 09:00", 3), plan("b", "03-03 09:00", 2)) == (NO, "safety_plan.version is 2, below 3")
    assert newest(2, plan("a", "03-02 09:00", 2), plan("b", "03-11 09:00", 3))[0] is YES  # comes later
    assert newest(2)[0] is YES


def test_a_version_that_is_missing_may_be_greater() -> None:
    assert newest(2, plan("a", "03-02 09:00", 2), plan("b", "03-03 09:00", None)) == (UNCLEAR, "version")
    assert newest(2, plan("a", "03-02 09:00", 2), plan("b", "03-10", 3)) == (UNCLEAR, "day_without_moment")
    assert newest(2, plan("a", "03-02 09:00", 2), plan("b", "03-10", 1))[0] is YES
    assert newest(1, plan("a", "03-02 09:00", 2), plan("b", "03-10", 3))[0] is NO


def test_this_and_activation_and_item_are_looked_up() -> None:
    first = visit("e", "03-02 09:00", performer={"id": "w1", "role": "w1"})
    assert put({"performer.role": {"equals": "$this.performer.id"}}, {}, first)[0] is YES
    assert put({"performer.role": {"equals": "$this.mode"}}, {}, first)[0] is NO
    assert put({"performer.role": {"equals": "$this.nothing"}}, {}, first) == (UNCLEAR, "nothing")
    assert put({"seen": {"has": "$person"}}, {}, first) == (UNCLEAR, "person")
    assert put({"performer.id": {"equals": "$activation.performer.id"}}, {}, first)[0] is YES


def test_a_corrected_value_is_the_one_that_counts() -> None:
    request = asked("a", "03-09 09:00", "m9")
    assert differs(LAST, request, fix("k", "a", "03-12 09:00", requested_by__id="w1"))[0] is YES
