"""The health of sources over HTTP: how each stands, what was refused, trying it again, setting it aside, asking now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.sources.pull import pull
from tests.api.conftest import DAY, NOW, Api, event
from tests.support.feeds import BAD, GOOD, MAPPING, OTHER, URI, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "sources")


@pytest.fixture
def fed(make_api: Callable[..., Api], sqlite_url: str, clock: list[int], folder: Folder) -> Api:
    folder.add()
    return make_api(sqlite_url, clock, sources=folder.path)


def ask(api: Api, name: str = "visits") -> None:
    pull(api.svc, api.svc.feeds.get(name))


def said(api: Api, method: str, path: str, status: int = 200) -> Any:
    """The JSON of an answer."""
    answer = api.call(method, path)
    assert answer.status_code == status
    return answer.json


def only(api: Api) -> Any:
    (found,) = api.get("/v1/sources")["items"]
    return found


def codes(api: Api, token: str | None = None) -> list[str]:
    api.clock[0] += 1_000  # readyz looks anew once a second
    return [each["code"] for each in api.get("/readyz", token=token)["degraded"]]


def test_a_source_that_was_never_asked_waits(fed: Api) -> None:
    found = only(fed)
    assert (found["name"], found["source"], found["title"], found["adapter"]) == ("visits", URI, "The visits folder", "files")
    assert (found["state"], found["every_seconds"], found["records"], found["last_pull"]) == ("waiting", 900, 0, None)


def test_a_good_pull_a_reject_and_a_mended_mapping(fed: Api, folder: Folder) -> None:
    folder.lay("may.csv", GOOD, OTHER, BAD)
    ask(fed)
    found = only(fed)
    assert (found["state"], found["records"], found["rejects"], found["failures"]) == ("good", 3, 1, 0)
    assert found["last_good_pull"] == "2026-06-01T03:00:00.000Z"
    (waits,) = fed.get("/v1/sources/visits/rejects")["items"]
    assert (waits["kind"], waits["taken_in"], waits["dismissed"]) == ("csv", None, None)
    assert [(p["pointer"], p["code"]) for p in waits["problems"]] == [("/data/status", "unmapped_value")]
    assert "Bert" not in str(waits)
    assert "perhaps" not in str(waits)
    again = said(fed, "POST", "/v1/sources/visits/replay")
    assert again == {"records": 1, "accepted": 0, "duplicate": 0, "conflict": 0, "refused": 1, "error": None}
    folder.add(mapping=MAPPING.replace("missed: attempted", "missed: attempted, perhaps: attempted"))
    done = said(fed, "POST", "/v1/sources/visits/replay")
    assert (done["accepted"], done["refused"]) == (1, 0)
    assert only(fed)["rejects"] == 0
    assert fed.get("/v1/sources/visits/rejects")["items"] == []
    (settled,) = fed.get("/v1/sources/visits/rejects?settled=true")["items"]
    assert settled["taken_in"] == "2026-06-01T03:00:00.000Z"
    assert fed.get("/v1/cases/F3")["events"] == 1


def test_a_reject_is_set_aside_once_and_its_record_is_forgotten(fed: Api, folder: Folder) -> None:
    folder.lay("may.csv", BAD)
    ask(fed)
    (waits,) = fed.get("/v1/sources/visits/rejects")["items"]
    path = f"/v1/sources/visits/rejects/{waits['id']}/dismiss"
    assert fed.call("POST", path).json == {"id": waits["id"]}
    assert fed.call("POST", path).status_code == 404
    assert only(fed)["rejects"] == 0
    (settled,) = fed.get("/v1/sources/visits/rejects?settled=true")["items"]
    assert settled["dismissed"] is not None
    assert said(fed, "POST", "/v1/sources/visits/replay")["records"] == 0


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "٣"])
def test_a_reject_that_there_is_not_is_not_found(fed: Api, number: str) -> None:
    assert fed.call("POST", f"/v1/sources/visits/rejects/{number}/dismiss").status_code == 404


def test_a_reject_of_another_source_is_not_set_aside_by_this_one(fed: Api, folder: Folder) -> None:
    folder.add("other", uri="urn:test:other")
    folder.lay("may.csv", BAD)
    ask(fed)
    (waits,) = fed.get("/v1/sources/visits/rejects")["items"]
    assert fed.call("POST", f"/v1/sources/other/rejects/{waits['id']}/dismiss").status_code == 404
    assert len(fed.get("/v1/sources/visits/rejects")["items"]) == 1


def test_rejects_come_page_by_page(fed: Api, folder: Folder) -> None:
    folder.lay("may.csv", *(BAD.replace("3,", f"{n},", 1) for n in range(5)))
    ask(fed)
    first = fed.get("/v1/sources/visits/rejects?limit=3")
    rest = fed.get(f"/v1/sources/visits/rejects?limit=3&cursor={first['next']}")
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [3, 2, None]
    assert len({row["id"] for row in first["items"] + rest["items"]}) == 5
    assert said(fed, "GET", "/v1/sources/visits/rejects?cursor=nonsense", 400)["code"] == "bad_cursor"


def test_a_source_that_is_asked_now_is_due(fed: Api) -> None:
    from service.sources.pull import due

    ask(fed)
    assert due(fed.svc) == []
    answer = fed.call("POST", "/v1/sources/visits/pull")
    assert (answer.status_code, answer.json) == (202, {"source": "visits"})
    assert fed.call("POST", "/v1/sources/visits/pull").status_code == 202
    assert due(fed.svc) == ["visits"]


def test_a_source_may_be_named_by_the_source_of_its_events(fed: Api) -> None:
    assert fed.call("POST", "/v1/sources/urn:test:client/pull").json == {"source": "visits"}


def test_a_source_that_is_switched_off_is_not_asked(fed: Api, folder: Folder) -> None:
    folder.add(more="enabled: false\n")
    assert only(fed)["state"] == "off"
    assert said(fed, "POST", "/v1/sources/visits/pull", 409)["code"] == "not_possible"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "rejects"), ("POST", "replay"), ("POST", "pull"), ("POST", "rejects/1/dismiss")],
)
def test_a_source_that_there_is_not_and_a_key_without_the_scope(fed: Api, method: str, path: str) -> None:
    assert fed.call(method, f"/v1/sources/nowhere/{path}").status_code == 404
    weak = fed.key("events:write", "cases:read", "breaches:read", "breaches:review", "policies:write")
    answer = fed.call(method, f"/v1/sources/visits/{path}", token=weak)
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "forbidden")
    assert fed.call(method, f"/v1/sources/visits/{path}", token="").status_code == 401


def test_a_source_that_fails_says_so_from_the_third_time_on(fed: Api, folder: Folder) -> None:
    folder.drop.rmdir()
    for state in ("waiting", "waiting", "failing"):
        ask(fed)
        assert only(fed)["state"] == state
    found = only(fed)
    assert found["failures"] == 3
    assert "cannot be read" in found["last_error"]
    assert "failing_source" in codes(fed)
    folder.drop.mkdir()
    ask(fed)
    assert (only(fed)["state"], only(fed)["last_error"]) == ("good", None)
    assert "failing_source" not in codes(fed)


def test_a_source_without_a_good_pull_for_a_day_has_gone_quiet(fed: Api, clock: list[int]) -> None:
    ask(fed)
    assert "stale_source" not in codes(fed)
    clock[0] = NOW + DAY
    assert only(fed)["state"] == "good"
    clock[0] = NOW + DAY + 1
    assert only(fed)["state"] == "quiet"
    assert "stale_source" in codes(fed)
    ask(fed)
    assert only(fed)["state"] == "good"


def test_those_that_need_somebody_stand_first(fed: Api, folder: Folder) -> None:
    folder.add("aaa", uri="urn:test:aaa")
    folder.lay("may.csv", BAD)
    ask(fed)
    fed.batch([event(source="urn:test:sender")])
    assert [(row["name"], row["state"]) for row in fed.get("/v1/sources")["items"]] == [
        ("visits", "good"),
        ("aaa", "waiting"),
        (None, "pushed"),
    ]


def test_a_file_with_faults_is_told_to_those_who_may_and_counted_for_all(fed: Api, folder: Folder) -> None:
    (folder.path / "broken.yaml").write_text("source: broken\nadapter: filez\nmapping: standard\n")
    assert "source_faults" in codes(fed)
    assert [row["name"] for row in fed.get("/v1/sources")["items"]] == ["visits"]


def test_a_stranger_learns_no_name_of_a_source_from_readyz(fed: Api, clock: list[int]) -> None:
    ask(fed)
    clock[0] = NOW + 2 * DAY
    answer = fed.client.get("/readyz")
    assert "stale_source" in [each["code"] for each in answer.json["degraded"]]  # type: ignore[index]
    assert "visits" not in answer.get_data(as_text=True)


def test_what_is_refused_and_what_fails_is_measured(fed: Api, folder: Folder, clock: list[int]) -> None:
    folder.lay("may.csv", GOOD, BAD)
    ask(fed)
    clock[0] += 60_000
    folder.drop.rename(folder.path / "elsewhere")
    ask(fed)
    told = fed.svc.metrics.text().decode()
    assert f'duecare_source_rejects{{source="{URI}"}} 1.0' in told
    assert f'duecare_source_failures{{source="{URI}"}} 1.0' in told
    assert f'duecare_source_good_pull_seconds{{source="{URI}"}} 60.0' in told
    assert 'duecare_pulls_total{result="failed",source="visits"} 1.0' in told
