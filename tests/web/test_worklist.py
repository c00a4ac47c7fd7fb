"""The work list: facets, chips, columns, views, steps with several breaches and what is said of them, news, and the list as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest

from api.web.worklist.columns import COLUMNS, file_heads
from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient
from tests.support.service_kit import Kit, connected, three_visits

BOTH = pytest.mark.parametrize("store", ["sqlite_url", "pg_db"])


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    made = PageClient(fakedesk.app(desk))
    made.sign_in("kim", PASSWORD)
    return made


def rows(page: Document) -> list[str]:
    return [e.attributes["id"].removeprefix("b-") for e in page.all("tr") if "data-row" in e.attributes]


def told(page: Document) -> str:
    return page.one("div", id="told").text


# --- drawn -----------------------------------------------------------------------------------------------------------------


def test_every_chosen_value_is_a_chip_that_takes_itself_away(client: PageClient) -> None:
    page = client.get("/breaches?team=north&team=-&age=week&search=FAM&sort=severity&columns=team,age_is_none".replace(",age_is_none", ""))
    chips = {e.text.removesuffix(" (remove)")[:-1]: e.attributes["href"] for e in page.all("a") if e.text.endswith("(remove)")}
    assert list(chips) == ["Case id begins with: FAM", "Found: 1 to 7 days ago", "Team: north", "Team: None on record"]
    assert parse_qs(urlsplit(chips["Team: north"]).query) == {
        "age": ["week"],
        "team": ["-"],
        "search": ["FAM"],
        "sort": ["severity"],
        "columns": ["team"],
    }
    everything = next(e.attributes["href"] for e in page.all("a") if e.text == "Remove all")
    assert everything == "/breaches?sort=severity&columns=team"


def test_columns_are_chosen_shown_and_remembered(client: PageClient) -> None:
    heads = [e.text.rstrip(" ↕▲▼") for e in client.get("/breaches").all("th", scope="col")]
    assert heads == ["", "Finding", "Severity", "Was due", "Late by", "Assigned to", "State"]
    client.flask.get("/breaches?rule=C08&columns=case&columns=found&remember=yes")
    page = client.get("/breaches?rule=C08")
    assert [e.text.rstrip(" ↕▲▼") for e in page.all("th", scope="col")] == ["", "Finding", "Found", "Case"]
    assert any(
        e.attributes["href"].endswith("columns=found,case") or "columns=found%2Ccase" in e.attributes["href"]
        for e in page.all("a", download="")
    )
    assert "Case FAM-2000" not in page.one("tr", id="b-b0000").text, "the case stands in its own column"
    client.get("/breaches?columns=" + ",".join(COLUMNS))
    client.get("/breaches?columns=colour", status=400)


def test_views_are_led_to_saved_and_removed(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/breaches?condition=open&review=new")
    assert [e.text for e in page.all("a", aria_current="true")] == ["To review"]
    client.post("/breaches/views", {"name": "Mine", "list": "condition=open&team=north&columns=team", "shared": "yes"})
    assert client.location == "/breaches?condition=open&team=north&columns=team"
    page = client.get(client.location)
    assert "Saved the view “Mine”" in page.main
    assert [e.text for e in page.all("a", aria_current="true")] == ["Mine shared"]
    client.post("/breaches/views/v0/remove", {"list": "condition=open"})
    assert "Removed the view “Mine”" in client.get(client.location).main
    assert not desk.kept_views
    client.post("/breaches/views/v0/remove", {"list": ""}, status=404)
    client.post("/breaches/views", {"name": "x" * 61, "list": ""})
    assert "The view was not saved: give a name of 1 to 60 characters" in client.get(client.location).main


def test_who_may_only_read_sees_no_boxes_and_no_steps(client: PageClient, desk: FakeDesk) -> None:
    desk.roles = frozenset({"viewer"})
    page = client.get("/breaches")
    assert not page.all("input", name="chosen")
    assert not page.all("button", name="action")
    client.post("/breaches/steps", {"chosen": "b0000:3", "action": "acknowledge"}, status=403)
    assert desk.rows["b0000"].review == "new"


# --- steps -----------------------------------------------------------------------------------------------------------------


def test_a_step_with_many_says_of_each_what_became_of_it(client: PageClient, desk: FakeDesk) -> None:
    client.get("/breaches")
    desk.moved = {"b0001"}
    chosen = {"chosen": ["b0000:3", "b0001:3", "b0002:3", "b0003:3"], "action": "acknowledge", "list": "sort=severity"}
    page = client.post("/breaches/steps", chosen, status=200)
    assert page is not None
    said = told(page)
    assert said.startswith("Acknowledged: 2 breaches. 2 were left as they are:")
    assert "(case FAM-2001): it was changed meanwhile by robin, Thu 9 Apr 2026, 10:14: Upheld." in said
    assert "(case FAM-2002): it is acknowledged already." in said
    assert page.one("form", id="steps").attributes["data-here"] == "/breaches?sort=severity"
    assert [desk.rows[one].review for one in ("b0000", "b0001", "b0003")] == ["acknowledged", "upheld", "acknowledged"]


def test_the_button_of_a_row_acts_on_that_row_alone(client: PageClient, desk: FakeDesk) -> None:
    client.get("/breaches")
    page = client.post("/breaches/steps", {"chosen": ["b0003:3"], "acknowledge": "b0000:3", "assignee": "user:robin"}, status=200)
    assert page is not None
    assert told(page).startswith("Acknowledged: No completed safety plan")
    assert desk.seen[-2] == ("step", ("acknowledge", "", [("b0000", 3)]))


def test_breaches_are_assigned_to_a_person_and_to_nobody(client: PageClient, desk: FakeDesk) -> None:
    client.get("/breaches")
    page = client.post("/breaches/steps", {"chosen": ["b0000:3", "b0001:3"], "action": "assign", "assignee": "user:kim"}, status=200)
    assert page is not None
    assert told(page) == "Assigned to kim: 2 breaches."
    assert "kim (you)" in page.one("tr", id="b-b0000").text
    client.post("/breaches/steps", {"chosen": ["b0000:4"], "action": "assign", "assignee": "-"}, status=200)
    assert desk.assigned["b0000"] == ""
    assert rows(client.get("/breaches?assignee=me")) == ["b0001"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"action": "acknowledge"}, "choose breaches with the boxes before them"),
        ({"action": "assign", "chosen": ["b0000:3"]}, "choose whom to assign it to"),
        ({"action": "assign", "chosen": ["b0000:3"], "assignee": "user:none"}, "choose somebody who reviews breaches"),
        ({"action": "acknowledge", "chosen": [f"b{n}:1" for n in range(201)]}, "choose at most 200 breaches at once"),
    ],
)
def test_a_step_that_cannot_be_tried_says_so_and_changes_nothing(
    client: PageClient, desk: FakeDesk, data: dict[str, object], said: str
) -> None:
    client.get("/breaches")
    page = client.post("/breaches/steps", data, status=422)
    assert page is not None
    assert told(page).startswith("Nothing was changed")
    assert said in told(page)
    assert desk.rows["b0000"].version == 3


@pytest.mark.parametrize("data", [{"chosen": "b0000"}, {"chosen": "b0000:x"}, {"chosen": "b0000:3", "action": "delete"}, {"chosen": ":3"}])
def test_a_form_that_no_page_of_ours_sends_is_refused(client: PageClient, data: dict[str, str]) -> None:
    client.get("/breaches")
    client.post("/breaches/steps", {"action": "acknowledge", **data}, status=400)


def test_a_script_gets_the_answer_and_the_rows_alone(client: PageClient) -> None:
    client.get("/breaches")
    data = {"csrf_token": client.token(), "chosen": ["b0000:3"], "action": "acknowledge", "list": "columns=state"}
    sent = client.flask.post("/breaches/steps", data=data, headers={"X-Part": "rows"})
    part = Document(sent.text)
    assert (sent.status_code, rows(part), part.all("h1")) == (200, ["b0000"], [])
    assert part.one("tr").attributes["data-version"] == "4"
    assert part.one("div", id="answer-parts").text.startswith("Acknowledged: No completed safety plan")
    assert client.flask.get("/breaches/steps").headers["Location"] == "/breaches"


# --- news ------------------------------------------------------------------------------------------------------------------


def test_news_tell_how_many_came_and_which_rows_somebody_changed(client: PageClient, desk: FakeDesk) -> None:
    form = client.get("/breaches?team=north").one("form", id="steps")
    desk.news = replace(desk.news, found=3)
    desk.rows["b0003"] = replace(desk.rows["b0003"], version=9)
    address = f"{form.attributes['data-news']}&drawn={form.attributes['data-drawn']}&known={form.attributes['data-known']}"
    got = client.flask.get(f"{address}&seen=b0000:3&seen=b0003:3")
    assert got.json == {"new": "3 new findings", "changed": ["b0003"]}
    filters, since, known, seen = desk.seen[-1][1]
    assert (filters.team, since, known, seen) == (("north",), desk.clock, 2, {"b0000": 3, "b0003": 3})
    for bad in ("drawn=x&known=0", "drawn=1", "drawn=1&known=0&seen=b0000"):
        assert client.flask.get(f"/breaches/news?{bad}").status_code == 400


def test_a_page_that_lies_open_keeps_no_session_alive(client: PageClient, desk: FakeDesk) -> None:
    def asked() -> int:
        desk.clock += 3_600_000
        return client.flask.get("/breaches/news?drawn=1&known=0").status_code

    assert [asked() for _ in range(5)] == [200, 200, 200, 200, 303]


# --- as a file -------------------------------------------------------------------------------------------------------------


def test_a_csv_holds_the_list_and_what_it_is(client: PageClient) -> None:
    got = client.flask.get("/breaches/export.csv?team=north&sort=severity&columns=state,severity")
    assert got.headers["Content-Disposition"] == 'attachment; filename="breaches-2026-04-09-1014.csv"'
    assert got.headers["Cache-Control"] == "no-store"
    lines = list(csv.reader(io.StringIO(got.data.decode("utf-8-sig"))))
    end = lines.index([])
    assert lines[:end] == [
        ["Breaches", "20"],
        ["As of", "Thu 9 April 2026, 10:14 (Adelaide time)"],
        ["Team", "north"],
        ["Order", "Most severe first"],
        ["Times", "Adelaide time"],
    ]
    assert lines[end + 1] == ["Finding", "Case", "Rule", "About", "Severity", "Condition", "Review", "Contested", "Breach"]
    body = lines[end + 2 :]
    shown = client.get("/breaches?team=north&sort=severity&columns=state,severity")
    assert len(body) == 20
    assert [line[-1] for line in body] == rows(shown)


def test_a_workbook_holds_the_same(client: PageClient, desk: FakeDesk) -> None:
    desk.rows["b0000"] = replace(desk.rows["b0000"], case='=HYPERLINK("http://example.org")', worker="007")
    got = client.flask.get("/breaches/export.xlsx?rule=C08&columns=worker,days_late,due_on")
    book = openpyxl.load_workbook(io.BytesIO(got.data))
    assert book.sheetnames == ["Breaches", "About this list"]
    lines = list(book["Breaches"].iter_rows(values_only=True))
    assert lines[0] == ("Finding", "Case", "Rule", "About", "Was due", "Days late", "Worker", "Breach")
    assert lines[1][1:7] == ('=HYPERLINK("http://example.org")', "C08", None, "2026-03-23", 7, "007")
    assert book["Breaches"]["B2"].data_type == "s", "a text, whatever it begins with"
    assert ("Rule", "C08") in list(book["About this list"].iter_rows(values_only=True))
    assert len(lines) == 11


def test_a_list_that_is_too_long_for_a_file_is_told(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.web.worklist.export.MOST", 59)
    assert "narrow it first" in client.get("/breaches/export.csv", status=400).main


def test_every_column_can_stand_in_a_file() -> None:
    heads = file_heads(tuple(COLUMNS))
    assert len(heads) == len(set(heads))
    assert {"Finding", "Case", "Rule", "Policy", "Found", "Days since found", "Changed", "Assigned to", "Breach"} <= set(heads)


# --- over the real product -------------------------------------------------------------------------------------------------


def breached(flow: Kit, *cases: str, team: str = "north") -> None:
    for case in cases:
        events = three_visits(case)
        flow.take(*([connected(case=case, team=team), *events[1:]] if team != "north" else events))
    flow.settle()


@BOTH
def test_two_people_at_once_and_what_the_second_is_told(flow: Kit, enter: Callable[..., PageClient]) -> None:
    breached(flow, "k1", "k2", "k3")
    kim, lee = enter("kim"), enter("lee", "team_leader")
    seen = [e.attributes["value"] for e in lee.get("/breaches?rule=C08&sort=case").all("input", name="chosen")]
    kim.get("/breaches")
    kim.post("/breaches/steps", {"acknowledge": seen[0]}, status=200)
    page = lee.post("/breaches/steps", {"chosen": seen, "action": "acknowledge", "list": "rule=C08&sort=case"}, status=200)
    assert page is not None
    assert told(page).startswith("Acknowledged: 2 breaches. One was left as it is: No completed safety plan")
    assert "(case k1): it was changed meanwhile by kim, Mon 1 Jun 2026, 12:00: Acknowledged." in told(page)
    assert [flow.breaches(case)["C08"].review for case in ("k1", "k2", "k3")] == ["acknowledged"] * 3
    people = {e.text: e.attributes["value"] for e in page.all("option") if e.attributes["value"].startswith("user:")}
    assert set(people) == {"kim", "lee (you)"}
    fresh = [e.attributes["value"] for e in page.all("input", name="chosen")]
    page = lee.post("/breaches/steps", {"chosen": fresh[:2], "action": "assign", "assignee": people["kim"]}, status=200)
    assert page is not None
    assert told(page) == "Assigned to kim: 2 breaches."
    assert len(rows(kim.get("/breaches?assignee=me"))) == 2
    assert "Assigned to kim" in kim.get(f"/breaches/{flow.breaches('k1')['C08'].id}").main


@BOTH
def test_facets_files_and_news_stay_within_the_readers_limits(flow: Kit, enter: Callable[..., PageClient]) -> None:
    breached(flow, "k1", "k2")
    breached(flow, "far", team="south")
    kim = enter("kim", teams=["north"])
    page = kim.get("/breaches?rule=C08")
    assert "far" not in page.text
    assert "south" not in page.text
    (open_,) = [e.text for e in page.all("label") if e.text.startswith("Open")]
    assert open_ == "Open2"
    got = kim.flask.get("/breaches/export.csv?rule=C08").data.decode("utf-8-sig")
    assert "far" not in got
    assert "only what belongs to 1 team (north)" in got
    assert got.splitlines()[0] == "Breaches,2"
    assert "No breaches fit these filters" in kim.get("/breaches?search=far").main
    far = flow.breaches("far")["C08"]
    answer = kim.post("/breaches/steps", {"acknowledge": f"{far.id}:{far.version}"}, status=200)
    assert answer is not None
    assert "no longer within the teams and offices that you look after" in told(answer)
    assert flow.breaches("far")["C08"].review == "new"
    news = kim.get("/breaches?rule=C08").one("form", id="steps").attributes
    breached(flow, "k9")
    breached(flow, "far2", team="south")
    asked = f"{news['data-news']}&drawn={news['data-drawn']}&known={news['data-known']}"
    assert kim.flask.get(asked).json == {"new": "1 new finding", "changed": []}


def test_a_file_of_more_than_a_portion_is_whole_and_in_order(
    flow: Kit, enter: Callable[..., PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.web.worklist.servicedesk.PORTION", 7)
    breached(flow, *(f"k{number:02d}" for number in range(20)))
    kim = enter("kim", "viewer")
    lines = list(csv.reader(io.StringIO(kim.flask.get("/breaches/export.csv?sort=case&rule=C08").data.decode("utf-8-sig"))))
    body = lines[lines.index([]) + 2 :]
    assert [line[1] for line in body] == [f"k{number:02d}" for number in range(20)]
    assert re.fullmatch("[0-9a-f-]{36}", body[0][-1])


def test_views_live_in_the_store(flow: Kit, enter: Callable[..., PageClient]) -> None:
    breached(flow, "k1")
    kim, lee = enter("kim"), enter("lee")
    kim.get("/breaches")
    kim.post("/breaches/views", {"name": "Plans", "list": "rule=C08&search=k1&sort=case&columns=team", "shared": "yes"})
    views = {e.text: e.attributes["href"] for e in lee.get("/breaches").all("a")}
    assert views["Plans from kim"] == "/breaches?rule=C08&sort=case&columns=team"
