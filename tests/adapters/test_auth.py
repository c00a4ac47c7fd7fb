"""Saying who we are: each way, tokens that run out, and secrets that stay where they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from adapters.auth import Who, signed_in
from adapters.base import AdapterError
from adapters.web import Limits, Web
from tests.support.webworld import Ask, Say, Site

SECRET = "s3cret-that-nobody-may-see"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A system that gives tokens and takes the newest one only."""

    def __init__(self) -> None:
        self.given = 0
        self.lifetime: Any = 3_600
        self.refuses = False
        self.asked: list[Ask] = []
        self.answer: Callable[[], Say] = lambda: Say({"access_token": self.token, "token": self.token, "expires_in": self.lifetime})

    @property
    def token(self) -> str:
        return f"{SECRET}-{self.given}"

    def __call__(self, ask: Ask) -> Say:
        if ask.path.endswith("/token"):
            self.asked.append(ask)
            if self.refuses:
                return Say({"error": SECRET}, 401)
            self.given += 1
            return self.answer()
        good = ask.headers.get("authorization", "").endswith(self.token) and self.given > 0
        return Say({"ok": True}) if good else Say({}, 401)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def site(desk: Desk) -> Iterator[Site]:
    with Site(desk) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def who(site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Web]]:
    monkeypatch.setenv("THE_SECRET", SECRET)
    made: list[Web] = []

    def sign_in(**auth: Any) -> Web:
        limits = Limits(base=site.base, allow_private=True, tries=2)
        made.append(signed_in(limits, Who.model_validate(auth), sleep=lambda _: None, clock=clock))
        return made[-1]

    yield sign_in
    for one in made:
        one.close()


REF = {"env": "THE_SECRET"}
LOGIN = {"login": {"path": "api/token", "user": "reader", "password": REF, "lifetime": 600}}
OAUTH2 = {"oauth2": {"token_url": "oauth/token", "client_id": "us", "client_secret": REF}}


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"bearer": REF}, "authorization", f"Bearer {SECRET}"),
        (
            {"basic": {"user": "réader", "password": REF}},
            "authorization",
            "Basic " + base64.b64encode(f"réader:{SECRET}".encode()).decode(),
        ),
        ({"header": {"name": "X-Api-Key", "value": REF}}, "x-api-key", SECRET),
        ({"header": {"prefix": "ApiKey reader:", "value": REF}}, "authorization", f"ApiKey reader:{SECRET}"),
    ],
)
def test_each_request_says_who_we_are(site: Site, who: Callable[..., Web], auth: dict[str, Any], name: str, value: str) -> None:
    site.answer = lambda _: Say({})
    who(**auth).get("x")
    assert site.asked[0].headers[name] == value


def test_a_secret_that_was_changed_is_used_at_once(site: Site, who: Callable[..., Web], tmp_path: Path) -> None:
    site.answer = lambda _: Say({})
    place = tmp_path / "secret"
    place.write_text("first\n")
    web = who(bearer={"file": str(place)})
    web.get("x")
    place.write_text("second\n")
    web.get("x")
    assert [ask.headers["authorization"] for ask in site.asked] == ["Bearer first", "Bearer second"]


def test_a_secret_that_is_not_there_is_told_by_its_place(who: Callable[..., Web], site: Site) -> None:
    with pytest.raises(AdapterError, match="NOT_SET"):
        who(bearer={"env": "NOT_SET"}).get("x")
    assert site.asked == []


@pytest.mark.parametrize("auth", [LOGIN, OAUTH2])
def test_a_token_is_asked_for_once_and_used_until_shortly_before_its_end(
    desk: Desk, who: Callable[..., Web], clock: Clock, auth: dict[str, Any]
) -> None:
    desk.lifetime = 600
    web = who(**auth)
    for passed, tokens in ((0, 1), (500, 1), (45, 2), (539, 2), (2, 3)):
        clock.now += passed
        web.get("x")
        assert desk.given == tokens


def test_what_a_login_sends(desk: Desk, who: Callable[..., Web]) -> None:
    body = {"user": {"user_name": "{user}", "password": "{password}"}, "kind": "api"}
    who(login={**LOGIN["login"], "body": body}).get("x")
    assert json.loads(desk.asked[0].body) == {"user": {"user_name": "reader", "password": SECRET}, "kind": "api"}
    assert "authorization" not in desk.asked[0].headers


