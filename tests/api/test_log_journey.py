"""What the logs tell of a whole journey: ids that join its lines from end to end, and not a word of what was sent."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from service import evaluate, logs, users
from service.settings import Settings
from service.sources import pull
from tests.api.conftest import ALL, Api, event
from tests.api.test_reads import family
from tests.support.feeds import Folder
from tests.support.notifying import SECRET, webhook, write
from tests.support.overseen import until as waiting
from tests.support.servers import free_port
from workers.embedded import Embedded

CANARY = "Zwillingsschwester-7f3a"
"""Stands for a name, a narrative, a password: it goes in everywhere, and must come out nowhere."""
REQUEST = "journey-0001"


@pytest.fixture
def written(tmp_path: Path) -> Iterator[io.StringIO]:
    out = io.StringIO()
    root = logging.getLogger()
    before, level, configured = list(root.handlers), root.level, structlog.get_config()
    logs.configure(Settings(home=tmp_path, log_level="debug"), stream=out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**configured)


@pytest.fixture
def house(
    make_api: Callable[..., Api],
    sqlite_url: str,
    clock: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: io.StringIO,
    request: pytest.FixtureRequest,
) -> Api:
    """With a client system, and a receiver of messages that is away; ``alone``: with neither, and only hints wake the workers."""
    monkeypatch.setenv("NOTIFY_SECRET", SECRET)
    write(tmp_path / "notify.yaml", webhooks=[webhook(f"http://127.0.0.1:{free_port()}/{CANARY}")])
    folder = Folder(tmp_path / "sources")
    folder.add()
    folder.lay("a.csv", f"1,F1,2026-05-04 10:00,2026-05-04 11:00,done,{CANARY}", f"2,F1,{CANARY},2026-05-04 11:00,done,")
    if getattr(request, "param", None) == "alone":
        return make_api(sqlite_url, clock, sweep_seconds=3600.0)
    return make_api(sqlite_url, clock, sources=folder.path, notify=tmp_path / "notify.yaml", sweep_seconds=0.2)


def told(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def until(written: io.StringIO, word: str, **fields: Any) -> dict[str, Any]:
    """The first line of this kind; waits for the workers."""
    for _ in range(2_400):
        for line in told(written):
            if line["event"] == word and fields.items() <= line.items():
                return line
        time.sleep(0.05)
    raise AssertionError(f"no {word} in {[line['event'] for line in told(written)]}")


def first_round(house: Api) -> None:
    """Wait for the sweeper's first round, which puts forward whatever waits: nothing of ours, so that only our own hint is heard."""
    for _ in range(2_400):
        if house.svc.metrics.registry.get_sample_value("duecare_sweeps_total", {"result": "done"}):
            return
        time.sleep(0.05)
    raise AssertionError("the sweeper's first round has no end")


