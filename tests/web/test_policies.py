"""The pages about policies over a made-up desk: what each shows, what its forms send on, and what is refused in words."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from api.web.policies import forms
from tests.support import fakedesk
from tests.support.fakedesk import PASSWORD, FakeDesk
from tests.support.pages import Document, PageClient

VALUE = "/policies/cfss/parameters/family_contact_days"
GOOD = {"value": "14", "effective": "2026-05-01", "open_cases": "yes", "reason": "Agreed in March."}


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.roles = frozenset({"administrator"})
    return made


def signed_in(desk: FakeDesk, name: str = "robin") -> PageClient:
    client = PageClient(fakedesk.app(desk))
    client.sign_in(name, PASSWORD)
    return client


@pytest.fixture
def client(desk: FakeDesk) -> PageClient:
    return signed_in(desk)


def links(page: Document) -> list[str]:
    return [link.attributes["href"] for link in page.all("a")]


def test_the_list_says_since_when_what_changed_and_who_approved_it(client: PageClient) -> None:
    page = client.get("/policies")
    for words in (
        "Wed 1 Jan 2020",
        "next from Fri 1 May 2026",
        "child_contact_days = 28 days",
        "approved by robin",
        "2 questions",
        "2 proposals",
    ):
        assert words in page.main
    assert "/policy-changes/ch-1" in links(page)


def test_a_policy_shows_its_questions_with_what_each_decides_and_how_many_cases_wait(client: PageClient) -> None:
    page = client.get("/policies/cfss")
    question = next(item for item in page.all("li") if "38 cases wait" in item.text)
    for words in ("regularly", "decides C18 The practitioner meets the family regularly", "cfss.family_contact_days", "Set"):
        assert words in question.text
    assert VALUE in links(page)
    assert "no case waits" in page.main


def test_a_policy_shows_its_rules_by_step_and_its_versions_with_both_persons(client: PageClient) -> None:
    page = client.get("/policies/cfss")
    assert [heading.text for heading in page.all("h3")][:2] == ["Step 2, Referral is made", "Step 3, Family is connected to service"]
    versions = [item.text for item in page.all("li") if item.text.startswith("Version 2026-1")]
    assert "Approved, not yet in force" in versions[0]
    assert "applies to cases that were open on its first day" in versions[0]
    assert "approved by robin, Wed 8 April 2026, 10:14 (Adelaide time) proposed by kim" in versions[1]
    assert "and 2 other changes" in versions[1]


def test_a_rule_can_be_read_aloud_and_says_what_would_be_a_false_alarm(client: PageClient) -> None:
    page = client.get("/policies/cfss/rules/C03")
    for words in (
        "It asks for a safety plan that is completed or final, by the 3rd visit.",
        "CFSS practice guide, step 3",
        "Ask the practitioner before you uphold it",
        "Three visits and no plan",
        "recorded Fri 20 Mar 2026",
        "Thu 19 Mar 2026 Breached due Wed 18 Mar 2026",
        "Whether listening was good.",
        "closure_grace_days = 7",
    ):
        assert words in page.main
    assert {"/breaches?condition=open&rule=C03", "/policies/cfss/rules/C02", "/policies/cfss/rules/C04", VALUE} <= set(links(page))


def test_a_rule_or_a_parameter_that_is_not_there_is_told(client: PageClient) -> None:
    for path in (
        "/policies/none",
        "/policies/cfss/rules/C99",
        "/policies/none/rules/C01",
        "/policies/cfss/parameters/none",
        "/policy-changes/x",
    ):
        assert "There is no such page" in client.get(path, status=404).main


def test_a_number_is_proposed_with_its_day_its_choice_and_its_reason(client: PageClient, desk: FakeDesk) -> None:
    client.get(VALUE)
    client.post(VALUE, GOOD)
    assert desk.seen[-1] == (
        "propose_values",
        ("cfss", {"family_contact_days": 14}, dt.date(2026, 5, 1), True, "Agreed in March."),
    )
    assert client.location == "/policy-changes/ch-new"
    assert "Nothing has changed yet" in client.get("/policy-changes/ch-new").main


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": ""}, "Give a number of days"),
        ({"value": "-1"}, "Give a whole number from 0 to 36,500"),
        ({"value": "36501"}, "Give a whole number from 0 to 36,500"),
        ({"value": "fourteen"}, "Give a whole number from 0 to 36,500"),
        ({"effective": ""}, "Give the first day on which it is to hold"),
        ({"effective": "2026-04-08"}, "Give today or a later day"),
        ({"open_cases": ""}, "Say what is to become of cases that are open on that day"),
        ({"reason": " "}, "Say why"),
        ({"reason": "impossible"}, "A proposal with these values waits already"),
    ],
)
def test_what_cannot_be_proposed_is_told_and_nothing_written_is_lost(
    client: PageClient, desk: FakeDesk, change: dict[str, str], words: str
) -> None:
    page = client.post(VALUE, GOOD | change, status=422)
    assert page is not None
    assert words in page.main
    sent = {**GOOD, **change}
    assert page.one("input", id="value").attributes["value"] == sent["value"]
    assert page.one("textarea", id="reason").text == sent["reason"].strip()
    assert not [name for name, _ in desk.seen if name == "propose_values"]


def test_what_the_service_refuses_is_told_beside_its_field(client: PageClient) -> None:
    page = client.post("/policies/cfss/parameters/household_days", GOOD | {"value": "13"}, status=422)
    assert page is not None
    assert page.one("p", id="value-error").text == "Error: Thirteen is not taken"


def test_a_number_that_is_set_can_be_unset(client: PageClient, desk: FakeDesk) -> None:
    path = "/policies/cfss/parameters/closure_grace_days"
    assert "Leave it empty to unset it" in client.get(path).main
    client.post(path, GOOD | {"value": ""})
    assert desk.seen[-1][1][1] == {"closure_grace_days": None}


def upload(name: str, text: str | bytes) -> Any:
    return (io.BytesIO(text if isinstance(text, bytes) else text.encode()), name)


def test_a_file_is_proposed_with_what_goes_with_it(client: PageClient, desk: FakeDesk) -> None:
    client.get("/policies/cfss/propose")
    files = {"file": upload("mine/cfss 2.yaml", "policy: cfss"), "others": upload("catalogue.yaml", "events: {}")}
    client.post("/policies/cfss/propose", GOOD | files, content_type="multipart/form-data")
    name, (policy, sent, effective, open_cases, reason) = desk.seen[-1]
    assert (name, policy, effective, open_cases, reason) == ("propose_files", "cfss", dt.date(2026, 5, 1), True, "Agreed in March.")
    assert list(sent.items()) == [("cfss 2.yaml", "policy: cfss"), ("catalogue.yaml", "events: {}")]


def test_findings_in_a_file_are_listed_with_their_lines(client: PageClient, desk: FakeDesk) -> None:
    sent = GOOD | {"file": upload("cfss.yaml", "wrong")}
    page = client.post("/policies/cfss/propose", sent, status=422, content_type="multipart/form-data")
    assert page is not None
    assert "2 findings" in page.main
    rows = [row.text for row in page.all("tr")]
    assert "cfss.yaml, line 12 Rules.0.when.frist: is not known here; did you mean 'first'? P001" in rows
    assert page.one("textarea", id="reason").text == "Agreed in March."
    assert not [name for name, _ in desk.seen if name == "propose_files"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a policy file"),
        ({"file": ("cfss.yaml", b"")}, "The file is empty"),
        ({"file": ("cfss.yaml", b"x" * 3_000), "others": ("catalogue.yaml", b"y" * 3_000)}, "Keep the files to"),
        ({"file": ("cfss.yaml", b"\xff\xfe\x00")}, "cfss.yaml is not UTF-8 text"),
    ],
)
def test_a_file_that_is_none_is_told(
    client: PageClient, monkeypatch: pytest.MonkeyPatch, sent: dict[str, tuple[str, bytes]], words: str
) -> None:
    monkeypatch.setattr(forms, "FILES_LIMIT", 5_000)
    files = {field: upload(*given) for field, given in sent.items()}
    page = client.post("/policies/cfss/propose", GOOD | files, status=422, content_type="multipart/form-data")
    assert page is not None
    assert words in page.main


def test_a_file_that_is_too_large_is_refused(client: PageClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="cfss.yaml"\r\n\r\n' + b"x" * 1_100_000 + b"\r\n--x--\r\n"
    answer = client.flask.post(
        "/policies/cfss/propose", data=body, content_type="multipart/form-data; boundary=x", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 413
    assert "too much at once" in Document(answer.text).main


def test_whoever_proposed_it_is_told_that_another_person_approves_it(desk: FakeDesk) -> None:
    page = signed_in(desk, "kim").get("/policy-changes/ch-1")
    assert "You proposed it: another person approves it." in page.main
    answers = [button.attributes.get("value") for button in page.all("button", name="answer")]
    assert answers == ["withdraw"]


def test_another_person_approves_it(client: PageClient, desk: FakeDesk) -> None:
    page = client.get("/policy-changes/ch-1")
    for words in (
        "C18 A safety plan by the end of the 3rd visit: the parameter family_contact_days",
        "Before: not set",
        "Can breach from now on.",
    ):
        assert words in page.main
    client.post(
        "/policy-changes/ch-1", {"answer": "approve", "comment": "Right.", "version": page.one("input", name="version").attributes["value"]}
    )
    assert desk.seen[-1] == ("decide", ("ch-1", "approve", "Right."))
    assert "Approved: family_contact_days = 14 days" in client.get(client.location).main


def test_a_rejection_needs_a_reason(client: PageClient, desk: FakeDesk) -> None:
    page = client.post("/policy-changes/ch-1", {"answer": "reject", "comment": "", "version": "3"}, status=422)
    assert page is not None
    assert "Say why you reject it" in page.main
    client.post("/policy-changes/ch-1", {"answer": "reject", "comment": "Too soon.", "version": "3"})
    assert desk.kept["ch-1"].state == "rejected"


def test_the_second_of_two_answers_changes_nothing(client: PageClient, desk: FakeDesk) -> None:
    page = client.post("/policy-changes/ch-1", {"answer": "approve", "comment": "Yes.", "version": "2"}, status=409)
    assert page is not None
    assert "Somebody else answered or changed this proposal" in page.main
    assert page.one("textarea", id="comment").text == "Yes."
    assert desk.kept["ch-1"].state == "proposed"


def test_a_rule_is_not_enforced_without_a_backtest(desk: FakeDesk) -> None:
    client = signed_in(desk, "kim")
    assert "needs a finished backtest of exactly this proposal" in client.get("/policy-changes/ch-text").main
    client.post("/policy-changes/ch-text/backtest", {"since": "2025-01-01"})
    assert desk.seen[-1] == ("start_backtest", ("ch-text", dt.date(2025, 1, 1)))
    assert client.location == "/policy-changes/ch-text#backtest"
    assert "Waiting for a worker to take it up" in client.get("/policy-changes/ch-text").main
    desk.trial = "running"
    page = client.get("/policy-changes/ch-text")
    assert "4,200 of 20,000 cases judged" in page.main
    assert "data-live" in page.one("section", id="live-backtest").attributes
    desk.trial = "done"
    page = client.get("/policy-changes/ch-text")
    assert "31 gained, 4 lost" in page.main
    assert [button.attributes.get("value") for button in page.all("button", name="answer")] == ["approve", "reject"]


def test_a_backtest_from_a_day_that_is_none_is_told(client: PageClient) -> None:
    page = client.post("/policy-changes/ch-1/backtest", {"since": "soon"}, status=422)
    assert page is not None
    assert "Give a day, or leave it empty" in page.main


def test_a_report_tells_what_would_change_by_rule_and_team_with_cases_to_open(client: PageClient) -> None:
    page = client.get("/backtests/bt-done")
    for words in (
        "C18",
        "north alice 20 1 6",
        "no team no office 11 3 6",
        "breaches gained (31)",
        "RecursionError",
        "Now: It is not due yet.",
    ):
        assert words in page.main
    assert {"/cases/FAM-2003", "/policy-changes/ch-1", "/backtests/bt-done/report.json"} <= set(links(page))


@pytest.mark.parametrize(("form", "kind"), [("json", "application/json"), ("html", "text/html")])
def test_a_report_can_be_kept_as_a_file(client: PageClient, form: str, kind: str) -> None:
    answer = client.flask.get(f"/backtests/bt-done/report.{form}")
    assert answer.mimetype == kind
    assert answer.headers["Content-Disposition"] == f'attachment; filename="backtest-bt-done.{form}"'
    assert client.flask.get("/backtests/bt-done/report.exe").status_code == 404


def test_a_report_without_a_change_says_so(client: PageClient) -> None:
    assert "Nothing would change" in client.get("/backtests/bt-same").main


def test_a_report_that_is_not_there_yet_is_told(client: PageClient) -> None:
    assert "There is no report while the backtest is under way." in client.get("/backtests/bt-running/report.json", status=409).main


def test_a_backtest_under_way_can_be_cancelled(client: PageClient, desk: FakeDesk) -> None:
    desk.trial = "running"
    client.get("/backtests/bt-1")
    client.post("/backtests/bt-1/cancel", {})
    assert "It was cancelled." in client.get("/backtests/bt-1").main
    client.post("/backtests/bt-1/cancel", {})
    assert "It is over already." in client.get("/backtests/bt-1").main


def test_whoever_may_not_change_policies_sees_no_forms(desk: FakeDesk) -> None:
    desk.roles = frozenset({"viewer"})
    client = signed_in(desk)
    for path in (
        "/policies/cfss",
        "/policies/cfss/rules/C03",
        VALUE,
        "/policies/cfss/propose",
        "/policy-changes/ch-1",
    ):
        page = client.get(path)
        assert [form.attributes["action"] for form in page.all("form", method="post")] == ["/sign-out"], path
        assert VALUE not in links(page)
    assert "Your role reads policies" in client.get(VALUE).main
    refused = client.post(VALUE, GOOD, status=403)
    assert refused is not None
    assert "Your role does not allow this" in refused.main
