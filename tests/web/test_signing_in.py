"""Sessions: who gets in, what a form needs, and when a session is over."""

from __future__ import annotations

import pytest
from flask import Flask

from service.websessions import IDLE, LONGEST
from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import PageClient

OPEN = {"web.sign_in", "web.single_sign_on", "web.single_return", "web.static", "web.calendar"}
"""Routes that need no sign-in.  Everything else does; a new route is closed until it is written here on purpose."""


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def app(desk: FakeDesk) -> Flask:
    return fakedesk.app(desk)


@pytest.fixture
def client(app: Flask) -> PageClient:
    return PageClient(app)


def routes(app: Flask) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<key:{name}>", "b0000").replace(f"<path:{name}>", "duecare.css")
        found.extend((rule.endpoint, method, path) for method in (rule.methods or set()) & {"GET", "POST"})
    return found


def test_every_page_needs_sign_in(app: Flask, client: PageClient) -> None:
    tried = 0
    for endpoint, method, path in routes(app):
        if endpoint in OPEN or not endpoint.startswith("web."):
            continue
        answer = client.flask.open(path, method=method, headers={"Accept": "text/html"})
        if method == "GET":
            assert answer.status_code == 303, path
            assert answer.headers["Location"].startswith("/sign-in"), path
        else:
            assert answer.status_code == 400, path
        tried += 1
    assert tried >= 14


def test_every_form_needs_the_token(app: Flask, client: PageClient, desk: FakeDesk) -> None:
    client.sign_in("kim", PASSWORD)
    posts = [path for endpoint, method, path in routes(app) if method == "POST"]
    assert len(posts) >= 6
    for path in posts:
        for token in ("", "wrong", "é"):
            before = list(desk.seen)
            client.post(
                path, {"version": "3", "action": "acknowledge", "name": "kim", "password": PASSWORD}, status=400, token=token or "-"
            )
            assert [entry for entry in desk.seen[len(before) :] if entry[0] in {"review", "ask_waiver", "settle_waiver"}] == []


@pytest.mark.parametrize(
    ("path", "data", "leads"),
    [
        ("/breaches/b0000/review", {"action": "comment", "comment": "A long thought.", "version": "3"}, "/breaches/b0000"),
        ("/breaches/b0000/review", {"comment": "A long thought.", "in": "rule=C08"}, "/breaches/b0000?in=rule%3DC08"),
        ("/breaches/b0000/waivers", {"waiver_comment": "A long thought.", "ends_on": "2026-05-01"}, "/breaches/b0000/waivers"),
        ("/waivers/wv1", {"answer": "refuse", "comment": "A long thought."}, "/waivers/wv1"),
    ],
)
def test_what_was_written_survives_the_end_of_the_session(
    client: PageClient, desk: FakeDesk, path: str, data: dict[str, str], leads: str
) -> None:
    client.sign_in("kim", PASSWORD)
    token = client.token()
    desk.clock += IDLE + 1
    page = client.post(path, data, status=400, token=token)
    assert page is not None
    assert "Your session ended while the page was open" in page.main
    assert page.one("textarea", id="kept").text == "A long thought."
    assert desk.rows["b0000"].version == 3
    onward = next(e.attributes["href"] for e in page.all("a") if e.text == "Sign in and go back to the page")
    assert "thought" not in onward
    page = client.get(onward)
    assert "Your session is over. Sign in again, and you come back to where you were" in page.main
    client.post("/sign-in", {"name": "kim", "password": PASSWORD, "next": page.one("input", name="next").attributes["value"]})
    assert client.location == leads


def test_a_form_of_an_earlier_session_leads_back_to_its_page(client: PageClient) -> None:
    client.sign_in("kim", PASSWORD)
    token = client.token()
    client.post("/sign-out", {})
    client.sign_in("kim", PASSWORD)
    page = client.post("/breaches/b0000/review", {"action": "comment", "comment": "A long thought."}, status=400, token=token)
    assert page is not None
    assert "You have signed in anew since this page was opened" in page.main
    assert next(e.attributes["href"] for e in page.all("a") if e.text == "Go back to the page") == "/breaches/b0000"


def test_no_password_is_shown_again(client: PageClient) -> None:
    client.get("/sign-in")
    page = client.post("/sign-in", {"name": "kim a", "password": "two words"}, status=400, token="-")
    assert page is not None
    assert not page.all("textarea")
    assert "two words" not in page.text


