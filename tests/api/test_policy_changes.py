"""Changes of policies and backtests over HTTP: proposed, tried, decided by another person, and what stands of them afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from rules.policy import package_of
from service import keys
from service.backtests.work import work
from service.policies.register import register
from tests.api.conftest import DAY, NOW, Api, event
from tests.api.test_reads import family, post

WEEKLY = {
    "policy": "cfss",
    "values": {"family_contact_days": 7},
    "effective": "2026-06-01",
    "applies_to_open": True,
    "reason": "Agreed in May.",
}


@pytest.fixture
def office(light: Api) -> Api:
    """Policies in force, and two keys that may decide like a policy owner."""
    register(light.svc)
    return light


def owner(api: Api, name: str, **limits: Any) -> str:
    _, token = keys.create(api.svc, name=name, scopes=["policies:write", "breaches:read", "role:policy_owner"], **limits)
    return token


def propose(api: Api, token: str, status: int = 201, **changes: Any) -> Any:
    answer = api.call("POST", "/v1/policy-changes", token=token, json={**WEEKLY, **changes})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def decide(api: Api, token: str, change: str, step: str, *, version: int = 1, status: int = 200, comment: str = "") -> Any:
    path = f"/v1/policy-changes/{change}/{step}"
    answer = api.call("POST", path, token=token, json={"comment": comment}, headers={"If-Match": f'"{version}"'})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def test_a_proposal_tells_what_it_means_and_judges_nothing(office: Api) -> None:
    before = office.get("/v1/policies/cfss")
    made = propose(office, owner(office, "kim"))
    assert (made["state"], made["kind"], made["proposed_by"], made["version"]) == ("proposed", "parameters", "kim", 1)
    assert made["values"] == {"family_contact_days": 7}
    assert made["base_digest"] == before["digest"] != made["digest"]
    assert any(one["rule"] == "C20" and "7 days" in one["after"] for one in made["differences"])
    after = office.get("/v1/policies/cfss")
    assert (after["digest"], after["proposals"]) == (before["digest"], 1)
    assert office.get("/v1/policy-changes?state=proposed&policy=cfss")["items"][0]["id"] == made["id"]
    assert office.get("/v1/policy-changes?policy=record_quality&state=proposed")["items"] == []


def test_another_person_approves_it_and_what_waited_is_judged(office: Api) -> None:
    agreed = event("case_plan.recorded", at=NOW - 57 * DAY, data={"plan": "cp", "version": 1, "status": "agreed"})
    post(office, [*family("case-1"), agreed])
    asked = {one["name"]: one for one in office.get("/v1/policies/cfss")["parameters"]}["family_contact_days"]
    assert (asked["waiting_cases"], asked["value"]) == (1, None)
    assert "C20" in asked["rules"]
    kim, robin = owner(office, "kim"), owner(office, "robin")
    made = propose(office, kim)
    own = decide(office, kim, made["id"], "approve", status=403)
    assert "another person" in own["detail"]
    done = decide(office, robin, made["id"], "approve", comment="Right.")
    assert (done["state"], done["decided_by"], done["comment"], done["version"]) == ("active", "robin", "Right.", 2)
    office.clock[0] += 1000
    assert office.judge() == 1
    policy = office.get("/v1/policies/cfss")
    assert policy["digest"] == made["digest"]
    assert (policy["last_change"]["approved_by"], policy["last_change"]["reason"]) == ("robin", "Agreed in May.")
    asked = {one["name"]: one for one in policy["parameters"]}["family_contact_days"]
    assert (asked["value"], asked["waiting_cases"]) == (7, None)
    assert [one["state"] for one in policy["versions"]] == ["in_force", "past"]
    assert any("7 days" in one["words"] for one in policy["versions"][0]["changes"])
    found = office.get("/v1/verdicts?rule=C20&case=case-1")["items"]
    assert {one["policy_digest"] for one in found} == {made["digest"]}
    assert "breached" in {one["verdict"] for one in found}


def test_the_second_of_two_answers_is_refused_with_the_version_now(office: Api) -> None:
    made = propose(office, owner(office, "kim"))
    robin = owner(office, "robin")
    decide(office, robin, made["id"], "reject", comment="Too soon.")
    answer = office.call("POST", f"/v1/policy-changes/{made['id']}/approve", token=robin, json={"comment": ""}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["ETag"]) == (412, '"2"')
    assert answer.json is not None
    assert answer.json["code"] == "stale_version"
    assert decide(office, robin, made["id"], "approve", version=2, status=409)["code"] == "not_possible"
    bare = office.call("POST", f"/v1/policy-changes/{made['id']}/approve", token=robin, json={"comment": ""})
    assert bare.status_code == 428


def test_a_proposal_can_be_withdrawn_by_whoever_made_it_alone(office: Api) -> None:
    kim, robin = owner(office, "kim"), owner(office, "robin")
    made = propose(office, kim)
    decide(office, robin, made["id"], "withdraw", status=403)
    assert decide(office, kim, made["id"], "withdraw")["state"] == "withdrawn"


def test_a_key_without_the_role_proposes_but_does_not_decide(office: Api) -> None:
    made = propose(office, owner(office, "kim"))
    plain = office.key("policies:write", "breaches:read")
    refused = decide(office, plain, made["id"], "approve", status=403)
    assert "role policy_owner, manager or administrator" in refused["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"effective": "2026-05-31"}, 422, "/effective"),
        ({"effective": "2026-02-30"}, 422, "/effective"),
        ({"effective": "soon"}, 422, "/effective"),
        ({"effective": None}, 422, "/effective"),
        ({"applies_to_open": None}, 422, "/applies_to_open"),
        ({"values": None}, 422, "/values"),
        ({"values": {"none": 3}}, 422, "/values"),
        ({"values": {"family_contact_days": 36_501}}, 422, "/values/family_contact_days"),
        ({"values": {"family_contact_days": "7"}}, 422, "/values/family_contact_days"),
        ({"values": {"family_contact_days": None}}, 422, "/values"),
        ({"reason": ""}, 422, "/reason"),
        ({"main": "cfss.yaml"}, 422, "/main"),
        ({"files": {"cfss.yaml": "x"}, "main": "cfss.yaml"}, 422, "/main"),
        ({"policy": "none"}, 404, None),
        ({"surprise": 1}, 422, "/surprise"),
    ],
)
def test_what_cannot_be_proposed_names_its_place(office: Api, changes: dict[str, Any], status: int, pointer: str | None) -> None:
    refused = propose(office, owner(office, "kim"), status, **changes)
    assert pointer is None or pointer.split("/")[1] in {error["pointer"].split("/")[1] for error in refused["errors"]}


def texts(api: Api) -> dict[str, str]:
    policy = api.svc.policies.get("cfss")
    assert policy is not None
    return dict(package_of(policy).files)


def test_findings_in_a_text_come_with_their_lines(office: Api) -> None:
    text = texts(office)["cfss.yaml"].replace("kind: existence", "kind: existance", 1)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "existance" in each)
    body: dict[str, Any] = {
        "policy": None,
        "values": None,
        "files": {"cfss.yaml": text},
        "main": "cfss.yaml",
        "applies_to_open": None,
        "effective": None,
    }
    refused = propose(office, owner(office, "kim"), 422, **body)
    assert [error["pointer"].split(":")[:2] for error in refused["errors"]] == [["/cfss.yaml", str(line)]]


def test_a_rule_is_enforced_only_after_a_backtest_of_exactly_that_version(office: Api) -> None:
    post(office, family("case-1"), family("case-2"))
    kim, robin = owner(office, "kim"), owner(office, "robin")
    text = texts(office)["cfss.yaml"]
    shadowed = text.replace(
        "    severity: high\n    kind: nth_occurrence", "    severity: high\n    status: shadow\n    kind: nth_occurrence", 1
    )
    assert shadowed != text
    body: dict[str, Any] = {"policy": None, "values": None, "main": "cfss.yaml", "applies_to_open": None, "effective": "2026-06-01"}
    made = propose(office, kim, files={"cfss.yaml": shadowed}, **body)
    assert made["enforces"] == []
    decide(office, robin, made["id"], "approve")
    again = propose(office, kim, files={"cfss.yaml": text}, **body)
    assert again["enforces"] == ["C05"]
    assert "run a backtest" in decide(office, robin, again["id"], "approve", status=409)["detail"]
    started = office.call("POST", "/v1/backtests", token=kim, json={"change": again["id"]})
    assert (started.status_code, started.json and started.json["state"]) == (202, "queued")
    path = started.headers["Location"]
    assert office.call("GET", f"{path}/report", token=kim).status_code == 409
    assert started.json is not None
    while not work(office.svc, started.json["id"], give_way=False):
        pass
    told = office.get(path, token=kim)
    assert (told["state"], told["done"], told["total"], told["candidate"]) == ("done", 2, 2, again["digest"])
    report = office.get(f"{path}/report", token=kim)
    assert report["totals"]["cases"]["judged"] == 2
    assert office.get("/v1/backtests?policy=cfss", token=kim)["items"][0]["id"] == told["id"]
    done = decide(office, robin, again["id"], "approve")
    assert (done["state"], done["backtest"]) == ("active", told["id"])


def test_a_report_is_cut_to_what_the_key_may_read(office: Api) -> None:
    post(office, family("case-1"))
    made = propose(office, owner(office, "kim"))
    started: Any = office.call("POST", "/v1/backtests", token=owner(office, "kim2"), json={"candidate": made["digest"]}).json
    while not work(office.svc, started["id"], give_way=False):
        pass
    limited = office.get(f"/v1/backtests/{started['id']}/report", token=owner(office, "lee", teams=("nobody",)))
    assert limited["limited"] is True
    assert limited["samples"] == limited["rows"] == []


def test_a_backtest_needs_one_thing_to_try(office: Api) -> None:
    token = owner(office, "kim")
    for body in ({}, {"change": "a", "candidate": "b"}):
        assert office.call("POST", "/v1/backtests", token=token, json=body).status_code == 422
    for body in ({"change": "a"}, {"candidate": "b"}):
        assert office.call("POST", "/v1/backtests", token=token, json=body).status_code == 404
    digest = office.get("/v1/policies/cfss")["digest"]
    for more in ({"since": "2026-02-30"}, {"as_of": "soon"}, {"since": "2027-01-01"}):
        assert office.call("POST", "/v1/backtests", token=token, json={"candidate": digest, **more}).status_code == 422


def test_a_backtest_is_cancelled_once(office: Api) -> None:
    post(office, family("case-1"))
    token = owner(office, "kim")
    made: Any = office.call("POST", "/v1/backtests", token=token, json={"candidate": office.get("/v1/policies/cfss")["digest"]}).json
    cancelled: Any = office.call("POST", f"/v1/backtests/{made['id']}/cancel", token=token).json
    assert cancelled["state"] == "cancelled"
    assert office.call("POST", f"/v1/backtests/{made['id']}/cancel", token=token).status_code == 409


def test_a_version_is_given_with_its_texts(office: Api) -> None:
    digest = office.get("/v1/policies/cfss")["digest"]
    kept = office.get(f"/v1/policies/cfss/versions/{digest}")
    assert kept["files"] == texts(office)
    assert kept["main"] == "cfss.yaml"
    assert office.call("GET", f"/v1/policies/record_quality/versions/{digest}").status_code == 404
    assert office.call("GET", "/v1/policies/cfss/versions/none").status_code == 404


def test_rules_are_read_aloud(office: Api) -> None:
    rule = {one["id"]: one for one in office.get("/v1/policies/cfss")["rules"]}["C20"]
    assert rule["parameters"] == ["family_contact_days"]
    assert rule["read_aloud"][0].startswith("C20: ")
