"""Single sign-on over the real product and a real provider process on loopback, well-behaved and hostile."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from api.app import create_app
from service import oidc, users
from service.errors import NotPossible
from store.models import UserRow
from store.models.accesslog import AccessLogRow
from tests.support.pages import Document, PageClient
from tests.support.provider import CLIENT, SECRET, Provider, new_key, running
from tests.support.service_kit import Kit, kit

MAP = {
    "managers": {"roles": ["manager"]},
    "north": {"roles": ["reviewer"], "teams": ["north"]},
    "south": {"roles": ["reviewer"], "teams": ["south"]},
}
KIM = {"sub": "0f3c", "preferred_username": "kim", "email": "kim@example.org", "groups": ["north", "something else"]}


class House:
    """The product, its provider, and what a browser does between the two."""

    def __init__(self, kit_: Kit, provider: Provider) -> None:
        self.kit, self.provider, self.app = kit_, provider, create_app(kit_.svc)

    def browser(self) -> PageClient:
        return PageClient(self.app)

    def off(self, client: PageClient, query: str = "") -> str:
        """The address at the provider that the button leads to."""
        response = client.flask.get("/sign-in/single-sign-on" + query)
        assert response.status_code == 303
        return response.headers["Location"]

    def back(self, client: PageClient, address: str) -> TestResponse:
        """Come back from the provider by this address."""
        parts = urlsplit(address)
        assert parts.path == "/sign-in/return"
        return client.flask.get(f"{parts.path}?{parts.query}", headers={"Accept": "text/html"})

    def enter(self, client: PageClient, query: str = "") -> TestResponse:
        """The whole way."""
        return self.back(client, self.provider.authorise(self.off(client, query)))

    def accounts(self) -> dict[str, users.User]:
        return {user.name: user for user in users.listed(self.kit.svc)}


@pytest.fixture
def settings() -> dict[str, Any]:
    """Further settings; a test may be parametrised to have others."""
    return {}


@contextmanager
def housed(url: str, home: Path, **settings: Any) -> Iterator[House]:
    with running() as provider:
        provider.person = KIM
        given = {
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_role_map": json.dumps(MAP),
            **settings,
        }
        with kit(url, home, **given) as made:
            provider.now = made.clock
            yield House(made, provider)


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path, settings: dict[str, Any]) -> Iterator[House]:
    with housed(sqlite_url, tmp_path, **settings) as made:
        yield made


@pytest.fixture(scope="module")
def one_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """For tests in which nobody gets in."""
    home = tmp_path_factory.mktemp("house")
    with housed(f"sqlite:///{home / 'store.sqlite3'}", home) as made:
        yield made


def cookies_of(client: PageClient) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in client.flask._cookies.values()}


def nobody_came_in(client: PageClient) -> bool:
    return client.flask.get("/", headers={"Accept": "text/html"}).status_code == 303


def test_the_button_leads_to_the_provider_and_back_to_where_one_was(house):
    client = house.browser()
    page = client.get("/sign-in?next=/help")
    (button,) = [a for a in page.all("a") if a.text == "Sign in with your organisation's account"]
    assert "next=/help" in button.attributes["href"]
    response = house.enter(client, "?next=/help")
    assert (response.status_code, response.headers["Location"]) == (303, "/help")
    assert "Signed in as kim" in client.get("/help").text
    kim = house.accounts()["kim"]
    assert (kim.roles, kim.teams, kim.offices, kim.email, kim.single) == (
        frozenset({"reviewer"}), frozenset({"north"}), None, "kim@example.org", True,
    )  # fmt: skip


def test_the_request_carries_pkce_state_and_nonce_and_no_two_are_alike(house):
    one, other = ({k: v[0] for k, v in parse_qs(urlsplit(house.off(house.browser())).query).items()} for _ in range(2))
    assert (one["response_type"], one["code_challenge_method"], one["scope"]) == ("code", "S256", "openid profile email")
    assert one["redirect_uri"] == "http://localhost/sign-in/return"
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) == 43
        assert one[name] != other[name]


def test_the_account_follows_the_subject_and_its_roles_the_groups_of_the_last_sign_in(house):
    client = house.browser()
    house.enter(client)
    before = house.accounts()["kim"]
    house.provider.person = {**KIM, "preferred_username": "kim.n", "groups": ["managers"]}
    house.kit.clock.advance(minutes=1)
    house.enter(house.browser())
    after = users.get(house.kit.svc, before.id)
    assert (after.roles, after.teams) == (frozenset({"manager"}), None)
    assert nobody_came_in(client), "the session that was begun with other roles is over"


def test_groups_that_differ_in_their_teams_alone_are_added_up(house):
    house.provider.person = {**KIM, "groups": ["south", "north"]}
    house.enter(house.browser())
    assert house.accounts()["kim"].teams == {"north", "south"}


def test_a_name_that_is_taken_leads_to_no_account_of_somebody_else(house):
    users.create(house.kit.svc, name="kim", roles=["administrator"], email="kim@example.org")
    house.enter(house.browser())
    kept, made = house.accounts()["kim"], house.accounts()["kim (2)"]
    assert (kept.single, kept.roles) == (False, frozenset({"administrator"}))
    assert (made.single, made.roles) == (True, frozenset({"reviewer"}))


def test_whoever_has_no_mapped_group_is_told_so_and_gets_no_account(house):
    house.provider.person = {**KIM, "groups": ["catering"]}
    client = house.browser()
    response = house.enter(client)
    page = client._checked(response, 403)
    assert "You have no access here yet" in page.main
    assert "Nothing is wrong with your account" in page.main
    (again,) = [a for a in page.all("a") if a.text == "Sign in with another account"]
    assert parse_qs(urlsplit(house.off(client, "?" + urlsplit(again.attributes["href"]).query)).query)["prompt"] == ["login"]
    assert "kim" not in house.accounts()
    assert nobody_came_in(client)


def test_whoever_has_lost_the_groups_is_out_everywhere(house):
    client = house.browser()
    house.enter(client)
    house.kit.clock.advance(minutes=1)
    house.provider.person = {**KIM, "groups": []}
    assert house.enter(house.browser()).status_code == 403
    assert nobody_came_in(client)
    assert house.accounts()["kim"].roles == frozenset()


def test_an_account_that_was_switched_off_here_stays_out(house):
    users.create(house.kit.svc, name="root", roles=["administrator"])
    house.enter(house.browser())
    users.change(house.kit.svc, name="kim", disabled=True)
    client = house.browser()
    response = house.enter(client)
    assert response.status_code == 403
    assert "switched off" in response.text
    assert nobody_came_in(client)


def test_groups_may_stand_inside_a_claim_or_at_the_userinfo_address_alone(house):
    house.kit.svc.provider._claim = "realm_access.roles"
    house.provider.person = {**KIM, "realm_access": {"roles": ["managers"]}}
    house.enter(house.browser())
    assert house.accounts()["kim"].roles == {"manager"}
    house.provider.person = KIM
    house.provider.userinfo = {"sub": KIM["sub"], "realm_access": {"roles": ["north"]}}
    house.kit.clock.advance(hours=2)
    house.enter(house.browser())
    assert house.accounts()["kim"].roles == {"reviewer"}
    house.provider.userinfo = {"sub": "somebody else", "realm_access": {"roles": ["managers"]}}
    assert house.enter(house.browser()).status_code == 401


# --- hostile and careless providers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["x"]},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},
        {"iat": None},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_that_says_something_wrong_lets_nobody_in(one_house, wrong):
    house = one_house
    house.provider.wrong = wrong
    client = house.browser()
    page = client._checked(house.enter(client), 401)
    assert "You are not signed in" in page.main
    assert nobody_came_in(client)
    assert list(house.accounts()) == []


@pytest.mark.parametrize("how", ["unsigned", "secretly", "other key"])
def test_a_token_that_the_providers_key_has_not_signed_lets_nobody_in(house, how):
    house.provider.unsigned, house.provider.secretly = how == "unsigned", how == "secretly"
    if how == "other key":
        house.provider.shown = [new_key("k1", 1)]
    client = house.browser()
    assert house.enter(client).status_code == 401
    assert nobody_came_in(client)


def test_clocks_may_differ_by_a_minute_and_no_more(house):
    now = house.kit.clock() // 1000
    house.provider.wrong = {"iat": now + 50, "exp": now - 50}
    assert house.enter(house.browser()).status_code == 303
    house.provider.wrong = {"exp": now - 70}
    assert house.enter(house.browser()).status_code == 401


def test_a_new_key_is_fetched_when_a_token_names_it_and_not_for_every_stray_name(house):
    assert house.enter(house.browser()).status_code == 303
    house.provider.rotate("k2")
    assert house.enter(house.browser()).status_code == 303
    assert house.provider.asked.count("/keys") == 2
    house.provider.shown = [house.provider.key]
    house.provider.rotate("k3")
    for _ in range(5):
        assert house.enter(house.browser()).status_code == 401
    assert house.provider.asked.count("/keys") == 2, "within a few seconds nobody asks again"
    house.kit.clock.advance(seconds=6)
    house.provider.shown = None
    assert house.enter(house.browser()).status_code == 303


def test_a_code_is_good_once_and_in_the_browser_that_asked_for_it(house):
    client = house.browser()
    address = house.provider.authorise(house.off(client))
    thief = house.browser()
    assert house.back(thief, address).status_code == 401, "without the cookie of the browser that began"
    house.off(thief)
    assert house.back(thief, address).status_code == 401, "with the cookie of another beginning"
    kept = cookies_of(client)["duecare_sign_in"]
    assert house.back(client, address).status_code == 303
    client.flask.delete_cookie("duecare")
    assert house.back(client, address).status_code == 401, "a beginning leads in once"
    client.flask.set_cookie("duecare_sign_in", kept, path="/sign-in")
    assert house.back(client, address).status_code == 401, "the provider takes no code twice"
    assert nobody_came_in(client)
    assert nobody_came_in(thief)


@pytest.mark.parametrize("change", ["no state", "other state", "other issuer", "no issuer", "no code", "made-up code"])
def test_an_answer_that_was_tampered_with_lets_nobody_in(one_house, change):
    house = one_house
    house.provider.wrong = {}
    client = house.browser()
    address = house.provider.authorise(house.off(client))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    which = {"state": "state", "issuer": "iss", "code": "code"}[change.split()[-1]]
    if change.startswith("no "):
        del asked[which]
    else:
        asked[which] = "https://elsewhere.example"
    response = client.flask.get("/sign-in/return", query_string=asked)
    assert response.status_code == 401
    assert nobody_came_in(client)


def test_a_way_that_took_too_long_or_was_refused_is_told_kindly(house):
    client = house.browser()
    address = house.provider.authorise(house.off(client))
    house.kit.clock.advance(minutes=11)
    assert "It took too long" in house.back(client, address).text
    house.provider.person = None
    assert "You did not sign in at your organisation" in house.enter(client).text


def test_metadata_of_another_issuer_or_with_unsafe_addresses_are_not_used(house):
    for wrong in ({"issuer": "https://elsewhere.example"}, {"authorization_endpoint": "http://elsewhere.example/authorize"}):
        house.provider.metadata = wrong
        response = house.browser().flask.get("/sign-in/single-sign-on")
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        house.kit.clock.advance(hours=2)


def test_while_the_provider_is_away_it_is_asked_now_and_then_only_and_passwords_still_work(house):
    house.provider.down = True
    for _ in range(4):
        assert house.browser().flask.get("/sign-in/single-sign-on").status_code == 503
    assert len(house.provider.asked) == 1
    users.create(house.kit.svc, name="root", roles=["administrator"], password="a phrase for emergencies")
    client = house.browser()
    client.sign_in("root", "a phrase for emergencies")
    assert client.location == "/"
    house.provider.down = False
    house.kit.clock.advance(seconds=6)
    assert house.enter(house.browser()).status_code == 303


def test_while_one_thread_waits_for_the_provider_the_others_do_not(house, monkeypatch):
    monkeypatch.setattr(oidc, "WAIT", 0.01)
    with house.kit.svc.provider._lock:
        assert house.browser().flask.get("/sign-in/single-sign-on").status_code == 503
    assert house.browser().flask.get("/sign-in/single-sign-on").status_code == 303
    house.kit.clock.advance(hours=2)
    with house.kit.svc.provider._lock:
        assert house.browser().flask.get("/sign-in/single-sign-on").status_code == 303, "by what was known before"
    assert house.provider.asked == ["/.well-known/openid-configuration"]


# --- sessions, addresses, secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_signing_in(house, where):
    client = house.browser()
    off = client.flask.get("/sign-in/single-sign-on", query_string={"next": where}).headers["Location"]
    assert house.back(client, house.provider.authorise(off)).headers["Location"] == "/"


def test_a_session_that_somebody_planted_before_is_not_the_one_after(house):
    client = house.browser()
    with client.flask.session_transaction() as session:
        session.update({"token": "planted", "user": "planted", "began": 1, "seen": 1, "more": "planted"})
    house.enter(client)
    with client.flask.session_transaction() as session:
        assert "planted" not in str(dict(session))
        assert set(session) == {"user", "session", "began", "seen", "token", "single"}


def test_cookies_are_closed_to_scripts_other_sites_and_readers(house, caplog):
    caplog.set_level(logging.DEBUG)
    client = house.browser()
    off = client.flask.get("/sign-in/single-sign-on", base_url="https://duecare.example")
    (begun,) = off.headers.getlist("Set-Cookie")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/sign-in", "Max-Age=600"):
        assert part in begun
    asked = {name: values[0] for name, values in parse_qs(urlsplit(off.headers["Location"]).query).items()}
    assert asked["redirect_uri"] == "https://duecare.example/sign-in/return"
    back = urlsplit(house.provider.authorise(off.headers["Location"]))
    into = client.flask.get(f"{back.path}?{back.query}", base_url="https://duecare.example")
    assert into.status_code == 303
    set_ = "\n".join([begun, *into.headers.getlist("Set-Cookie")])
    assert "Path=/sign-out" in set_
    codes = list(house.provider.codes)
    secrets_ = [*house.provider.tokens, *codes, asked["state"], asked["nonce"], SECRET]
    assert len(secrets_) == 6
    assert not [secret for secret in secrets_ if secret in set_ or secret in caplog.text]


def test_signing_out_ends_the_session_here_and_leads_to_the_provider(house):
    client = house.browser()
    house.enter(client)
    token = client.token()
    response = client.flask.post("/sign-out", data={"csrf_token": token})
    assert response.status_code == 200
    assert nobody_came_in(client)
    (link,) = [a for a in Document(response.text).all("a") if a.text == "Go on if nothing happens"]
    assert f'content="1; url={link.attributes["href"].replace("&", "&amp;")}"' in response.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link.attributes["href"]).query).items()}
    assert link.attributes["href"].startswith(house.provider.issuer + "/logout?")
    assert asked == {
        "client_id": CLIENT,
        "post_logout_redirect_uri": "http://localhost/sign-in",
        "id_token_hint": house.provider.tokens[0],
    }
    assert "duecare_sign_out" not in cookies_of(client)


def test_a_token_too_long_for_a_cookie_is_not_kept_and_the_provider_asks_who_signs_out(house):
    house.provider.wrong = {"more": secrets.token_urlsafe(6_000)}
    client = house.browser()
    house.enter(client, "?next=/help" + "x" * 5_000)
    assert all(len(value) < 4_000 for value in cookies_of(client).values())
    response = client.flask.post("/sign-out", data={"csrf_token": client.token()})
    (link,) = [a for a in Document(response.text).all("a") if a.text == "Go on if nothing happens"]
    assert set(parse_qs(urlsplit(link.attributes["href"]).query)) == {"client_id", "post_logout_redirect_uri"}


def test_the_provider_is_not_needed_to_sign_out_here(house):
    client = house.browser()
    house.enter(client)
    house.provider.metadata = {"end_session_endpoint": None}
    house.kit.clock.advance(hours=2)
    client.get("/help")
    client.post("/sign-out", {})
    assert client.location == "/sign-in"
    assert nobody_came_in(client)


def test_sign_ins_stand_in_the_access_log(house):
    house.enter(house.browser())
    house.provider.wrong = {"nonce": "another"}
    house.enter(house.browser())
    with house.kit.svc.reading() as session:
        lines = [(row.actor, row.action, row.outcome) for row in session.scalars(select(AccessLogRow).order_by(AccessLogRow.id))]
    kim = house.accounts()["kim"]
    assert lines == [(f"user:{kim.id}", "session.begin", "done"), ("nobody", "session.begin", "refused")]


# --- accounts here beside it -----------------------------------------------------------------------------------------


def test_what_the_provider_decides_is_not_changed_here(house):
    client = house.browser()
    house.enter(client)
    for change in ({"roles": ["administrator"]}, {"teams": ["south"]}, {"unlimited": True}):
        with pytest.raises(NotPossible, match="provider"):
            users.change(house.kit.svc, name="kim", **change)
    with pytest.raises(NotPossible, match="reset there"):
        users.reset_password(house.kit.svc, name="kim")
    with house.kit.svc.reading() as session:
        assert session.scalar(select(UserRow.password_hash).where(UserRow.name == "kim")) is None
    client.get("/password", status=409)
    assert not [a for a in client.get("/account").all("a") if a.text == "Change password"]


@pytest.mark.parametrize("settings", [{"oidc_only": True, "oidc_break_glass": "root, other"}])
def test_where_it_is_the_only_way_in_no_password_counts_but_for_emergencies(house, settings):
    for name in ("root", "robin"):
        users.create(house.kit.svc, name=name, roles=["administrator"], password="a phrase for emergencies")
    client = house.browser()
    assert client.get("/sign-in").all("input", name="password") == []
    (way,) = [a for a in client.get("/sign-in").all("a") if a.text == "sign in with an emergency account"]
    assert client.get(way.attributes["href"]).all("input", name="password")
    page = client.post("/sign-in", {"name": "robin", "password": "a phrase for emergencies"}, status=401)
    assert page is not None
    assert "not right" in page.main
    client.post("/sign-in", {"name": "root", "password": "a phrase for emergencies"})
    assert client.location == "/"
    robin = house.browser()
    with robin.flask.session_transaction() as session:
        session.update({"user": house.accounts()["robin"].id, "began": house.kit.clock.ms, "seen": house.kit.clock.ms})
    assert nobody_came_in(robin), "a session that was begun before"


def test_administrators_read_how_it_is_set_up_and_no_secret(house):
    users.create(house.kit.svc, name="root", roles=["administrator"], password="a phrase for emergencies")
    house.enter(house.browser())
    client = house.browser()
    client.sign_in("root", "a phrase for emergencies")
    client.post("/password", {"old": "a phrase for emergencies", "new": "quite another phrase", "again": "quite another phrase"})
    page = client.get("/administration/sign-in")
    for told in (house.provider.issuer, "Group north", "http://localhost/sign-in/return", "Given; never shown"):
        assert told in page.main
    assert SECRET not in page.text
    account = client.get(f"/administration/accounts/{house.accounts()['kim'].id}")
    assert "follow from their groups" in account.main
    assert "Give a one-time password" not in account.main


def test_without_it_there_is_no_button_and_no_way(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path) as made:
        client = PageClient(_app(made))
        assert "organisation" not in client.get("/sign-in").main
        for path in ("/sign-in/single-sign-on", "/sign-in/return?code=x&state=y"):
            client.get(path, status=404)


def _app(made: Kit) -> Flask:
    return create_app(made.svc)
