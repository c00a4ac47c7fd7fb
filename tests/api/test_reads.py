"""Cases, verdicts, breaches, policies and figures over HTTP: what is told, how it is paged, and what a limited key sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import DAY, NOW, Api, event


def family(case: str, team: str = "north", office: str = "darwin") -> list[dict[str, Any]]:
    """A case whose family snapshot was due on 16 May 2026 and is not there; visits from 4 April on."""
    visits = [
        event("visit.held", case=case, at=NOW - days * DAY, data={"status": "held", "mode": "in_person", "seen": ["kid"]})
        for days in (58, 50, 45)
    ]
    data = {"program": "cfss", "team": team, "office": office}
    return [
        event(case=case, at=NOW - 60 * DAY, data=data),
        event("case.opened", case=case, at=NOW - 59 * DAY, data={"team": team}),
        *visits,
    ]


def post(api: Api, *cases: list[dict[str, Any]]) -> None:
    assert api.batch([made for case in cases for made in case])["counts"]["rejected"] == 0
    api.judge()


def rules(items: Any) -> set[str]:
    return {item["rule"] for item in items}


def test_a_breach_from_the_posted_event_to_its_explanation(api: Api) -> None:
    post(api, family("case-1"))
    found = api.get("/v1/breaches?rule=C12")["items"]
    assert [(b["case"], b["rule"], b["condition"], b["review"], b["due_on"], b["team"]) for b in found] == [
        ("case-1", "C12", "open", "new", "2026-05-16", "north")
    ]
    answer = api.call("GET", f"/v1/breaches/{found[0]['id']}")
    assert answer.headers["ETag"] == f'"{found[0]["version"]}"'
    breach: Any = answer.json
    assert "6 weeks" in breach["explanation"]["sentence"]
    assert breach["explanation"]["reasoning"]
    assert breach["verdict"]["verdict"] == "breached"
    assert [line["kind"] for line in breach["history"]] == ["opened", "announced"]

    late = event("snapshot.completed", at=NOW - DAY, data={"kind": "baseline", "instrument": "nwa"})
    post(api, [late])
    mended: Any = api.get(f"/v1/breaches/{found[0]['id']}")
    assert (mended["condition"], mended["verdict"]["verdict"]) == ("remedied", "late")
    assert late["id"] in mended["verdict"]["evidence"]
    assert mended["history"][-1]["events"] == [late["id"]]


def test_a_case_and_its_journey(api: Api) -> None:
    sent = family("case-1")
    assert api.batch(sent)["counts"]["accepted"] == 5
    before = api.get("/v1/cases/case-1")
    assert (before["waiting"], before["evaluated_at"], before["events"], before["verdicts"]) == (True, None, 5, [])
    assert api.get("/v1/cases")["items"] == []
    api.judge()
    case = api.get("/v1/cases/case-1")
    assert (case["team"], case["office"], case["program"], case["waiting"]) == ("north", "darwin", "cfss", False)
    assert "C12" in rules(case["breaches"])
    assert case["open_breaches"] == len(case["breaches"]) == api.get("/v1/cases")["items"][0]["open_breaches"]
    told = api.get("/v1/cases/case-1/events")["items"]
    assert [e["id"] for e in told] == [e["id"] for e in sent]
    positions = [e["position"] for e in api.get("/v1/cases/case-1/events?sort=position")["items"]]
    assert positions == sorted(positions)
    assert told[0]["recordedtime"] is None
    void = event("event.voided", at=NOW, data={"target": sent[4]["id"]})
    post(api, [void])
    spoken = {e["id"]: e["spoken_of"] for e in api.get("/v1/cases/case-1/events")["items"]}
    assert spoken[sent[4]["id"]] == [void["id"]]


def test_a_case_is_judged_at_any_instant(api: Api) -> None:
    recorded = [made | {"recordedtime": made["time"]} for made in family("case-1")]
    post(api, recorded)

    def verdict(query: str) -> tuple[str, str, str]:
        told = api.get(f"/v1/cases/case-1/verdicts?rule=C12&{query}")
        assert rules(told["verdicts"]) == {"C12"}
        return told["verdicts"][0]["verdict"], told["as_of"], told["known_at"]

    now = "2026-06-01T03:00:00.000Z"
    assert verdict("") == ("breached", now, now)
    assert verdict("as_of=2026-05-16") == ("due_soon", "2026-05-16", now)
    assert verdict("as_of=2026-05-16T14:29:59Z")[0] == "due_soon"
    assert verdict("as_of=2026-05-17")[0] == "breached"
    assert verdict("as_of=2026-05-17&known_at=2026-05-17T00:00:00%2B09:30") == ("breached", "2026-05-17", "2026-05-16T14:30:00.000Z")
    early = api.get("/v1/cases/case-1/verdicts?known_at=2020-01-01")
    assert early["verdicts"] == []
    told = api.get("/v1/cases/case-1/verdicts?rule=C12&explain=true")["explanations"]
    assert "snapshot" in told[0]["sentence"]
    assert "out_of_scope" in {v["reason"] for v in api.get("/v1/cases/case-1/verdicts")["verdicts"]}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("as_of=yesterday", "as_of"),
        ("as_of=2026-05-17T10:00:00", "as_of"),
        ("as_of=2026-02-30", "as_of"),
        ("known_at=0001-01-01", "known_at"),
        ("known_at=9999-12-31T00:00:00Z", "known_at"),
        ("as_off=2026-05-17", "as_off"),
        ("as_of=2026-05-17&as_of=2026-05-18", "as_of"),
    ],
)
def test_instants_that_cannot_be_are_told(light: Api, query: str, parameter: str) -> None:
    answer: Any = light.call("GET", f"/v1/cases/c/verdicts?{query}")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (400, parameter)


def test_lists_are_narrowed_and_sorted(api: Api) -> None:
    post(api, family("a", "north"), family("b", "south"), family("c", "south", "alice"))
    breaches = api.get("/v1/breaches?limit=1000")["items"]
    assert {b["case"] for b in breaches} == {"a", "b", "c"}

    def cases(query: str, path: str = "/v1/breaches") -> set[str]:
        return {b["case"] for b in api.get(f"{path}?limit=1000&{query}")["items"]}

    assert cases("team=south") == {"b", "c"}
    assert cases("team=south&office=alice") == {"c"}
    assert cases("team=north&team=south") == {"a", "b", "c"}
    assert cases("case=a&case=c") == {"a", "c"}
    assert cases("condition=remedied") == cases("review=upheld") == cases("policy=none") == set()
    assert cases("team=south", "/v1/verdicts") == {"b", "c"}
    due = [b["due_on"] for b in api.get("/v1/breaches?sort=due_on")["items"]]
    assert due == sorted(due)
    window = api.get(f"/v1/breaches?from={due[0]}&to={due[0]}")["items"]
    assert window
    assert {b["due_on"] for b in window} == {due[0]}
    ranked = [b["severity"] for b in api.get("/v1/breaches?sort=severity")["items"]]
    assert ranked == sorted(ranked, key=["critical", "high", "medium", "low", "advisory"].index)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("severity=serious", "severity"),
        ("condition=closed", "condition"),
        ("review=done", "review"),
        ("sort=team", "sort"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("from=2026-02-30", "from"),
        ("to=soon", "to"),
        ("rul=C12", "rul"),
        ("cursor=nonsense", "cursor"),
        ("verdict=met", "verdict"),
        ("team=", "team"),
        ("case=%00", "case"),
    ],
)
def test_filters_that_cannot_be_are_told(light: Api, query: str, parameter: str) -> None:
    answer: Any = light.call("GET", f"/v1/breaches?{query}")
    assert answer.status_code == 400
    assert [e["parameter"] for e in answer.json["errors"]] == [parameter]


def test_pages_give_each_row_once_while_others_arrive(api: Api) -> None:
    post(api, *(family(f"case-{number}") for number in range(8)))
    everything = [b["id"] for b in api.get("/v1/breaches?sort=case&limit=1000")["items"]]
    seen: list[str] = []
    query = "/v1/breaches?sort=case&limit=5"
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(query + (f"&cursor={cursor}" if cursor else ""))
        seen += [b["id"] for b in page["items"]]
        cursor = page["next"]
        assert "case" not in (cursor or "")
        if len(seen) == 5:
            post(api, family("case-00"))
    assert [one for one in seen if one in everything] == everything
    assert len(seen) == len(set(seen))
    first = api.get("/v1/breaches?sort=case&limit=5")["next"]
    wrong: Any = api.call("GET", f"/v1/breaches?sort=-case&limit=5&cursor={first}")
    assert (wrong.status_code, wrong.json["code"]) == (400, "bad_cursor")
    other: Any = api.call("GET", f"/v1/cases?limit=5&cursor={first}")
    assert (other.status_code, other.json["code"]) == (400, "bad_cursor")


def test_a_limited_key_sees_its_own_and_cannot_tell_the_rest_from_nothing(api: Api) -> None:
    post(api, family("mine", "north"), family("theirs", "south"))
    token = api.key("cases:read", "breaches:read", "breaches:review", "sources:admin", teams=("north",))
    for path in ("/v1/cases", "/v1/breaches", "/v1/verdicts", "/v1/due-soon?days=3000"):
        found = {row["case"] for row in api.get(path + ("&" if "?" in path else "?") + "limit=1000", token=token)["items"]}
        assert found <= {"mine"}
        assert found or "due-soon" in path
    assert api.get("/v1/breaches?team=south", token=token)["items"] == []
    stats = api.get("/v1/stats", token=token)
    assert stats["cases"] == 1
    assert {row["value"] for row in stats["breaches"]["by"]["team"]} == {"north"}
    other = api.get("/v1/breaches?team=south")["items"][0]["id"]
    posts = {"action": "acknowledge"}
    for theirs, nothing in (
        ("/v1/cases/theirs", "/v1/cases/nobody"),
        ("/v1/cases/theirs/events", "/v1/cases/nobody/events"),
        ("/v1/cases/theirs/verdicts", "/v1/cases/nobody/verdicts"),
        (f"/v1/breaches/{other}", "/v1/breaches/nothing"),
    ):
        one: Any = api.call("GET", theirs, token=token)
        two: Any = api.call("GET", nothing, token=token)
        assert one.status_code == two.status_code == 404
        assert {**one.json, "request_id": ""} == {**two.json, "request_id": ""}
    one = api.call("POST", f"/v1/breaches/{other}/review", token=token, json=posts, headers={"If-Match": "1"})
    two = api.call("POST", "/v1/breaches/nothing/review", token=token, json=posts, headers={"If-Match": "1"})
    assert one.status_code == two.status_code == 404
    assert api.call("POST", "/v1/quarantine/theirs/retry", token=token).status_code == 404
    offices = api.key("cases:read", "breaches:read", offices=("elsewhere",))
    assert api.get("/v1/cases", token=offices)["items"] == []
    assert api.get("/v1/stats", token=offices)["breaches"]["total"] == 0


def test_a_linked_case_of_another_team_is_not_named(api: Api) -> None:
    kids = {"members": [{"person": "kid-1", "role": "child"}]}
    mine = [*family("mine", "north"), event("household.recorded", case="mine", at=NOW - 59 * DAY, data=kids)]
    theirs = [*family("theirs", "south"), event("household.recorded", case="theirs", at=NOW - 59 * DAY, data=kids)]
    post(api, mine, theirs)
    assert api.get("/v1/cases/mine")["linked"] == ["theirs"]
    assert api.get("/v1/cases/mine", token=api.key("cases:read", teams=("north",)))["linked"] == []


def test_policies_are_readable(light: Api) -> None:
    listed = {policy["id"]: policy for policy in light.get("/v1/policies")["items"]}
    assert {"cfss", "strengthening_families", "record_quality"} <= set(listed)
    policy = light.get("/v1/policies/cfss")
    assert len(policy["rules"]) == listed["cfss"]["rule_count"] == policy["rule_count"]
    assert all(rule["citation"]["document"] and rule["title"] for rule in policy["rules"])
    assert policy["zone"] == "Australia/Adelaide"
    assert light.call("GET", "/v1/policies/none").status_code == 404


def test_figures_have_their_denominators(api: Api) -> None:
    post(api, family("a", "north"), family("b", "south"))
    stats = api.get("/v1/stats?by=rule&rule=C12")
    (row,) = stats["groups"]
    assert (row["group"], row["judged"], row["verdicts"]["breached"], row["breached_rate"]) == ({"rule": "C12"}, 2, 2, 1.0)
    assert row["mean_days_late"] is None
    assert row["small"] is True
    months = api.get("/v1/stats?by=month&rule=C12&status=enforced&timeliness=true")
    assert [one["verdicts"]["breached"] for one in months["groups"]] == [2]
    assert (months["timeliness"]["total"], months["timeliness"]["median_days"], len(months["timeliness"]["by"])) == (0, None, 11)
    assert "timeliness" not in stats
    assert stats["breaches"]["total"] == 2
    by_team = api.get("/v1/stats?by=team&by=rule&rule=C12")["groups"]
    assert [r["group"] for r in by_team] == [{"team": "north", "rule": "C12"}, {"team": "south", "rule": "C12"}]


def test_due_soon_tells_the_days_that_are_left(api: Api) -> None:
    started = event(case="young", at=NOW - 3 * DAY, data={"program": "cfss", "team": "north"})
    visit = event("visit.held", case="young", at=NOW - 2 * DAY, data={"status": "held", "mode": "in_person", "seen": ["kid"]})
    post(api, [started, visit])
    assert "C12" not in rules(api.get("/v1/due-soon?days=14")["items"])
    (found,) = [row for row in api.get("/v1/due-soon?days=60")["items"] if row["rule"] == "C12"]
    assert (found["case"], found["due_on"], found["days_left"]) == ("young", "2026-07-11", 40)
    assert "C12" in rules(api.get("/v1/due-soon?days=40")["items"])
    assert "C12" not in rules(api.get("/v1/due-soon?days=39")["items"])


def test_health_names_what_is_degraded(light: Api) -> None:
    from sqlalchemy import text

    assert light.client.get("/livez").status_code == 200
    ready: Any = light.client.get("/readyz").json
    assert ready["status"] in {"ok", "degraded"}
    light.batch([event(case="stuck")])
    with light.svc.writing() as session:
        session.execute(text("UPDATE dirty SET quarantined = true, attempts = 3, last_error = 'it failed'"))
    assert light.client.get("/readyz").json == ready, "within a second the store is not read again"
    light.clock[0] += 1000
    ready = light.client.get("/readyz").json
    assert {"code": "quarantine"} in ready["degraded"]
    assert "1 case is set aside" in str(light.get("/readyz")["degraded"])
    held = light.get("/v1/quarantine")["items"]
    assert [(h["case"], h["attempts"], h["error"]) for h in held] == [("stuck", 3, "it failed")]
    assert light.call("POST", "/v1/quarantine/stuck/retry").status_code == 202
    assert light.call("POST", "/v1/quarantine/stuck/retry").status_code == 404
    assert light.judge() == 1


def test_an_unreachable_database_is_503_and_not_ready(light: Api) -> None:
    from sqlalchemy import create_engine

    from store.engine import reader_factory, session_factory

    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    token = light.token
    light.svc.readers, light.svc.sessions = reader_factory(nowhere), session_factory(nowhere)
    ready: Any = light.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json["degraded"][-1] == {"code": "database_unreachable"}
    assert light.client.get("/livez").status_code == 200
    answer: Any = light.call("GET", "/v1/cases", token=token)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    nowhere.dispose()


def test_metrics_are_prometheus_text(light: Api) -> None:
    light.batch([event(), event(time=None)])
    answer = light.call("GET", "/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    text = answer.get_data(as_text=True)
    assert 'duecare_events_total{result="accepted",via="api"} 1.0' in text
    assert 'duecare_events_total{result="rejected",via="api"} 1.0' in text
    assert "case-1" not in text
