"""The binary mode of the CloudEvents HTTP binding."""

import json

import pytest

from rules.envelope import from_http_binary, parse_event
from rules.errors import EventRefused
from tests.support.door import RECEIVED, families, parsed, visit

HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Host": "example.org",
    "CE-SpecVersion": "1.0",
    "ce-id": "v1",
    "ce-source": "urn:example:casework",
    "ce-type": "visit.held",
    "ce-subject": "case-1",
    "ce-time": "2026-03-23T15:00:00+10:30",
    "ce-recordedtime": "2026-03-23T16:00:00+10:30",
}
BODY = json.dumps(visit()["data"]).encode()


def faults(headers: object, body: bytes = BODY) -> dict[str, str]:
    with pytest.raises(EventRefused) as caught:
        parse_event(from_http_binary(headers, body), families(), received=RECEIVED)  # type: ignore[arg-type]
    return {problem.pointer: problem.code for problem in caught.value.problems}


def test_headers_and_body_make_the_same_event() -> None:
    assert parse_event(from_http_binary(HEADERS, BODY), families(), received=RECEIVED) == parsed(visit())
    assert parse_event(from_http_binary(list(HEADERS.items()), BODY), families(), received=RECEIVED) == parsed(visit())


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("case%201", "case 1"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("100%2525", "100%25"),
        ('"case%201"', "case 1"),
        (r'"a\"b\\c"', r"a\"b\\c".replace('\\"', '"').replace("\\\\", "\\")),
        ('"', '"'),
        ("  case-1\t", "case-1"),
    ],
)
def test_headers_are_decoded_once(header: str, value: str) -> None:
    assert from_http_binary({**HEADERS, "ce-subject": header}, BODY)["subject"] == value


@pytest.mark.parametrize("value", ["100%", "%zz", "%E2%82", "ä", "%ED%A0%80"])
def test_headers_that_cannot_be_decoded_are_refused(value: str) -> None:
    assert faults({**HEADERS, "ce-subject": value}) == {"/subject": "wrong_value"}


def test_an_attribute_is_sent_once() -> None:
    assert faults([*HEADERS.items(), ("Ce-Id", "v2")]) == {"/id": "duplicate_key"}


@pytest.mark.parametrize("name", ["ce-data", "ce-data_base64", "ce-datacontenttype"])
def test_data_is_no_header(name: str) -> None:
    assert len(faults({**HEADERS, name: "{}"})) == 1


def test_pointers_into_the_body_begin_with_data() -> None:
    assert faults(HEADERS, b'{"seen": [1.5], "status": true}') == {"/data/seen/0": "wrong_type", "/data/status": "wrong_type"}
    assert faults(HEADERS, b'{"a": 1, "a": 2}') == {"/data/a": "duplicate_key"}
    assert faults(HEADERS, b"{") == {"/data": "malformed_json"}
    assert faults(HEADERS, b"[]") == {"/data": "wrong_type"}
    assert faults(HEADERS, b'{"a": "' + b"x" * 2_000_000 + b'"}') == {"/data": "too_large"}


def test_a_body_of_another_kind_is_refused() -> None:
    assert faults({**HEADERS, "Content-Type": "text/plain"}) == {"/datacontenttype": "wrong_value"}
    assert faults({name: value for name, value in HEADERS.items() if name != "Content-Type"}) == {"/datacontenttype": "wrong_value"}


def test_no_body_is_no_data() -> None:
    headers = {**HEADERS, "ce-type": "new_information.recorded"}
    del headers["Content-Type"]
    assert "data" not in from_http_binary(headers, b"")
    assert parse_event(from_http_binary(headers, b""), families(), received=RECEIVED).event is not None


def test_what_is_missing_is_told_as_in_a_structured_event() -> None:
    assert faults({"Content-Type": "application/json"}, b"{}") == dict.fromkeys(
        ["/specversion", "/id", "/source", "/type", "/subject", "/time"], "missing"
    )
