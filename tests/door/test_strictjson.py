"""Bytes that are no proper JSON, and batches of which only a part is good."""

import json
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import strictjson
from rules.envelope import Parsed, parse_batch, read_batch, read_event
from rules.errors import EventRefused
from rules.strictjson import MAX_DEPTH, MAX_EVENT, loads, loads_items
from tests.support.door import RECEIVED, families, visit


def faults(raw: bytes) -> dict[str, str]:
    with pytest.raises(EventRefused) as caught:
        loads(raw)
    return {problem.pointer: problem.code for problem in caught.value.problems}


def batch(raw: bytes) -> list[Parsed | EventRefused]:
    return read_batch(raw, families(), received=RECEIVED)


def where(results: list[Parsed | EventRefused]) -> dict[int, list[str]]:
    """Index -> pointers of each event that was refused."""
    return {i: [p.pointer for p in result.problems] for i, result in enumerate(results) if isinstance(result, EventRefused)}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"", {"": "malformed_json"}),
        (b"  \n", {"": "malformed_json"}),
        (b"\xef\xbb\xbf", {"": "malformed_json"}),
        (b"{", {"": "malformed_json"}),
        (b"{'a': 1}", {"": "malformed_json"}),
        (b'{"a": 1,}', {"": "malformed_json"}),
        (b'{"a": 1} {}', {"": "malformed_json"}),
        (b'{"a": "x\x00y"}', {"": "malformed_json"}),
        (b'{"a": "\xff"}', {"": "malformed_json"}),
        (b'{"a": "\xed\xa0\x80"}', {"": "malformed_json"}),
        (b'{"a": 1, "b": {"c": [1, {"d": 1, "d": 2}]}, "a": 2}', {"/a": "duplicate_key", "/b/c/1/d": "duplicate_key"}),
        (b'{"a/b": 1, "a/b": 1}', {"/a~1b": "duplicate_key"}),
        (b'{"a": NaN, "b": [Infinity, -Infinity]}', {"/a": "malformed_json", "/b/0": "malformed_json", "/b/1": "malformed_json"}),
        (b'{"a": ["\\ud800"]}', {"/a/0": "wrong_value"}),
        (b'{"a": "\\udc00\\ud800"}', {"/a": "wrong_value"}),
        (b'{"\\ud800": 1}', {"": "wrong_value"}),
        (b"[" * 100_000, {"": "too_deep"}),
        (b'{"a":' * 40 + b"1" + b"}" * 40, {"/a" * MAX_DEPTH: "too_deep"}),
        (b'{"a": "' + b"x" * MAX_EVENT + b'"}', {"": "too_large"}),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_text_that_is_no_proper_json_is_refused(raw: bytes, found: dict[str, str]) -> None:
    assert faults(raw) == found


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        (b'{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        (b"null", None),
    ],
)
def test_unusual_but_proper_json_passes(raw: bytes, value: object) -> None:
    assert loads(raw) == value


def test_the_place_of_a_syntax_error_is_told_and_nothing_is_repeated() -> None:
    with pytest.raises(EventRefused, match="line 2, column 7") as caught:
        loads(b'{"a": "Jane",\n "b": x Jane}')
    assert "Jane" not in str(caught.value)


def test_a_number_without_end_costs_nothing() -> None:
    big = loads(b'{"a": ' + b"9" * 1_000_000 + b', "b": 1e999, "c": -' + b"1" * 30 + b"}")
    assert 2**63 <= big["a"] < 2**128, "it stands for what is too great; its million digits were not worked out"
    assert big["c"] < -(2**63)


def test_a_batch_is_an_array() -> None:
    for raw in (b"{}", b'"x"', b"null", json.dumps(visit()).encode()):
        with pytest.raises(EventRefused, match="JSON array"):
            batch(raw)
    with pytest.raises(EventRefused):
        parse_batch({"0": visit()}, families(), received=RECEIVED)
    assert batch(b"[]") == []


def test_one_bad_event_never_takes_the_others_with_it() -> None:
    good = json.dumps(visit())
    bad = [
        good[:-1] + ', "id": "v2"}',
        good.replace('"case-1"', '"\\ud800"'),
        good.replace('"m1"', "NaN"),
        good.replace('"m1"', "[" * 40 + "]" * 40),
        good.replace('"m1"', '"' + "x" * 10_000_000 + '"'),
        "5",
        json.dumps(visit(time="2026-03-23T15:00:00")),
        json.dumps(visit(id=None)),
        json.dumps(visit(type="visit.hold")),
        json.dumps(visit(data={"seen": "m1"})),
        json.dumps(visit(id="x" * 10_000)),
        good.replace('"m1"', "9" * 5000),
    ]
    results = batch(("[" + ",".join(f"{good},{one}" for one in bad) + "]").encode())
    assert len(results) == 2 * len(bad)
    assert all(isinstance(result, Parsed) for result in results[::2])
    assert where(results) == {
        1: ["/1/id"],
        3: ["/3/subject"],
        5: ["/5/data/seen/0"],
        7: ["/7/data/seen/0" + "/0" * 29],
        9: ["/9"],
        11: ["/11"],
        13: ["/13/time"],
        15: ["/15/id"],
        17: ["/17/type"],
        19: ["/19/data/seen"],
        21: ["/21/id"],
        23: ["/23/data/seen/0"],
    }


