"""Whatever comes in, the door answers: an event, or EventRefused with the place of every fault."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.attributes import Attribute
from rules.envelope import Parsed, as_cloudevent, from_http_binary, parse_batch, parse_event, read_batch, read_event
from rules.errors import EventRefused
from tests.support.door import RECEIVED, families, visit

T = TypeVar("T")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["specversion", "id", "source", "type", "subject", "time", "recordedtime", "datacontenttype", "data", "data_base64"]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=20).filter(
    lambda s: s.strip() != ""
)
CATALOGUE = families()
ORDINARY = sorted(CATALOGUE.types.keys() - {"event.corrected", "event.voided", "source.heartbeat"})


def resolve(document: Any, pointer: str) -> bool:
    """Whether a pointer leads somewhere, or to an attribute that is missing from something."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for index, step in enumerate(steps):
        if isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return isinstance(document, dict) and index == len(steps) - 1
    return True


def attempt(call: Callable[[], T]) -> T | EventRefused:
    """What a call gives, or the refusal that it raises; every other exception fails the test."""
    try:
        return call()
    except EventRefused as refused:
        return refused


def answer(obj: Any) -> Parsed | None:
    result = attempt(lambda: parse_event(obj, CATALOGUE, received=RECEIVED))
    if isinstance(result, EventRefused):
        assert result.problems
        assert all(resolve(obj, problem.pointer) for problem in result.problems), [p.pointer for p in result.problems]
        return None
    return result


@given(JSON)
def test_any_json(obj: Any) -> None:
    assert answer(obj) is None


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4), st.sampled_from(sorted(CATALOGUE.types)))
def test_a_good_event_with_parts_that_are_anything(changes: dict[str, Any], kind: str) -> None:
    answer({**visit(type=kind), **changes})


@given(st.sampled_from(sorted(CATALOGUE.types)), st.data())
def test_known_attributes_with_any_value(kind: str, data: st.DataObject) -> None:
    names = sorted(CATALOGUE.types[kind].attributes)
    values = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4))
    parsed = answer(visit(type=kind, data=values, subject="-" if kind == "source.heartbeat" else "case-1"))
    if parsed is not None and parsed.event is not None:
        again, dropped = CATALOGUE.validate(kind, parsed.event.data)
        assert (again, dropped) == (parsed.event.data, [])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(raw: bytes) -> None:
    one = attempt(lambda: read_event(raw, CATALOGUE, received=RECEIVED))
    assert isinstance(one, Parsed) or one.problems
    many = attempt(lambda: read_batch(raw, CATALOGUE, received=RECEIVED))
    assert isinstance(many, list) or many.problems


@given(st.lists(JSON | st.builds(visit), max_size=5))
def test_a_batch_answers_for_each_of_its_events(items: list[Any]) -> None:
    results = parse_batch(items, CATALOGUE, received=RECEIVED)
    assert len(results) == len(items)
    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        if isinstance(result, EventRefused):
            assert all(problem.pointer.startswith(f"/{index}") for problem in result.problems)
            assert all(resolve(item, problem.pointer.removeprefix(f"/{index}")) for problem in result.problems)
        else:
            assert item == visit()


@given(
    st.dictionaries(st.text(max_size=12) | st.sampled_from([f"ce-{name}" for name in NAMES]), st.text(max_size=20), max_size=6),
    st.binary(max_size=40),
)
def test_any_headers_and_body(headers: dict[str, str], body: bytes) -> None:
    result = attempt(lambda: parse_event(from_http_binary(headers, body), CATALOGUE, received=RECEIVED))
    assert isinstance(result, Parsed) or result.problems


def values(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Good values of an attribute."""
    if attribute.item is not None:
        return st.lists(values(attribute.item), max_size=3)
    if attribute.kind == "fields":
        return st.fixed_dictionaries({}, optional={name: values(part) for name, part in attribute.parts.items()})
    simple: dict[str, st.SearchStrategy[Any]] = {
        "flag": st.booleans(),
        "int": st.integers(-(2**63), 2**63 - 1),
        "date": st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2199, 12, 31)).map(str),
        "time": st.just("2026-03-23T15:00:00Z"),
    }
    return simple.get(attribute.kind, TEXT)


@given(st.sampled_from(ORDINARY), st.data())
def test_good_data_goes_through_unchanged_and_comes_back_the_same(kind: str, data: st.DataObject) -> None:
    attributes = CATALOGUE.types[kind].attributes
    given_data = data.draw(st.fixed_dictionaries({}, optional={name: values(part) for name, part in attributes.items()}))
    parsed = answer(visit(type=kind, data=given_data))
    assert parsed is not None
    assert parsed.event is not None
    assert parsed.event.data == given_data
    assert not parsed.dropped
    written = json.dumps(as_cloudevent(parsed.event)).encode()
    assert read_event(written, CATALOGUE, received=0) == parsed


@given(st.sampled_from(ORDINARY), st.dictionaries(st.text(max_size=12), JSON, max_size=3), st.data())
def test_a_correction_fits_or_is_refused(kind: str, odd: dict[str, Any], data: st.DataObject) -> None:
    paths = CATALOGUE.paths(kind)
    changes = odd | data.draw(st.dictionaries(st.sampled_from([*paths, *(f"{path}.0" for path in paths), "time"]), JSON | TEXT, max_size=3))
    result = attempt(lambda: CATALOGUE.apply_set(kind, {"occurred_on": "2026-03-02"}, changes))
    if isinstance(result, EventRefused):
        assert result.problems
    else:
        assert CATALOGUE.validate(kind, result) == (result, [])
