"""The pages about audits over a made-up desk: every state of each, what its forms do, and who may not see it."""

from __future__ import annotations

import datetime as dt

import pytest

from api.web.audits.desk import Wish
from tests.support import fakedesk
from tests.support.fakeaudits import DIGEST
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.roles = frozenset({"manager"})
    return made


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    made = PageClient(fakedesk.app(desk))
    made.sign_in("kim", PASSWORD)
    return made


def links(page: Document) -> list[str]:
    return [link.attributes["href"] for link in page.all("a")]


def told(client: PageClient, path: str) -> str:
    return client.get(path).one("div", class_="dc-flash dc-flash--problem").text


def test_the_list_says_how_each_audit_stands(client: PageClient) -> None:
    page = client.get("/audits")
    rows = [row.text for row in page.all("tr", data_row="")]
    for row, words in zip(
        rows,
        (
            ("Incremental audit as of Wed 8 Apr 2026, 10:14", "Under way", "4,200 of 20,000"),
            ("Full verification", "Waiting for a worker"),
            ("Full verification", "Done", "signed off by 1 person", "by kim"),
            ("by the schedule Every night", "team north; office alice_springs", "Done"),
            ("Failed",),
            ("Cancelled",),
        ),
        strict=True,
    ):
        for part in words:
            assert part in row
    assert "6 audits" in page.main
    assert "/audits/au-done" in links(page)
    assert "2 schedules make audits by themselves" in page.main


def test_the_empty_list_says_what_an_audit_is_for_and_opens_its_form(client: PageClient, desk: FakeDesk) -> None:
    desk.empty = True
    page = client.get("/audits")
    assert "No audit has been made yet" in page.main
    assert "open" in next(one for one in page.all("details") if "Start an audit" in one.text).attributes
    assert "Audits are made by hand only" in client.get("/audit-schedules").main


def test_an_audit_is_started_with_everything_that_was_asked_for(client: PageClient, desk: FakeDesk) -> None:
    client.get("/audits")
    client.post(
        "/audits",
        {
            "kind": "incremental", "as_of": "2026-03-31", "known_at": "2026-04-02", "policies": "cfss", "teams": "north",
            "offices": "", "since": "2026-01-01", "until": "2026-03-31",
        },
    )  # fmt: skip
    assert client.location == "/audits/au-queued"
    day = dt.date
    asked = Wish("incremental", day(2026, 3, 31), day(2026, 4, 2), ("cfss",), ("north",), (), day(2026, 1, 1), day(2026, 3, 31))
    assert desk.wishes == [asked]
    client.post("/audits", {"kind": "full"})
    assert desk.wishes[1] == Wish()


def test_a_flaw_stands_beside_its_field_and_what_was_chosen_stays(client: PageClient, desk: FakeDesk) -> None:
    client.get("/audits")
    sent = {"kind": "incremental", "teams": "south", "since": "2026-04-01", "until": "2026-03-01"}
    page = client.post("/audits", sent, status=422)
    assert page is not None
    assert "The period ends before it begins" in page.one("p", id="until-error").text
    assert "selected" in next(one for one in page.all("option", value="south")).attributes
    assert "checked" in page.one("input", value="incremental").attributes
    assert page.one("input", id="since").attributes["value"] == "2026-04-01"
    page = client.post("/audits", {"as_of": "soon", "known_at": "1492-01-01"}, status=422)
    assert page is not None
    assert {one.attributes["id"] for one in page.all("p") if one.attributes.get("id", "").endswith("-error")} == {
        "as_of-error",
        "known_at-error",
    }
    assert not desk.wishes


@pytest.mark.parametrize(
    ("audit", "words"),
    [
        ("au-queued", ("Waiting for a worker to take it up.",)),
        ("au-running", ("4,200 of 20,000 cases judged, 15,800 left", "4,100 cases a minute", "Expected to end Thu 9 April 2026, 10:18")),
        ("au-failed", ("It failed: version 3f2a of cfss cannot be loaded here.",)),
        ("au-cancelled", ("It was cancelled.",)),
    ],
)
def test_an_audit_that_has_no_report_says_why(client: PageClient, audit: str, words: tuple[str, ...]) -> None:
    page = client.get(f"/audits/{audit}")
    for part in words:
        assert part in page.main
    under_way = audit in {"au-queued", "au-running"}
    assert bool([one for one in page.elements if "data-live" in one.attributes]) == under_way
    assert bool(page.all("progress")) == under_way
    assert bool(page.all("form", action=f"/audits/{audit}/cancel")) == under_way
    assert "What came out" not in page.main


