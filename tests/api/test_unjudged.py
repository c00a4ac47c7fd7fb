"""A case from the moment its events were accepted until a worker has judged it: it is there, and says that it waits."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from sqlalchemy import text

from rules.model import rfc3339
from store.queries import case_facets
from store.queries.places import places
from tests.api.conftest import DAY, NOW, Api, event
from tests.api.test_reads import family

PATHS = ("/v1/cases/new", "/v1/cases/new/events", "/v1/cases/new/verdicts")


def put_aside(api: Api, case: str) -> None:
    with api.svc.writing() as session:
        session.execute(
            text("UPDATE dirty SET quarantined = true, attempts = 3, last_error = 'KeyError at rules.x:7' WHERE case_id = :case"),
            {"case": case},
        )


def test_a_case_is_there_as_soon_as_its_events_were_accepted(api: Api) -> None:
    sent = family("new")
    api.batch(sent)
    api.clock[0] += 5_000
    case = api.get("/v1/cases/new")
    assert (case["judged"], case["waiting"], case["quarantined"], case["error"]) == (False, True, False, None)
    assert case["waiting_since"] == rfc3339(NOW)
    assert (case["team"], case["office"], case["program"], case["events"]) == ("north", "darwin", "cfss", 5)
    assert (case["evaluated_at"], case["verdicts"], case["breaches"], case["open_breaches"]) == (None, [], [], 0)
    assert [one["id"] for one in api.get("/v1/cases/new/events")["items"]] == [one["id"] for one in sent]
    told = api.get("/v1/cases/new/verdicts?rule=C12&explain=true")
    assert [one["verdict"] for one in told["verdicts"]] == ["breached"]
    assert len(told["explanations"]) == 1
    assert len(api.get("/v1/cases/new/export.json")["parts"]["event"]) == 5
    with zipfile.ZipFile(io.BytesIO(api.call("GET", "/v1/cases/new/export.zip").data)) as files:
        assert any(name.endswith("/event.json") for name in files.namelist())
    api.judge()
    case = api.get("/v1/cases/new")
    assert (case["judged"], case["waiting"], case["waiting_since"]) == (True, False, None)
    api.batch([event("visit.held", case="new", at=NOW - DAY, data={"status": "held", "mode": "in_person", "seen": ["kid"]})])
    case = api.get("/v1/cases/new")
    assert (case["judged"], case["waiting"], case["waiting_since"]) == (True, True, rfc3339(NOW + 5_000))


def test_a_limited_key_reads_what_it_has_just_posted_and_nothing_of_others(api: Api) -> None:
    api.batch([*family("new", "north"), *family("theirs", "south"), event(case="nobodys")])
    scopes = ("cases:read", "sources:admin")
    north, alice = api.key(*scopes, teams=("north",)), api.key(*scopes, offices=("alice",))
    for path in PATHS:
        assert api.call("GET", path, token=north).status_code == 200, path
        nothing: Any = api.call("GET", path.replace("new", "nowhere"), token=alice).json
        for case, token in (("theirs", north), ("nobodys", north), ("new", alice)):
            answer: Any = api.call("GET", path.replace("new", case), token=token)
            assert answer.status_code == 404, (case, path)
            assert {**answer.json, "request_id": ""} == {**nothing, "request_id": ""}
    assert api.get("/v1/cases/new", token=north)["team"] == "north"
    put_aside(api, "new")
    put_aside(api, "theirs")
    assert [one["case"] for one in api.get("/v1/quarantine", token=north)["items"]] == ["new"]
    assert {one["case"] for one in api.get("/v1/quarantine")["items"]} == {"new", "theirs"}
    assert api.call("POST", "/v1/quarantine/theirs/retry", token=north).status_code == 404
    assert api.call("POST", "/v1/quarantine/new/retry", token=north).status_code == 202


def test_a_transfer_that_waits_gives_nobody_more_or_less_until_it_is_judged(light: Api) -> None:
    light.batch(family("moving", "north"))
    light.judge()
    north, south = (light.key("cases:read", teams=(team,)) for team in ("north", "south"))
    light.batch([event("case.transferred", case="moving", at=NOW - DAY, data={"to_team": "south"})])
    assert light.get("/v1/cases/moving", token=north)["waiting"] is True
    assert light.call("GET", "/v1/cases/moving", token=south).status_code == 404
    light.judge()
    assert light.call("GET", "/v1/cases/moving", token=north).status_code == 404
    assert light.get("/v1/cases/moving", token=south)["team"] == "south"


def test_linked_cases_are_named_before_anybody_has_judged_them_within_limits(light: Api) -> None:
    kids = {"members": [{"person": "kid-1", "role": "child"}]}
    for case, team in (("new", "north"), ("sibling", "north"), ("theirs", "south")):
        light.batch([*family(case, team), event("household.recorded", case=case, at=NOW - 59 * DAY, data=kids)])
    assert light.get("/v1/cases/new")["linked"] == ["sibling", "theirs"]
    assert light.get("/v1/cases/new", token=light.key("cases:read", teams=("north",)))["linked"] == ["sibling"]


def test_a_case_that_was_put_aside_before_it_was_ever_judged_tells_why_and_is_not_tried(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.batch(family("new"))
    put_aside(api, "new")

    def killer(*args: object, **more: object) -> None:
        raise AssertionError("it is judged although that may stop the process")

    monkeypatch.setattr(type(api.svc.policies), "judge", killer)
    case = api.get("/v1/cases/new")
    assert (case["judged"], case["quarantined"], case["error"]) == (False, True, "KeyError at rules.x:7")
    assert len(api.get("/v1/cases/new/events")["items"]) == 5
    answer: Any = api.call("GET", "/v1/cases/new/verdicts")
    assert (answer.status_code, answer.json["code"]) == (409, "not_possible")
    assert "set aside until a person has looked: KeyError at rules.x:7" in answer.json["detail"]


def test_the_list_has_judged_cases_and_tells_the_others_when_asked(api: Api) -> None:
    api.batch(family("old"))
    api.judge()
    for number in range(5):
        api.batch(family(f"n{number}", "south" if number % 2 else "north"))
    put_aside(api, "n3")
    (row,) = api.get("/v1/cases")["items"]
    assert (row["case"], row["judged"], row["waiting_since"], row["error"]) == ("old", True, None, None)
    assert api.get("/v1/stats")["cases"] == 1
    new = api.get("/v1/cases?judged=false")["items"]
    assert [(one["case"], one["judged"], one["quarantined"]) for one in new] == [
        (f"n{number}", False, number == 3) for number in (4, 3, 2, 1, 0)
    ]

    def cases(query: str, token: str | None = None) -> list[str]:
        found, path = [], f"/v1/cases?judged=false&{query}"
        cursor = ""
        while True:
            page = api.get(path + cursor, token=token)
            found += [one["case"] for one in page["items"]]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    north = api.key("cases:read", teams=("north",))
    assert cases("limit=2") == ["n4", "n3", "n2", "n1", "n0"]
    assert cases("limit=1", north) == cases("limit=2&team=north") == ["n4", "n2", "n0"]
    assert cases("team=south", north) == cases("with_open_breaches=true") == cases("worker=w") == []
    assert cases("case=n1&case=old&case=n2") == ["n2", "n1"]
    cursor = api.get("/v1/cases?judged=false&limit=1")["next"]
    api.batch(family("n9"))
    assert [one["case"] for one in api.get(f"/v1/cases?judged=false&limit=1&cursor={cursor}")["items"]] == ["n3"]
    refused: Any = api.call("GET", "/v1/cases?judged=false&sort=case")
    assert (refused.status_code, refused.json["errors"][0]["parameter"]) == (400, "sort")
    wrong: Any = api.call("GET", f"/v1/cases?cursor={cursor}")
    assert (wrong.status_code, wrong.json["code"]) == (400, "bad_cursor")


def void(sent: dict[str, Any], **more: Any) -> dict[str, Any]:
    return event("event.voided", case=sent["subject"], at=NOW, data={"target": sent["id"]}, **more)


def test_a_case_whose_events_were_all_voided_counts_as_none_until_something_of_it_stands(api: Api) -> None:
    gone, kept = family("gone"), family("kept")
    api.batch([*gone, *kept, event(case="nobodys")])
    api.judge()
    north = api.key("cases:read", "cases:export", teams=("north",))
    assert api.get("/v1/stats")["cases"] == 3
    voids = [void(one) for one in gone]
    api.batch(voids[:-1])
    api.judge()
    assert api.get("/v1/cases/gone")["withdrawn"] is False
    assert len(api.get("/v1/cases")["items"]) == 3
    api.batch(voids[-1:])
    api.judge()
    assert [one["case"] for one in api.get("/v1/cases")["items"]] == ["kept", "nobodys"]
    assert api.get("/v1/stats")["cases"] == 2
    (row,) = api.get("/v1/cases?withdrawn=true")["items"]
    assert (row["case"], row["withdrawn"], row["team"], row["open_breaches"]) == ("gone", True, None, 0)
    assert api.get("/v1/cases?withdrawn=true&team=north")["items"] == api.get("/v1/cases?withdrawn=true", token=north)["items"] == []
    case = api.get("/v1/cases/gone")
    assert (case["withdrawn"], case["judged"], case["events"], case["verdicts"]) == (True, True, 10, [])
    assert {one["condition"] for one in case["breaches"]} == {"withdrawn"}
    assert len(api.get("/v1/cases/gone/events")["items"]) == 10
    assert api.get("/v1/cases/gone/verdicts")["verdicts"] == []
    assert len(api.get("/v1/cases/gone/export.json")["parts"]["event"]) == 10
    assert api.call("GET", "/v1/cases/gone", token=north).status_code == 404
    with api.svc.reading() as session:
        assert {place.code: place.cases for place in places(session, "team")} == {None: 1, "north": 1}
        assert case_facets(session).total == 2
    api.batch([void(voids[0])])
    api.judge()
    back = api.get("/v1/cases/gone")
    assert (back["withdrawn"], back["team"]) == (False, "north")
    assert [one["case"] for one in api.get("/v1/cases", token=north)["items"]] == ["gone", "kept"]


def test_a_case_that_was_withdrawn_before_anybody_judged_it_says_so(light: Api) -> None:
    sent = event(case="new", data={"team": "north"})
    light.batch([sent, void(sent, source="urn:test:casework")])
    case = light.get("/v1/cases/new")
    assert (case["withdrawn"], case["judged"], case["team"]) == (True, False, None)
    light.judge()
    assert light.get("/v1/cases")["items"] == []
