"""Events in over HTTP: the three modes, what each event is answered, and every kind of bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Api, event

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def one(api: Api, made: Any, **kwargs: Any) -> Any:
    """The answer to one event, structured."""
    return api.call("POST", "/v1/events", json=made, content_type=STRUCTURED, **kwargs)


def test_one_event_in_structured_mode(api: Api) -> None:
    made = event(data={"program": "cfss", "team": "north", "shoe_size": 44})
    answer = one(api, made)
    assert answer.status_code == 202
    assert answer.json == {
        "results": [
            {
                "index": 0,
                "source": made["source"],
                "id": made["id"],
                "status": "accepted",
                "problems": [],
                "dropped": ["shoe_size"],
            }
        ],
        "counts": {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 0},
    }
    assert one(api, made).json["results"][0]["status"] == "duplicate"
    stored = api.get("/v1/cases/case-1/events")["items"]
    assert [(e["id"], e["data"]) for e in stored] == [(made["id"], {"program": "cfss", "team": "north"})]


def test_a_conflict_is_refused_and_the_first_content_kept(api: Api) -> None:
    made = event(data={"program": "cfss"})
    one(api, made)
    answer = one(api, made | {"data": {"program": "other"}})
    assert (answer.status_code, answer.json["code"], answer.json["errors"][0]["pointer"]) == (409, "conflict", "/id")
    assert api.get("/v1/cases/case-1/events")["items"][0]["data"] == {"program": "cfss"}
    conflicts = api.get("/v1/conflicts")["items"]
    assert [(c["id"], c["case"]) for c in conflicts] == [(made["id"], "case-1")]


def test_a_batch_gives_each_event_its_own_result_and_takes_the_good_ones(api: Api) -> None:
    first, second = event(case="a"), event(case="b")
    sent: list[Any] = [first, event(time=None), second, first, first | {"subject": "c"}, "no event", event(case="d")]
    answer = api.batch(sent)
    assert [r["status"] for r in answer["results"]] == ["accepted", "rejected", "accepted", "duplicate", "conflict", "rejected", "accepted"]
    assert [r["index"] for r in answer["results"]] == list(range(7))
    assert answer["results"][1]["problems"] == [{"pointer": "/1/time", "code": "missing", "message": "is missing"}]
    assert answer["results"][1]["id"] == sent[1]["id"]
    assert answer["results"][4]["problems"][0]["pointer"] == "/4/id"
    assert answer["results"][5]["problems"][0]["pointer"] == "/5"
    assert answer["counts"] == {"accepted": 3, "duplicate": 1, "conflict": 1, "rejected": 2}
    for case, many in (("a", 1), ("b", 1), ("d", 1)):
        assert api.get(f"/v1/cases/{case}")["events"] == many


def test_a_batch_of_one_has_pointers_of_a_batch_and_an_empty_one_is_fine(light: Api) -> None:
    assert light.batch([event(type=None)])["results"][0]["problems"][0]["pointer"] == "/0/type"
    assert light.batch([])["results"] == []


def test_binary_mode(api: Api) -> None:
    made = event()
    names = {"ce-" + name: str(made[name]) for name in ("specversion", "id", "source", "type", "time")}
    headers = names | {"ce-subject": "Fall%20%C3%A4%2F7"}
    answer = api.call("POST", "/v1/events", json={"program": "cfss"}, headers=headers)
    assert answer.status_code == 202, answer.json
    assert api.get("/v1/cases/Fall%20%C3%A4%2F7/events")["items"][0]["data"] == {"program": "cfss"}
    without = {name: value for name, value in headers.items() if name != "ce-time"}
    refused: Any = api.call("POST", "/v1/events", json={}, headers=without | {"ce-id": "other"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/time")


def test_a_heartbeat_is_taken_in(light: Api) -> None:
    made = event("source.heartbeat", case="-", data={"complete_until": "2026-05-01T00:00:00Z"})
    assert one(light, made).json["results"][0]["status"] == "accepted"
    assert light.get("/v1/sources")["items"][0]["complete_until"] == "2026-05-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "text/plain", "ce-id": "1"}, b"{}"),
        ({"Content-Type": "application/cloudevents+avro"}, b"{}"),
        ({"Content-Type": STRUCTURED + "; charset=latin-1"}, b"{}"),
        ({"Content-Type": STRUCTURED, "Content-Encoding": "gzip"}, b"{}"),
        ({}, b"{}"),
    ],
)
def test_other_media_types_are_refused_with_the_ones_that_are_taken(light: Api, headers: dict[str, str], body: bytes) -> None:
    answer = light.call("POST", "/v1/events", headers=headers, data=body)
    assert answer.status_code == 415
    assert answer.json is not None
    assert answer.json["code"] == "unsupported_media_type"


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("no id", {"id": None}, "/id", "missing"),
    ("no source", {"source": None}, "/source", "missing"),
    ("no type", {"type": None}, "/type", "missing"),
    ("no case", {"subject": None}, "/subject", "missing"),
    ("no time", {"time": None}, "/time", "missing"),
    ("no version", {"specversion": None}, "/specversion", "missing"),
    ("unknown type", {"type": "visit.hold"}, "/type", "unknown_type"),
    ("wrong type of an attribute", {"data": {"program": {"a": 1}}}, "/data/program", "wrong_type"),
    ("wrong type of the envelope", {"id": 7}, "/id", "wrong_type"),
    ("data is no object", {"data": [1]}, "/data", "wrong_type"),
    ("time without zone", {"time": "2026-03-01T10:00:00"}, "/time", "wrong_value"),
    ("only a day", {"time": "2026-03-01"}, "/time", "wrong_value"),
    ("year 0001", {"time": "0001-01-01T00:00:00Z"}, "/time", "wrong_value"),
    ("year 9999", {"time": "9999-12-31T23:59:59Z"}, "/time", "wrong_value"),
    ("NUL in the id", {"id": "a\x00b"}, "/id", "wrong_value"),
    ("NUL in the data", {"data": {"program": "a\x00"}}, "/data/program", "wrong_value"),
    ("half a surrogate", {"subject": "a\ud800"}, "/subject", "wrong_value"),
    ("id of 10,000 characters", {"id": "x" * 10_000}, "/id", "wrong_value"),
    ("case of 10,000 characters", {"subject": "x" * 10_000}, "/subject", "wrong_value"),
]


@pytest.mark.parametrize(("change", "pointer", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_told_by_pointer_and_the_rest_is_taken(light: Api, change: dict[str, Any], pointer: str, code: str) -> None:
    bad = event(case="bad", **change)
    answer = one(light, bad)
    assert answer.status_code == 422, answer.json
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in answer.json["errors"]]
    told = light.batch([event(case="good"), bad, event(case="good")])
    assert [r["status"] for r in told["results"]] == ["accepted", "rejected", "accepted"]
    assert ("/1" + pointer, code) in [(p["pointer"], p["code"]) for p in told["results"][1]["problems"]]
    assert light.get("/v1/cases/good")["events"] == 2
    assert light.call("GET", "/v1/cases/bad").status_code == 404


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", "empty"),
        (b'{"id": ', "line 1"),
        (b'{\n "id": 1,\n oops}', "line 3, column"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"id": "a\x00b"}', "line 1"),
    ],
)
@pytest.mark.parametrize("media", [STRUCTURED, BATCH])
def test_malformed_json_says_where(light: Api, raw: bytes, where: str, media: str) -> None:
    answer = light.call("POST", "/v1/events", data=raw, content_type=media)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["code"] == "malformed_json"
    assert where in answer.json["detail"]


def test_a_doubled_key_and_nan_refuse_one_event_of_a_batch(light: Api) -> None:
    good = json.dumps(event(case="good"))
    raw = f'[{good}, {{"id": "1", "id": "2"}}, {{"data": NaN}}, {good.replace("good", "fine").replace(chr(34) + "e", chr(34) + "f")}]'
    answer = light.call("POST", "/v1/events", data=raw.encode(), content_type=BATCH)
    assert answer.status_code == 202
    assert answer.json is not None
    assert [r["status"] for r in answer.json["results"]] == ["accepted", "rejected", "rejected", "accepted"]


def test_an_event_of_ten_megabytes_is_refused_and_its_neighbours_are_taken(light: Api) -> None:
    big = event(case="big", data={"program": "x" * 10_000_000})
    answer = one(light, big)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert "262144 bytes" in answer.json["detail"]
    told = light.batch([event(case="good"), big, event(case="good")])
    assert [r["status"] for r in told["results"]] == ["accepted", "rejected", "accepted"]
    assert told["results"][1]["problems"][0]["code"] == "too_large"
    smaller = event(case="big", data={"program": "x" * 300_000})
    assert light.batch([smaller])["results"][0]["problems"][0]["code"] == "too_large"


def test_a_hundred_thousand_events_are_refused_with_the_limit_and_nothing_is_taken(light: Api) -> None:
    small = b"[" + b",".join([b"{}"] * 100_000) + b"]"
    answer = light.call("POST", "/v1/events", data=small, content_type=BATCH)
    assert answer.status_code == 413
    assert answer.json is not None
    assert "10,000 events; this one holds 100,000" in answer.json["detail"]
    assert light.get("/v1/sources")["items"] == []
    large = json.dumps([event()] * 100_000).encode()
    answer = light.call("POST", "/v1/events", data=large, content_type=BATCH)
    assert (answer.status_code, answer.json and answer.json["code"]) == (413, "too_large")


def test_a_full_batch_is_taken(api: Api) -> None:
    sent = [event(case=f"c{number % 500}") for number in range(10_000)]
    assert api.batch(sent)["counts"]["accepted"] == 10_000
    assert api.batch(sent)["counts"]["duplicate"] == 10_000


def test_odd_case_ids_come_back_whole(api: Api) -> None:
    from urllib.parse import quote

    names = ["a/b", "a%2Fb", "%", "..", "events", "Ünï/子", "a b+c", "?q#f", "\\", "'\"<&>", "/", "x" * 1024]
    assert api.batch([event(case=name) for name in names])["counts"]["accepted"] == len(names)
    api.judge()
    for name in names:
        path = "/v1/cases/" + quote(name, safe="")
        assert api.get(path)["case"] == name
        assert api.get(path + "/events")["items"][0]["subject"] == name
        assert api.get(path + "/verdicts")["case"] == name
        assert [row["case"] for row in api.get("/v1/cases?case=" + quote(name, safe=""))["items"]] == [name]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just("2026-03-01T10:00:00Z"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ATTRIBUTES = ["specversion", "id", "source", "type", "subject", "time", "recordedtime", "datacontenttype", "data", "x"]
HARMLESS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=HARMLESS)
@given(items=st.lists(VALUES | st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=9), max_size=4))
def test_whatever_stands_in_a_batch_has_a_result_and_takes_no_other_with_it(light: Api, items: list[Any]) -> None:
    good = event(case="good")
    told = light.batch([*items, good])["results"]
    assert [r["index"] for r in told] == list(range(len(items) + 1))
    assert told[-1]["status"] == "accepted"
    for index, result in enumerate(told[:-1]):
        assert result["status"] == "rejected"
        assert result["problems"]
        assert all(p["pointer"].startswith(f"/{index}") for p in result["problems"])


@settings(max_examples=60, deadline=None, suppress_health_check=HARMLESS)
@given(raw=st.binary(max_size=60), media=st.sampled_from([STRUCTURED, BATCH, "application/json"]))
def test_any_bytes_are_answered_with_a_problem(light: Api, raw: bytes, media: str) -> None:
    answer = light.call("POST", "/v1/events", data=raw, content_type=media, headers={"ce-id": "1"} if media == "application/json" else {})
    assert answer.status_code in {202, 400, 422}
    assert answer.status_code == 202 or answer.content_type == "application/problem+json"
