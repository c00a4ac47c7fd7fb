"""Keys and accounts: what opens, what does not, and what is never kept or told."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from service import keys, users
from service.access import Access, system
from service.errors import Forbidden, Invalid, LockedOut, NotFound, NotPossible, Unauthorised
from tests.support.service_kit import kit


@pytest.fixture
def house(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path) as made:
        yield made


def test_keys_and_accounts_work_on_both_databases(store_url, tmp_path):
    with kit(store_url, tmp_path) as made:
        _, token = keys.create(made.svc, name="feed", scopes=["events:write"], offices=["o1"])
        assert keys.authenticate(made.svc, token).offices == {"o1"}
        password = users.first_administrator(made.svc)
        assert password is not None
        assert users.sign_in(made.svc, name="admin", password=password).last_login == made.clock.ms


def test_a_key_opens_what_its_scopes_say_and_nothing_else(house):
    key, token = keys.create(house.svc, name="feed", scopes=["events:write"], teams=["north"])
    access = keys.authenticate(house.svc, token)
    assert (access.actor, access.teams, access.offices) == (f"key:{key.id}", frozenset({"north"}), None)
    access.require("events:write")
    with pytest.raises(Forbidden, match="cases:read"):
        access.require("cases:read")
    assert access.sees(team="north", office="x")
    assert not access.sees(team="south", office=None)
    assert not access.sees(team=None, office=None), "what names no team lies in no team's limits"


def test_a_key_is_kept_as_a_hash_alone(house):
    _, token = keys.create(house.svc, name="feed", scopes=["events:write"])
    secret = token.rpartition("_")[2]
    with house.svc.reading() as session:
        row = session.execute(text("SELECT * FROM api_key")).one()
    assert secret not in str(tuple(row))
    assert secret not in repr(keys.listed(house.svc))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: t + "0",
        lambda t: "dk_" + "a" * 12 + t[15:],
        lambda _: "",
        lambda _: "é",
    ],
)
def test_a_wrong_token_opens_nothing(house, change):
    _, token = keys.create(house.svc, name="feed", scopes=["events:write"])
    with pytest.raises(Unauthorised):
        keys.authenticate(house.svc, change(token))


def test_revoked_and_expired_keys_open_nothing(house):
    key, token = keys.create(house.svc, name="feed", scopes=["events:write"], expires=house.clock.ms + 60_000)
    keys.authenticate(house.svc, token)
    house.clock.advance(seconds=60)
    with pytest.raises(Unauthorised):
        keys.authenticate(house.svc, token)
    other, token = keys.create(house.svc, name="feed2", scopes=["events:write"])
    keys.revoke(house.svc, other.id)
    keys.revoke(house.svc, other.id)
    with pytest.raises(Unauthorised):
        keys.authenticate(house.svc, token)
    with pytest.raises(NotFound):
        keys.revoke(house.svc, "nothere")
    assert {one.id for one in keys.listed(house.svc)} == {key.id, other.id}


def test_last_use_is_noted_now_and_then(house):
    key, token = keys.create(house.svc, name="feed", scopes=["events:write"])

    def last_used():
        return next(one.last_used for one in keys.listed(house.svc) if one.id == key.id)

    keys.authenticate(house.svc, token)
    first = last_used()
    assert first == house.clock.ms
    house.clock.advance(seconds=30)
    keys.authenticate(house.svc, token)
    assert last_used() == first
    house.clock.advance(seconds=30)
    keys.authenticate(house.svc, token)
    assert last_used() == house.clock.ms


@pytest.mark.parametrize(
    "given",
    [{"scopes": []}, {"scopes": ["everything"]}, {"name": " "}, {"name": "a\nb"}, {"teams": []}, {"expires": 1}],
)
def test_a_key_that_makes_no_sense_is_not_made(house, given):
    with pytest.raises(Invalid):
        keys.create(house.svc, **({"name": "feed", "scopes": ["events:write"]} | given))
    assert keys.listed(house.svc) == []


def test_the_first_administrator_is_made_once_and_must_choose_a_password(house):
    password = users.first_administrator(house.svc)
    assert password is not None
    assert users.first_administrator(house.svc) is None
    user = users.sign_in(house.svc, name="admin", password=password)
    access = users.access_of(user)
    with pytest.raises(Forbidden, match="password"):
        access.require("users:admin")
    assert not access.may_approve("low")
    user = users.change_password(house.svc, user_id=user.id, old=password, new="correct horse battery")
    users.access_of(user).require("users:admin")
    assert user.sessions_after == house.clock.ms
    with pytest.raises(Unauthorised):
        users.sign_in(house.svc, name="admin", password=password)
    users.sign_in(house.svc, name="admin", password="correct horse battery")


def test_wrong_passwords_lock_the_account_for_a_while_that_grows(house):
    _, password = users.create(house.svc, name="rita", roles=["reviewer"])
    assert password is not None
    for _ in range(users.TRIES):
        with pytest.raises(Unauthorised):
            users.sign_in(house.svc, name="rita", password="wrong wrong wrong")
    with pytest.raises(LockedOut) as caught:
        users.sign_in(house.svc, name="rita", password=password)
    assert caught.value.retry_after == users.FIRST_LOCK // 1000
    house.clock.ms += users.FIRST_LOCK
    with pytest.raises(Unauthorised):
        users.sign_in(house.svc, name="rita", password="wrong wrong wrong")
    with pytest.raises(LockedOut) as caught:
        users.sign_in(house.svc, name="rita", password=password)
    assert caught.value.retry_after == 2 * users.FIRST_LOCK // 1000
    house.clock.ms += 2 * users.FIRST_LOCK
    users.sign_in(house.svc, name="rita", password=password)


def test_unknown_names_and_disabled_accounts_are_refused_alike(house):
    _, password = users.create(house.svc, name="rita", roles=["reviewer"])
    users.create(house.svc, name="adam", roles=["administrator"])
    users.change(house.svc, name="rita", disabled=True)
    messages = set()
    for name, given in (("nobody", "x" * 12), ("rita", password or "")):
        with pytest.raises(Unauthorised) as caught:
            users.sign_in(house.svc, name=name, password=given)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_an_installation_keeps_an_administrator(house):
    users.create(house.svc, name="adam", roles=["administrator"])
    for change in ({"roles": ["viewer"]}, {"disabled": True}):
        with pytest.raises(NotPossible):
            users.change(house.svc, name="adam", **change)
    assert not users.listed(house.svc)[0].disabled


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaaaa", "rita-rita-rita"])
def test_a_poor_password_is_not_taken(house, password):
    with pytest.raises(Invalid):
        users.create(house.svc, name="rita", roles=["reviewer"], password=password)


def test_roles_bring_scopes_and_the_right_to_approve():
    reviewer = Access("user:1", "r", roles=frozenset({"reviewer"}))
    leader = Access("user:2", "l", roles=frozenset({"team_leader"}))
    manager = Access("user:3", "m", roles=frozenset({"manager"}))
    assert [one.may_approve("low") for one in (reviewer, leader, manager)] == [False, True, True]
    assert [one.may_approve("critical") for one in (reviewer, leader, manager)] == [False, False, True]
    assert not manager.may_approve("unheard of")
    system().require("users:admin")


def test_two_accounts_cannot_share_a_name(house):
    users.create(house.svc, name="rita", roles=["reviewer"])
    with pytest.raises(Invalid, match="name"):
        users.create(house.svc, name="rita", roles=["reviewer"])
