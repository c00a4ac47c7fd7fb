"""The scenarios of CloudEvents' own conformance tests for the HTTP binding, with types of our catalogue: structured, batched, binary."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import Api

ATTRIBUTES = {
    "specversion": "1.0",
    "type": "referral.received",
    "time": "2026-04-05T03:56:24Z",
    "id": "1234-1234-1234",
    "source": "/mycontext/subcontext",
    "subject": "case-1",
}
DATA = {"program": "cfss", "team": "north"}
HEADERS = {f"ce-{name}": value for name, value in ATTRIBUTES.items()}


def send(api: Api, body: Any, content_type: str, headers: dict[str, str] | None = None) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.call("POST", "/v1/events", data=raw, content_type=content_type, headers=headers or {})


def stored(api: Api) -> list[tuple[str, ...]]:
    items = api.get("/v1/cases/case-1/events")["items"]
    return [(one["id"], one["source"], one["type"], one["time"]) for one in items]


WHOLE = [("1234-1234-1234", "/mycontext/subcontext", "referral.received", "2026-04-05T03:56:24.000Z")]


@pytest.mark.parametrize(
    "media", ["application/cloudevents+json", "application/cloudevents+json; charset=utf-8", "Application/CloudEvents+JSON"]
)
def test_structured_mode_carries_every_attribute_and_the_data(light: Api, media: str) -> None:
    answer = send(light, {**ATTRIBUTES, "datacontenttype": "application/json", "data": DATA}, media)
    assert answer.status_code == 202, answer.text
    assert stored(light) == WHOLE
    assert light.get("/v1/cases/case-1/events")["items"][0]["data"] == DATA


@pytest.mark.parametrize("media", ["application/cloudevents-batch+json", "application/cloudevents-batch+json; charset=utf-8"])
def test_batched_mode_takes_none_one_and_several(light: Api, media: str) -> None:
    assert (send(light, [], media).json or {})["results"] == []
    other = ATTRIBUTES | {"id": "4321-4321-4321", "time": "2026-04-05T04:56:24Z"}
    answer = send(light, [{**ATTRIBUTES, "data": DATA}, {**other, "data": DATA}], media)
    assert [one["status"] for one in (answer.json or {})["results"]] == ["accepted", "accepted"]
    assert stored(light) == [*WHOLE, ("4321-4321-4321", *WHOLE[0][1:3], "2026-04-05T04:56:24.000Z")]


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
@pytest.mark.parametrize("spelled", [str, str.upper, str.title])
def test_binary_mode_carries_attributes_in_headers_of_any_case(light: Api, media: str, spelled: Any) -> None:
    answer = send(light, DATA, media, {spelled(name): value for name, value in HEADERS.items()})
    assert answer.status_code == 202, answer.text
    assert stored(light) == WHOLE
    assert light.get("/v1/cases/case-1/events")["items"][0]["data"] == DATA


def test_the_three_modes_say_the_same(light: Api) -> None:
    whole = {**ATTRIBUTES, "data": DATA}
    assert send(light, whole, "application/cloudevents+json").status_code == 202
    again = send(light, [whole], "application/cloudevents-batch+json").json or {}
    assert again["counts"]["duplicate"] == 1
    binary = send(light, DATA, "application/json", HEADERS).json or {}
    assert binary["counts"]["duplicate"] == 1
    assert stored(light) == WHOLE


def test_the_media_type_decides_the_mode_and_not_the_headers(light: Api) -> None:
    made = {**ATTRIBUTES, "data": DATA}
    assert send(light, made, "application/cloudevents+json", HEADERS | {"ce-id": "of the header"}).status_code == 202
    assert stored(light) == WHOLE


def test_an_event_may_hold_no_data(light: Api) -> None:
    assert send(light, ATTRIBUTES, "application/cloudevents+json").status_code == 202
    answer = light.call("POST", "/v1/events", headers=HEADERS | {"ce-id": "without"}, data=b"", content_type="application/json")
    assert answer.status_code == 202, answer.text
    assert [one["data"] for one in light.get("/v1/cases/case-1/events")["items"]] == [{}, {}]


def test_extensions_are_taken_for_none_of_ours(light: Api) -> None:
    made = {**ATTRIBUTES, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01", "partitionkey": "k", "data": DATA}
    assert send(light, made, "application/cloudevents+json").status_code == 202
    assert send(light, DATA, "application/json", HEADERS | {"ce-traceparent": "00-1", "ce-id": "other"}).status_code == 202


@pytest.mark.parametrize("missing", ["id", "source", "specversion", "type"])
def test_an_attribute_that_every_event_has_is_asked_for_in_each_mode(light: Api, missing: str) -> None:
    less = {name: value for name, value in ATTRIBUTES.items() if name != missing}
    answer = send(light, less, "application/cloudevents+json")
    assert answer.status_code == 422
    assert f"/{missing}" in [one["pointer"] for one in (answer.json or {})["errors"]]
    batch = send(light, [less], "application/cloudevents-batch+json").json or {}
    assert f"/0/{missing}" in [one["pointer"] for one in batch["results"][0]["problems"]]
    binary = send(light, DATA, "application/json", {name: value for name, value in HEADERS.items() if name != f"ce-{missing}"})
    assert binary.status_code == 422
    assert f"/{missing}" in [one["pointer"] for one in (binary.json or {})["errors"]]


@pytest.mark.parametrize("version", ["0.3", "2.0", "1", ""])
def test_another_version_of_the_specification_is_refused(light: Api, version: str) -> None:
    answer = send(light, {**ATTRIBUTES, "specversion": version}, "application/cloudevents+json")
    assert answer.status_code == 422
    assert "/specversion" in [one["pointer"] for one in (answer.json or {})["errors"]]


def test_data_that_is_no_json_object_is_refused_whatever_it_says_it_is(light: Api) -> None:
    for part in ({"data_base64": "eyJhIjogMX0="}, {"datacontenttype": "text/xml", "data": "<a/>"}):
        assert send(light, {**ATTRIBUTES, **part}, "application/cloudevents+json").status_code == 422
    assert send(light, b"<a/>", "application/xml", HEADERS).status_code == 415
    assert send(light, b"[1]", "application/json", HEADERS).status_code == 422