def test_signing_out_makes_the_browser_forget_what_was_typed(client: PageClient) -> None:
    client.sign_in("kim", PASSWORD)
    client.post("/sign-out", {})
    page = client.get("/sign-in")
    assert page.all("div", data_forget="")
    assert "Your session is over" not in page.main
    assert not client.get("/sign-in").all("div", data_forget="")


def test_after_signing_in_one_is_where_one_wanted_to_be(client: PageClient) -> None:
    client.flask.get("/breaches?rule=C08&team=north")
    page = client.get("/sign-in?next=/breaches?rule%3DC08%26team%3Dnorth")
    assert page.one("input", name="next").attributes["value"] == "/breaches?rule=C08&team=north"
    client.post("/sign-in", {"name": "kim", "password": PASSWORD, "next": "/breaches?rule=C08&team=north"})
    assert client.location == "/breaches?rule=C08&team=north"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://example.org/", "//example.org", "/\\example.org", "\\\\example.org", "javascript:alert(1)", "/\n/example.org", "x"],
)
def test_nobody_is_sent_elsewhere_after_signing_in(client: PageClient, elsewhere: str) -> None:
    client.get("/sign-in")
    client.post("/sign-in", {"name": "kim", "password": PASSWORD, "next": elsewhere})
    assert client.location == "/"


@pytest.mark.parametrize(
    ("name", "password", "status", "words"),
    [
        ("", "", 422, "Give your user name"),
        ("kim", "wrong", 401, "The user name or the password is not right"),
        ("nobody", PASSWORD, 401, "The user name or the password is not right"),
        ("locked", PASSWORD, 401, "The user name or the password is not right"),
    ],
)
def test_a_wrong_sign_in_is_told_without_telling_which_part(client: PageClient, name: str, password: str, status: int, words: str) -> None:
    client.get("/sign-in")
    page = client.post("/sign-in", {"name": name, "password": password}, status=status)
    assert page is not None
    assert words in page.main
    assert password == "" or password not in page.text
    client.flask.get("/")
    assert client.flask.get("/").status_code == 303


def test_signing_in_makes_a_new_session(client: PageClient) -> None:
    client.get("/sign-in")
    before = client.token()
    client.post("/sign-in", {"name": "kim", "password": PASSWORD})
    client.get("/")
    assert client.token() != before


def test_the_cookie_is_closed_to_scripts_and_other_sites(app: Flask) -> None:
    client = app.test_client()
    plain = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    assert "Secure" in app.test_client().get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]


def test_signing_out_ends_it(client: PageClient) -> None:
    client.sign_in("kim", PASSWORD)
    client.post("/sign-out", {})
    assert "You have signed out" in client.get("/sign-in").main
    assert client.flask.get("/").status_code == 303


def test_a_session_ends_idle_or_old_or_revoked(client: PageClient, desk: FakeDesk) -> None:
    client.sign_in("kim", PASSWORD)
    for _ in range(3):
        desk.clock += IDLE - 1
        client.get("/help")
    desk.clock += LONGEST - 3 * (IDLE - 1) + 1
    assert client.flask.get("/help").status_code == 303
    client.sign_in("kim", PASSWORD)
    desk.clock += IDLE + 1
    assert client.flask.get("/help").status_code == 303
    client.sign_in("kim", PASSWORD)
    desk.over.add("kim")
    assert client.flask.get("/help").status_code == 303


def test_a_one_time_password_lets_do_nothing_but_change_it(client: PageClient, desk: FakeDesk) -> None:
    desk.must_change = True
    client.sign_in("kim", PASSWORD)
    for path in ("/", "/cases", "/breaches/b0000", "/help"):
        assert client.flask.get(path).headers["Location"] == "/password"
    client.post("/breaches/b0000/review", {"action": "acknowledge", "version": "3"})
    assert client.location == "/password"
    assert desk.rows["b0000"].version == 3
    page = client.get("/password")
    assert page.one("h1").text == "Choose your password"
    for data, words in (
        ({"old": "x", "new": "a new pass phrase", "again": "a new pass phrase"}, "This is not your present password"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "Use at least 12 characters"),
        ({"old": PASSWORD, "new": "a new pass phrase", "again": "another"}, "The two new passwords are not the same"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "Choose a password that is not the old one"),
    ):
        refused = client.post("/password", data, status=422)
        assert refused is not None
        assert words in refused.main
    client.post("/password", {"old": PASSWORD, "new": "a new pass phrase", "again": "a new pass phrase"})
    assert client.location == "/"
    assert "Your password has been changed." in client.get("/").main
