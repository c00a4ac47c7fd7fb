"""Retention and legal holds on the pages: from the plan to the certificate, and a hold from the page of its case."""

from __future__ import annotations

import io
import json
import zipfile

from service import caseexport, keys, legalholds
from service.retention import work
from tests.support.leaving import ME, RULES, journey, settle_breaches
from tests.support.service_kit import event


def _house(flow):
    rules = flow.svc.settings.home / "retention.yaml"
    rules.write_text(RULES)
    flow.svc.settings = flow.svc.settings.model_copy(update={"retention": rules})
    flow.clock.set("2031-06-02T12:00")
    flow.take(*journey("FAM-1", "2021-05-10", child="CH-1"), *journey("FAM-2", "2021-05-10", child="CH-2"))
    flow.settle()
    settle_breaches(flow, "FAM-1", "FAM-2")


def test_from_the_plan_to_the_certificate(flow, enter):
    _house(flow)
    legalholds.put(flow.svc, ME, case="FAM-2", reason="A court has asked.")
    client = enter("ada", "administrator")
    first = client.get("/administration/retention")
    assert "1 legal hold stands" in first.main
    assert "Kept after the last closure" in first.main
    plan = client.get("/administration/retention/plan")
    assert "FAM-1" in plan.main
    assert "there is a legal hold on a case of it" in plan.main
    client.post("/administration/retention/removals", {})
    begun = client.get("/administration/retention/removals/000001")
    assert "Under way" in begun.main
    thread = work.keep_up(flow.svc)
    assert thread is not None
    thread.join()
    done = client.get("/administration/retention/removals/000001")
    assert "Certificate 000001" in done.main
    assert "event" in done.main
    held = json.loads(client.flask.get("/administration/retention/removals/000001/certificate.json").data)
    assert held["cases"] == 1
    assert {one["kind"] for one in held["changed_lines"]} >= {"breach_history"}
    assert client.flask.get("/administration/retention/removals/000009").status_code == 404


def test_a_case_whose_earlier_record_was_removed_tells_so_on_its_page_and_in_what_is_taken_out(flow, enter):
    _house(flow)
    client = enter("ada", "administrator")
    client.post("/administration/retention/removals", {})
    work.work(flow.svc, "000001")
    assert client.flask.get("/cases/FAM-1").status_code == 404
    place = {"program": "cfss", "team": "north", "office": "adelaide"}
    flow.take(event("service.connected", "2031-06-01T11:00", place, case="FAM-1"))
    flow.take(event("service.connected", "2031-06-01T11:00", place, case="FAM-3"))
    flow.settle()
    told = "Earlier episodes of this case, with events up to Mon 10 May 2021, were removed on Mon 2 June 2031 under the retention rules."
    said = client.get("/cases/FAM-1")
    assert told in said.main
    assert [e.attributes["href"] for e in said.all("a") if "/removals/" in e.attributes.get("href", "")] == [
        "/administration/retention/removals/000001"
    ]
    other = enter("pat", "reviewer").get("/cases/FAM-1")
    assert told in other.main
    assert "Certificate" not in other.main
    assert "Earlier episodes" not in client.get("/cases/FAM-3").main
    held = caseexport.export(flow.svc, ME, "FAM-1")["earlier"]
    assert (held["through"][:10], held["removed_at"][:10], held["certificate"]) == ("2021-05-10", "2031-06-02", "000001")
    with zipfile.ZipFile(io.BytesIO(caseexport.archive(flow.svc, ME, "FAM-1").body)) as packed:
        (name,) = (one for one in packed.namelist() if one.endswith("README.txt"))
        assert "Earlier episodes" in packed.read(name).decode()
    _, token = keys.create(flow.svc, name="k", scopes=["cases:read"])
    answers = [client.flask.get(f"/v1/cases/{case}", headers={"Authorization": f"Bearer {token}"}).json for case in ("FAM-1", "FAM-3")]
    assert answers[0]["earlier"] == held | {"certificate": None}
    assert answers[1]["earlier"] is None


def test_a_hold_is_set_and_lifted_on_the_page_of_its_case_and_shown_to_whoever_sees_the_case(flow, enter):
    _house(flow)
    client = enter("ada", "administrator")
    assert "Set a legal hold" in client.get("/cases/FAM-1").main
    client.post("/administration/legal-holds", {"case": "FAM-1", "reason": "The coroner has asked.", "from": "case"})
    said = client.get("/cases/FAM-1")
    assert "Nothing of this case may be removed." in said.main
    assert "The coroner has asked." in said.main
    other = enter("pat", "reviewer").get("/cases/FAM-1")
    assert "The coroner has asked." in other.main
    assert "Lift this hold" not in other.main
    (hold,) = legalholds.of_case(flow.svc, "FAM-1")
    client.post(f"/administration/legal-holds/{hold.id}/lift", {"reason": "It is over.", "from": "case"})
    lifted = client.get("/cases/FAM-1")
    assert "It is over." in lifted.main
    assert client.flask.get("/administration/retention").status_code == 200


def test_without_rules_the_page_says_that_nothing_is_removed_and_what_to_set(flow, enter):
    client = enter("ada", "administrator")
    page = client.get("/administration/retention")
    assert "Nothing is removed" in page.main
    assert "DUECARE_RETENTION" in page.main


def test_who_is_limited_or_does_not_administer_gets_none_of_it(flow, enter):
    _house(flow)
    for client in (enter("lee", "administrator", teams=["north"]), enter("pat", "reviewer")):
        for path in ("/administration/retention", "/administration/retention/plan", "/administration/retention/removals/000001"):
            assert client.flask.get(path).status_code == 403
