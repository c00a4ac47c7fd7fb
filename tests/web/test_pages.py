"""Every page, drawn from a made-up desk and checked by the page-checking client."""

from __future__ import annotations

import re

import pytest

from service.errors import NotFound
from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient

PAGES = [
    "/",
    "/breaches",
    "/breaches?condition=open&review=new&sort=-due_on",
    "/breaches?cursor=25",
    "/breaches/b0000",
    "/breaches/b0003",
    "/breaches/b0004",
    "/cases",
    "/cases?case=FAM-200",
    "/cases/FAM-2001",
    "/cases/STUCK",
    "/cases/FAM-2001?as_of=2026-03-01&known_at=2026-03-05",
    "/due-soon",
    "/due-soon?within=7",
    "/policies",
    "/policies/cfss",
    "/policies/cfss/rules/C01",
    "/policies/cfss/rules/C02",
    "/policies/cfss/rules/C03",
    "/policies/cfss/rules/C04",
    "/policies/cfss/parameters/family_contact_days",
    "/policies/cfss/propose",
    "/policy-changes/ch-1",
    "/policy-changes/ch-active",
    "/policy-changes/ch-old",
    "/policy-changes/ch-text",
    "/backtests/bt-running",
    "/backtests/bt-done",
    "/backtests/bt-failed",
    "/backtests/bt-same",
    "/audits",
    "/audits/au-queued",
    "/audits/au-running",
    "/audits/au-done",
    "/audits/au-night",
    "/audits/au-failed",
    "/audits/au-done/compare?with=au-night",
    "/audit-schedules",
    "/status",
    "/help",
    "/password",
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
    desk.roles = frozenset({"reviewer", "policy_owner", "manager"})
    assert "kim" in client.get(path).one("header").text


@pytest.mark.parametrize("path", ["/", "/breaches", "/cases", "/due-soon", "/status"])
def test_empty_pages_say_what_to_do(client: PageClient, desk: FakeDesk, path: str) -> None:
    desk.empty = True
    page = client.get(path)
    assert len(page.main) > 150


def test_the_empty_list_teaches_how_events_come_in(client: PageClient, desk: FakeDesk) -> None:
    desk.empty = True
    assert "/v1/events" in client.get("/breaches").main


def test_old_addresses_of_the_list_lead_to_it(client: PageClient) -> None:
    answer = client.flask.get("/?rule=C08&team=%C3%BC&team=b")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/breaches?rule=C08&team=%C3%BC&team=b")


@pytest.mark.parametrize(("role", "page"), [("operator", "/sources"), ("viewer", None)])
def test_who_may_not_read_breaches_lands_on_their_own_work(client: PageClient, desk: FakeDesk, role: str, page: str | None) -> None:
    desk.roles = frozenset({role})
    assert client.flask.get("/").headers.get("Location") == page


def test_no_fit_offers_the_way_back(client: PageClient) -> None:
    page = client.get("/breaches?case=FAM-1")
    assert "No breaches fit these filters" in page.main
    assert any(link.attributes["href"] == "/cases/FAM-1" for link in page.all("a"))


def test_the_list_says_how_many_and_as_of_when(client: PageClient) -> None:
    assert "60 breaches, as of Thu 9 April 2026, 10:14 (Adelaide time)" in client.get("/breaches").main


def test_a_row_says_everything_in_words(client: PageClient) -> None:
    row = client.get("/breaches").one("tr", id="b-b0000")
    for words in (
        "No completed safety plan by the end of the 3rd visit, Mon 23 March; recorded 7 days after",
        "FAM-2000",
        "Critical",
        "Mon 23 Mar 2026",
        "7 days",
        "north",
        "Open",
        "Not yet reviewed",
    ):
        assert words in row.text


def test_filters_reach_the_desk_and_stand_in_the_address(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/breaches?rule=C08&rule=C12&severity=critical&team=north&sort=severity")
    filters = desk.seen[-1][1]
    assert (filters.rule, filters.severity, filters.team, filters.sort) == (("C08", "C12"), ("critical",), ("north",), "severity")
    boxes = page.all("input", type="checkbox", checked="")
    ticked = [box.attributes["value"] for box in boxes if box.attributes.get("name", "") in filters.query()]
    assert ticked == ["critical", "C08", "C12", "north"]
    removals = [link.attributes["href"] for link in page.all("a") if link.text.endswith("(remove)")]
    assert "/breaches?severity=critical&rule=C12&team=north&sort=severity" in removals


def test_pages_of_a_list_keep_the_filters(client: PageClient) -> None:
    page = client.get("/breaches?condition=open")
    onward = page.one("a", rel="next").attributes["href"]
    assert onward == "/breaches?condition=open&cursor=25"
    second = client.get(onward)
    first_rows = {row.attributes["id"] for row in page.all("tr") if "id" in row.attributes}
    second_rows = {row.attributes["id"] for row in second.all("tr") if "id" in row.attributes}
    assert first_rows
    assert second_rows
    assert not first_rows & second_rows


def test_sorting_turns_round(client: PageClient) -> None:
    page = client.get("/breaches?sort=severity")
    header = next(th for th in page.all("th") if th.text.startswith("Severity"))
    assert header.attributes["aria-sort"] == "ascending"
    assert any(link.attributes["href"] == "/breaches?sort=-severity" for link in page.all("a"))


@pytest.mark.parametrize(
    "path",
    ["/breaches?severity=severe", "/breaches?condition=broken", "/due-soon?within=soon", "/breaches?rule=%00", "/breaches?review=%ff"],
)
def test_an_address_that_no_list_knows_is_told(client: PageClient, path: str) -> None:
    assert "This address cannot be read" in client.get(path, status=400).main


def test_a_breach_tells_why_and_what_would_have_met_it(client: PageClient) -> None:
    page = client.get("/breaches/b0000")
    for words in (
        "The 3rd one is Mon 23 March 2026",
        "It would have been met with a safety plan that is completed or final",
        "Counts",
        "Does not count",
        "May or may not count",
        "It was attempted, not held",
        "CFSS practice guide, step 3",
        "Opened",
        "policy digest ab12",
    ):
        assert words in page.main


def test_colour_is_never_the_only_sign(client: PageClient) -> None:
    for path in ("/breaches", "/breaches/b0000", "/cases/FAM-2001"):
        tags = [e for e in client.get(path).all("span") if "dc-tag" in e.attributes.get("class", "").split()]
        assert tags
        assert all(tag.text for tag in tags)


def test_nobody_is_said_to_have_violated_anything(client: PageClient, desk: FakeDesk) -> None:
    desk.roles = frozenset({"reviewer", "policy_owner", "manager"})
    for path in PAGES:
        assert not re.search(r"violat|offend|guilt|culprit|fail(ed|ure) by", client.get(path).text, re.IGNORECASE), path


def test_a_case_is_judged_as_at_a_day(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/cases/FAM-2001?as_of=2026-03-01")
    case, as_of, known_at = desk.seen[-1][1] if desk.seen[-1][0] == "case" else desk.seen[-2][1]
    assert (case, str(as_of), known_at) == ("FAM-2001", "2026-03-01", None)
    assert "This is a look back" in page.main
    assert page.one("input", id="as_of").attributes["value"] == "2026-03-01"


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "0001-01-01", "9999-12-31"])
def test_a_day_that_does_not_exist_is_told_beside_its_field(client: PageClient, day: str) -> None:
    page = client.get(f"/cases/FAM-2001?as_of={day}", status=400)
    assert page.one("p", id="as_of-error").text == "Error: Give a day from 1900 to 2199, like 2026-03-23"
    assert page.one("input", id="as_of").attributes["value"] == day


def test_late_recording_stands_apart_from_late_practice(client: PageClient) -> None:
    page = client.get("/cases/FAM-2001")
    late_record = next(e for e in page.all("li") if "is-late-record" in e.attributes.get("class", "") and "Visit" in e.text)
    late_practice = next(e for e in page.all("li") if "is-due" in e.attributes.get("class", "") and "safety plan" in e.text)
    assert "Recorded late" in late_record.text
    assert "16 days later" in late_record.text
    assert "Breached" in late_practice.text


def test_a_case_id_of_any_text_has_a_page(client: PageClient) -> None:
    link = next(e for e in client.get("/breaches").all("a") if e.text == fakedesk.LONG.strip())
    assert client.get(link.attributes["href"]).one("h1").text.startswith("Case case/with a slash & <angle>")


def test_the_made_up_data_is_labelled_on_every_page(client: PageClient, desk: FakeDesk) -> None:
    assert "Made-up data" in client.get("/help").text
    desk.demo = ""
    assert "Made-up data" not in client.get("/help").text


def test_one_decider_alone_is_told(client: PageClient, desk: FakeDesk) -> None:
    desk.mode = "table"
    assert "One decider only" in client.get("/").one("footer").text
    assert "one decides alone" in client.get("/status").main


def test_limits_are_told(client: PageClient, desk: FakeDesk) -> None:
    desk.limited = frozenset({"north"})
    assert "only what belongs to 1 team (north)" in client.get("/").one("footer").text


def test_what_does_not_exist_helps(client: PageClient) -> None:
    for path in ("/breaches/nope", "/cases/NONE", "/policies/nope", "/nowhere/at/all"):
        assert "There is no such page" in client.get(path, status=404).main


def test_a_failure_shows_nothing_of_the_inside(client: PageClient, desk: FakeDesk) -> None:
    desk.failing = RuntimeError("secret detail of a family")
    page = client.get("/breaches", status=500)
    assert "secret detail" not in page.text
    assert "give this reference" in page.main
    assert client.last is not None
    assert client.last.headers["X-Request-ID"] in page.main


def test_a_store_that_cannot_be_reached_gets_a_page_too(client: PageClient, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise ConnectionError("no store at 10.0.0.7")

    for name in ("session", "banner", "breaches"):
        monkeypatch.setattr(desk, name, gone)
    page = client.get("/breaches", status=500)
    assert "Sorry, something went wrong here" in page.main
    assert "10.0.0.7" not in page.text


def test_outside_the_limits_looks_like_not_there(client: PageClient, desk: FakeDesk) -> None:
    desk.failing = NotFound("it is another team's")
    page = client.get("/breaches/b0000", status=404)
    assert "another team's" not in page.text


def test_programs_get_problems_and_people_pages(client: PageClient) -> None:
    answer = client.flask.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.mimetype == "application/problem+json"
    assert client.flask.get("/v1/nowhere", headers={"Accept": "text/html"}).mimetype == "application/problem+json"


def test_files_are_kept_for_ever_and_change_their_address(client: PageClient) -> None:
    page = client.get("/help")
    addresses = [e.attributes["href"] for e in page.all("link")] + [e.attributes["src"] for e in page.all("script")]
    assert len(addresses) == 6
    for address in addresses:
        with client.flask.get(address) as answer:
            assert answer.status_code == 200, address
            assert "immutable" in answer.headers["Cache-Control"], address
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
    assert client.flask.get("/static/%2e%2e/pages.py").status_code == 404


def test_markup_in_the_record_stays_text(client: PageClient, desk: FakeDesk) -> None:
    from dataclasses import replace

    hostile = "<script>alert(1)</script> \" ' & <b>"
    desk.rows["b0000"] = replace(desk.rows["b0000"], sentence=hostile, team=hostile, worker=hostile)
    page: Document = client.get("/breaches/b0000")
    assert page.one("h1").text == " ".join(hostile.split())
    client.get("/breaches")
