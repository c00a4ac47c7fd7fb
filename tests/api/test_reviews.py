"""The reviewer's work over HTTP: versions, two persons, and a history that tells."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import rfc3339
from service import users
from tests.api.conftest import DAY, NOW, Api
from tests.api.test_reads import family, post


@pytest.fixture
def breach(light: Api) -> Any:
    post(light, family("case-1"))
    return light.get("/v1/breaches?rule=C12")["items"][0]


def review(api: Api, breach: Any, body: Any, **kwargs: Any) -> Any:
    headers = {"If-Match": f'"{breach["version"]}"'}
    return api.call("POST", f"/v1/breaches/{breach['id']}/review", json=body, **({"headers": headers} | kwargs))


def test_a_review_moves_the_breach_and_tells_the_new_version(light: Api, breach: Any) -> None:
    answer = review(light, breach, {"action": "acknowledge", "comment": "seen"})
    assert (answer.status_code, answer.json["review"], answer.json["version"]) == (200, "acknowledged", breach["version"] + 1)
    assert answer.headers["ETag"] == f'"{breach["version"] + 1}"'
    stale = review(light, breach, {"action": "uphold"})
    assert (stale.status_code, stale.json["code"], stale.headers["ETag"]) == (412, "stale_version", answer.headers["ETag"])
    again = review(light, answer.json, {"action": "acknowledge"})
    assert (again.status_code, again.json["code"]) == (409, "not_possible")
    line = light.get(f"/v1/breaches/{breach['id']}")["history"][-1]
    assert (line["kind"], line["before"], line["after"], line["comment"]) == ("acknowledged", "new", "acknowledged", "seen")
    assert line["actor"].startswith("key:")


def test_a_review_without_its_version_or_with_a_wrong_body_is_refused(light: Api, breach: Any) -> None:
    assert review(light, breach, {"action": "uphold"}, headers={}).status_code == 428
    broken: Any = light.call(
        "POST", f"/v1/breaches/{breach['id']}/review", data="{", content_type="application/json", headers={"If-Match": "1"}
    )
    assert broken.status_code == 400
    assert broken.json["detail"].startswith("The body is not JSON: expecting ")
    assert broken.json["detail"].endswith(" in line 1, column 2.")
    missing = review(light, breach, {})
    assert (missing.status_code, missing.json["errors"][0]["pointer"]) == (422, "/action")
    unknown = review(light, breach, {"action": "forget", "coment": ""})
    assert {e["pointer"] for e in unknown.json["errors"]} == {"/action", "/coment"}
    dismissed = review(light, breach, {"action": "dismiss"})
    assert (dismissed.status_code, dismissed.json["errors"]) == (
        422,
        [{"pointer": "/reason_code", "code": "missing", "message": "a dismissal needs a reason"}],
    )
    assert light.get(f"/v1/breaches/{breach['id']}")["version"] == breach["version"]


def test_a_waiver_takes_two_persons_and_excuses_the_breach(light: Api, breach: Any) -> None:
    headers = {"If-Match": str(breach["version"])}
    body = {"reason_code": "unsafe", "ends_at": rfc3339(NOW + 30 * DAY)}
    path = f"/v1/breaches/{breach['id']}/waivers"
    asked: Any = light.call("POST", path, json=body, headers=headers)
    assert (asked.status_code, asked.json["state"], asked.headers["ETag"]) == (201, "proposed", '"1"')
    assert light.call("POST", path, json=body, headers=headers).status_code == 409
    approve = f"/v1/waivers/{asked.json['id']}/approve"
    own: Any = light.call("POST", approve, json={}, headers={"If-Match": '"1"'})
    assert (own.status_code, own.json["code"]) == (403, "forbidden")
    leader = light.key("breaches:review", "role:team_leader")
    assert light.call("POST", approve, json={}, headers={"If-Match": '"1"'}, token=leader).status_code == 403
    manager = light.key("breaches:review", "role:manager")
    assert light.call("POST", approve, json={}, token=manager).status_code == 428
    stale = light.call("POST", approve, json={}, headers={"If-Match": '"7"'}, token=manager)
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"1"')
    for nothing in (light.key("breaches:review", "role:manager", teams=("nowhere",)), manager):
        waiver = approve if nothing is not manager else "/v1/waivers/nothing/approve"
        assert light.call("POST", waiver, json={}, headers={"If-Match": '"7"'}, token=nothing).status_code == 404
    done: Any = light.call("POST", approve, json={}, headers={"If-Match": '"1"'}, token=manager)
    assert (done.status_code, done.json["state"], done.headers["ETag"]) == (200, "approved", '"2"')
    again: Any = light.call("POST", approve, json={}, headers={"If-Match": '"1"'}, token=manager)
    assert (again.status_code, again.json["code"], again.headers["ETag"]) == (412, "stale_version", '"2"')
    assert light.call("POST", approve, json={}, headers={"If-Match": '"2"'}, token=manager).status_code == 409
    light.judge()
    excused = light.get(f"/v1/breaches/{breach['id']}")
    assert (excused["condition"], [w["state"] for w in excused["waivers"]]) == ("excused", ["approved"])
    assert "excused" in excused["explanation"]["sentence"]
    at = light.get("/v1/cases/case-1/verdicts?rule=C12")["verdicts"][0]
    assert at["verdict"] == "excused"


def test_a_waiver_may_be_refused_or_taken_back(light: Api, breach: Any) -> None:
    headers = {"If-Match": str(breach["version"])}
    body = {"reason_code": "unsafe", "ends_at": rfc3339(NOW + 30 * DAY)}
    asked: Any = light.call("POST", f"/v1/breaches/{breach['id']}/waivers", json=body, headers=headers)
    back: Any = light.call("POST", f"/v1/waivers/{asked.json['id']}/refuse", json={"comment": "mine"}, headers={"If-Match": '"1"'})
    assert (back.status_code, back.json["state"]) == (200, "refused")
    nothing = light.call("POST", "/v1/waivers/none/refuse", json={}, headers={"If-Match": '"1"'})
    assert nothing.status_code == 404


@pytest.mark.parametrize("ends", ["soon", "2026-07-01", rfc3339(NOW - DAY), rfc3339(NOW + 400 * DAY)])
def test_a_waiver_ends_within_twelve_months(light: Api, breach: Any, ends: str) -> None:
    body = {"reason_code": "unsafe", "ends_at": ends}
    answer: Any = light.call("POST", f"/v1/breaches/{breach['id']}/waivers", json=body, headers={"If-Match": str(breach["version"])})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/ends_at")


def test_a_breach_is_given_to_a_person_and_found_by_it(light: Api, breach: Any) -> None:
    kim, _ = users.create(light.app.extensions["duecare"], name="kim", roles=["reviewer"])
    path = f"/v1/breaches/{breach['id']}/assignment"
    headers = {"If-Match": str(breach["version"])}
    given: Any = light.call("POST", path, json={"assignee": "kim"}, headers=headers)
    assert (given.status_code, given.json["assignee"], given.headers["ETag"]) == (200, f"user:{kim.id}", f'"{breach["version"] + 1}"')
    assert light.call("POST", path, json={"assignee": None}, headers=headers).status_code == 412
    nobody: Any = light.call("POST", path, json={"assignee": "nobody"}, headers={"If-Match": given.headers["ETag"]})
    assert (nobody.status_code, nobody.json["errors"][0]["pointer"]) == (422, "/assignee")
    assert [one["id"] for one in light.get(f"/v1/breaches?assignee=user:{kim.id}")["items"]] == [breach["id"]]
    assert breach["id"] not in {one["id"] for one in light.get("/v1/breaches?assignee=-")["items"]}
    assert light.get("/v1/breaches?assignee=me")["items"] == []


def test_breaches_are_found_by_age_and_by_how_the_case_begins(light: Api, breach: Any) -> None:
    assert light.get("/v1/breaches?age=today&age=week&search=CASE-&rule=C12")["items"][0]["id"] == breach["id"]
    assert light.get("/v1/breaches?age=older")["items"] == light.get("/v1/breaches?search=ase-1")["items"] == []
    assert light.call("GET", "/v1/breaches?age=yesterday").status_code == 400
