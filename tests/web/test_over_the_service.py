"""The pages over the real service: what is stored is shown, what is done is stored, limits hold.  Lists and writes on both databases."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event as hooks

from api.app import create_app
from service import review, users
from store.queries import waivers_of_case
from tests.support.pages import Document, PageClient
from tests.support.service_kit import Kit, connected, event, plan, three_visits, visit
from tests.web.conftest import FIRST, OWN

BOTH = pytest.mark.parametrize("store", ["sqlite_url", "pg_db"])


def breached(flow: Kit, *cases: str) -> None:
    for case in cases or ("k1",):
        flow.take(*three_visits(case))
    flow.settle()


def row_of(page: Document, case: str, rule: str) -> str:
    (found,) = [
        e.text
        for e in page.all("tr")
        if "data-row" in e.attributes and re.search(rf"Case {case}\b", e.text) and re.search(rf"Rule {rule}\b", e.text)
    ]
    return found


@BOTH
def test_an_empty_store_teaches(enter):
    page = enter("kim").get("/breaches")
    assert "Nothing has been taken in yet" in page.main
    assert "0 breaches, as of Mon 1 June 2026, 12:00 (Adelaide time)" in page.main


def test_a_breach_stands_in_the_list_with_its_sentence(flow, enter):
    breached(flow)
    text = row_of(enter("kim").get("/breaches"), "k1", "C08")
    assert text.startswith("No completed safety plan by the end of the 3rd visit, Mon 23 March 2026")
    for words in ("Critical", "Mon 23 Mar 2026", "70 days", "north", "Open", "Not yet reviewed"):
        assert words in text


@BOTH
def test_filters_counts_and_pages_agree(flow, enter):
    breached(flow, *(f"k{number:03d}" for number in range(60)))
    client = enter("kim")
    page = client.get("/breaches?rule=C08&condition=open")
    assert "60 breaches, as of" in page.main
    assert "50 breaches on this page of 60 in all" in page.main
    (critical,) = [e.text for e in page.all("label") if e.text.startswith("Critical")]
    assert critical == "Critical60"
    seen = [e.attributes["id"] for e in page.all("tr") if "data-row" in e.attributes]
    more = client.get(page.one("a", rel="next").attributes["href"])
    seen += [e.attributes["id"] for e in more.all("tr") if "data-row" in e.attributes]
    assert len(seen) == len(set(seen)) == 60
    assert not more.all("a", rel="next")
    assert "No breaches fit these filters" in client.get("/breaches?team=south").main
    assert "1 case, as of" in client.get("/cases?case=k007").main
    assert "60 cases, as of" in client.get("/cases").main


def test_a_page_asks_the_store_as_often_for_many_as_for_few(flow, enter, monkeypatch):
    client = enter("kim")
    monkeypatch.setattr(type(flow.svc), "keep_up", lambda _svc: None)
    statements: list[str] = []
    hooks.listen(flow.svc.engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))

    def once(path: str) -> int:
        statements.clear()
        client.get(path)
        return len(statements)

    def asked(path: str) -> int:
        """The first time fills what is remembered for a while."""
        return min(once(path) for _ in range(4))

    breached(flow, "k1", "k2")
    few = [asked(path) for path in ("/", "/breaches", "/cases", "/due-soon", "/cases/k1")]
    breached(flow, *(f"n{number:02d}" for number in range(30)))
    assert [asked(path) for path in ("/", "/breaches", "/cases", "/due-soon", "/cases/k1")] == few
    assert max(few) < 30


@pytest.mark.parametrize("order", ["-opened_at", "opened_at", "-changed_at", "severity", "due_on", "-due_on", "rule", "case", "-case"])
def test_every_order_that_the_page_offers_exists(flow, enter, order):
    breached(flow)
    assert "Rule C08" in enter("kim").get(f"/breaches?sort={order}").main


def test_an_address_that_the_store_refuses_is_told(flow, enter):
    client = enter("kim")
    for path in ("/breaches?sort=colour", "/breaches?cursor=nonsense", "/cases?sort=colour", "/due-soon?cursor=nonsense"):
        assert "This address cannot be read" in client.get(path, status=400).main


def test_a_breach_page_tells_why_and_its_history(flow, enter):
    breached(flow)
    flow.take(plan("2026-03-30T10:00", rec="2026-06-01T11:00"))
    flow.settle()
    client = enter("kim")
    page = client.get(f"/breaches/{flow.breaches()['C08'].id}")
    heading = page.one("h1").text
    assert heading.startswith("No completed safety plan by the end of the 3rd visit, Mon 23 March 2026; ")
    assert heading.endswith("7 days after it was due, on Mon 30 March 2026")
    for words in (
        "Done late",
        "Late by 7 days",
        "Due on Mon 23 March 2026",
        "Safety plan recorded Counts",
        "Child and Family Journey to Safety and Wellbeing",
        "Opened",
        flow.svc.policies.get("cfss").digest[:19],
    ):
        assert words in page.main
    assert " safety_plan.recorded" not in page.main
    assert "event k1-safety_plan.recorded-2026-03-30T10:00" in page.main


@BOTH
def test_a_review_is_stored_with_who_and_why(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    client = enter("kim")
    client.get(f"/breaches/{breach.id}")
    client.post(
        f"/breaches/{breach.id}/review",
        {"action": "dismiss", "reason": "record_error", "comment": "See the\r\nregister.", "version": str(breach.version)},
    )
    page = client.get(f"/breaches/{breach.id}")
    assert "Dismissed: No completed safety plan" in page.main
    line = flow.history("C08")[-1].line
    assert (line.after, line.reason_code, line.comment) == ("dismissed", "record_error", "See the\nregister.")
    assert "by kim" in page.main
    assert "reason: The record is wrong" in page.main


@BOTH
def test_the_second_of_two_is_told_and_nothing_is_overwritten(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    first, second = enter("kim"), enter("robin")
    address = f"/breaches/{breach.id}/review"
    seen = {e.attributes["value"] for e in second.get(f"/breaches/{breach.id}").all("input", name="version")}
    first.get(f"/breaches/{breach.id}")
    first.post(address, {"action": "uphold", "version": str(breach.version)})
    (version,) = seen
    page = second.post(address, {"action": "dismiss", "reason": "record_error", "comment": "My view.", "version": version}, status=409)
    assert "Upheld by kim, Mon 1 June 2026, 12:00 (Adelaide time)" in page.main
    assert page.one("textarea", id="comment").text == "My view."
    assert flow.breaches()["C08"].review == "upheld"
    fresh = page.all("input", name="version")[0].attributes["value"]
    second.post(address, {"action": "dismiss", "reason": "record_error", "comment": "My view.", "version": fresh})
    assert flow.breaches()["C08"].review == "dismissed"


def test_a_step_that_changes_nothing_is_told(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    client = enter("kim")
    client.get("/breaches")
    client.post(f"/breaches/{breach.id}/review", {"action": "uphold", "version": str(breach.version)})
    version = str(flow.breaches()["C08"].version)
    page = client.post(f"/breaches/{breach.id}/review", {"action": "acknowledge", "version": version}, status=422)
    assert "The breach is upheld already" in page.main


@BOTH
def test_a_waiver_takes_two_persons_and_the_right_role(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    address = f"/breaches/{breach.id}"
    asks, leads, manages = enter("kim"), enter("lee", "team_leader"), enter("mo", "manager")
    assert "Another person has to approve it: a manager" in asks.get(f"{address}/waivers").main
    asks.post(
        f"{address}/waivers",
        {"waiver_reason": "unsafe", "ends_on": "2026-06-30", "waiver_comment": "Until the move.", "version": str(breach.version)},
    )
    page = asks.get(address)
    assert "Asked for, not yet approved It is not safe to do it now, until the end of Tue 30 June 2026" in page.main
    waiver = next(e.attributes["href"] for e in page.all("a") if re.fullmatch(r"/waivers/\w+", e.attributes["href"]))
    assert "Take the request back" in asks.get(waiver).main
    page = leads.get(waiver)
    assert "A waiver of a breach of critical severity is answered by a manager" in page.main
    assert not page.all("input", name="answer")
    leads.post(waiver, {"answer": "approve"}, status=403)
    asks.post(waiver, {"answer": "approve"}, status=403)
    assert "0 requests" not in leads.get("/waivers").main
    assert "For you to answer (1)" in manages.get("/waivers?mine=1").main
    manages.post(waiver, {"answer": "approve", "comment": "Seen by the panel."})
    flow.settle()
    page = leads.post(waiver, {"answer": "approve", "comment": "Mine."}, status=409)
    assert "Approved, by mo, Mon 1 June 2026, 12:00 (Adelaide time) Seen by the panel." in page.main
    assert page.one("textarea", id="kept").text == "Mine."
    assert flow.breaches()["C08"].condition == "excused"
    page = asks.get(address)
    for words in ("Excused", "The waiver was approved", "Seen by the panel.", "answered by mo"):
        assert words in page.main
    assert "It is not safe to do it now" in asks.get("/waivers?show=standing").main
    flow.take(visit("2026-03-20T10:00"))
    flow.settle()
    assert "Void since Mon 1 June 2026, 12:00 (Adelaide time): the evidence changed" in asks.get(waiver).main
    assert "The waiver no longer holds, since the evidence changed" in asks.get(address).main
    assert "1 waiver, as of" in asks.get("/waivers?show=past").main


@BOTH
def test_waivers_of_other_teams_do_not_exist(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    asks = enter("kim")
    asks.get("/waivers")
    asks.post(f"/breaches/{breach.id}/waivers", {"waiver_reason": "unsafe", "ends_on": "2026-06-30", "version": str(breach.version)})
    with flow.svc.reading() as session:
        (waiver,) = waivers_of_case(session, "k1")
    south = enter("sue", "manager", teams=["south"])
    assert "0 waivers, as of" in south.get("/waivers?show=all").main
    south.get(f"/waivers/{waiver.id}", status=404)
    south.get(f"/breaches/{breach.id}/waivers", status=404)
    south.post(f"/waivers/{waiver.id}", {"answer": "approve"}, status=404)
    assert "1 waiver, as of" in enter("ann", "manager", teams=["north"]).get("/waivers").main


def test_giving_a_breach_to_somebody_is_told_in_its_history(flow, enter):
    breached(flow)
    breach = flow.breaches()["C08"]
    client = enter("kim")
    enter("vi", "viewer")
    page = client.get(f"/breaches/{breach.id}")
    people = page.one("select", id="to")
    assert [e.text for e in page.all("option") if people in e.parents] == ["Nobody", "kim"]
    client.post(f"/breaches/{breach.id}/assign", {"me": "yes", "version": str(breach.version)})
    page = client.get(f"/breaches/{breach.id}")
    assert "Assigned to kim" in page.main
    assert "Assigned to kim Mon 1 June 2026" in page.main


def test_every_reason_that_can_be_chosen_is_one_that_the_service_takes(flow, enter):
    breached(flow)
    client, address = enter("kim"), f"/breaches/{flow.breaches()['C08'].id}"
    for path, field, known in (
        (address, "reason", review.REVIEW_REASONS),
        (f"{address}/waivers", "waiver_reason", review.WAIVER_REASONS),
    ):
        page = client.get(path)
        select = page.one("select", id=field)
        offered = [e.attributes["value"] for e in page.all("option") if select in e.parents and e.attributes["value"]]
        assert offered == list(known)


@BOTH
def test_limits_to_teams_hold_on_every_page(flow, enter):
    breached(flow)
    flow.take(connected(case="far", team="south"), *(visit(f"2026-03-{day:02d}T10:00", case="far") for day in (9, 16, 23)))
    flow.settle()
    theirs, ours = flow.breaches("far")["C08"].id, flow.breaches()["C08"].id
    client = enter("kim", teams=["north"])
    page = client.get("/breaches")
    assert "Case k1" in page.main
    assert "far" not in page.main
    assert "south" not in page.main
    assert "far" not in client.get("/cases").main
    for path in (f"/breaches/{theirs}", "/cases/far"):
        assert "There is no such page" in client.get(path, status=404).main
    client.post(f"/breaches/{theirs}/review", {"action": "uphold", "version": "1"}, status=404)
    assert flow.breaches("far")["C08"].review == "new"
    assert client.get(f"/breaches/{ours}").one("h1").text.startswith("No completed safety plan")


def test_a_case_is_judged_at_any_day_with_what_was_known(flow, enter):
    flow.take(*three_visits(), plan("2026-03-23T16:00", rec="2026-04-08T09:00"))
    flow.settle()
    client = enter("kim")

    def said(path: str) -> str:
        page = client.get(path)
        assert page.one("h1").text.startswith("Case k1")
        return page.main

    now = said("/cases/k1")
    assert re.search(r"A safety plan by the end of the 3rd visit: \w+ on Mon 23 March 2026", now)
    assert "Recorded late" in now
    assert "recorded Wed 8 Apr 2026, 16 days later" in now
    then = said("/cases/k1?as_of=2026-04-01&known_at=2026-04-01")
    assert "No completed safety plan by the end of the 3rd visit, Mon 23 March 2026; 9 days overdue on Wed 1 April 2026" in then
    assert "Judged as of Wed 1 April 2026, 23:59 (Adelaide time)" in then
    assert "This is a look back" in then
    early = said("/cases/k1?as_of=2026-03-17")
    assert "A safety plan by the end of the 3rd visit: due soon" in early
    before = said("/cases/k1?as_of=2026-02-01")
    assert "Nothing of this case was on record" in before


def test_voided_events_stay_visible_and_data_queries_are_listed(flow, enter):
    flow.take(*three_visits(), event("event.voided", "2026-04-01T09:00", {"target": "k1-visit.held-2026-03-16T10:00"}, event_id="void-1"))
    flow.take(event("event.voided", "2026-04-02T09:00", {"target": "never-was"}, event_id="void-2"))
    flow.settle()
    page = enter("kim").get("/cases/k1")
    (void,) = [e for e in page.all("li") if "is-void" in e.attributes.get("class", "")]
    assert "Voided" in void.text
    assert "voided by void-1 on Wed 1 Apr 2026" in void.text
    assert "speaks of an event that is not on record" in page.main


def test_due_soon_shows_what_is_inside_its_window(flow, enter):
    flow.clock.set("2026-04-20T12:00")
    flow.take(connected(), visit("2026-03-09T10:00"), visit("2026-03-16T10:00"))
    flow.settle()
    client = enter("kim")
    page = client.get("/due-soon")
    assert "A family snapshot within 6 weeks" in page.main
    assert "Mon 20 Apr 2026 today" in page.main
    assert "A safety plan by the end of the 3rd visit" in page.main
    assert "at the next visit" in page.main
    within = client.get("/due-soon?within=7")
    assert "at the next visit" not in within.main


def test_policies_are_readable(flow, enter):
    client = enter("kim", "viewer")
    page = client.get("/policies")
    assert "3 policies in force" in page.main
    for policy in flow.svc.policies.policies:
        page = client.get(f"/policies/{policy.id}")
        for rule in policy.rules:
            assert rule.title in page.main
            assert rule.citation.at in page.main
        for name in policy.unset():
            assert policy.parameters[name].question in page.main
        for line in policy.for_a_person:
            assert line in page.main


@BOTH
def test_status_tells_what_waits_and_what_was_refused(flow, enter):
    breached(flow)
    flow.take(dict(three_visits()[0], data={"program": "other"}))
    flow.take(*three_visits("k2"))
    page = enter("kim").get("/status")
    assert "Waiting to be judged 1 case" in page.main
    assert "Conflicting deliveries 1" in page.main
    assert "urn:test:casework" in page.main
    assert "sends no heartbeat" in page.main


def test_changing_the_password_ends_all_other_sessions(flow, enter):
    here = enter("kim")
    there = PageClient(create_app(flow.svc))
    flow.clock.advance(seconds=1)
    there.sign_in("kim", OWN)
    there.get("/")
    flow.clock.advance(seconds=1)
    here.get("/password")
    here.post("/password", {"old": OWN, "new": FIRST, "again": FIRST})
    here.get("/")
    assert there.flask.get("/").status_code == 303


def test_a_cookie_that_was_copied_is_of_no_use_after_signing_out(flow, enter):
    client = enter("kim")
    copied = client.flask.get_cookie("duecare").value
    thief = create_app(flow.svc).test_client()
    thief.set_cookie("duecare", copied)
    assert thief.get("/cases").status_code == 200
    flow.clock.advance(seconds=1)
    client.get("/")
    client.post("/sign-out", {})
    thief.set_cookie("duecare", copied)
    assert thief.get("/cases").status_code == 303
    client.sign_in("kim", OWN)
    assert client.flask.get("/cases").status_code == 200


def test_five_wrong_passwords_lock_for_a_while(flow, enter):
    enter("kim")
    client = PageClient(create_app(flow.svc))
    client.get("/sign-in")
    for _ in range(5):
        client.post("/sign-in", {"name": "kim", "password": "wrong"}, status=401)
    page = client.post("/sign-in", {"name": "kim", "password": OWN}, status=401)
    assert "wait before you try again" in page.main
    flow.clock.advance(minutes=2)
    client.post("/sign-in", {"name": "kim", "password": OWN})


def test_however_often_one_tries_nobody_learns_which_names_have_an_account(flow, enter):
    enter("kim", "administrator")
    users.create(flow.svc, name="gone", roles=["viewer"])
    users.change(flow.svc, name="gone", disabled=True)
    told = {}
    for name in ("kim", "gone", "nobody"):
        client = PageClient(create_app(flow.svc))
        client.get("/sign-in")
        pages = [client.post("/sign-in", {"name": name, "password": "wrong"}, status=401) for _ in range(7)]
        told[name] = [page.main.replace(name, "NAME") for page in pages]
    assert told["kim"] == told["gone"] == told["nobody"]


def test_a_session_that_was_taken_over_is_no_way_to_guess_the_password(flow, enter):
    client = enter("kim")
    client.get("/password")
    for _ in range(5):
        page = client.post("/password", {"old": "wrong", "new": FIRST, "again": FIRST}, status=422)
        assert "This is not your present password" in page.main
    page = client.post("/password", {"old": OWN, "new": FIRST, "again": FIRST}, status=422)
    assert "Too many wrong passwords" in page.main
    flow.clock.advance(minutes=2)
    client.post("/password", {"old": OWN, "new": FIRST, "again": FIRST})


def test_an_operator_without_reading_rights_is_told_kindly(flow, enter):
    client = enter("ops", "operator")
    assert "Your role does not allow this" in client.get("/breaches", status=403).main
    client.get("/help")


def test_a_session_reads_the_programs_interface_but_never_writes_by_it(flow, enter):
    breached(flow)
    client = enter("kim")
    assert client.flask.get("/v1/breaches").status_code == 200
    breach = flow.breaches()["C08"]
    sent = client.flask.post(f"/v1/breaches/{breach.id}/review", json={"action": "uphold"}, headers={"If-Match": f'"{breach.version}"'})
    assert sent.status_code == 401
    assert flow.breaches()["C08"].review == "new"


@pytest.mark.parametrize("store", ["pg_db"])
def test_text_that_postgresql_does_not_take_is_no_fault_of_ours_wherever_it_is_sent(flow, enter):
    client = enter("ada", "administrator", "manager", "policy_owner")
    app = client.flask.application
    app.config["PROPAGATE_EXCEPTIONS"] = False
    told = {}
    for route in app.url_map.iter_rules():
        if route.endpoint.startswith("web.") and "<" in route.rule:
            path = re.sub(r"<[^>]+>", "%00", route.rule)
            told[path] = {client.flask.get(path).status_code, client.flask.post(path, data={"csrf_token": client.token()}).status_code}
    assert len(told) > 20
    assert {code for codes in told.values() for code in codes} <= {404, 405}
    for path in ("/sign-in", "/password", "/administration/legal-holds"):
        form = {"csrf_token": client.token(), "name": "a\0b", "case": "a\0b", "reason": "x", "password": "\0", "old": "\0", "new": "\0"}
        assert client.flask.post(path, data=form).status_code == 400
    assert client.flask.get("/breaches?case=a%00b").status_code == 400
