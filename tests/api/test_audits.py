"""Audits over HTTP: started, followed, read in every form, compared, signed by people alone, and made by a schedule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.audits.report import digest_of
from service.audits.work import work
from tests.api.conftest import Api
from tests.api.test_reads import family, post


@pytest.fixture
def office(light: Api) -> Api:
    post(light, [*family("case-1"), *family("case-2")])
    return light


def start(api: Api, token: str = "", **order: Any) -> Any:
    answer = api.call("POST", "/v1/audits", json=order, token=token or None)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.json
    assert answer.headers["Location"] == f"/v1/audits/{answer.json['id']}"
    return answer.json


def made(api: Api, **order: Any) -> Any:
    found = start(api, **order)
    while not work(api.svc, found["id"], give_way=False):
        pass
    return api.get(f"/v1/audits/{found['id']}")


def test_an_audit_is_queued_followed_and_read_in_every_form(office: Api) -> None:
    queued = start(office, as_of="2026-05-31", scope={"since": "2026-01-01"}, policies=["cfss"])
    assert (queued["state"], queued["progress"]["done"], queued["progress"]["total"]) == ("queued", 0, 2)
    path = f"/v1/audits/{queued['id']}"
    early = office.call("GET", f"{path}/report.json")
    assert (early.status_code, early.json and early.json["code"]) == (409, "not_possible")
    while not work(office.svc, queued["id"], give_way=False):
        pass
    done = office.get(path)
    assert (done["state"], done["progress"]["left"], done["signatures"]) == ("done", 0, [])
    body = office.call("GET", f"{path}/report.json").get_data()
    assert digest_of(body.decode()) == done["report_digest"]
    report = json.loads(body)
    assert (report["as_of_on"], report["position"], report["scope"]["policies"]) == ("2026-05-31", done["position"], ["cfss"])
    assert {one["digest"] for one in report["policies"]} <= set(done["policies"])
    for form, first in (("csv", b"\xef\xbb\xbfpolicy"), ("xlsx", b"PK"), ("html", b"<!doctype html>")):
        answer = office.call("GET", f"{path}/report.{form}")
        assert answer.status_code == 200
        assert answer.get_data().startswith(first)
        assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
    assert office.call("GET", f"{path}/report.docx").status_code == 404
    assert [one["id"] for one in office.get("/v1/audits?state=done")["items"]] == [queued["id"]]


def test_a_limited_key_gets_an_audit_of_its_own_and_finds_no_other(office: Api) -> None:
    everything = made(office)
    token = office.key("audits:run", teams=("nowhere",))
    mine = start(office, token)
    assert mine["scope"]["teams"] == ["nowhere"]
    assert (mine["progress"]["total"], mine["progress"]["in_percent"]) == (100, True)
    others = office.call("GET", f"/v1/audits/{everything['id']}/report.json", token=token)
    assert others.json
    assert (others.json["limited"], others.json["totals"]["cases"]) == (True, 0)
    third = office.key("audits:run", teams=("elsewhere",))
    assert office.call("GET", f"/v1/audits/{mine['id']}", token=third).status_code == 404


def test_two_audits_are_compared_over_pages(office: Api) -> None:
    before, after = made(office, as_of="2026-05-10"), made(office)
    path = f"/v1/audits/{before['id']}/compare/{after['id']}"
    whole = office.get(path)
    assert whole["cases"] == 2
    assert {cause["kind"] for one in whole["items"] for cause in one["causes"]} == {"time"}
    assert whole["next"] is None
    first = office.get(f"{path}?limit=1")
    assert {one["case"] for one in first["items"]} == {"case-1"}
    assert {one["case"] for one in office.get(f"{path}?start={first['next']}")["items"]} == {"case-2"}


def test_a_key_signs_nothing_off_and_ends_only_what_is_under_way(office: Api) -> None:
    done = made(office)
    order = {"digest": done["report_digest"], "comment": "Read."}
    assert office.call("POST", f"/v1/audits/{done['id']}/sign", json=order).status_code == 403
    assert office.call("POST", f"/v1/audits/{done['id']}/cancel").status_code == 409
    assert office.call("POST", f"/v1/audits/{done['id']}/judge-again").status_code == 409
    waiting = start(office)
    answer = office.call("POST", f"/v1/audits/{waiting['id']}/cancel")
    assert answer.json
    assert answer.json["state"] == "cancelled"


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({"as_of": "yesterday"}, "as_of"),
        ({"policies": ["nothing"]}, "policies"),
        ({"scope": {"since": "2026-02-30"}}, "since"),
        ({"scope": {"since": "2026-02-02", "until": "2026-02-01"}}, "until"),
        ({"seed": -1}, "seed"),
        ({"everything": True}, "everything"),
    ],
)
def test_what_cannot_be_audited_is_refused_with_its_place(office: Api, order: dict[str, Any], pointer: str) -> None:
    answer = office.call("POST", "/v1/audits", json=order)
    assert answer.status_code == 422
    assert pointer in answer.get_data(as_text=True)


def test_a_schedule_is_made_paused_resumed_and_removed(office: Api) -> None:
    order = {"name": "Every night", "cron": "30 2 * * *", "zone": "Australia/Adelaide", "scope": {"teams": ["north"]}}
    answer = office.call("POST", "/v1/audit-schedules", json=order)
    assert answer.status_code == 201
    assert answer.json
    path = f"/v1/audit-schedules/{answer.json['id']}"
    assert answer.json["next_at"] is not None
    assert office.call("POST", "/v1/audit-schedules", json=order).status_code == 409
    paused = office.call("POST", f"{path}/pause")
    assert paused.json
    assert paused.json["next_at"] is None
    assert office.call("POST", f"{path}/resume").status_code == 200
    assert [one["name"] for one in office.get("/v1/audit-schedules")["items"]] == ["Every night"]
    gone = office.call("POST", f"{path}/remove")
    assert (gone.status_code, gone.get_data()) == (204, b"")
    assert office.get("/v1/audit-schedules")["items"] == []
