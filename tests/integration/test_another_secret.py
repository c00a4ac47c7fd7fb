"""The secret key was lost and another one set: API keys that it has made void are told as such, and none are that can be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from service import keys
from service.bootstrap import Service, build
from service.errors import Unauthorised
from service.settings import Settings
from tests.support.service_kit import Kit, kit, shipped

ANOTHER = "another secret key of more than 32 characters"


@pytest.fixture
def house(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit(store_url, tmp_path) as made:
        yield made


@contextmanager
def after_the_loss(house: Kit) -> Iterator[Service]:
    """The same store under another secret key."""
    settings = Settings(home=house.svc.settings.home, database_url=house.svc.settings.database, secret_key=ANOTHER)
    svc = build(settings, now=house.clock, policies=shipped())
    yield svc
    svc.close()


def states(svc: Service) -> dict[str, str]:
    return {key.name: key.state(svc.now()) for key in keys.listed(svc)}


def test_keys_of_another_secret_are_void_and_those_of_this_one_are_not(house: Kit) -> None:
    old, token = keys.create(house.svc, name="old", scopes=["events:write"])
    gone, _ = keys.create(house.svc, name="gone", scopes=["events:write"])
    keys.revoke(house.svc, gone.id)
    assert states(house.svc) == {"old": "good", "gone": "revoked"}
    with after_the_loss(house) as svc:
        _, new = keys.create(svc, name="new", scopes=["events:write"])
        assert states(svc) == {"old": "void", "gone": "revoked", "new": "good"}
        with pytest.raises(Unauthorised):
            keys.authenticate(svc, token)
        assert keys.authenticate(svc, new).actor.startswith("key:")
        assert keys.get(svc, old.id).fits is False
    assert states(house.svc) == {"old": "good", "gone": "revoked", "new": "void"}, "the former secret key was found again"
    assert keys.authenticate(house.svc, token).name == "old"


def test_another_key_takes_the_place_of_a_void_one_which_is_revoked(house: Kit) -> None:
    old, _ = keys.create(house.svc, name="feed", scopes=["events:write"], teams=["north"], expires=house.clock.ms + 10**9)
    with after_the_loss(house) as svc:
        made, token = keys.rotate(svc, old.id, overlap=86_400_000)
        assert (made.scopes, made.teams, made.expires) == (old.scopes, old.teams, old.expires)
        assert keys.authenticate(svc, token).name == "feed"
        assert keys.get(svc, old.id).state(svc.now()) == "revoked"


def test_of_a_key_that_an_earlier_version_made_its_next_use_shows_whether_it_is_good(house: Kit) -> None:
    used, token = keys.create(house.svc, name="used", scopes=["events:write"])
    keys.create(house.svc, name="idle", scopes=["events:write"])
    keys.authenticate(house.svc, token)
    with house.svc.writing() as session:
        session.execute(text("UPDATE api_key SET secret_id = NULL"))
    assert states(house.svc) == {"used": "unproved", "idle": "unproved"}
    with after_the_loss(house) as svc:
        with pytest.raises(Unauthorised):
            keys.authenticate(svc, token)
        assert states(svc) == {"used": "unproved", "idle": "unproved"}, "a wrong token shows nothing"
    keys.authenticate(house.svc, token)
    assert states(house.svc) == {"used": "good", "idle": "unproved"}
    with after_the_loss(house) as svc:
        assert states(svc) == {"used": "void", "idle": "unproved"}
        assert keys.get(svc, used.id).last_used == house.clock.ms


def test_what_is_kept_of_the_secret_key_does_not_tell_it(house: Kit) -> None:
    keys.create(house.svc, name="feed", scopes=["events:write"])
    with house.svc.reading() as session:
        kept = session.execute(text("SELECT secret_id FROM api_key")).scalar_one()
    assert len(kept) == 16
    assert kept not in house.svc.settings.secret.decode()
