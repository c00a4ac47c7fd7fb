"""The catalogue: what it keeps of an event's data, what it refuses, and how it tells what is wrong with itself."""

from typing import Any

import pytest

from rules.attributes import MAX_DROPPED, MAX_ITEMS, Sink
from rules.catalogue import Catalogue
from rules.errors import EventRefused, PolicyError
from tests.support.door import families, permits

SMALL = """
catalogue: small
version: "1"
common:
  performer: {id: id, role: code}
types:
  thing.done:
    about: A thing was done.
    data:
      {who: person, count: int, good: flag, day: date, at: time, codes: [code], parts: [{name: id, size: int}], free: object, case: case}
"""


def small(text: str = SMALL) -> Catalogue:
    return Catalogue.parse(text, name="small.yaml")


def clean(data: dict[str, Any]) -> dict[str, Any]:
    kept, dropped = small().validate("thing.done", data)
    assert dropped == []
    return kept


def problems(data: Any) -> dict[str, str]:
    with pytest.raises(EventRefused) as caught:
        small().validate("thing.done", data)
    return {problem.pointer: problem.code for problem in caught.value.problems}


def faults(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyError) as caught:
        small(text)
    return [(fault.line, fault.col, fault.code) for fault in caught.value.faults]


def test_every_kind_of_attribute_is_kept_as_it_is() -> None:
    data = {
        "who": "p1", "count": -3, "good": False, "day": "2026-02-28", "at": "2026-02-28T10:00:00Z", "codes": ["a", "b"],
        "parts": [{"name": "x", "size": 2**63 - 1}], "free": {"a": [1, 2.5, None, {"b": True}]}, "performer": {"id": "w", "role": "r"},
        "occurred_on": "2026-02-28",
    }  # fmt: skip
    assert clean(data) == data


def test_numbers_given_as_identifiers_become_text_but_not_as_codes() -> None:
    assert clean({"who": 17, "case": 4, "performer": {"id": 0}}) == {"who": "17", "case": "4", "performer": {"id": "0"}}
    assert problems({"codes": [17], "performer": {"role": 3}}) == {"/data/codes/0": "wrong_type", "/data/performer/role": "wrong_type"}