@pytest.mark.parametrize("house", ["alone"], indirect=True)
def test_a_journey_can_be_followed_by_its_ids(house: Api, written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    with Embedded(house.svc):
        first_round(house)
        answer = house.call(
            "POST",
            "/v1/events",
            json=family("FAM-17"),
            content_type="application/cloudevents-batch+json",
            headers={"X-Request-ID": REQUEST},
        )
        assert answer.status_code == 202
        asked = until(written, "cases_wait", request_id=REQUEST)
        assert (asked["cases"], asked["count"]) == (["FAM-17"], 1)
        judged = until(written, "cases_judged", cases=["FAM-17"])
        assert (judged["request_id"], judged["message_id"]) == (REQUEST, asked["messages"][0])

        def fails(*_: Any, **__: Any) -> Any:
            raise ValueError(CANARY)

        monkeypatch.setattr(evaluate, "judge", fails)
        second = event("visit.held", case="FAM-17", data={"status": "held", "mode": "in_person", "seen": [CANARY]})
        house.call(
            "POST", "/v1/events", json=[second], content_type="application/cloudevents-batch+json", headers={"X-Request-ID": "journey-0002"}
        )
        failed = until(written, "evaluation_failed", case="FAM-17")
        assert (failed["case"], failed["request_id"], failed["error"]) == ("FAM-17", "journey-0002", "ValueError")
        assert failed["message_id"] != judged["message_id"]


def test_every_line_is_json_and_nothing_that_was_sent_comes_out(house: Api, written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good and bad events, a pull, a judgement, pages, an audit, a message nobody takes, keys and passwords, and faults inside."""
    with Embedded(house.svc):
        events = [
            *family("FAM-17"),
            event("visit.held", case="FAM-17", data={"status": "held", "mode": "in_person", "seen": [CANARY], "notes": CANARY}),
            event("visit.held", case="FAM-17", data={"status": CANARY}),
            event(CANARY, case="FAM-17"),
        ]
        house.batch(events)
        waiting(lambda: bool(house.get("/v1/breaches")["items"]))
        for raw in (f'{{"data": {CANARY}', f'["{CANARY}"]', f'{{"id": "a", "id": "{CANARY}"}}'):
            house.call("POST", "/v1/events", data=raw, content_type="application/cloudevents+json")
        source = house.svc.feeds.current().get("visits")
        pull.pull(house.svc, source)
        breach = house.get("/v1/breaches")["items"][0]
        path = f"/v1/breaches/{breach['id']}/review"
        house.call("POST", path, json={"action": "comment", "comment": CANARY}, headers={"If-Match": f'"{breach["version"]}"'})
        house.call("POST", path, json={"action": CANARY, "comment": CANARY}, headers={"If-Match": '"1"'})
        house.call("GET", f"/v1/breaches?search={CANARY}&nothing={CANARY}")
        house.call("GET", f"/v1/cases/{CANARY}")
        house.call("GET", "/v1/cases", token=f"dk_{CANARY}")
        house.call("POST", "/v1/webhooks/visits", data=CANARY, headers={"webhook-signature": CANARY})
        users.create(house.svc, name="ann", roles=["manager"], password=f"{CANARY}-long", email=f"{CANARY}@example.org")
        house.client.get("/sign-in")
        house.client.post("/sign-in", data={"name": CANARY, "password": CANARY})
        audit: Any = house.call("POST", "/v1/audits", json={"policies": ["cfss"]}).json
        until(written, "audit_ended", job=audit["id"])
        until(written, "not_taken")

        def fails(*_: Any, **__: Any) -> Any:
            raise ValueError(CANARY)

        monkeypatch.setattr(evaluate, "judge", fails)
        house.batch([event("visit.held", case="FAM-17", data={"status": "held", "mode": "in_person", "seen": [CANARY]})])
        until(written, "evaluation_failed")
        monkeypatch.setattr("api.v1.breaches.page", fails)
        broken = house.call("GET", "/v1/breaches")
        assert broken.status_code == 500
        assert until(written, "request_failed")["request_id"] == broken.headers["X-Request-ID"]
    lines = told(written)
    assert all({"timestamp", "level", "logger", "event"} <= set(line) for line in lines)
    assert {"events_refused", "pulled", "audit_ended", "not_taken", "request_failed"} <= {line["event"] for line in lines}
    text = written.getvalue()
    for secret in (CANARY, SECRET, house.token, "k" * 40, house.token.rpartition("_")[2]):
        assert secret not in text, [line for line in lines if secret in json.dumps(line)]


def test_measurements_hold_no_word_of_it_either(house: Api) -> None:
    house.batch([*family("FAM-17"), event("visit.held", case="FAM-17", data={"status": CANARY}), event(CANARY, case=CANARY)])
    house.judge()
    source = house.svc.feeds.current().get("visits")
    pull.pull(house.svc, source)
    shown = house.call("GET", "/metrics", token=house.key(*ALL)).get_data(as_text=True)
    assert "duecare_events_total" in shown
    assert CANARY not in shown
    assert "FAM-17" not in shown