def test_an_event_of_ten_megabytes_is_refused_alone_and_in_a_batch() -> None:
    big = json.dumps(visit(data={"notes": "x" * 10_000_000})).encode()
    with pytest.raises(EventRefused) as caught:
        read_event(big, families(), received=RECEIVED)
    assert [problem.code for problem in caught.value.problems] == ["too_large"]
    results = batch(b"[" + big + b"," + json.dumps(visit()).encode() + b"]")
    assert where(results) == {0: ["/0"]}


def test_an_event_of_very_many_small_parts_is_refused_in_a_batch() -> None:
    assert where(batch(json.dumps([visit(data={"notes": [0] * 1_100_000})]).encode())) == {0: ["/0"]}


def test_a_batch_has_a_limit_of_its_own() -> None:
    with pytest.raises(EventRefused, match="larger than 10 bytes"):
        loads_items(b"[1,2,3,4,5,6]", max_bytes=10)


@pytest.mark.slow
def test_a_hundred_thousand_events_are_read_good_or_bad() -> None:
    events = [visit(id=f"v{n}") for n in range(100_000)]
    results = batch(json.dumps(events).encode())
    assert not where(results)
    assert len({result.event.id for result in results if isinstance(result, Parsed) and result.event}) == 100_000
    results = parse_batch([visit(type=f"visit.hold{n}") for n in range(20_000)], families(), received=RECEIVED)
    assert len(where(results)) == 20_000


def closely(raw: bytes, **limits: int) -> object:
    """What comes of reading without the quick way."""
    with patch.object(strictjson, "_plain", lambda _, **__: None):
        return either(raw, **limits)


def either(raw: bytes, **limits: int) -> object:
    """The data, or what is wrong; and the same of the items, where it is an array."""

    def told(refused: EventRefused) -> object:
        return [(problem.pointer, problem.code, problem.message) for problem in refused.problems]

    try:
        one: object = repr(loads(raw, **limits))
    except EventRefused as refused:
        one = told(refused)
    try:
        return one, [told(item) if isinstance(item, EventRefused) else repr(item) for item in loads_items(raw)]
    except EventRefused as refused:
        return one, told(refused)


TRICKY = [
    '{"a": 1, "a": 2}',
    '{"a" : 1, "b": 2, "b": 3}',
    '{"a"\t:1,"b":1,"b":2}',
    '{"a"\n:1,"b":1,"b":2}',
    '{"a"\r\n :1,"b":1,"b":2}',
    '{"a": "x\\":y", "a": 1}',
    '{"a": "\\":", "b" : 1}',
    '{"a": ["\\":"]}',
    '{"a\\u0062": 1, "ab": 2}',
    '{"a": 123456789012345678901234567890}',
    '{"a": -9223372036854775809, "b": 18446744073709551616}',
    '{"a": 1e400, "b": -1e400}',
    '{"a": 0.1, "b": 1E5, "c": -0, "d": -0.0}',
    "[1.5, 2]",
    '{"a": NaN}',
    '{"a": "\\ud800"}',
    '{"\\udc00": 1}',
    '{"a": "\\ud83d\\ude00"}',
    "\ufeff{}",
    '{"a": 1,}',
    '{"a": "\x01"}',
    '{"a": "\x7f\\u0000"}',
    "[" * 32 + "]" * 32,
    "[" * 33 + "]" * 33,
    '{"a":' * 32 + "1" + "}" * 32,
    '{"a":' * 33 + "1" + "}" * 33,
    "[" * 2_000 + "]" * 2_000,
    '"text"',
    "1",
    " \n{} \n",
    "",
]


@pytest.mark.parametrize("text", TRICKY)
def test_the_quick_way_reads_what_the_close_look_reads(text: str) -> None:
    assert either(text.encode()) == closely(text.encode())
    inside = f"[{text}, {text}]".encode()
    assert either(inside) == closely(inside)


_KEYS = st.sampled_from(["a", "b", '":', "c :", "\u00e9", ""])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(['":', " :", "\t:", "\\", "x"]) | st.text(max_size=5)
_TREES = st.recursive(
    _LEAVES, lambda part: st.lists(part, max_size=3) | st.lists(st.tuples(_KEYS, part), max_size=3).map(tuple), max_leaves=8
)
_GAPS = st.sampled_from(["", " ", "\n", "\t", "\r"])


@given(_TREES, _GAPS, _GAPS, st.binary(max_size=2), st.integers(0, 200))
def test_the_quick_way_reads_any_text_as_the_close_look_does(tree: object, before: str, after: str, noise: bytes, at: int) -> None:
    def written(part: object) -> str:
        if isinstance(part, tuple):  # an object, in which a name may stand twice
            return "{" + ",".join(f"{json.dumps(name)}{before}:{after}{written(inner)}" for name, inner in part) + "}"
        if isinstance(part, list):
            return "[" + ",".join(map(written, part)) + "]"
        return json.dumps(part)

    raw = written(tree).encode()
    assert either(raw) == closely(raw)
    spoilt = raw[:at] + noise + raw[at:]
    assert either(spoilt) == closely(spoilt)
    assert either(raw, max_size=10) == closely(raw, max_size=10)
