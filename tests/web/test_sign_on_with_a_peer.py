"""Single sign-on with a provider that others have written, in a process of its own: it understands us, and what it refuses holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.app import create_app
from service import users
from service.errors import SignOnFailed
from service.oidc import Provider
from tests.support.pages import Document, PageClient
from tests.support.peerprovider import PeerProvider
from tests.support.service_kit import Kit, kit

BACK = "http://localhost/sign-in/return"
MAP = {"north": {"roles": ["reviewer"], "teams": ["north"]}, "managers": {"roles": ["manager"]}}


@pytest.fixture(scope="module")
def provider() -> Iterator[PeerProvider]:
    with PeerProvider() as running:
        running.register(BACK)
        yield running


@pytest.fixture
def house(provider: PeerProvider, sqlite_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit(
        sqlite_url,
        tmp_path,
        oidc_issuer=provider.issuer,
        oidc_client_id=provider.client,
        oidc_client_secret=provider.secret,
        oidc_role_map=json.dumps(MAP),
    ) as made:
        made.clock.ms = time.time_ns() // 1_000_000
        yield made


def test_somebody_comes_in_with_what_their_groups_give_and_goes_out_at_the_provider_too(house: Kit, provider: PeerProvider) -> None:
    provider.person("kim-1", preferred_username="kim", email="kim@example.org", groups=["north", "elsewhere"])
    client = PageClient(create_app(house.svc))
    off = client.flask.get("/sign-in/single-sign-on?next=/help").headers["Location"]
    back = urlsplit(provider.authorise(off, "kim-1"))
    into = client.flask.get(f"{back.path}?{back.query}")
    assert (into.status_code, into.headers["Location"]) == (303, "/help")
    assert "Signed in as kim" in client.get("/help").text
    (kim,) = users.listed(house.svc)
    assert (kim.roles, kim.teams, kim.email) == (frozenset({"reviewer"}), frozenset({"north"}), "kim@example.org")

    left = client.flask.post("/sign-out", data={"csrf_token": client.token()})
    (onward,) = [a.attributes["href"] for a in Document(left.text).all("a") if a.text == "Go on if nothing happens"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(onward).query).items()}
    assert asked["post_logout_redirect_uri"] == "http://localhost/sign-in"
    shown = httpx.get(onward).raise_for_status()
    assert asked["id_token_hint"] in shown.text
    ended = httpx.post(f"{provider.issuer}/oauth2/end_session/confirm", data={"redirect_uri": asked["post_logout_redirect_uri"]})
    assert ended.headers["Location"] == "http://localhost/sign-in"
    assert client.flask.get("/help", headers={"Accept": "text/html"}).status_code == 303


def test_other_groups_at_the_next_sign_in_are_other_roles(house: Kit, provider: PeerProvider) -> None:
    for groups, roles in ((["north"], {"reviewer"}), (["managers"], {"manager"})):
        provider.person("robin-1", preferred_username="robin", groups=groups)
        client = PageClient(create_app(house.svc))
        back = urlsplit(provider.authorise(client.flask.get("/sign-in/single-sign-on").headers["Location"], "robin-1"))
        assert client.flask.get(f"{back.path}?{back.query}").status_code == 303
        (robin,) = users.listed(house.svc)
        assert robin.roles == roles


def given_back(ours: Provider, provider: PeerProvider) -> tuple[dict[str, str], dict[str, str]]:
    """What the provider gives back for a new sign-in, and what we know of that."""
    started = ours.start(back=BACK)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(provider.authorise(started.address, "kim-1")).query).items()}
    return answer, {"state": started.state, "nonce": started.nonce, "verifier": started.verifier, "back": BACK}


def why_not(ours: Provider, answer: dict[str, str], **known: str) -> str:
    """The reason for which a sign-in fails."""
    with pytest.raises(SignOnFailed) as failed:
        ours.finish(answer, state=known["state"], nonce=known["nonce"], verifier=known["verifier"], back=known["back"])
    return failed.value.reason


def test_the_provider_takes_a_code_once_and_with_the_verifier_that_belongs_to_it(house: Kit, provider: PeerProvider) -> None:
    provider.person("kim-1", preferred_username="kim", groups=["north"])
    ours = house.svc.provider
    assert ours is not None
    answer, known = given_back(ours, provider)
    assert why_not(ours, answer, **{**known, "verifier": "another-verifier-of-the-right-length-0123456789"}) == "code"
    answer, known = given_back(ours, provider)
    assert ours.finish(answer, **known).groups == {"north"}
    assert why_not(ours, answer, **known) == "code"


def test_the_provider_knows_us_by_our_secret_and_sends_nobody_elsewhere(house: Kit, provider: PeerProvider) -> None:
    provider.person("kim-1", preferred_username="kim", groups=["north"])
    ours = house.svc.provider
    assert ours is not None
    answer, known = given_back(ours, provider)
    ours._secret = "another secret"
    assert why_not(ours, answer, **known) == "code"
    elsewhere = ours.start(back="http://elsewhere.example/sign-in/return")
    assert httpx.get(elsewhere.address).status_code == 400


def test_a_token_for_another_sign_in_is_not_believed(house: Kit, provider: PeerProvider) -> None:
    provider.person("kim-1", preferred_username="kim", groups=["north"])
    ours = house.svc.provider
    assert ours is not None
    answer, known = given_back(ours, provider)
    assert why_not(ours, answer, **{**known, "nonce": "of another sign-in"}) == "nonce"
    house.clock.advance(hours=2)
    answer, known = given_back(ours, provider)
    assert why_not(ours, answer, **known) == "expired"
