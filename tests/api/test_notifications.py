"""Messages to others over HTTP: who is told, what was given up, sending it again or dismissing it; for keys without limits only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store import notices
from store.models import AccessLogRow
from store.outbox import Message
from tests.api.conftest import Api
from tests.support.notifying import webhook, write


@pytest.fixture
def told(light: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    write(tmp_path / "notify.yaml", webhooks=[webhook("https://example.org/hook", allow_private=False)])
    from service.notify.config import Directory

    monkeypatch.setattr(light.svc, "receivers", Directory(tmp_path / "notify.yaml"))
    monkeypatch.setattr(light, "token", light.key("users:admin"))
    yield light
    with light.svc.writing() as session:
        notices.dismiss(session, None, now=0)


def give_up(api: Api, *ids: str, receiver: str = "partner") -> list[int]:
    """Messages that were given up; their numbers."""
    now, numbers = api.clock[0], []
    with api.svc.writing() as session:
        for one in ids:
            body = {"at": "2026-06-01T00:00:00Z", "breach": {"case": "FAM-77"}}
            notices.add(session, receiver, [Message(one, "breach.opened", one, body, 0)], now=now)
            (notice,) = notices.due(session, receiver, now=now)
            notices.failed(session, notice, "it answers 422", now=now, retry_at=None)
            numbers.append(notice.id)
    return numbers


def done(api: Api, path: str, status: int = 200) -> Any:
    answer = api.call("POST", path)
    assert answer.status_code == status, answer.text
    return answer.json


def test_what_was_given_up_is_listed_by_pages_without_a_word_of_it(told: Api) -> None:
    numbers = give_up(told, "m1", "m2", "m3")
    give_up(told, "other", receiver="somebody")
    first = told.get("/v1/notifications/dead?receiver=partner&limit=2")
    rest = told.get(f"/v1/notifications/dead?receiver=partner&limit=2&cursor={first['next']}")
    assert [one["number"] for one in (*first["items"], *rest["items"])] == numbers[::-1]
    assert rest["next"] is None
    one = rest["items"][0]
    assert (one["id"], one["receiver"], one["type"], one["error"]) == ("m1", "partner", "breach.opened", "it answers 422")
    assert "FAM-77" not in str((first, rest))
    assert told.call("GET", f"/v1/notifications/dead?cursor={first['next']}").status_code == 400
    assert len(told.get("/v1/notifications/dead")["items"]) == 4


def test_who_is_told_and_how_that_goes(told: Api) -> None:
    give_up(told, "m4")
    give_up(told, "m5", receiver="gone")
    found = told.get("/v1/notifications")
    stands = {one["name"]: (one["by"], one["state"], one["given_up"]) for one in found["items"]}
    assert stands["partner"] == ("webhook", "good", 1)
    assert stands["gone"] == (None, "unnamed", 1)
    assert found["faults"] == []


def test_they_are_sent_again_or_dismissed_one_by_one_or_all_of_a_receiver_and_that_is_recorded(told: Api) -> None:
    first, second, *_ = give_up(told, "n1", "n2", "n3", "n4")
    assert done(told, f"/v1/notifications/dead/{first}/retry") == {"messages": 1}
    assert done(told, f"/v1/notifications/dead/{second}/dismiss") == {"messages": 1}
    for gone in (first, "x", "9" * 18):
        assert done(told, f"/v1/notifications/dead/{gone}/retry", 404)["code"] == "not_found"
    give_up(told, "n5", receiver="another")
    assert done(told, "/v1/notifications/dead/retry?receiver=another") == {"messages": 1}
    assert done(told, "/v1/notifications/dead/dismiss") == {"messages": 2}
    assert told.get("/v1/notifications/dead")["items"] == []
    with told.svc.reading() as session:
        from sqlalchemy import select

        lines = session.execute(select(AccessLogRow.action, AccessLogRow.thing).where(AccessLogRow.action.startswith("notice."))).all()
    assert {"notice.retry", "notice.dismiss"} <= {action for action, _ in lines}


def test_a_key_with_limits_is_refused_since_messages_speak_of_every_team(told: Api) -> None:
    limited = told.key("users:admin", teams=("north",))
    for method, path in (("GET", ""), ("GET", "/dead"), ("POST", "/dead/retry"), ("POST", "/dead/1/dismiss")):
        assert told.call(method, f"/v1/notifications{path}", token=limited).status_code == 403
