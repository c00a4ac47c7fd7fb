"""The pages of waivers: the list by state, one with its answer, and the form that asks."""

from __future__ import annotations

import pytest

from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import PageClient


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    made = PageClient(fakedesk.app(desk))
    made.sign_in("kim", PASSWORD)
    return made


@pytest.mark.parametrize(
    ("query", "count", "words"),
    [
        ("", "2 waivers", "Asked for, not yet approved"),
        ("?show=standing", "1 waiver", "Approved"),
        ("?show=past", "4 waivers", "Holds no longer: the evidence changed"),
        ("?show=all", "7 waivers", "Refused"),
        ("?mine=1", "1 waiver", "For you to answer (1)"),
    ],
)
def test_the_list_says_how_many_there_are_in_each_state(client: PageClient, query: str, count: str, words: str) -> None:
    page = client.get(f"/waivers{query}")
    assert f"{count}, as of Thu 9 April 2026, 10:14 (Adelaide time)" in page.main
    assert words in page.main
    assert len([e for e in page.all("a") if e.attributes.get("aria-current") == "page" and e.inside("main")]) == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No request waits"),
        ("?show=standing", "No waiver is in force"),
        ("?show=past", "No waiver is over yet"),
        ("?mine=1", "Nothing waits for your answer"),
    ],
)
def test_an_empty_list_teaches(client: PageClient, desk: FakeDesk, query: str, words: str) -> None:
    desk.empty = True
    assert words in client.get(f"/waivers{query}").main


def test_an_unknown_part_of_the_list_is_told(client: PageClient) -> None:
    assert "show can be waiting, standing, past, all" in client.get("/waivers?show=gone", status=400).main


@pytest.mark.parametrize(
    ("waiver", "words"),
    [
        ("wv1", "Do you approve it?"),
        ("wv2", "You asked for it, so it takes another person"),
        ("wv3", "Approved by lee"),
        ("wv4", "Refused by lee"),
        ("wv5", "Void since Thu 9 April 2026"),
        ("wv6", "Ended Thu 9 April 2026"),
        ("wv7", "Taken back by kim"),
    ],
)
def test_each_waiver_tells_where_it_stands(client: PageClient, waiver: str, words: str) -> None:
    assert words in client.get(f"/waivers/{waiver}").main


def test_an_answer_is_sent_on_with_its_comment(client: PageClient, desk: FakeDesk) -> None:
    page = client.post("/waivers/wv1", {"comment": "kept"}, status=422)
    assert page is not None
    assert "Say whether you approve it" in page.one("p", id="approve-error").text
    assert page.one("textarea", id="comment").text == "kept"
    client.post("/waivers/wv1", {"answer": "refuse", "comment": "Ask the panel."})
    assert client.location == "/waivers/wv1"
    assert ("settle_waiver", ("wv1", False, "Ask the panel.")) in desk.seen
    page = client.get("/waivers/wv1")
    assert "The waiver is not given" in page.main
    assert page.all("div", data_saved="")
    client.post("/waivers/wv2", {"answer": "take_back"})
    assert ("settle_waiver", ("wv2", False, "")) in desk.seen


def test_whoever_answers_second_is_told_what_the_first_said_and_keeps_their_words(client: PageClient, desk: FakeDesk) -> None:
    desk.settled["wv1"] = "approved"
    page = client.post("/waivers/wv1", {"answer": "refuse", "comment": "I would not."}, status=409)
    assert page is not None
    assert "This request was settled while you were reading" in page.main
    assert "Approved, by lee" in page.main
    assert page.one("textarea", id="kept").text == "I would not."


def test_a_waiver_is_asked_for_with_reason_and_end(client: PageClient, desk: FakeDesk) -> None:
    page = client.post("/breaches/b0000/waivers", {"version": "3", "waiver_comment": "kept"}, status=422)
    assert page is not None
    assert "Give a reason" in page.one("p", id="waiver_reason-error").text
    assert "Give the last day" in page.one("p", id="ends_on-error").text
    assert page.one("textarea", id="waiver_comment").text == "kept"
    client.post("/breaches/b0000/waivers", {"version": "3", "waiver_reason": "unsafe", "ends_on": "2026-05-01"})
    assert client.location == "/breaches/b0000"
    assert desk.seen[-1][0] == "breaches" or any(kind == "ask_waiver" for kind, _ in desk.seen)


def test_a_request_on_what_has_changed_tells_what_and_keeps_the_words(client: PageClient) -> None:
    sent = {"waiver_reason": "unsafe", "ends_on": "2026-05-01", "waiver_comment": "My words."}
    page = client.post("/breaches/b0000/waivers", {**sent, "version": "2"}, status=409)
    assert page is not None
    assert "This breach changed while you were writing" in page.main
    assert page.one("textarea", id="waiver_comment").text == "My words."
    assert page.one("input", id="ends_on").attributes["value"] == "2026-05-01"
    assert page.one("input", name="version").attributes["value"] == "3"


def test_where_nothing_can_be_asked_the_page_says_why(client: PageClient) -> None:
    page = client.get("/breaches/b0003/waivers")
    assert "Only a breach that is open or excused can be waived" in page.main
    assert not page.all("input", name="version")


def test_who_only_reads_sees_waivers_and_answers_none(desk: FakeDesk) -> None:
    desk.roles = frozenset({"viewer"})
    client = PageClient(fakedesk.app(desk))
    client.sign_in("robin", PASSWORD)
    assert not client.get("/waivers/wv2").all("input", name="answer")
    client.get("/breaches/b0000/waivers", status=403)
