"""Every route of the JSON interface is in the table of routes, and each is tried without and with its scope."""

from __future__ import annotations

import pytest

from tests.api.conftest import ALL, Api
from tests.support.routes import JSON_ROUTES, PUBLIC, SIGNED


def routes(api: Api) -> dict[str, str]:
    """Every route of the application but the pages', whose own list is kept with them: its name, by method and rule."""
    found = {}
    for rule in api.app.url_map.iter_rules():
        if not rule.endpoint.startswith("web."):
            found.update({f"{method} {rule.rule}": rule.endpoint for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}})
    return found


def test_every_route_is_listed(light: Api) -> None:
    assert set(routes(light)) == set(JSON_ROUTES)


def test_the_document_names_the_same_scopes(light: Api) -> None:
    document = light.call("GET", "/openapi.json").json
    assert document is not None
    told = {
        f"{method.upper()} {path.replace('{', '<key:').replace('}', '>')}": operation.get("x-scope")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert told == {
        route: None if scope is SIGNED else scope for route, scope in JSON_ROUTES.items() if route not in {"GET /openapi.json", "GET /docs"}
    }


SCOPED = {route: scope for route, scope in JSON_ROUTES.items() if scope is not SIGNED}


@pytest.mark.parametrize(("route", "scope"), SCOPED.items(), ids=SCOPED)
def test_each_route_wants_its_scope_and_no_other(light: Api, route: str, scope: str | None) -> None:
    method, _, rule = route.partition(" ")
    path = rule.replace("<key:policy>", "cfss")
    for name in ("case", "breach", "waiver", "digest", "change", "backtest", "audit", "other", "schedule", "source", "reject", "notice"):
        path = path.replace(f"<key:{name}>", "x")
    bare = light.client.open(path, method=method)
    if scope is PUBLIC:
        assert bare.status_code == 200
        return
    assert bare.status_code == 401
    assert bare.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = light.call(method, path, token="dk_" + "a" * 12 + "_" + "0" * 64)
    assert (wrong.status_code, wrong.json and wrong.json["code"]) == (401, "unauthorized")
    assert "invalid_token" in wrong.headers["WWW-Authenticate"]
    others = light.call(method, path, token=light.key(*(set(ALL) - {scope})))
    assert (others.status_code, others.json and others.json["code"]) == (403, "forbidden")
    assert scope in others.headers["WWW-Authenticate"]
    assert light.call(method, path, token=light.key(scope)).status_code not in {401, 403}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "bearer dk_x", "Bearer \u00e4"])
def test_odd_authorization_headers_are_401(light: Api, header: str) -> None:
    assert light.client.get("/v1/cases", headers={"Authorization": header}).status_code == 401


def test_expired_and_revoked_keys_are_401(light: Api) -> None:
    from service import keys

    key, token = keys.create(light.svc, name="short", scopes=["cases:read"], expires=light.clock[0] + 1000)
    assert light.call("GET", "/v1/cases", token=token).status_code == 200
    light.clock[0] += 2000
    assert light.call("GET", "/v1/cases", token=token).status_code == 401
    key, token = keys.create(light.svc, name="gone", scopes=["cases:read"])
    keys.revoke(light.svc, key.id)
    assert light.call("GET", "/v1/cases", token=token).status_code == 401


def test_a_token_in_the_address_is_no_key_and_is_refused(light: Api) -> None:
    assert light.client.get(f"/v1/cases?access_token={light.token}").status_code == 401
