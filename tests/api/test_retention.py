"""Retention and legal holds over HTTP: for administrators without limits, and with the words of the rules."""

from __future__ import annotations

import pytest

from api.app import create_app
from service import legalholds
from service.keys import create as make_key
from service.retention import work
from tests.support.leaving import ME, RULES, journey, settle_breaches
from tests.support.service_kit import kit


@pytest.fixture
def house(sqlite_url, tmp_path):
    rules = tmp_path / "retention.yaml"
    rules.write_text(RULES)
    with kit(sqlite_url, tmp_path, now="2031-06-02T12:00", retention=rules) as made:
        made.take(*journey("FAM-1", "2021-05-10", child="CH-1"), *journey("FAM-2", "2021-05-10", child="CH-2"))
        made.settle()
        settle_breaches(made, "FAM-1", "FAM-2")
        yield made


def test_a_hold_is_set_and_lifted_and_the_rest_is_removed_with_a_certificate(house):
    ask = _caller(house, "users:admin")
    held = ask("POST", "/v1/legal-holds", {"case": "FAM-2", "reason": "A court has asked."})
    assert (held.status_code, held.json["case"], held.json["lifted_at"]) == (201, "FAM-2", None)
    assert ask("POST", "/v1/legal-holds", {"case": "FAM-9", "reason": "x"}).status_code == 404
    plan = ask("GET", "/v1/retention").json
    assert [one["cases"] for one in plan["remove"]] == [["FAM-1"]]
    assert [(one["cases"], one["kept"]) for one in plan["keep"]] == [(["FAM-2"], "hold")]
    begun = ask("POST", "/v1/removals")
    assert (begun.status_code, begun.json["state"]) == (202, "running")
    thread = work.keep_up(house.svc)
    assert thread is not None
    thread.join()
    done = ask("GET", begun.headers["Location"]).json
    assert (done["state"], done["cases"], done["kept"]) == ("done", 1, {"hold": 1})
    assert [one["id"] for one in ask("GET", "/v1/removals").json["items"]] == [done["id"]]
    lifted = ask("POST", f"/v1/legal-holds/{held.json['id']}/lift", {"reason": "It is over."})
    assert lifted.json["lift_reason"] == "It is over."
    assert ask("POST", f"/v1/legal-holds/{held.json['id']}/lift", {"reason": "Again."}).status_code == 409
    assert ask("GET", "/v1/legal-holds?standing=true").json["items"] == []
    assert [one["id"] for one in ask("GET", "/v1/legal-holds").json["items"]] == [held.json["id"]]


def test_lists_go_on_where_they_were_left_and_refuse_cursors_of_others(house):
    ask = _caller(house, "users:admin")
    made = [legalholds.put(house.svc, ME, case="FAM-1", reason=f"Reason {number}.").id for number in range(3)]
    first = ask("GET", "/v1/legal-holds?limit=2").json
    rest = ask("GET", f"/v1/legal-holds?limit=2&cursor={first['next']}").json
    assert sorted(one["id"] for one in [*first["items"], *rest["items"]]) == sorted(made)
    for path in ("/v1/legal-holds", "/v1/removals"):
        assert ask("GET", f"{path}?cursor=elsewhere").status_code == 400


def test_who_has_limits_or_another_scope_sees_and_does_nothing(house):
    for ask in (_caller(house, "users:admin", teams=["north"]), _caller(house, "cases:read")):
        for method, path, body in (
            ("GET", "/v1/retention", None),
            ("GET", "/v1/removals", None),
            ("POST", "/v1/removals", None),
            ("GET", "/v1/legal-holds", None),
            ("POST", "/v1/legal-holds", {"case": "FAM-1", "reason": "x"}),
            ("POST", "/v1/legal-holds", {"case": "no such case", "reason": "x"}),
        ):
            assert ask(method, path, body).status_code == 403, path


def test_faults_of_the_rules_are_told_with_their_places_and_nothing_is_removed(house):
    ask = _caller(house, "users:admin")
    house.svc.settings.retention.write_text("rules:\n  - {program: cfss, years: 0}\n")
    for method, path in (("GET", "/v1/retention"), ("POST", "/v1/removals")):
        answer = ask(method, path)
        assert answer.status_code == 409
        assert "retention.yaml:2:" in answer.json["detail"]
        assert "years" in answer.json["detail"]


def _caller(house, *scopes, **limits):
    client = create_app(house.svc).test_client()
    _, token = make_key(house.svc, name="k", scopes=scopes, **limits)

    def ask(method, path, body=None):
        return client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {token}"})

    return ask
