"""What is due: the list, the month, by team and worker, the sheet to print, and calendars that people subscribe to."""

from __future__ import annotations

import pytest

from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.fakedue import TOKEN
from tests.support.pages import PageClient

PAGES = [
    "/due-soon",
    "/due-soon?within=none&team=-",
    "/due-soon?on=2026-04-09&rule=C14",
    "/due-soon/month",
    "/due-soon/month?month=2026-04&team=north&severity=high",
    "/due-soon/teams",
    "/due-soon/teams?team=north",
    "/due-soon/sheet",
    "/due-soon/sheet?within=none",
    "/due-soon/calendars",
]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def anybody(desk: FakeDesk) -> PageClient:
    return PageClient(fakedesk.app(desk))


@pytest.fixture
def client(anybody: PageClient) -> PageClient:
    anybody.sign_in("kim", PASSWORD)
    return anybody


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_as_all_pages_should_be(client: PageClient, desk: FakeDesk, path: str) -> None:
    assert ", as of Thu 9 April 2026, 10:14 (Adelaide time)" in client.get(path).main
    desk.empty = True
    assert len(client.get(path).main) > 150


@pytest.mark.parametrize("query", ["within=soon", "within=-1", "within=²", "on=2026-02-30", "on=soon", "severity=severe", "team=%00"])
def test_an_address_that_the_list_does_not_know_is_told(client: PageClient, query: str) -> None:
    for path in ("/due-soon", "/due-soon/sheet"):
        assert "This address cannot be read" in client.get(f"{path}?{query}", status=400).main


def test_a_month_that_is_past_does_not_exist(client: PageClient) -> None:
    client.get("/due-soon/month?month=1999-01", status=404)


def test_a_day_of_the_month_leads_to_exactly_its_requirements(client: PageClient) -> None:
    page = client.get("/due-soon/month?team=north")
    links = [link.attributes["href"] for link in page.all("a")]
    assert "/due-soon?on=2026-04-09&team=north&rule=C00&policy=cfss" in links
    assert "/due-soon?on=2026-04-09&team=north" in links
    assert "/due-soon/month?month=2026-05&team=north" in links
    assert "All 20" in page.main


def test_each_number_of_a_team_and_a_worker_leads_to_its_list(client: PageClient) -> None:
    links = {link.attributes["href"] for link in client.get("/due-soon/teams?rule=C14").all("a")}
    assert {
        "/due-soon?within=7&rule=C14&team=north",
        "/due-soon?within=14&rule=C14&team=north&worker=w-1",
        "/due-soon?within=none&rule=C14&team=north&worker=w-1",
        "/due-soon?within=28&rule=C14&team=north&worker=-",
        "/due-soon?within=28&rule=C14",
    } <= links


def test_a_sheet_holds_four_weeks_unless_it_is_told_otherwise_and_says_when_it_is_not_all(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/due-soon/sheet")
    assert desk.seen[-1][1].within == "28"
    assert [heading.text for heading in page.all("h2") if heading.text.startswith(("Team", "No team"))] == ["Team north", "No team"]
    assert "Only the first 8 by due day are on this sheet" in page.main
    client.get("/due-soon/sheet?on=2026-04-09")
    assert desk.seen[-1][1].within == ""


def test_the_address_of_a_calendar_is_shown_once(client: PageClient, desk: FakeDesk) -> None:
    client.get("/due-soon/calendars")
    made = client.post("/due-soon/calendars", {"team": "north"}, status=200)
    assert made is not None
    assert f"http://localhost/calendars/{TOKEN}.ics" in made.main
    assert desk.seen[-1] == ("make_calendar", "north")
    assert TOKEN not in client.get("/due-soon/calendars").text
    client.post("/due-soon/calendars", {"team": "elsewhere"})
    assert "No calendar was made" in client.get("/due-soon/calendars").main
    client.post("/due-soon/calendars/feed00000001/revoke", {})
    assert desk.seen[-1] == ("revoke_calendar", "feed00000001")


def test_a_calendar_is_open_to_whoever_holds_its_token_and_to_nobody_else(anybody: PageClient) -> None:
    address = f"/calendars/{TOKEN}.ics"
    answer = anybody.flask.get(address)
    assert (answer.status_code, answer.mimetype, "Set-Cookie" in answer.headers) == (200, "text/calendar", False)
    assert "http://localhost/cases/FAM-1" in answer.text
    assert "private" in answer.headers["Cache-Control"]
    assert anybody.flask.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert anybody.flask.get(address, method="HEAD").status_code == 200
    for wrong in (TOKEN[:-1], TOKEN[:-1] + "f", "x"):
        assert anybody.flask.get(f"/calendars/{wrong}.ics").status_code == 404
