"""The first page, the statistics, and the verdicts behind every figure."""

from __future__ import annotations

import pytest

from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import PageClient

PAGES = [
    "/",
    "/statistics",
    "/statistics?rule=C08&policy=cfss&team=-&severity=critical",
    "/verdicts",
    "/verdicts?verdict=late&from=2026-03-01&to=2026-03-31&rule=C08&team=-",
    "/verdicts?verdict=unknown&reason=source_stale&cursor=next",
]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    made = PageClient(fakedesk.app(desk))
    made.sign_in("kim", PASSWORD)
    return made


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_as_all_pages_should_be(client: PageClient, desk: FakeDesk, path: str) -> None:
    assert "Thu 9 April 2026, 10:14 (Adelaide time)" in client.get(path).main
    desk.empty = True
    assert len(client.get(path).main) > 150


def test_every_figure_of_today_is_a_way_into_its_list(client: PageClient) -> None:
    page = client.get("/")
    links = {link.text: link.attributes["href"] for link in page.all("a")}
    assert links["1 High"] == "/breaches?condition=open&review=new&severity=high"
    assert links["1,200 Assigned to me open breaches"] == "/breaches?condition=open&assignee=me"
    assert links["all 10"] == "/breaches?condition=open&review=new"
    rows = [row for row in page.all("tr") if row.text.startswith("Mar 2026")]
    cells = [cell for cell in page.all("td") if rows[0] in cell.parents]
    (late,) = [link for link in page.all("a") if cells[2] in link.parents]
    assert (late.text, late.attributes["href"]) == ("9", "/verdicts?verdict=late&from=2026-03-01&to=2026-03-31")


def test_a_picture_says_in_words_what_it_shows_and_marks_what_rests_on_few(client: PageClient) -> None:
    page = client.get("/")
    (chart,) = [one for one in page.all("svg") if one.attributes.get("role") == "img"]
    assert chart.attributes["aria-labelledby"] == "trend-chart-t trend-chart-d"
    assert "Aug 2025: nothing was due that could be judged" in page.one("desc", id="trend-chart-d").text
    assert "Apr 2026: 66.7% of 6 done in time, so far" in page.one("desc", id="trend-chart-d").text
    dots = [one for one in page.all("circle") if chart in one.parents]
    assert [("is-hollow" in dot.attributes["class"]) for dot in dots] == [False] * 10 + [True]
    assert len([one for one in page.all("path") if chart in one.parents]) == 2  # the month without anything is a gap


def test_rates_stand_beside_what_they_are_rates_of_and_beside_what_they_leave_out(client: PageClient) -> None:
    page = client.get("/statistics")
    (row,) = [row.text for row in page.all("tr") if row.text.startswith("C08")]
    assert row == "C08 no longer in use 90.0% 90 5 5 0 100 1 2"
    (few,) = [row.text for row in page.all("tr") if row.text.startswith("C99")]
    assert "50.0% few 1 0 1 0 2 1 2" in few
    (none,) = [row.text for row in page.all("tr") if row.text.startswith("C13")]
    assert "\N{EN DASH} 0 0 0 0 0 3 0" in none
    order = [row.text[:3] for row in page.all("tr") if row.text.startswith(("C08", "C12", "C13", "C99"))]
    assert order == ["C08", "C12", "C99", "C13"]  # what rests on few does not lead, and what has no rate is last
    for words in ("Cannot be judged: a source has gone quiet 11", "Does not apply: no limit has been set 40", "Judged, but no due day 3"):
        assert words in page.main


def test_filters_stay_when_one_looks_closer(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/statistics?team=north")
    assert desk.seen[-1][1].team == "north"
    links = {link.attributes["href"] for link in page.all("a")}
    assert "/statistics?policy=cfss&rule=C08&team=north" in links
    assert "/verdicts?verdict=breached&team=north&from=2026-02-01&to=2026-02-28" in links


@pytest.mark.parametrize(
    "path",
    ["/verdicts?verdict=wrong", "/verdicts?from=soon", "/verdicts?to=2026-02-30", "/statistics?severity=severe", "/statistics?rule=%00"],
)
def test_an_address_that_no_list_knows_is_told(client: PageClient, path: str) -> None:
    assert "This address cannot be read" in client.get(path, status=400).main


def test_a_list_that_was_not_counted_to_its_end_says_so(client: PageClient) -> None:
    page = client.get("/verdicts?rule=C08")
    assert "More than 10,000 verdicts, as of" in page.main
    links = [link.attributes["href"] for link in page.all("a")]
    assert {"/breaches/b0001", "/cases/FAM-1", "/verdicts?rule=C08&cursor=next"} <= set(links)
