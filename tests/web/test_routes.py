"""Who may use what: every route stands in the table of routes, and each page is tried as every role; each has its action in the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import actions
from api.app import create_app
from service import accesslog
from service.access import ROLES
from tests.support.routes import PAGE_ROUTES, PUBLIC, ROUTES, SIGNED_IN, TOKEN
from tests.support.service_kit import Kit, kit


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    home = tmp_path_factory.mktemp("routes")
    with kit(f"sqlite:///{home / 'store.sqlite3'}", home) as made:
        yield made


@pytest.fixture(scope="module")
def app(house: Kit) -> Flask:
    return create_app(house.svc)


def rules(app: Flask) -> dict[str, str]:
    """Flask's name of every route, by method and rule."""
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_says_who_may_use_it(app):
    assert set(rules(app)) == set(ROUTES)


def test_every_route_is_recorded_or_said_not_to_be(app):
    endpoints = set(rules(app).values())
    assert endpoints <= set(actions.ROUTES) | actions.NOT_RECORDED
    assert set(actions.ROUTES) <= endpoints, "an action of a route that is no more"
    assert not set(actions.ROUTES) & actions.NOT_RECORDED
    assert set(actions.ROUTES.values()) <= set(accesslog.ACTIONS)


def test_what_changes_something_is_always_recorded(app):
    changing = {endpoint for route, endpoint in rules(app).items() if route.startswith("POST ")}
    assert not changing & actions.NOT_RECORDED


def path_of(route: str) -> str:
    rule = route.partition(" ")[2].replace("<key:policy>", "cfss").replace("<form>", "csv").replace("<path:filename>", "duecare.css")
    return "/".join("x" if part.startswith("<") else part for part in rule.split("/"))


def enter(house: Kit, app: Flask, *roles: str) -> FlaskClient:
    """A client with the session of somebody who has these roles."""
    from service import users

    name = f"who {len(users.listed(house.svc))}"
    user, _ = users.create(house.svc, name=name, roles=roles, password="a phrase for this test")
    users.change_password(house.svc, user_id=user.id, old="a phrase for this test", new="another phrase for it")
    client = app.test_client()
    with client.session_transaction() as session:
        session.update({"user": user.id, "began": house.clock.ms, "seen": house.clock.ms, "token": "t"})
    return client


def ask(client: FlaskClient, route: str) -> int:
    method = route.partition(" ")[0]
    data = {"csrf_token": "t"} if method == "POST" else None
    with client.open(path_of(route), method=method, data=data, headers={"Accept": "text/html"}) as answer:
        return answer.status_code


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_its_scopes_say_and_nothing_else(house, app, monkeypatch, role):
    from argon2 import PasswordHasher

    from service import users

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: quick)
    client = enter(house, app, role)
    wrong = {}
    for route, scope in PAGE_ROUTES.items():
        if route.endswith((" /sign-out", " /sign-in", "/password")) and "account" not in route:
            continue
        status = ask(client, route)
        may = scope in {PUBLIC, SIGNED_IN, TOKEN} or scope in ROLES[role]
        if may == (status in {401, 403}) or status >= 500:
            wrong[route] = (scope, status)
    assert wrong == {}


def test_strangers_are_sent_to_sign_in_wherever_they_ask(app):
    for route, scope in PAGE_ROUTES.items():
        if scope in {PUBLIC, TOKEN}:
            continue
        answer = app.test_client().open(path_of(route), method=route.partition(" ")[0], headers={"Accept": "text/html"})
        told = (answer.status_code, answer.headers.get("Location", "").partition("?")[0])
        assert told == ((303, "/sign-in") if route.startswith("GET ") else (400, "")), route