@pytest.mark.parametrize("send", ["body", "basic"])
def test_what_client_credentials_send(desk: Desk, who: Callable[..., Web], send: str) -> None:
    who(oauth2={**OAUTH2["oauth2"], "scope": "read", "send": send}).get("x")
    form = {name: one for name, (one,) in parse_qs(desk.asked[0].body.decode()).items()}
    own = {"client_id": "us", "client_secret": SECRET} if send == "body" else {}
    assert form == {"grant_type": "client_credentials", "scope": "read", **own}
    assert ("authorization" in desk.asked[0].headers) is (send == "basic")


def test_tokens_may_come_from_another_host_that_the_file_names(desk: Desk, who: Callable[..., Web], site: Site) -> None:
    with Site(desk) as elsewhere:
        who(oauth2={**OAUTH2["oauth2"], "token_url": f"{elsewhere.base}realm/token"}).get("x")
        assert [ask.path for ask in elsewhere.asked] == ["/realm/token"]
        assert [ask.path for ask in site.asked] == ["/x"]


@pytest.mark.parametrize("url", ["ftp://host/token", "other://host/token", "https://user:pass@host/token"])
def test_another_host_for_tokens_must_be_one(who: Callable[..., Web], url: str) -> None:
    with pytest.raises(AdapterError, match="token_url"):
        who(oauth2={**OAUTH2["oauth2"], "token_url": url})


@pytest.mark.parametrize("auth", [LOGIN, OAUTH2])
def test_a_token_that_ends_before_its_time_is_renewed_once(desk: Desk, who: Callable[..., Web], site: Site, auth: dict[str, Any]) -> None:
    web = who(**auth)
    web.get("x")
    desk.given += 1  # another sign-in has taken ours away
    web.get("y")
    assert [ask.path for ask in site.asked if ask.path in "/x/y"] == ["/x", "/y", "/y"]


@pytest.mark.parametrize("auth", [LOGIN, OAUTH2])
def test_a_system_that_takes_no_token_is_asked_twice_and_no_more(
    desk: Desk, who: Callable[..., Web], site: Site, auth: dict[str, Any]
) -> None:
    web = who(**auth)
    desk.answer = lambda: Say({"access_token": "of-no-use", "token": "of-no-use"})
    with pytest.raises(AdapterError, match="401"):
        web.get("x")
    assert ([ask.path for ask in site.asked].count("/x"), desk.given) == (2, 2)


def test_a_fixed_secret_that_is_refused_is_not_sent_again(site: Site, who: Callable[..., Web]) -> None:
    site.answer = lambda _: Say({}, 401)
    with pytest.raises(AdapterError, match="does not know us"):
        who(bearer=REF).get("x")
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "said", [Say({}), Say({"token": ""}), Say({"token": 5, "access_token": 5}), Say(["token"]), Say(b"nothing"), Say({}, 302)]
)
@pytest.mark.parametrize("auth", [LOGIN, OAUTH2])
def test_a_sign_in_that_gives_no_token_is_told_without_a_word_of_it(
    desk: Desk, who: Callable[..., Web], auth: dict[str, Any], said: Say
) -> None:
    desk.answer = lambda: said
    with pytest.raises(AdapterError) as caught:
        who(**auth).get("x")
    assert SECRET not in str(caught.value)


def test_a_sign_in_that_is_refused_is_not_tried_again(desk: Desk, who: Callable[..., Web]) -> None:
    desk.refuses = True
    with pytest.raises(AdapterError, match="401") as caught:
        who(**LOGIN).get("x")
    assert (len(desk.asked), SECRET in str(caught.value)) == (1, False)


@pytest.mark.parametrize(
    ("lifetime", "until"), [("600", 540), (600, 540), (60, 30), (None, 240), (0, 240), (-5, 240), (True, 240), ("soon", 240)]
)
def test_how_long_a_token_is_used(desk: Desk, who: Callable[..., Web], clock: Clock, lifetime: Any, until: float) -> None:
    desk.lifetime = lifetime
    web = who(**OAUTH2)
    web.get("x")
    clock.now += until - 1
    web.get("x")
    assert desk.given == 1
    clock.now += 1
    web.get("x")
    assert desk.given == 2


@pytest.mark.parametrize(
    "auth",
    [
        {"bearer": "written-out"},
        {"bearer": REF, "basic": {"user": "u", "password": REF}},
        {"basic": {"user": "a:b", "password": REF}},
        {"basic": {"user": "u", "password": "written-out"}},
        {"cookie": REF},
    ],
)
def test_settings_that_hold_a_secret_or_make_no_sense_are_refused(auth: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Who.model_validate(auth)
    assert all("written-out" not in one["msg"] for one in caught.value.errors(include_input=False))
