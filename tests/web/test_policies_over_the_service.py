"""The pages about policies over the real service: a number is proposed, tried, approved by another person, and judges from then on."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from typing import Any

import pytest

from rules.policy import package_of
from service.access import Access
from service.backtests.work import work
from service.policies.changes import propose_version
from tests.support.pages import Document, PageClient
from tests.support.service_kit import Kit, event, three_visits, visit

PATH = "/policies/cfss/parameters/family_contact_days"
WEEKLY = {"value": "7", "effective": "2026-06-01", "open_cases": "yes", "reason": "Agreed with the department."}


def waits(flow: Kit, case: str = "k1") -> None:
    """A case in which it cannot be said whether the family is met regularly: nobody has set what that means."""
    agreed = event("case_plan.recorded", "2026-03-24T09:00", {"plan": "cp", "version": 1, "status": "agreed"}, case=case)
    flow.take(*three_visits(case), agreed, visit("2026-04-20T10:00", case=case))
    flow.settle()


def proposed(client: PageClient, **changes: str) -> str:
    client.get(PATH)
    client.post(PATH, {**WEEKLY, **changes})
    assert re.fullmatch(r"/policy-changes/[0-9a-f]+", client.location)
    return client.location


def answer(client: PageClient, path: str, which: str, **more: Any) -> Document | None:
    """Answer a proposal as the form on its page does."""
    seen = client.get(path).one("input", name="version").attributes["value"]
    return client.post(path, {"answer": which, "comment": "", "version": seen, **more.pop("data", {})}, **more)


def finish(flow: Kit) -> None:
    """Do the backtests that wait, as workers do."""
    from store.models import BacktestRow

    with flow.svc.reading() as session:
        ids = [row.id for row in session.query(BacktestRow).filter(BacktestRow.state.in_(("queued", "running")))]
    for name in ids:
        while not work(flow.svc, name, give_way=False):
            pass


@pytest.mark.parametrize("store", ["sqlite_url", "pg_db"])
def test_a_number_comes_into_force_by_two_persons_and_the_waiting_case_is_judged(flow, enter):
    waits(flow)
    kim, robin = enter("kim", "policy_owner"), enter("robin", "manager")
    page = kim.get("/policies/cfss")
    question = next(item.text for item in page.all("li") if "cfss.family_contact_days" in item.text)
    assert "1 case waits" in question
    assert "C20 The practitioner meets the family regularly" in question
    assert flow.verdict("C20") == "not_applicable: parameter_unset"
    path = proposed(kim)
    page = kim.get(path)
    for words in ("family_contact_days = 7 days (was not set)", "Can breach from now on", "You proposed it", "Agreed with the department."):
        assert words in page.main
    refused = answer(kim, path, "approve", status=403)
    assert refused is not None
    assert "1 proposal" in robin.get("/policies").main
    answer(robin, path, "approve")
    assert "Approved: family_contact_days = 7 days" in robin.get(path).main
    flow.clock.advance(seconds=1)
    flow.settle()
    with flow.svc.reading() as session:
        from store.verdicts import verdicts_of_case

        outcomes = {one.verdict.value for one in verdicts_of_case(session, "k1").values() if one.rule == "C20"}
    assert "breached" in outcomes
    page = kim.get("/policies/cfss")
    assert "approved by robin" in page.main
    numbers = next(item.text for item in page.all("li") if "cfss.family_contact_days" in item.text)
    assert "7 days" in numbers
    assert "waits" not in numbers
    rule = kim.get("/policies/cfss/rules/C20")
    assert "7 days" in rule.main
    assert "/breaches?condition=open&rule=C20" in [link.attributes["href"] for link in rule.all("a")]
    assert "C20: the parameter family contact days is now 7 days instead of not set: can breach from now on." in rule.main
    assert "approved by robin" not in kim.get("/policies/cfss/rules/C01").one("section", aria_labelledby="versions").text


def test_what_is_approved_for_a_later_day_is_shown_as_coming(flow, enter):
    waits(flow)
    kim, robin = enter("kim", "policy_owner"), enter("robin", "administrator")
    path = proposed(kim, effective="2026-07-01", open_cases="no")
    answer(robin, path, "approve")
    page = kim.get("/policies/cfss")
    assert "7 days from Wed 1 Jul 2026" in page.main
    assert "Approved, not yet in force" in page.main
    assert "1 case waits" in page.main
    assert "next from Wed 1 Jul 2026" in kim.get("/policies").main


def test_a_proposal_is_tried_on_the_stored_cases(flow, enter):
    waits(flow)
    waits(flow, "k2")
    kim = enter("kim", "policy_owner")
    path = proposed(kim)
    assert "It has not been tried on the stored cases yet." in kim.get(path).main
    kim.post(f"{path}/backtest", {"since": ""})
    assert "Waiting for a worker to take it up." in kim.get(path).main
    again = kim.post(f"{path}/backtest", {"since": ""}, status=422)
    assert again is not None
    assert "under way already" in again.main
    finish(flow)
    page = kim.get(path)
    assert "2 cases judged" in page.main
    report = next(link.attributes["href"] for link in page.all("a") if link.text == "The whole report")
    page = kim.get(report)
    assert "C20" in page.main
    assert "/cases/k1" in [link.attributes["href"] for link in page.all("a")]
    for form in ("json", "html"):
        kept = kim.flask.get(f"{report}/report.{form}")
        assert kept.status_code == 200
        assert "C20" in kept.text
    assert flow.verdict("C20") == "not_applicable: parameter_unset"


def test_a_text_with_faults_is_told_with_its_lines_and_a_good_one_is_proposed(flow, enter):
    waits(flow)
    kim = enter("kim", "policy_owner")
    policy = flow.svc.policies.get("cfss")
    text = package_of(policy).files["cfss.yaml"]
    path = "/policies/cfss/propose"

    def send(name: str, content: str, others: Mapping[str, str] | None = None, **more: Any) -> Document | None:
        kim.get(path)
        data = {"effective": "2026-06-01", "open_cases": "no", "reason": "A better text.", "file": (io.BytesIO(content.encode()), name)}
        data["others"] = [(io.BytesIO(text.encode()), other) for other, text in (others or {}).items()]
        return kim.post(path, data, content_type="multipart/form-data", **more)

    wrong = send("cfss.yaml", text.replace("kind: existence", "kind: existance", 1), status=422)
    assert wrong is not None
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "kind: existence" in each)
    assert any(row.text.startswith(f"cfss.yaml, line {line} ") for row in wrong.all("tr"))
    other = send("quality.yaml", package_of(flow.svc.policies.get("record_quality")).files["record_quality.yaml"], status=422)
    assert other is not None
    assert "record_quality" in other.main
    same = send("cfss.yaml", text, status=422)
    assert same is not None
    assert "holds already" in same.main
    send("cfss.yaml", text.replace("title: Every referral reaches an outcome", "title: Each referral leads somewhere", 1))
    page = kim.get(kim.location)
    assert "Another text: Child and Family Support System journey" in page.main
    assert "Each referral leads somewhere" in page.main
    assert "Text only: no verdict changes." in page.main
    calendar = package_of(policy).files["calendars/sa.yaml"].rstrip() + "\n  2030-03-04: A day for all\n"
    send("cfss.yaml", text, {"sa.yaml": calendar})
    assert "Mon 4 March 2030" in kim.get(kim.location).main


def test_what_is_not_in_force_yet_is_not_linked(flow, enter):
    flow.settle()
    kim = enter("kim", "policy_owner")
    text = package_of(flow.svc.policies.get("record_quality")).files["record_quality.yaml"]
    access = Access("user:1", "kim", scopes=frozenset({"policies:write"}), roles=frozenset({"policy_owner"}))
    files = dict(package_of(flow.svc.policies.get("record_quality")).files)
    how: dict[str, Any] = {"effective": dt.date(2026, 6, 1), "applies_to_open": False, "reason": "Another one."}
    files["record_quality.yaml"] = text.replace("policy: record_quality", "policy: more_quality", 1).replace("id: X0", "id: Y0")
    new = propose_version(flow.svc, access, files, "record_quality.yaml", **how)
    page = kim.get(f"/policy-changes/{new.id}")
    assert "Y01" in page.main
    assert "/policies/more_quality" not in [link.attributes["href"] for link in page.all("a")]
    files["record_quality.yaml"] = text.replace("id: X02", "id: X09", 1)
    changed = propose_version(flow.svc, access, files, "record_quality.yaml", **how)
    page = kim.get(f"/policy-changes/{changed.id}")
    addresses = {link.attributes["href"] for link in page.all("a")}
    assert "X09" in page.main
    assert "/policies/record_quality/rules/X02" in addresses
    assert "/policies/record_quality/rules/X09" not in addresses


def test_a_viewer_reads_what_is_proposed_and_changes_nothing(flow, enter):
    waits(flow)
    path = proposed(enter("kim", "policy_owner"))
    viewer = enter("lee", "viewer")
    page = viewer.get(path)
    assert "It takes a policy owner, a manager or an administrator." in page.main
    assert [form.attributes["action"] for form in page.all("form", method="post")] == ["/sign-out"]
    for target, data in ((PATH, WEEKLY), (path, {"answer": "approve", "version": "1"}), (f"{path}/backtest", {})):
        assert viewer.post(target, data, status=403) is not None


def test_whoever_is_limited_to_a_team_counts_only_its_cases(flow, enter):
    waits(flow)
    assert "no case waits" in enter("lee", "policy_owner", teams=["south"]).get("/policies/cfss").main
    assert "1 case waits" in enter("mo", "policy_owner", teams=["north"]).get("/policies/cfss").main


def test_every_rule_has_its_page(flow, enter):
    flow.settle()
    client = enter("kim", "viewer")
    for policy in flow.svc.policies.policies:
        for rule in policy.rules:
            page = client.get(f"/policies/{policy.id}/rules/{rule.id}")
            assert rule.citation.at in page.main
            assert "No test shows this rule yet" not in page.main
            assert "= None" not in page.main
            assert page.main.count(rule.false_alarm) == 1
