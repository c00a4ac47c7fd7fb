"""Reviewing from the pages: what is sent on, what is refused, and the second of two people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import PageClient


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


def signed_in(desk: FakeDesk, name: str = "kim") -> PageClient:
    client = PageClient(fakedesk.app(desk))
    client.sign_in(name, PASSWORD)
    return client


@pytest.mark.parametrize(
    ("data", "review"),
    [
        ({"action": "uphold"}, "upheld"),
        ({"action": "dismiss", "reason": "record_wrong", "comment": "See the register."}, "dismissed"),
        ({"action": "comment", "comment": "Asked the team."}, "new"),
    ],
)
def test_findings_are_sent_on(desk: FakeDesk, data: dict[str, str], review: str) -> None:
    client = signed_in(desk)
    client.post("/breaches/b0000/review", {**data, "version": "3"})
    assert client.location == "/breaches/b0000"
    assert desk.rows["b0000"].review == review
    assert ("review", ("b0000", data["action"], data.get("reason", ""), data.get("comment", ""))) in desk.seen


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({}, "action", "Say what you found"),
        ({"action": "delete"}, "action", "Say what you found"),
        ({"action": "dismiss", "comment": "kept"}, "reason", "Give a reason for dismissing it"),
        ({"action": "comment"}, "comment", "Write a comment"),
        ({"action": "uphold", "comment": "x" * 4001}, "comment", "Keep the comment to 4,000 characters"),
    ],
)
def test_what_is_missing_is_told_beside_its_field(desk: FakeDesk, data: dict[str, str], field: str, words: str) -> None:
    client = signed_in(desk)
    page = client.post("/breaches/b0000/review", {**data, "version": "3"}, status=422)
    assert page is not None
    assert page.one("p", id=f"{field}-error").text == f"Error: {words}"
    if data.get("comment") == "kept":
        assert page.one("textarea", id="comment").text == "kept"
    assert desk.rows["b0000"].version == 3


def test_the_second_of_two_is_told_and_nothing_is_overwritten(desk: FakeDesk) -> None:
    first, second = signed_in(desk), signed_in(desk, "robin")
    second.get("/breaches/b0000")
    first.post("/breaches/b0000/review", {"action": "uphold", "version": "3"})
    page = second.post(
        "/breaches/b0000/review", {"action": "dismiss", "reason": "record_wrong", "comment": "My view.", "version": "3"}, status=409
    )
    assert page is not None
    assert "Somebody else changed this breach while you were reading" in page.main
    assert "Review: Upheld by robin, Thu 9 April 2026, 10:14 (Adelaide time)" in page.main
    assert desk.rows["b0000"].review == "upheld"
    assert page.one("textarea", id="comment").text == "My view."
    assert page.one("option", value="record_wrong").attributes.get("selected") == ""
    assert {e.attributes["value"] for e in page.all("input", name="version")} == {"4"}


def test_what_the_state_does_not_allow_is_told(desk: FakeDesk) -> None:
    page = signed_in(desk).post("/breaches/b0000/review", {"action": "comment", "comment": "impossible", "version": "3"}, status=422)
    assert page is not None
    assert "A dismissed breach cannot be acknowledged" in page.main


def test_a_very_long_case_id_leaves_the_cookie_small(desk: FakeDesk) -> None:
    desk.rows["b0000"] = replace(desk.rows["b0000"], case="x" * 1024, sentence="y" * 2000)
    client = signed_in(desk)
    client.post("/breaches/b0000/review", {"action": "uphold", "version": "3"})
    assert client.last is not None
    assert len(client.last.headers["Set-Cookie"]) < 2000
    assert "Upheld: yyy" in client.get("/breaches/b0000").main


def test_who_only_reads_sees_no_form_and_can_send_none(desk: FakeDesk) -> None:
    desk.roles = frozenset({"viewer"})
    client = signed_in(desk)
    assert "Your role reads breaches" in client.get("/breaches/b0000").main
    assert not [e for e in client.get("/breaches").all("form") if "/review" in e.attributes.get("action", "")]
    page = client.post("/breaches/b0000/review", {"action": "acknowledge", "version": "3"}, status=403)
    assert page is not None
    assert "Your role does not allow this" in page.main


def test_a_breach_is_given_to_somebody_and_taken_back(desk: FakeDesk) -> None:
    client = signed_in(desk)
    page = client.get("/breaches/b0000")
    assert "Assigned to Nobody" in page.main
    client.post("/breaches/b0000/assign", {"to": "user:robin", "version": "3"})
    assert "Assigned to robin" in client.get("/breaches/b0000").main
    client.post("/breaches/b0000/assign", {"me": "yes", "to": "user:robin", "version": "4"})
    client.post("/breaches/b0000/assign", {"to": "", "version": "5"})
    assert [given for kind, given in desk.seen if kind == "assign"] == [("b0000", "user:robin"), ("b0000", "user:kim"), ("b0000", "")]
    refused = client.post("/breaches/b0000/assign", {"to": "user:nobody", "version": "6"}, status=422)
    assert refused is not None
    assert "Choose somebody who reviews breaches" in refused.one("p", id="to-error").text
    late = client.post("/breaches/b0000/assign", {"to": "user:robin", "version": "3"}, status=409)
    assert late is not None
    assert late.one("option", value="user:robin").attributes.get("selected") == ""


def test_next_and_previous_follow_the_list_that_one_came_from(desk: FakeDesk) -> None:
    client = signed_in(desk)
    page = client.get("/breaches/b0006?in=rule%3DC08%26condition%3Dopen%26sort%3D-due_on")
    assert page.one("a", rel="prev").attributes["href"] == "/breaches/b0000?in=condition%3Dopen%26rule%3DC08%26sort%3D-due_on"
    assert page.one("a", rel="next").attributes["href"].startswith("/breaches/b0018?in="), "b0012 is not open"
    back = next(e for e in page.all("a") if e.text == "Breaches" and "breadcrumbs" in e.attributes.get("class", ""))
    assert back.attributes["href"] == "/breaches?condition=open&rule=C08&sort=-due_on#b-b0006"
    (kept,) = {e.attributes["value"] for e in page.all("input", name="in")}
    client.post("/breaches/b0006/review", {"action": "uphold", "version": "3", "in": kept})
    assert client.location == "/breaches/b0006?in=condition%3Dopen%26rule%3DC08%26sort%3D-due_on"
    assert client.get("/breaches/b0000?in=all").all("a", rel="next")


@pytest.mark.parametrize(
    "text",
    ["", "x", "condition=closed", "case=%00", "rule=" + "b" * 2000, "=&=", "cursor=zzz&x=%", "sort=a%00", "https://example.org/?a=b"],
)
def test_a_list_that_is_none_is_as_if_none_was_given(desk: FakeDesk, text: str) -> None:
    client = signed_in(desk)
    page = client.get("/breaches/b0000", query_string={"in": text})
    assert not page.all("nav", aria_label="In the list that you came from")
    client.post("/breaches/b0000/review", {"action": "uphold", "version": "3", "in": text})
    assert client.location.startswith("/breaches/b0000")


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_version_that_is_none_is_a_bad_form(desk: FakeDesk, version: str) -> None:
    signed_in(desk).post("/breaches/b0000/review", {"action": "uphold", "version": version}, status=400)