def test_one_under_way_is_cancelled_once(client: PageClient, desk: FakeDesk) -> None:
    client.get("/audits/au-running")
    client.post("/audits/au-running/cancel", {})
    page = client.get("/audits/au-running")
    assert "The audit is cancelled. Nothing was changed by it." in page.main
    assert "It was cancelled." in page.main
    client.post("/audits/au-running/cancel", {})
    assert told(client, "/audits/au-running").endswith("The audit is over already: it is cancelled.")
    assert desk.audit_acts == [("cancel", "au-running")]


def test_a_report_is_read_with_its_tables_picture_and_files(client: PageClient) -> None:
    page = client.get("/audits/au-done")
    for words in ("20,000 cases, of which 31 with a rule breached.", "87.5% (of 8)", "91.7%", "more than 56 days late", DIGEST):
        assert words in page.main
    assert "/audits/au-done/report.json" in links(page)
    assert "/audits/au-done/report.pdf" not in links(page)
    assert len(page.all("svg", role="img")) == 1
    drawn = next(row for row in page.all("tr") if "FAM-2001" in row.text)
    assert "A safety plan by the end of the 3rd visit" in drawn.text, "a rule is named in words too"
    assert "/cases/FAM-2001" in links(page)
    assert "2 more are not listed here." in page.main
    assert "Show 24 lines of By month due" in page.main
    assert "Looked at the sample." in page.main
    night = client.get("/audits/au-night").main
    assert "It stands in for 2 earlier times at which nothing was running." in night
    assert "Nobody has signed this report off yet." in night


def test_a_report_is_signed_with_words_and_only_once(client: PageClient, desk: FakeDesk) -> None:
    digest = client.get("/audits/au-done").one("input", name="digest").attributes["value"]
    page = client.post("/audits/au-done/sign", {"digest": digest, "comment": " "}, status=422)
    assert page is not None
    assert "Say in 1 to 2,000 characters" in page.one("p", id="comment-error").text
    page = client.post("/audits/au-done/sign", {"digest": "0" * 64, "comment": "My own words."}, status=422)
    assert page is not None
    assert page.one("textarea", id="comment").text == "My own words."
    assert "This is not the digest of the report" in page.one("p", id="digest").text
    client.post("/audits/au-done/sign", {"digest": digest, "comment": "Looked at all of it."})
    page = client.get("/audits/au-done")
    assert "You have signed the report off." in page.main
    assert "Looked at all of it." in page.main
    assert not page.all("textarea"), "who has signed is not asked again"
    client.post("/audits/au-done/sign", {"digest": digest, "comment": "And again."})
    assert told(client, "/audits/au-done").endswith("You have signed this report off already.")
    assert [line.name for line in desk.signed] == ["robin", "kim"]


def test_what_differs_is_judged_again(client: PageClient, desk: FakeDesk) -> None:
    assert "What is stored of 2 cases differs" in client.get("/audits/au-done").main
    client.post("/audits/au-done/judge-again", {})
    assert "2 cases will be judged again within moments." in client.get("/audits/au-done").main
    client.post("/audits/au-running/judge-again", {})
    assert "There is no report" in told(client, "/audits/au-running")
    assert desk.audit_acts == [("judge again", "au-done")]


