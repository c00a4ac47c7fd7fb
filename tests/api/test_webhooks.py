"""Nudges and signed messages: who may say what, and what strangers learn (nothing)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.signatures import sign
from service.sources.pull import due, pull
from tests.api.conftest import NOW, Api, event
from tests.support.feeds import SECRET, URI, Folder, signed_by

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
OTHER_URI = "urn:test:other"
OTHER_SECRET = "another secret of this test"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    made = Folder(tmp_path / "sources")
    monkeypatch.setenv("TEST_SIGNING", SECRET)
    monkeypatch.setenv("TEST_OTHER", OTHER_SECRET)
    made.add("plain", uri="urn:test:plain")
    made.add("signed", more=signed_by("TEST_SIGNING"))
    return made


@pytest.fixture
def fed(make_api: Callable[..., Api], sqlite_url: str, clock: list[int], folder: Folder) -> Api:
    return make_api(sqlite_url, clock, sources=folder.path)


def signature(body: bytes, *, secret: str = SECRET, at: int = NOW, message_id: str = "msg_1") -> dict[str, str]:
    made = sign(secret, message_id=message_id, timestamp=at // 1000, body=body)
    return {"webhook-id": message_id, "webhook-timestamp": str(at // 1000), "webhook-signature": made}


def nudge(api: Api, source: str, headers: Mapping[str, str] | None = None, body: bytes = b'{"any": "thing"}') -> TestResponse:
    return api.client.post(f"/v1/webhooks/{source}", data=body, headers=dict(headers or {}), content_type="application/json")


def send(api: Api, events: list[Any], headers: Mapping[str, str] | None = None) -> TestResponse:
    return api.call("POST", "/v1/events", data=json.dumps(events).encode(), content_type=BATCH, headers=dict(headers or {}))


def code(answer: TestResponse) -> tuple[int, str | None]:
    return answer.status_code, (answer.json or {}).get("code")


# --- nudges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["events:write", "sources:admin"])
@pytest.mark.parametrize(
    "carry",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"x-api-key": key},
        lambda key: {"Authorization": "Basic " + base64.b64encode(f"any:{key}".encode()).decode()},
        lambda key: {"Authorization": "basic " + base64.b64encode(f":{key}".encode()).decode()},
    ],
)
def test_a_key_is_taken_however_the_system_can_send_it(fed: Api, scope: str, carry: Callable[[str], dict[str, str]]) -> None:
    answer = nudge(fed, "plain", carry(fed.key(scope)))
    assert (answer.status_code, answer.json) == (202, {"source": "plain"})


def test_several_nudges_are_one_and_the_source_is_due_until_it_was_asked(fed: Api, folder: Folder) -> None:
    headers = {"x-api-key": fed.token}
    for name in ("plain", "signed"):
        pull(fed.svc, fed.svc.feeds.get(name))
    assert due(fed.svc) == []
    assert [nudge(fed, "plain", headers).status_code for _ in range(5)] == [202] * 5
    assert due(fed.svc) == ["plain"]
    pull(fed.svc, fed.svc.feeds.get("plain"), due_only=True)
    assert due(fed.svc) == []
    assert pull(fed.svc, fed.svc.feeds.get("plain"), due_only=True).busy


def test_a_key_without_either_scope_is_told_what_is_missing(fed: Api) -> None:
    weak = fed.key("cases:read", "breaches:read", "metrics")
    answer = nudge(fed, "plain", {"x-api-key": weak})
    assert code(answer) == (403, "forbidden")
    assert "events:write" in answer.get_data(as_text=True)


def test_a_nudge_with_a_good_signature_needs_no_key(fed: Api) -> None:
    body = b'{"form": 1}'
    assert nudge(fed, "signed", signature(body), body).status_code == 202
    assert nudge(fed, "signed", signature(body), body).status_code == 202, "sent twice is harmless: nothing in it is read"


def test_where_a_signature_is_asked_for_a_key_does_not_stand_in(fed: Api) -> None:
    assert code(nudge(fed, "signed", {"x-api-key": fed.token})) == (401, "unauthorized")


def _wrong(body: bytes) -> dict[str, dict[str, str]]:
    good = signature(body)
    return {
        "none": {},
        "of another body": signature(b"{}"),
        "with another secret": signature(body, secret=OTHER_SECRET),
        "old": signature(body, at=NOW - 301_000),
        "of the future": signature(body, at=NOW + 301_000),
        "under another id": good | {"webhook-id": "msg_2"},
        "with a later time": good | {"webhook-timestamp": str(NOW // 1000 + 1)},
        "no time": {name: value for name, value in good.items() if name != "webhook-timestamp"},
        "odd bytes": good | {"webhook-signature": "v1,\xe4\xf6"},
    }


@pytest.mark.parametrize("which", sorted(_wrong(b"")))
def test_a_signature_that_is_missing_wrong_or_old_is_refused(fed: Api, which: str) -> None:
    body = b'{"form": 1}'
    answer = nudge(fed, "signed", _wrong(body)[which], body)
    assert code(answer) == (401, "unauthorized")
    assert SECRET not in answer.get_data(as_text=True)
    assert "signed" in due(fed.svc), "it was never asked, so it is due anyway"


def test_strangers_do_not_learn_which_sources_there_are(fed: Api, folder: Folder) -> None:
    folder.add("off", uri="urn:test:off", more="enabled: false\n")
    body = b'{"form": 1}'
    wrong_key = {"Authorization": "Bearer dc_nothing"}
    for headers in ({}, wrong_key, {"x-api-key": "x"}, signature(body, secret="not it"), {"Authorization": "Basic !!"}):
        seen = set()
        for source in ("plain", "signed", "off", "nowhere", "urn:test:client", "a%2Fb"):
            answer = nudge(fed, source, headers, body)
            told = dict(answer.json or {})
            told.pop("request_id")
            seen.add((answer.status_code, json.dumps(told), answer.headers.get("WWW-Authenticate")))
        assert len(seen) == 1, headers
        assert next(iter(seen))[0] == 401


def test_a_source_that_there_is_not_and_one_that_is_off_are_told_to_those_who_have_a_key(fed: Api, folder: Folder) -> None:
    folder.add("off", uri="urn:test:off", more="enabled: false\n")
    headers = {"x-api-key": fed.token}
    assert code(nudge(fed, "nowhere", headers)) == (404, "not_found")
    assert code(nudge(fed, "off", headers)) == (409, "not_possible")
    assert "off" not in due(fed.svc)


def test_a_secret_that_cannot_be_read_lets_nobody_in(fed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_SIGNING")
    body = b"{}"
    answer = nudge(fed, "signed", signature(body), body)
    assert code(answer) == (503, "unavailable")
    assert "TEST_SIGNING" not in answer.get_data(as_text=True)


def test_a_secret_that_was_changed_counts_at_once(fed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SIGNING", OTHER_SECRET)
    body = b"{}"
    assert nudge(fed, "signed", signature(body), body).status_code == 401
    assert nudge(fed, "signed", signature(body, secret=OTHER_SECRET), body).status_code == 202


# --- pushed events ---------------------------------------------------------------------------------------------------


def pushed(**more: Any) -> dict[str, Any]:
    return event(source=URI, **more)


def test_events_of_a_source_that_asks_for_signatures_need_one_beside_the_key(fed: Api) -> None:
    sent = [pushed(), event()]
    answer = send(fed, sent)
    assert code(answer) == (401, "unauthorized")
    assert fed.call("GET", "/v1/cases/case-1").status_code == 404, "nothing of the batch was taken in"
    raw = json.dumps(sent).encode()
    good = send(fed, sent, signature(raw))
    assert good.status_code == 202
    assert [r["status"] for r in (good.json or {})["results"]] == ["accepted", "accepted"]


def test_a_signature_without_a_key_is_not_enough_for_events(fed: Api) -> None:
    raw = json.dumps([pushed()]).encode()
    answer = fed.client.post("/v1/events", data=raw, content_type=BATCH, headers=signature(raw))
    assert answer.status_code == 401


def test_other_sources_need_none(fed: Api) -> None:
    assert send(fed, [event()]).status_code == 202


def test_a_message_that_is_sent_again_is_known_and_an_old_one_refused(fed: Api, clock: list[int]) -> None:
    sent = [pushed()]
    headers = signature(json.dumps(sent).encode())
    assert send(fed, sent, headers).status_code == 202
    again = send(fed, sent, headers)
    assert [r["status"] for r in (again.json or {})["results"]] == ["duplicate"]
    clock[0] += 301_000
    late = send(fed, sent, headers)
    assert code(late) == (401, "unauthorized")
    assert "old message" in late.get_data(as_text=True), "whoever has a key is told what is wrong"


def test_a_single_event_in_structured_and_in_binary_mode(fed: Api) -> None:
    made = pushed()
    raw = json.dumps(made).encode()
    assert fed.call("POST", "/v1/events", data=raw, content_type=STRUCTURED).status_code == 401
    assert fed.call("POST", "/v1/events", data=raw, content_type=STRUCTURED, headers=signature(raw)).status_code == 202
    names = {"ce-" + name: str(made[name]) for name in ("specversion", "source", "type", "time", "subject")} | {"ce-id": "binary"}
    assert fed.call("POST", "/v1/events", data=b"{}", content_type="application/json", headers=names).status_code == 401
    carried = names | signature(b"{}")
    assert fed.call("POST", "/v1/events", data=b"{}", content_type="application/json", headers=carried).status_code == 202


def test_a_heartbeat_of_such_a_source_needs_one_too(fed: Api) -> None:
    beat = event("source.heartbeat", case="-", source=URI, data={"complete_until": "2026-05-01T00:00:00Z"})
    assert code(send(fed, [beat])) == (401, "unauthorized")
    raw = json.dumps([beat]).encode()
    assert send(fed, [beat], signature(raw)).status_code == 202


def test_a_batch_of_two_sources_needs_a_good_signature_of_each(fed: Api, folder: Folder) -> None:
    folder.add("other", uri=OTHER_URI, more=signed_by("TEST_OTHER"))
    sent = [pushed(), event(source=OTHER_URI)]
    raw = json.dumps(sent).encode()
    first, second = signature(raw), signature(raw, secret=OTHER_SECRET)
    assert send(fed, sent, first).status_code == 401
    assert send(fed, sent, second).status_code == 401
    both = first | {"webhook-signature": f"{first['webhook-signature']} {second['webhook-signature']}"}
    assert send(fed, sent, both).status_code == 202


def test_a_source_that_is_switched_off_still_asks_for_its_signature(fed: Api, folder: Folder) -> None:
    folder.add("signed", more=signed_by("TEST_SIGNING") + "enabled: false\n")
    assert send(fed, [pushed()]).status_code == 401
