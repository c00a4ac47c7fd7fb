"""The layer under the routes: declared operations, strict reading, problems, headers, path keys.  A toy application, no store."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import Field
from typing_extensions import TypedDict

from api import operations, problems, reference, security
from api.openapi import document
from api.operations import Answer, Body, Operations, Query, Reply


class Thing(TypedDict):
    name: str


class Words(Query):
    word: str | None = None
    many: list[str] = Field(default_factory=list, description="as many as you like")
    limit: int = Field(default=5, ge=1, le=9)


class Order(Body):
    count: int
    name: str = ""


toys = Operations("toys", "Toys.")


@toys.get("/v1/things/{thing}", scope=None, answers={200: Answer("A thing.", Thing)})
def show_thing(thing: str) -> Any:
    """Show a thing.

    It is shown.
    """
    return {"name": thing}


@toys.get("/v1/things/{thing}/parts", scope=None, query=Words, answers={200: Answer("Parts.", Thing)})
def show_parts(thing: str, query: Words) -> Any:
    """Show parts."""
    return {"name": f"{thing}:{query.word}:{','.join(query.many)}:{query.limit}"}


@toys.post("/v1/orders", scope=None, body=Order, answers={201: Answer("Made.", Thing)})
def order(body: Order) -> Any:
    """Order."""
    return Reply({"name": f"{body.count}"}, status=201)


@toys.post("/v1/versions", scope=None, versioned=True, answers={200: Answer("Done.", Thing)})
def versions(version: int) -> Any:
    """Change."""
    return {"name": str(version)}


@toys.get("/v1/broken", scope=None, answers={200: Answer("Never.", Thing)})
def broken() -> Any:
    """Break."""
    raise RuntimeError("the secret is 4711")


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("api", static_folder=None)
    security.install(app, body_limit=2000)
    problems.install(app)
    operations.mount(app, list(toys))
    made = document(list(toys), tags=[("toys", "Toys.")], version="1", parameters={"thing": "its name"})
    app.register_blueprint(reference.blueprint(lambda: made))
    app.extensions["document"] = made
    return app.test_client()


def read(response: Any) -> Any:
    return response.json


def flaws(response: Any) -> list[tuple[str, str]]:
    assert response.content_type == "application/problem+json"
    return [(e.get("parameter") or e.get("header") or e.get("pointer", ""), e["code"]) for e in read(response).get("errors", [])]


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "a/b",
        "a%2Fb",
        "%",
        "100%25",
        "..",
        ".",
        "parts",
        "x/parts",
        "a?b",
        "a#b",
        "Ünïcødé/子",
        "a b",
        "a+b",
        "//",
        "\\",
        "&=;",
        "'\"<>",
        "%00x",
    ],
)
def test_any_text_names_a_thing_in_a_path(client: FlaskClient, name: str) -> None:
    from urllib.parse import quote

    answer = client.get("/v1/things/" + quote(name, safe=""))
    assert answer.json == {"name": name}
    assert client.get("/v1/things/" + quote(name, safe="") + "/parts").json == {"name": f"{name}:None::5"}


def test_bytes_that_are_no_text_find_nothing(client: FlaskClient) -> None:
    assert client.get("/v1/things/%ff%2f").status_code in {200, 404}
    assert client.get("/v1/things/").status_code == 404
    assert client.get("/v1/things//parts").status_code == 404


def test_unknown_repeated_and_wrong_parameters_are_refused_all_at_once_or_by_name(client: FlaskClient) -> None:
    answer = client.get("/v1/things/a/parts?wrod=x&limit=many")
    assert answer.status_code == 400
    assert sorted(flaws(answer)) == [("limit", "int_parsing"), ("wrod", "unknown")]
    assert "wrod" in read(answer)["detail"]
    assert flaws(client.get("/v1/things/a/parts?word=x&word=y")) == [("word", "repeated")]
    assert flaws(client.get("/v1/things/a/parts?limit=10")) == [("limit", "less_than_equal")]
    assert flaws(client.get("/v1/things/a?x=1")) == [("x", "unknown")]
    assert flaws(client.get("/v1/things/a/parts?word=%00")) == [("word", "unusable_text")]


def test_lists_may_be_repeated(client: FlaskClient) -> None:
    assert client.get("/v1/things/a/parts?many=x&many=y&word=w&limit=9").json == {"name": "a:w:x,y:9"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"{", "line 1, column"),
        (b'{"count": NaN}', "NaN"),
        (b'{"count": 1, "count": 2}', "twice in its object"),
        (b"\xff", "UTF-8"),
        (b"[" * 1500, "deeper than 32"),
    ],
)
def test_a_body_that_is_not_json_says_where(client: FlaskClient, raw: bytes, why: str) -> None:
    answer = client.post("/v1/orders", data=raw, content_type="application/json")
    assert answer.status_code == 400
    assert read(answer)["code"] == "malformed_json"
    assert why in read(answer)["detail"]


def test_a_body_of_the_wrong_shape_gets_a_pointer_for_each_fault(client: FlaskClient) -> None:
    answer = client.post("/v1/orders", json={"count": "3", "nmae": "x"})
    assert answer.status_code == 422
    assert sorted(flaws(answer)) == [("/count", "int_type"), ("/nmae", "unknown")]
    assert flaws(client.post("/v1/orders", json={"count": 1, "a/b~c": 0})) == [("/a~1b~0c", "unknown")]
    half = client.post("/v1/orders", data=b'{"count": 1, "name": "\\ud800"}', content_type="application/json")
    assert flaws(half) == [("/name", "wrong_value")]
    assert client.post("/v1/orders", json=[]).status_code == 422
    assert client.post("/v1/orders", data="count=1").status_code == 415
    assert client.post("/v1/orders", json={"count": 2}).status_code == 201


def test_a_body_over_the_limit_is_refused_with_or_without_its_length(client: FlaskClient) -> None:
    chunked = {"headers": {"Transfer-Encoding": "chunked"}, "environ_overrides": {"wsgi.input_terminated": True}}
    for spare, status in ((2001, 413), (3000, 413), (2000, 201)):
        body = b'{"count": 1}'.ljust(spare)
        for how in ({}, chunked):
            answer = client.post("/v1/orders", input_stream=io.BytesIO(body), content_type="application/json", **how)
            assert answer.status_code == status
            assert status == 201 or (read(answer)["code"], "2,000 bytes" in read(answer)["detail"]) == ("too_large", True)


def test_versions_are_asked_for_and_read(client: FlaskClient) -> None:
    assert client.post("/v1/versions").status_code == 428
    assert client.post("/v1/versions", headers={"If-Match": '"3"'}).json == {"name": "3"}
    assert client.post("/v1/versions", headers={"If-Match": "3"}).json == {"name": "3"}
    assert client.post("/v1/versions", headers={"If-Match": 'W/"3"'}).status_code == 412
    assert client.post("/v1/versions", headers={"If-Match": "*"}).status_code == 412


def test_every_error_is_a_problem_and_tells_nothing_from_inside(client: FlaskClient) -> None:
    answer = client.get("/v1/broken", headers={"X-Request-ID": "from-the-gateway-1"})
    assert answer.status_code == 500
    assert answer.json == {
        "type": "/docs#problem-internal_error",
        "title": "The service failed",
        "status": 500,
        "code": "internal_error",
        "request_id": "from-the-gateway-1",
    }
    assert read(client.get("/v1/nothing"))["code"] == "not_found"
    wrong = client.delete("/v1/orders")
    assert (wrong.status_code, read(wrong)["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_head_and_options_answer(client: FlaskClient) -> None:
    head = client.head("/v1/things/a")
    assert (head.status_code, head.data) == (200, b"")
    assert "GET" in client.options("/v1/things/a").headers["Allow"]


def test_request_ids_come_back_or_are_made(client: FlaskClient) -> None:
    assert client.get("/v1/things/a", headers={"X-Request-ID": "abcdefgh-1"}).headers["X-Request-ID"] == "abcdefgh-1"
    for bad in ("short", "x" * 65, "spaces in it", "<script>aaaa"):
        made = client.get("/v1/things/a", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
        assert made != bad
        assert len(made) == 32


@pytest.mark.parametrize("path", ["/v1/things/a", "/v1/nothing", "/docs", "/v1/broken"])
def test_security_headers_are_on_every_answer(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_documentation_page_obeys_its_policy_and_asks_no_other_host(client: FlaskClient) -> None:
    answer = client.get("/docs")
    page = answer.get_data(as_text=True)
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page
    nonce = answer.headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">' in page
    assert nonce != client.get("/docs").headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    for text in ("Show a thing", "/v1/things/{thing}/parts", "as many as you like", 'id="problem-stale_version"'):
        assert text in page


def test_the_document_describes_what_is_declared(client: FlaskClient) -> None:
    made = client.application.extensions["document"]
    assert made["openapi"].startswith("3.1")
    parameters = {p["name"]: p for p in made["paths"]["/v1/things/{thing}/parts"]["get"]["parameters"]}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 5}
    assert parameters["word"]["schema"] == {"type": "string"}
    assert parameters["many"]["schema"]["items"] == {"type": "string"}
    assert parameters["thing"]["in"] == "path"
    assert made["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Order")
    assert "428" in made["paths"]["/v1/versions"]["post"]["responses"]
    json.dumps(made)


def test_a_handler_that_does_not_take_what_it_is_given_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="must take exactly"):

        @Operations("x", "").get("/v1/x/{y}", scope=None, answers={})
        def wrong() -> None:
            """Wrong."""
