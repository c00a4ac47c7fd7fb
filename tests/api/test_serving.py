"""The interface behind the servers that carry it (waitress, gunicorn's entry), its limits, and reading with a person's session."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from api.app import create_app
from service import users
from tests.api.conftest import Api, event
from tests.support.axe import overflow, violations
from tests.support.serving import serving

DESK = (1280, 900)


@pytest.fixture
def served(light: Api) -> Iterator[tuple[Api, int]]:
    """The application behind a real waitress on loopback."""
    with serving(light.app) as port:
        yield light, port


def ask(served: tuple[Api, int], method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    api, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    carried = {"Authorization": f"Bearer {api.token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body=body, headers=carried, encode_chunked=body is not None and not isinstance(body, bytes))
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(raw) if raw else None


@pytest.mark.parametrize(
    ("target", "case"), [("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("100%25", "100%"), ("f%C3%A4ll%20%E5%AD%90", "fäll 子"), ("%3F%23", "?#")]
)
def test_case_ids_travel_whole_through_a_real_server(served: tuple[Api, int], target: str, case: str) -> None:
    served[0].batch([event(case=case)])
    status, _, body = ask(served, "GET", f"/v1/cases/{target}/events")
    assert (status, body["items"][0]["subject"]) == (200, case)
    status, _, body = ask(served, "GET", f"/v1/cases/{target}")
    assert (status, body["case"]) == (200, case)


def test_a_chunked_body_counts_as_well(served: tuple[Api, int]) -> None:
    one = json.dumps([event()]).encode()
    status, _, body = ask(served, "POST", "/v1/events", iter([one[:20], one[20:]]), Content_Type="application/cloudevents-batch+json")
    assert (status, body["counts"]["accepted"]) == (202, 1)
    big = (b" " * 1_000_000 for _ in range(17))
    status, _, body = ask(served, "POST", "/v1/events", big, Content_Type="application/cloudevents-batch+json")
    assert (status, body["code"]) == (413, "too_large")


def test_a_head_has_no_body_and_an_unknown_method_is_a_problem(served: tuple[Api, int]) -> None:
    assert ask(served, "HEAD", "/v1/cases")[::2] == (200, None)
    status, headers, body = ask(served, "BREW", "/v1/cases")
    assert (status, body["code"]) == (405, "method_not_allowed")
    assert headers["Content-Type"] == "application/problem+json"


def test_gunicorn_finds_the_application(monkeypatch: pytest.MonkeyPatch, light: Api, tmp_path: Any) -> None:
    monkeypatch.setenv("DATABASE_URL", light.svc.settings.database)
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path))
    monkeypatch.setenv("DUECARE_SECRET_KEY", "k" * 40)
    monkeypatch.delenv("REDIS_URL", raising=False)
    import logging

    root = logging.getLogger()
    before = list(root.handlers), root.level
    try:
        from api.wsgi import app

        answer = app.test_client().get("/v1/policies", headers={"Authorization": f"Bearer {light.token}"})
        assert answer.status_code == 200
        app.extensions["duecare"].close()
    finally:
        root.handlers[:], root.level = before


def test_a_rate_is_kept_for_each_caller_and_tells_when_to_come_back(light: Api) -> None:
    light.client = create_app(light.svc, rate="3 per minute").test_client()
    other = light.key("cases:read")
    assert [light.call("GET", "/v1/cases").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused: Any = light.call("GET", "/v1/cases")
    assert (refused.json["code"], refused.content_type) == ("too_many_requests", "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert light.call("GET", "/v1/cases", token=other).status_code == 200
    assert [light.client.get("/livez").status_code for _ in range(5)] == [200] * 5


def test_behind_a_proxy_each_address_is_limited_by_itself(light: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(light.svc, rate="1 per minute").test_client()

    def status(named: str, peer: str = "127.0.0.1") -> int:
        return client.get("/v1/cases", headers={"X-Forwarded-For": named}, environ_base={"REMOTE_ADDR": peer}).status_code

    assert [status("10.1.1.1"), status("10.1.1.1"), status("9.9.9.9, 10.1.1.1"), status("10.1.1.2")] == [401, 429, 429, 401]
    assert [status("10.1.1.3", "192.0.2.7"), status("10.1.1.4", "192.0.2.7")] == [401, 429], "who is no proxy of ours is not believed"
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.8, 192.0.2.9")
    assert [status("10.1.1.5", "192.0.2.9"), status("10.1.1.6", "192.0.2.9"), status("x" * 99, "192.0.2.9")] == [401, 401, 401]


def sign_in(browser: Any, password: str) -> None:
    form = browser.get("/sign-in").get_data(as_text=True)
    token = form.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    assert browser.post("/sign-in", data={"name": "quinn", "password": password, "csrf_token": token}).status_code == 303


def test_a_signed_in_person_may_read_but_not_write_with_the_session(light: Api) -> None:
    light.batch([event(case="c", data={"team": "north"})])
    light.judge()
    user, _ = users.create(light.svc, name="quinn", roles=["reviewer"], password="given by another", teams=["north"])
    browser = light.app.test_client()
    assert browser.get("/v1/cases").status_code == 401
    sign_in(browser, "given by another")
    first: Any = browser.get("/v1/cases")
    assert (first.status_code, "changed first" in first.json["detail"]) == (403, True)
    users.change_password(light.svc, user_id=user.id, old="given by another", new="chosen by oneself")
    browser = light.app.test_client()
    sign_in(browser, "chosen by oneself")
    answer: Any = browser.get("/v1/cases")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.status_code, [row["case"] for row in answer.json["items"]]) == (200, ["c"])
    assert browser.get("/v1/sources").status_code == 403
    assert browser.post("/v1/breaches/b/review", json={"action": "acknowledge"}).status_code == 401
    assert browser.get("/v1/cases", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.e2e
@pytest.mark.parametrize("size", [DESK, (390, 844)], ids=["desk", "phone"])
def test_the_documentation_page_in_a_browser(served: tuple[Api, int], page: Page, size: tuple[int, int]) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": size[0], "height": size[1]})
    base = f"http://127.0.0.1:{served[1]}"
    page.goto(base + "/docs")
    assert {url.partition("/docs")[0].removesuffix("/favicon.ico") for url in asked} == {base}
    assert [text for text in complaints if "Content Security Policy" in text] == []
    assert overflow(page) <= 0
    if size == DESK:
        assert violations(page) == []
    page.get_by_role("link", name="POST /v1/events").click()
    assert page.url.endswith("#post_events")
