"""The pages about sources over the real service: a folder is read, a record refused, the mapping mended, the record taken in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from service import users
from service.sources.pull import due, pull
from store.models import EventRow
from tests.support.feeds import BAD, GOOD, MAPPING, URI, Folder
from tests.support.service_kit import Kit, event, kit


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "sources")
    made.add()
    made.lay("may.csv", GOOD, BAD)
    return made


@pytest.fixture
def flow(sqlite_url: str, tmp_path: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: quick)
    with kit(sqlite_url, tmp_path, sources=folder.path) as made:
        yield made


def ask(flow: Kit) -> None:
    pull(flow.svc, flow.svc.feeds.get("visits"))


def stored(flow: Kit) -> int:
    with flow.svc.reading() as session:
        return session.scalar(select(func.count()).select_from(EventRow)) or 0


def test_from_a_refused_record_to_a_mended_mapping(flow, enter, folder):
    client = enter("kim", "administrator")
    assert "Not asked yet" in client.get("/sources").main
    ask(flow)
    page = client.get("/sources/visits")
    assert "data.status: holds a word that the mapping's table does not list" in page.main
    assert "Bert" not in page.main
    client.post("/sources/visits/replay", {})
    assert "1 record was tried again; 1 is refused still." in client.get("/sources/visits").main
    folder.add(mapping=MAPPING.replace("missed: attempted", "missed: attempted, perhaps: attempted"))
    client.post("/sources/visits/replay", {})
    page = client.get("/sources/visits")
    assert "1 record was tried again; 0 are refused still." in page.main
    assert "taken in Mon 1 Jun 2026" in client.get("/sources/visits?settled=yes").main
    assert stored(flow) == 2


def test_a_reject_is_set_aside_on_the_page(flow, enter):
    ask(flow)
    client = enter("kim", "operator")
    page = client.get("/sources/visits")
    action = next(form.attributes["action"] for form in page.all("form") if "dismiss" in form.attributes["action"])
    client.post(action, {})
    assert "None." in client.get("/sources/visits").main
    client.post(action, {}, status=404)


def test_the_mapping_is_tried_out_and_nothing_is_stored(flow, enter):
    client = enter("kim", "administrator")
    client.get("/sources/visits")
    page = client.post("/sources/visits/try", {}, status=200)
    assert page is not None
    for words in ("visit.held", "F1", "Not read, so never kept: remarks", "Refused: data.status", "Mon 4 May 2026, 10:00"):
        assert words in page.main
    assert "Anna was ill" not in page.main
    shown = client.post("/sources/visits/try", {"values": "yes"}, status=200)
    assert shown is not None
    assert "2026-05-04 10:00" in shown.main
    assert "Anna was ill" not in shown.main, "what the mapping does not read is not shown even then"
    assert stored(flow) == 0


def test_an_operator_who_may_see_no_case_is_shown_names_of_fields_only(flow, enter):
    client = enter("kim", "operator")
    client.get("/sources/visits")
    page = client.post("/sources/visits/try", {}, status=200)
    assert page is not None
    assert "visit.held" in page.main
    for words in ("F1", "visit-1", "in_person"):
        assert words not in page.main
    client.post("/sources/visits/try", {"values": "yes"}, status=403)


def test_somebody_limited_to_teams_is_not_shown_values(flow, enter):
    client = enter("kim", "administrator", teams=["north"])
    client.get("/sources/visits")
    client.post("/sources/visits/try", {"values": "yes"})
    assert "shown only to those who may see every case" in client.get("/sources/visits").main


def test_a_folder_that_is_not_there_is_told_without_breaking_the_page(flow, enter, folder):
    (folder.drop / "may.csv").unlink()
    folder.drop.rmdir()
    client = enter("kim", "administrator")
    client.get("/sources/visits")
    client.post("/sources/visits/try", {})
    assert "cannot be read" in client.get("/sources/visits").one("div", class_="dc-flash dc-flash--problem").text
    for _ in range(3):
        ask(flow)
    assert "The last 3 pulls failed" in client.get("/sources/visits").main
    assert "Cannot be read" in client.get("/sources").main


def test_ask_now_makes_it_due_and_a_source_gone_quiet_says_since_when(flow, enter):
    ask(flow)
    client = enter("kim", "administrator")
    client.get("/sources/visits")
    client.post("/sources/visits/pull", {})
    assert due(flow.svc) == ["visits"]
    flow.clock.advance(days=3)
    client = enter("robin", "administrator")
    assert "nothing was heard of it since Mon 1 June 2026, 12:00" in client.get("/sources/visits").main
    assert "Source visits has gone quiet." in client.get("/status").main


def test_those_that_only_send_are_listed_and_files_with_faults_told(flow, enter, folder):
    flow.take(event("referral.received", "2026-05-01T09:00", source="urn:test:sender"))
    (folder.path / "broken.yaml").write_text("source: broken\nadapter: filez\nmapping: standard\n")
    page = enter("kim", "administrator").get("/sources")
    assert "urn:test:sender" in page.main
    assert URI in page.main
    assert "there is no adapter 'filez'; did you mean files?" in page.main