def test_a_report_comes_as_a_file_and_a_form_that_cannot_be_made_is_told(client: PageClient) -> None:
    answer = client.flask.get("/audits/au-done/report.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-2026-04-08.json"'
    assert "what makes PDFs is not installed here" in client.get("/audits/au-done/report.pdf", status=409).main.lower().replace(
        "pdfs", "PDFs"
    )


def test_two_audits_are_compared_with_the_causes_of_each_difference(client: PageClient) -> None:
    page = client.get("/audits/au-done/compare?with=au-night")
    for words in ("41 cases differ", "C08", "A safety plan by the end of the 3rd visit", "+1", "\u22121,001"):
        assert words in page.main
    for words in (
        "safety_plan.updated of Mon 16 March 2026",
        "and was by cfss 1",
        "The day moved on",
        "A waiver was approved",
        "plan-77-zz",
    ):
        assert words in page.main
    assert "/audits/au-night/compare?with=au-done" in links(page)
    page = client.get(page.one("a", rel="next").attributes["href"])
    assert "FAM-2001" not in page.main
    assert not page.all("a", rel="next")


def test_two_that_do_not_differ_say_so(client: PageClient, desk: FakeDesk) -> None:
    desk.same = True
    page = client.get("/audits/au-done/compare?with=au-night")
    assert "They do not differ" in page.main
    assert "0 cases differ" in page.main


def test_an_audit_is_not_compared_with_itself_or_with_nothing(client: PageClient) -> None:
    assert "choose another audit than this one" in client.get("/audits/au-done/compare?with=au-done", status=400).main.lower()
    client.get("/audits/au-done/compare", status=404)
    client.get("/audits/nowhere", status=404)


def test_a_limited_reader_reads_a_share_and_may_sign_or_cancel_nothing(client: PageClient, desk: FakeDesk) -> None:
    desk.limited = frozenset({"north"})
    page = client.get("/audits/au-running")
    assert "21% done." in page.main
    assert "20,000" not in page.main
    assert not page.all("form", action="/audits/au-running/cancel")
    client.post("/audits/au-running/cancel", {}, status=403)
    page = client.get("/audits/au-done")
    assert not page.all("textarea")
    assert "Judge them again" not in page.main
    page = client.get("/audits/au-done/compare?with=au-night")
    assert "cases differ" not in page.main
    assert "FAM-2001" in page.main


def test_schedules_say_when_and_are_paused_resumed_and_removed(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/audit-schedules")
    for words in ("2 schedules", "30 5 * * *", "stands in for 2 earlier times", "Paused by robin", "Adelaide time"):
        assert words in page.main
    assert "/audits/au-night" in links(page)
    for action, words in (("pause", "It is paused."), ("resume", "It goes on with the next time."), ("remove", "It is removed")):
        client.post("/audit-schedules/s-night", {"action": action})
        page = client.get("/audit-schedules")
        assert words in page.main
        assert ("Paused by kim" in page.main) == (action == "pause")
    assert list(desk.planned) == ["s-quarter"]
    client.post("/audit-schedules/s-night", {"action": "pause"}, status=404)
    client.post("/audit-schedules/s-quarter", {"action": "explode"}, status=400)


def test_a_schedule_is_added_and_its_flaws_are_told(client: PageClient, desk: FakeDesk) -> None:
    client.get("/audit-schedules")
    sent = {"name": "Mondays", "cron": "0 6 * * 1", "zone": "Australia/Darwin", "kind": "full", "offices": "alice_springs"}
    page = client.post("/audit-schedules", {**sent, "cron": "daily"}, status=422)
    assert page is not None
    assert "Give minute, hour" in page.one("p", id="cron-error").text
    assert page.one("input", id="cron").attributes["value"] == "daily"
    page = client.post("/audit-schedules", {**sent, "name": "Every night"}, status=422)
    assert page is not None
    assert "There is a schedule of this name already" in page.one("p", id="name-error").text
    page = client.post("/audit-schedules", {**sent, "since": "x"}, status=422)
    assert page is not None
    assert "like 2026-03-23" in page.one("p", id="since-error").text
    client.post("/audit-schedules", sent)
    assert "From now on it is made by itself." in client.get("/audit-schedules").main
    assert desk.wishes == [Wish("full", offices=("alice_springs",))]


def test_who_may_not_run_audits_sees_none_of_it(client: PageClient, desk: FakeDesk) -> None:
    desk.roles = frozenset({"reviewer"})
    for path in ("/audits", "/audits/au-done", "/audits/au-done/report.json", "/audits/au-done/compare?with=au-night", "/audit-schedules"):
        assert client.flask.get(path, headers={"Accept": "text/html"}).status_code == 403
    assert "/audits" not in links(client.get("/help"))


def test_those_who_may_find_audits_in_the_menu_and_in_the_help(client: PageClient) -> None:
    assert links(client.get("/help")).count("/audits") == 2
    assert links(client.get("/")).count("/audits") == 2
