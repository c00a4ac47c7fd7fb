"""The pages about sources over a made-up desk: what each shows, what its forms do, and who may not see it."""

from __future__ import annotations

import pytest

from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.roles = frozenset({"administrator"})
    return made


def signed_in(desk: FakeDesk) -> PageClient:
    client = PageClient(fakedesk.app(desk))
    client.sign_in("robin", PASSWORD)
    return client


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    return signed_in(desk)


def links(page: Document) -> list[str]:
    return [link.attributes["href"] for link in page.all("a")]


def test_the_list_says_in_words_how_each_source_stands(client: PageClient) -> None:
    page = client.get("/sources")
    rows = [row.text for row in page.all("tr", data_row="")]
    assert len(rows) == 7
    for row, words in zip(
        rows,
        (
            ("Clinic", "Cannot be read", "the connection timed out"),
            ("Paper forms", "Gone quiet", "nothing since Tue 31 Mar 2026, 11:14"),
            ("urn:example:app", "Gone quiet", "is not asked"),
            ("The case register", "Good", "Thu 9 Apr 2026, 10:10", "5 minutes", "48,211", "2 records", "1 conflicting delivery"),
            ("connected today", "Not asked yet", "never"),
            ("The old register", "Switched off"),
            ("urn:example:forms", "Sends events itself", "is not asked"),
        ),
        strict=True,
    ):
        for word in words:
            assert word in row
    assert "broken.yaml:3:10" in page.main
    assert "/sources/crm" in links(page)


def test_one_source_shows_its_health_and_its_refused_records(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/sources/crm")
    for words in (
        "4b1e77aa",
        "data.status: holds a word",
        "every 15 minutes",
        "must be signed",
        "primero",
        "/etc/duecare/sources/crm.yaml",
    ):
        assert words in page.main
    client.get(next(link.attributes["href"] for link in page.all("a", rel="next")))
    assert desk.asked[-1] == ("source", "crm", "next")
    assert "set aside Thu 9 Apr 2026" in client.get("/sources/crm?settled=yes").main
    assert "The last 4 pulls failed: https://fhir.example.org" in client.get("/sources/clinic").main
    assert "nothing was heard of it since Tue 31 March 2026" in client.get("/sources/paper").main
    assert "switched off" in client.get("/sources/old").main


def test_a_source_is_asked_now(client: PageClient, desk: FakeDesk) -> None:
    client.post("/sources/crm/pull", {})
    assert client.location == "/sources/crm"
    assert ("now", "crm") in desk.asked
    assert "It will be asked within seconds" in client.get("/sources/crm").main
    client.post("/sources/old/pull", {})
    assert "This source is not switched on." in client.get("/sources/old").one("div", class_="dc-flash dc-flash--problem").text


def test_rejects_are_tried_again_and_told(client: PageClient, desk: FakeDesk) -> None:
    client.post("/sources/crm/replay", {})
    assert "2 records were tried again; 1 is refused still." in client.get("/sources/crm").main
    desk.unreadable = "it does not answer"
    client.post("/sources/crm/replay", {})
    assert "It ended early: it does not answer" in client.get("/sources/crm").one("div", class_="dc-flash dc-flash--problem").text


def test_a_reject_is_set_aside(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/sources/crm")
    action = next(form.attributes["action"] for form in page.all("form") if "dismiss" in form.attributes["action"])
    client.post(action, {})
    assert list(desk.waiting) == [8]
    assert "It is set aside" in client.get("/sources/crm").main
    client.post(action, {}, status=404)


def test_the_try_out_shows_records_beside_events_and_no_value_unless_asked(client: PageClient) -> None:
    client.get("/sources/crm")
    page = client.post("/sources/crm/try", {}, status=200)
    assert page is not None
    for words in (
        "Nothing of this was stored",
        "visit.held",
        "Not read, so never kept: mother_name, remarks",
        "Not read, but kept with the refused record until that is settled: remarks",
        "Refused: data.status",
        "shoe_size",
    ):
        assert words in page.main
    assert "2026-04-06 10:00" not in page.main
    shown = client.post("/sources/crm/try", {"values": "yes"}, status=200)
    assert shown is not None
    assert "2026-04-06 10:00" in shown.main
    assert "they may name people" in shown.main


def test_who_may_see_no_case_is_shown_no_value_of_one(desk: FakeDesk) -> None:
    desk.roles = frozenset({"operator"})
    client = signed_in(desk)
    assert not client.get("/sources/crm").all("input", name="values")
    page = client.post("/sources/crm/try", {}, status=200)
    assert page is not None
    assert "visit.held" in page.main
    assert "FAM-2001" not in page.main
    assert "c-1" not in page.main


def test_a_source_that_cannot_be_read_is_told(client: PageClient, desk: FakeDesk) -> None:
    desk.unreadable = "the password is wrong"
    client.get("/sources/crm")
    client.post("/sources/crm/try", {})
    assert "It could not be tried: the password is wrong" in client.get("/sources/crm").one("div", class_="dc-flash dc-flash--problem").text


def test_an_empty_try_out_says_so(client: PageClient) -> None:
    client.get("/sources/paper")
    page = client.post("/sources/paper/try", {}, status=200)
    assert page is not None
    assert "The source was read, and gave nothing." in page.main


def test_who_may_not_look_after_sources_sees_none_of_it(desk: FakeDesk) -> None:
    desk.roles = frozenset({"reviewer"})
    client = signed_in(desk)
    for path in ("/sources", "/sources/crm"):
        client.get(path, status=403)
    for path in ("pull", "replay", "try", "rejects/7/dismiss"):
        client.post(f"/sources/crm/{path}", {}, status=403)
    assert list(desk.waiting) == [7, 8]
    assert "/sources" not in links(client.get("/status"))


def test_those_who_may_find_it_in_the_menu_and_on_the_status_page(client: PageClient) -> None:
    page = client.get("/status")
    assert links(page).count("/sources") == 2
    client.get("/sources/nowhere", status=404)
