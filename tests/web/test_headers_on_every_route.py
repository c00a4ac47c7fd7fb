"""Every route, asked as anybody and as somebody who may do everything, well and badly, carries the headers that keep a browser safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from api.app import create_app
from service import users
from service.access import ROLES
from tests.support.routes import ROUTES
from tests.support.service_kit import kit

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ODD = ("GET /no-such-page", "GET /v1/no-such-thing", "PUT /v1/events", "DELETE /breaches", "GET /fails", "GET /%ff", "GET /static/none.css")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    home = tmp_path_factory.mktemp("headers")
    with kit(f"sqlite:///{home / 's.sqlite3'}", home) as made:
        whole = create_app(made.svc)
        whole.config["PROPAGATE_EXCEPTIONS"] = False

        @whole.get("/fails")
        def fails() -> Any:
            raise RuntimeError("a secret of ours")

        @whole.get("/turned-away")
        def turned_away() -> Any:
            abort(418)

        user, _ = users.create(made.svc, name="kim", roles=list(ROLES), password="a phrase for this")
        users.change_password(made.svc, user_id=user.id, old="a phrase for this", new="another phrase for it")
        whole.config["KIM"] = {"user": user.id, "began": made.clock.ms, "seen": made.clock.ms, "token": "t"}
        yield whole


def ask(client: FlaskClient, route: str) -> Any:
    method, _, rule = route.partition(" ")
    path = re.sub(r"<[^>]*filename>", "duecare.css", rule)
    path = re.sub(r"<(?:\w+:)?(\w+)>", "none", path)
    return client.open(path, method=method, data={"csrf_token": "t"} if method == "POST" else None, headers={"Accept": "text/html"})


@pytest.mark.parametrize("signed_in", [False, True], ids=["anybody", "somebody who may do everything"])
def test_no_answer_goes_without_them(app: Flask, signed_in: bool) -> None:
    asked = 0
    for route in (*ROUTES, *ODD):
        client = app.test_client()
        if signed_in:
            with client.session_transaction() as session:
                session.update(app.config["KIM"])
        with ask(client, route) as answer:
            asked += 1
            headers = answer.headers
            assert {name: headers.get(name) for name in FIXED} == FIXED, route
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), route
            assert "frame-ancestors 'none'" in policy, route
            assert "unsafe" not in policy, route
            assert "Server" not in headers, route
            assert headers["X-Request-ID"], route
            if "static" not in route:
                assert headers["Cache-Control"] == "no-store", route
            for cookie in headers.getlist("Set-Cookie"):
                assert "HttpOnly" in cookie, route
                assert "SameSite=Lax" in cookie, route
            said = answer.get_data().decode(errors="replace")
            assert "a secret of ours" not in said
            assert "Traceback" not in said, route
            for script in re.findall(r"<(?:script|style)\b[^>]*>", said):
                assert "src=" in script or "nonce=" in script, route
            assert not re.search(r"<[^>]+\s(?:on\w+|style)=", said), route
    assert asked > 100


def test_over_https_cookies_are_secure_and_browsers_are_told_to_stay_there(app: Flask) -> None:
    answer = app.test_client().get("/sign-in", base_url="https://duecare.example.org")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "Secure" in cookie


def test_every_form_without_our_token_is_refused(app: Flask) -> None:
    for route in (one for one in ROUTES if one.startswith("POST ") and "/v1/" not in one):
        client = app.test_client()
        with client.session_transaction() as session:
            session.update(app.config["KIM"])
        path = re.sub(r"<(?:\w+:)?(\w+)>", "none", route.partition(" ")[2])
        for given in ({}, {"csrf_token": "another"}):
            assert client.post(path, data=given, headers={"Accept": "text/html"}).status_code in {400, 403}, route
