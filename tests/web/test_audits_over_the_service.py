"""The pages about audits over the real service: started, done, read, signed, taken away as files, compared, mended, and on a schedule."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import openpyxl
import pytest
from sqlalchemy import update

from service.audits.work import work
from store.models import AuditRow, VerdictRow
from tests.support.backtests import families
from tests.support.pages import Document, PageClient
from tests.support.service_kit import Kit, plan


@pytest.fixture
def flow(flow: Kit) -> Kit:
    """Seven cases of two teams, five of which are without a safety plan."""
    flow.clock.set("2026-04-20T12:00")
    flow.take(*families())
    flow.settle()
    return flow


def begun(client: PageClient, **wish: str) -> str:
    """Start an audit as the form does; the address of its page."""
    client.get("/audits")
    client.post("/audits", {"kind": "full", **wish})
    return client.location


def done(flow: Kit) -> None:
    """Do what waits, as workers do."""
    with flow.svc.reading() as session:
        ids = [row.id for row in session.query(AuditRow).filter(AuditRow.state.in_(("queued", "running")))]
    for audit in ids:
        while not work(flow.svc, audit, give_way=False):
            pass


def made(flow: Kit, client: PageClient, **wish: str) -> str:
    path = begun(client, **wish)
    done(flow)
    return path


def file(client: PageClient, path: str) -> bytes:
    answer = client.flask.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    return answer.data


def table(page: Document, title: str) -> list[str]:
    """The rows of a table of the report."""
    heading = next(one for one in page.all("h2") if one.text.startswith(title))
    region = page.one("div", aria_labelledby=heading.attributes["id"])
    return [row.text for row in page.all("tr") if region in row.parents][1:]


def flashed(client: PageClient, path: str) -> str:
    return client.get(path).one("div", class_="dc-flash dc-flash--problem").text


def test_from_starting_an_audit_to_a_report_that_is_signed_once(flow, enter):
    kim, robin = enter("kim", "manager"), enter("robin", "manager")
    path = begun(kim, as_of="2026-04-10")
    waits = kim.get(path)
    assert "Full verification as of Fri 10 April 2026, 23:59 (Adelaide time)" in waits.text
    assert "Waiting for a worker to take it up." in waits.main
    done(flow)
    page = kim.get(path)
    assert "7 cases, of which 7 with a rule breached." in page.main
    rules = next(row for row in table(page, "By rule") if row.startswith("C08"))
    assert rules.startswith("C08 A safety plan by the end of the 3rd visit 6 1 0 5 0 16.7% (of 6)")
    assert [row.split()[0] for row in table(page, "By team")] == ["north", "south"]
    assert any(row.startswith("C20 The practitioner meets the family regularly") for row in table(page, "Not applicable, by reason"))
    assert "the policy's owner has not set the number that gives the limit" in page.main
    assert "SHA-256 of the JSON file" in page.main
    digest = page.one("input", name="digest").attributes["value"]
    assert hashlib.sha256(file(kim, f"{path}/report.json")).hexdigest() == digest
    kim.get(path)
    kim.post(f"{path}/sign", {"digest": digest, "comment": "Looked at the sample of both teams."})
    assert "Looked at the sample of both teams." in robin.get(path).main
    kim.post(f"{path}/sign", {"digest": digest, "comment": "Once more."})
    assert "You have signed this report off already" in flashed(kim, path)
    robin.post(f"{path}/sign", {"digest": digest, "comment": ""}, status=422)
    robin.post(f"{path}/sign", {"digest": digest, "comment": "So have I."})
    assert "signed off by 2 people" in robin.get("/audits").main


def test_the_files_hold_what_the_page_holds(flow, enter):
    client = enter("kim", "manager")
    path = made(flow, client)
    report = json.loads(file(client, f"{path}/report.json"))
    lines = list(csv.DictReader(io.StringIO(file(client, f"{path}/report.csv").decode("utf-8-sig"))))
    c08 = [line for line in lines if line["rule"] == "C08"]
    assert sum(int(line["breached"]) for line in c08) == 5
    assert sum(int(line["breached"]) for line in lines if line["status"] == "enforced") == report["totals"]["all"]["breached"]
    book = openpyxl.load_workbook(io.BytesIO(file(client, f"{path}/report.xlsx")), read_only=True)
    assert {"Summary", "By rule", "By team"} <= set(book.sheetnames)
    assert b"<h1>Audit as of Mon 20 April 2026</h1>" in file(client, f"{path}/report.html")
    client.get(f"{path}/report.docx", status=400)


def test_one_that_is_cancelled_has_no_report_and_is_not_cancelled_again(flow, enter):
    client = enter("kim", "manager")
    path = begun(client)
    client.post(f"{path}/cancel", {})
    assert "It was cancelled." in client.get(path).main
    client.post(f"{path}/cancel", {})
    assert "The audit is over already" in flashed(client, path)
    client.get(f"{path}/report.json", status=409)
    client.post(f"{path}/judge-again", {})
    assert "There is no report" in flashed(client, path)


def test_what_is_stored_wrongly_is_found_and_mended_by_judging_again(flow, enter):
    with flow.svc.writing() as session:
        session.execute(update(VerdictRow).where(VerdictRow.rule == "C08", VerdictRow.case_id == "k1").values(verdict="met"))
    client = enter("kim", "manager")
    path = made(flow, client)
    page = client.get(path)
    assert "What is stored of 1 case differs from what judging anew found." in page.main
    (row,) = table(page, "Stored differently")
    assert row.startswith("k1 C08 ")
    assert row.endswith("stored with other facts verdict met verdict breached")
    client.post(f"{path}/judge-again", {})
    assert "1 case will be judged again within moments." in client.get(path).main
    flow.settle()
    assert flow.verdict("C08") == "breached"
    again = made(flow, client)
    assert "Judge it again" not in client.get(again).main


def test_two_are_compared_and_the_event_behind_the_difference_is_named(flow, enter):
    client = enter("kim", "manager")
    first = made(flow, client)
    same = made(flow, client)
    flow.clock.advance(hours=1)
    late = plan("2026-03-20T09:00", case="k2", rec="2026-04-20T12:30")
    flow.take(late)
    flow.settle()
    second = made(flow, client, kind="incremental")
    assert {one.attributes["value"] for one in client.get(second).all("option")} == {one.rpartition("/")[2] for one in (same, first)}
    page = client.get(f"{second}/compare?with={first.rpartition('/')[2]}")
    cause = next(item for item in page.all("li") if item.text.startswith("Case k2 rule C08 "))
    assert "Breached → became Met" in cause.text
    assert late["id"] in cause.text
    assert "1 case differs" in page.main
    counts = [row.text for row in page.all("tr") if row.text.startswith("C08")]
    assert any(row.endswith("Breached 5 4 \u22121") for row in counts), counts
    assert "They do not differ" in client.get(f"{same}/compare?with={first.rpartition('/')[2]}").main
    client.get(f"{first}/compare?with={first.rpartition('/')[2]}", status=400)
    client.get(f"{first}/compare?with=nowhere", status=404)


def test_a_reader_with_limits_reads_what_lies_within_and_signs_nothing(flow, enter):
    client, south = enter("kim", "manager"), enter("sam", "manager", teams=["south"])
    path = made(flow, client)
    page = south.get(path)
    assert [row.split()[0] for row in table(page, "By team")] == ["south"]
    assert "Only what you may see is counted and shown." in page.main
    for case in ("k1", "k2", "k3"):
        assert f"/cases/{case}" not in [link.attributes["href"] for link in page.all("a")]
    assert not page.all("textarea")
    assert "By team" in page.main
    assert [one["value"] for one in json.loads(file(south, f"{path}/report.json"))["tables"]["team"]] == ["south"]
    south.post(f"{path}/sign", {"digest": "x", "comment": "I too."}, status=403)
    south.post(f"{path}/judge-again", {}, status=403)
    north = made(flow, client, teams="north")
    south.get(north, status=404)
    assert north not in [link.attributes["href"] for link in south.get("/audits").all("a")]
    own = made(flow, south)
    assert "team south" in client.get("/audits").main
    assert "Only teams south." in south.get(own).main


def test_a_schedule_is_added_paused_resumed_and_removed(flow, enter):
    client = enter("kim", "manager")
    assert "Audits are made by hand only" in client.get("/audit-schedules").main
    sent = {"name": "Mornings", "cron": "30 5 * * *", "zone": "Australia/Darwin", "kind": "incremental", "policies": "cfss"}
    for field, value in (("name", " "), ("cron", "*/5 * * * *"), ("zone", "Mars/North")):
        page = client.post("/audit-schedules", {**sent, field: value}, status=422)
        assert page is not None
        assert page.one("p", id=f"{field}-error").text
    client.post("/audit-schedules", sent)
    page = client.get("/audit-schedules")
    for words in ("Mornings", "policy cfss", "Tue 21 April 2026, 05:30 (Darwin time)"):
        assert words in page.main
    client.post("/audit-schedules", sent, status=422)
    action = next(form.attributes["action"] for form in page.all("form") if form.attributes["action"].startswith("/audit-schedules/"))
    client.post(action, {"action": "pause"})
    assert "Paused by kim" in client.get("/audit-schedules").main
    client.post(action, {"action": "resume"})
    assert "Tue 21 April 2026, 05:30" in client.get("/audit-schedules").main
    assert "1 schedule makes audits by themselves" not in client.get("/audits").main
    assert "1 schedule makes audits by itself" in client.get("/audits").main
    client.post(action, {"action": "explode"}, status=400)
    client.post(action, {"action": "remove"})
    client.post(action, {"action": "pause"}, status=404)