def test_null_is_absent() -> None:
    assert clean({"who": None, "performer": {"id": None}, "nothing": None}) == {"performer": {}}


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"who": True}, "/data/who"),
        ({"who": 1.5}, "/data/who"),
        ({"who": ["p"]}, "/data/who"),
        ({"who": 2**63}, "/data/who"),
        ({"count": True}, "/data/count"),
        ({"count": "3"}, "/data/count"),
        ({"count": 3.0}, "/data/count"),
        ({"count": 2**63}, "/data/count"),
        ({"count": -(2**63) - 1}, "/data/count"),
        ({"good": 1}, "/data/good"),
        ({"good": "true"}, "/data/good"),
        ({"day": 20260228}, "/data/day"),
        ({"day": "2026-02-29"}, "/data/day"),
        ({"day": "20260228"}, "/data/day"),
        ({"day": "2026-W09-6"}, "/data/day"),
        ({"day": "2026-2-28"}, "/data/day"),
        ({"day": "0001-01-01"}, "/data/day"),
        ({"day": "\uff12\uff10\uff12\uff16-02-28"}, "/data/day"),
        ({"at": "2026-02-28T10:00:00"}, "/data/at"),
        ({"at": 5}, "/data/at"),
        ({"codes": "a"}, "/data/codes"),
        ({"codes": ["a", None]}, "/data/codes/1"),
        ({"codes": ["a", ""]}, "/data/codes/1"),
        ({"codes": {}}, "/data/codes"),
        ({"codes": ["x"] * (MAX_ITEMS + 1)}, "/data/codes"),
        ({"parts": [{"name": "a"}, {"size": "big"}]}, "/data/parts/1/size"),
        ({"parts": [["name"]]}, "/data/parts/0"),
        ({"free": []}, "/data/free"),
        ({"free": {"a": 10**30}}, "/data/free/a"),
        ({"free": {"a": float("inf")}}, "/data/free/a"),
        ({"free": {"a": ["x\x00"]}}, "/data/free/a/0"),
        ({"free": {"a\x01": 1}}, "/data/free"),
        ({"free": {"a": list(range(MAX_ITEMS))}}, "/data/free"),
        ({"performer": "w1"}, "/data/performer"),
        ({"occurred_on": "9999-12-31"}, "/data/occurred_on"),
        ({"occurred_on": 5}, "/data/occurred_on"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(data: dict[str, Any], pointer: str) -> None:
    assert list(problems(data)) == [pointer]


def test_a_day_ahead_may_be_far_away() -> None:
    assert clean({"day": "9999-12-31"}) == {"day": "9999-12-31"}


def test_an_open_object_has_a_limit_on_its_depth() -> None:
    deep: dict[str, Any] = {}
    for _ in range(12):
        deep = {"a": deep}
    assert problems({"free": deep}) == {"/data/free": "too_large"}


def test_what_the_catalogue_does_not_know_is_dropped_by_path_and_never_by_value() -> None:
    kept, dropped = small().validate(
        "thing.done",
        {
            "who": "p",
            "notes": "Jane said",
            "performer": {"id": "w", "name": "Jane"},
            "parts": [{"name": "a"}, {"colour": "red"}],
            "x" * 200: 1,
            "a\nb": 2,
        },
    )
    assert kept == {"who": "p", "performer": {"id": "w"}, "parts": [{"name": "a"}, {}]}
    assert dropped == ["notes", "performer.name", "parts.1.colour", "x" * 63 + "…", "a?b"]
    assert "Jane" not in repr(dropped)


def test_very_many_dropped_attributes_are_only_counted() -> None:
    sink = Sink("/data")
    small().clean("thing.done", {f"a{n}": 1 for n in range(5000)}, sink)
    assert (len(sink.dropped), sink.more_dropped) == (MAX_DROPPED, 5000 - MAX_DROPPED)


def test_very_many_problems_are_not_all_told() -> None:
    assert len(problems({"codes": [1] * 500})) == 50


def test_pointers_are_escaped() -> None:
    with pytest.raises(EventRefused) as caught:
        small().validate("thing.done", {"free": {"a/b": {"c~d": float("nan")}}}, "/3/data")
    assert caught.value.problems[0].pointer == "/3/data/free/a~1b/c~0d"


def test_paths_can_be_asked_for() -> None:
    catalogue = small()
    assert catalogue.type_of("thing.done", "parts.name") == "id"
    assert catalogue.type_of("thing.done", "parts.3.name") == "id"
    assert catalogue.type_of("thing.done", "parts.3") == "object"
    assert catalogue.type_of("thing.done", "codes") == "list of code"
    assert catalogue.type_of("thing.done", "parts") == "list of object"
    assert catalogue.type_of("thing.done", "performer") == "object"
    assert catalogue.has_path("thing.done", "performer.role")
    assert catalogue.has_path("event.voided", "target")
    for type_name, path in [
        ("thing.done", "performer.name"),
        ("thing.done", "who.x"),
        ("nothing", "who"),
        ("thing.done", ""),
        ("thing.done", "codes.x"),
    ]:
        assert not catalogue.has_path(type_name, path)
    assert "parts.size" in catalogue.paths("thing.done")
    assert all(catalogue.has_path("thing.done", path) for path in catalogue.paths("thing.done"))


def test_the_shipped_catalogues_load_and_describe_every_type() -> None:
    for catalogue in (families(), permits()):
        assert all(one.about for one in catalogue.types.values())
        assert {"event.voided", "event.corrected", "source.heartbeat"} < catalogue.types.keys()
        for one in catalogue.types.values():
            assert all(one.attribute(path) is not None for path in one.values)
    assert len(families().types) == 47


def test_the_course_of_the_shipped_catalogue_names_only_what_it_has() -> None:
    catalogue = families()
    course = catalogue.course
    assert catalogue.has_path(course["closes"]["event"], course["closes"]["reason"])
    assert catalogue.has_path(course["reopens"]["event"], course["reopens"]["error_flag"])
    assert catalogue.has_path(course["merges"]["event"], course["merges"]["into"])
    assert set(course["closing_papers"]) <= catalogue.types.keys()
    assert catalogue.has_path(course["team"]["moves"]["event"], course["team"]["moves"]["attribute"])
    pauses = course["pauses"]
    assert catalogue.has_path(pauses["event"], pauses["approved_by"])
    assert catalogue.has_path(pauses["approval"]["event"], pauses["approval"]["attribute"])
    assert catalogue.has_path(pauses["revocation"]["event"], pauses["revocation"]["names"])
    roster = catalogue.roster
    for part in ("person", "role", "from", "to"):
        assert catalogue.has_path(roster["event"], f"{roster['list']}.{roster[part]}")
    for entry in (*catalogue.state["worker"], *({"event": e["event"], "attribute": e["list"]} for e in catalogue.links["child"])):
        assert catalogue.has_path(entry["event"], entry["attribute"])


def test_the_digest_changes_with_meaning_and_not_with_words() -> None:
    digest = small().digest
    assert len(digest) == 64
    assert small(SMALL.replace("A thing was done.", "Something was done.")).digest == digest
    assert small(SMALL.replace("count: int", "count: code")).digest != digest
    assert small(SMALL.replace('"1"', '"2"')).digest != digest
    assert small(SMALL + "state: {worker: []}\n").digest != digest


def test_faults_of_a_catalogue_come_all_at_once_with_their_places() -> None:
    text = """\
catalogue: small
version: 3
typos: {}
common: {data: id}
types:
  Thing Done: {}
  event.voided: {}
  thing.done:
    data: {who: persn, count: [int, int], Name: id, performer: {}, occurred_on: date}
    values: {whom: [a], who: a}
    abuot: x
"""
    assert faults(text) == [
        (2, 10, "wrong-type"),
        (3, 1, "unknown-key"),
        (4, 10, "reserved"),
        (6, 3, "bad-name"),
        (7, 3, "built-in"),
        (9, 17, "unknown-kind"),
        (9, 24, "unknown-kind"),
        (9, 43, "bad-name"),
        (9, 53, "unknown-kind"),
        (9, 68, "reserved"),
        (10, 14, "unknown-attribute"),
        (10, 30, "wrong-type"),
        (11, 5, "unknown-key"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "wrong-type"),
        ("", "missing"),
        ("catalogue: a\nversion: b\ntypes: {}", "empty"),
        ("catalogue: a\nversion: b", "missing"),
        ("catalogue: a\nversion: b\ntypes: {a: {}, a: {}}", "duplicate-key"),
        ("catalogue: a\nversion: b\ntypes: {a: {about: [x]}}", "wrong-type"),
        ("catalogue: a\nversion: b\ncommon: {x: id}\ntypes: {a: {data: {x: id}}}", "declared-twice"),
        ("catalogue: a\nversion: b\ntypes: {a: {}}\ncourse: []", "wrong-type"),
    ],
)
def test_a_catalogue_that_cannot_be_used_says_why(text: str, code: str) -> None:
    assert code in [found for _, _, found in faults(text)]


def test_a_misspelt_key_gets_a_hint() -> None:
    with pytest.raises(PolicyError, match="did you mean course"):
        small(SMALL + "cuorse: {}\n")
