"""FHIR resources become events; what servers do differently, mark as mistaken or forget is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.base import Adapter, AdapterError, Kind
from adapters.systems.fhir import KIND, Settings
from service.sources import pull as pulling
from service.sources.definitions import Configured
from store import sources
from tests.support.fhirworld import Fhir
from tests.support.reading import configured, stored, told
from tests.support.service_kit import Kit, instant
from tests.support.webworld import Say, Site, ms

PATIENT = {"reference": "Patient/p1", "display": "Jane Doe"}


@pytest.fixture
def system() -> Fhir:
    return Fhir()


@pytest.fixture
def site(system: Fhir) -> Iterator[Site]:
    with Site(system) as made:
        made.now = lambda: system.now
        system.host = made.base
        yield made


@pytest.fixture
def kind() -> Kind:
    return KIND


Make = Callable[[dict[str, Any]], Adapter]


def given(site: Site, **more: Any) -> dict[str, Any]:
    return {"base": site.base, "allow_private": True, **more}


@pytest.fixture
def source(kit: Kit, site: Site, tmp_path: Path) -> Configured:
    return configured(kit, tmp_path, "fhir", given(site))


def at(text: str) -> int:
    return ms(f"2026-{text}")


def resource(kind: str, ident: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": ident, "text": {"status": "generated", "div": "<div>Jane Doe</div>"}, **elements}


def a_family(system: Fhir) -> None:
    period = {"start": "2026-03-02T00:00:00Z", "end": "2026-05-04T00:00:00Z"}
    worker = {"reference": "Practitioner/w1", "display": "Ada"}
    pause = [{"status": "onhold", "period": {"start": "2026-04-06T00:00:00Z", "end": "2026-04-09T00:00:00Z"}}]
    system.put(
        resource("EpisodeOfCare", "e1", status="finished", patient=PATIENT, period=period, careManager=worker, statusHistory=pause),
        at=at("05-04T01:00:00"),
    )
    visit = {"period": {"start": "2026-03-03T00:00:00Z"}, "class": {"code": "HH", "display": "home"}}
    system.put(resource("Encounter", "v1", status="finished", subject=PATIENT, **visit), at=at("03-03T02:00:00"))
    system.put(resource("Encounter", "v2", status="planned", subject=PATIENT, period={"start": "2026-06-03"}), at=at("03-03T03:00:00"))
    rule = {"coding": [{"code": "OPTIN"}]}
    parent = [{"reference": "https://other.example/fhir/RelatedPerson/r1/_history/3"}]
    system.put(
        resource("Consent", "c1", status="active", patient=PATIENT, dateTime="2026-03-04", policyRule=rule, performer=parent),
        at=at("03-04T05:00:00"),
    )
    goals = [{"reference": "Goal/g1"}, {"reference": "#inside"}]
    system.put(
        resource("CarePlan", "k1", status="active", intent="plan", subject=PATIENT, created="2026-03-10", goal=goals),
        at=at("03-10T05:00:00"),
    )
    done = {"executionPeriod": {"end": "2026-03-20T00:00:00Z"}, "for": PATIENT}
    system.put(resource("Task", "t1", status="completed", intent="order", **done), at=at("03-20T05:00:00"))
    answers = [{"linkId": "1", "answer": [{"valueString": "Jane said"}]}]
    system.put(
        resource("QuestionnaireResponse", "q1", status="completed", subject=PATIENT, authored="2026-03-06T00:00:00Z", item=answers),
        at=at("03-06T05:00:00"),
    )


def test_resources_become_events_of_the_patients_case(kit: Kit, system: Fhir, source: Configured) -> None:
    a_family(system)
    done = pulling.pull(kit.svc, source)
    assert (done.error, done.counts["refused"]) == (None, 0)
    assert told(kit, "p1") == [
        ("case.opened", at("03-02T00:00:00")),
        ("visit.held", at("03-03T00:00:00")),
        ("consent.recorded", instant("2026-03-04 12:00")),
        ("assessment.completed", at("03-06T00:00:00")),
        ("case_plan.recorded", instant("2026-03-10 12:00")),
        ("action.completed", at("03-20T00:00:00")),
        ("clock.paused", at("04-06T00:00:00")),
        ("clock.resumed", at("04-09T00:00:00")),
        ("case.closed", at("05-04T00:00:00")),
    ]
    found = {event.type: event for event in stored(kit, "p1")}
    assert found["consent.recorded"].data["person"] == "r1"
    assert found["consent.recorded"].data["decision"] == "agree"
    assert found["visit.held"].data == {"status": "held", "mode": "in_person", "seen": ["p1"]}
    assert found["visit.held"].recorded == at("03-03T02:00:00")
    assert found["case_plan.recorded"].data["goals"][0] == {"id": "g1"}
    assert found["case.opened"].data == {"episode": "e1", "worker": {"id": "w1"}}


def test_a_consent_that_becomes_inactive_is_withdrawn_then(kit: Kit, system: Fhir, source: Configured) -> None:
    a_family(system)
    pulling.pull(kit.svc, source)
    consent = {**system.versions["Consent", "c1"][-1], "status": "inactive"}
    system.put(consent, at=at("05-05T00:00:00"))
    pulling.pull(kit.svc, source)
    decisions = [(event.data["decision"], event.time) for event in stored(kit, "p1") if event.type == "consent.recorded"]
    assert decisions == [("agree", instant("2026-03-04 12:00")), ("withdraw", at("05-05T00:00:00"))]


def test_what_was_entered_in_error_is_taken_back(kit: Kit, system: Fhir, source: Configured) -> None:
    a_family(system)
    pulling.pull(kit.svc, source)
    system.put({**system.versions["Encounter", "v1"][-1], "status": "entered-in-error"}, at=at("05-05T00:00:00"))
    pulling.pull(kit.svc, source)
    (void,) = [event for event in stored(kit, "p1") if event.type == "event.voided"]
    assert (void.data["target"], void.recorded) == ("Encounter-v1", at("05-05T00:00:00"))


@pytest.mark.parametrize("status", [404, 410])
def test_a_resource_that_is_asked_for_and_not_there_is_gone(make: Make, system: Fhir, site: Site, status: int) -> None:
    a_family(system)
    if status == 410:
        system.delete("Encounter", "v1")
    found = make(given(site)).fetch("Encounter", "v1" if status == 410 else "v9")
    assert [(one.kind, one.gone) for one in found] == [("Encounter", True)]


def test_a_date_without_its_day_waits_in_the_reject_list(kit: Kit, system: Fhir, source: Configured) -> None:
    system.put(resource("CarePlan", "k2", status="active", intent="plan", subject=PATIENT, created="2026-03"))
    assert pulling.pull(kit.svc, source).counts["refused"] == 1
    with kit.svc.reading() as session:
        (reject,) = sources.open_rejects(session, source.uri)
        assert (reject.kind, reject.ref, reject.problems[0]["pointer"]) == ("CarePlan", "k2", "/time")


def test_every_change_between_two_pulls_is_told_where_versions_are_asked_for(make: Make, system: Fhir, site: Site) -> None:
    consent = resource("Consent", "c1", status="active", patient=PATIENT)
    for number, status in enumerate(["active", "active", "inactive", "active"]):
        system.put({**consent, "status": status}, at=at("03-04T00:00:00") + number * 60_000)
    settings = given(site, resources=[{"type": "Consent", "history": ["status"]}])
    page = make(settings).pull(None)
    changes = [(one.fields["from"], one.fields["to"], one.changed) for one in page.records if one.kind == "Consent.change"]
    first = at("03-04T00:00:00")
    assert changes == [(None, "active", first), ("active", "inactive", first + 120_000), ("inactive", "active", first + 180_000)]


def test_names_narratives_and_answers_stay_outside(make: Make, system: Fhir, site: Site) -> None:
    a_family(system)
    adapter = make(given(site))
    cursor, more, read = None, True, []
    while more:
        page = adapter.pull(cursor)
        cursor, more = page.cursor, page.more
        read += page.records
    assert len(read) == 7
    assert "Jane" not in repr(read)
    assert "Ada" not in repr(read)


def test_a_link_to_another_place_is_not_followed(make: Make, system: Fhir, site: Site) -> None:
    for number in range(3):
        system.put(resource("Task", str(number), status="requested", **{"for": PATIENT}), at=at("03-04T00:00:00"))
    system.host = "https://elsewhere.example/"
    adapter = make(given(site, resources=["Task"], count=2))
    first = adapter.pull(None)
    with pytest.raises(AdapterError, match="another place"):
        adapter.pull(first.cursor)


def test_a_full_page_of_one_second_without_a_link_is_an_error_and_no_end(system: Fhir, site: Site, make: Make) -> None:
    system.links = False
    for number in range(3):
        system.put(resource("Task", str(number), status="requested"), at=at("03-04T00:00:00"))
    with pytest.raises(AdapterError, match="offset"):
        make(given(site, resources=["Task"], count=2)).pull(None)
    assert "offset" in make(given(site, resources=["Task"])).check().problems[0]


def test_a_server_that_gives_no_links_is_read_on_by_time(system: Fhir, site: Site, make: Make) -> None:
    system.links = False
    for number in range(7):
        system.put(resource("Task", str(number), status="requested"), at=at("03-04T00:00:00") + number * 1000)
    adapter = make(given(site, resources=["Task"], count=2))
    cursor, more, read = None, True, set()
    while more:
        page = adapter.pull(cursor)
        cursor, more = page.cursor, page.more
        read |= {one.ref for one in page.records}
    assert read == {str(number) for number in range(7)}


def test_an_answer_that_is_no_bundle_is_told(make: Make, site: Site) -> None:
    site.answer = lambda _: Say([{"resourceType": "Task"}])
    with pytest.raises(AdapterError, match="no FHIR Bundle"):
        make(given(site)).pull(None)


@pytest.mark.parametrize(
    ("what", "says"),
    [({"version": "3.0.2"}, "R4"), ({"heeds": False}, "does not heed _lastUpdated"), ({"broken": True}, "500")],
)
def test_check_tells_what_the_server_cannot(make: Make, system: Fhir, site: Site, what: dict[str, Any], says: str) -> None:
    system.put(resource("Task", "1", status="requested"))
    for name, value in what.items():
        setattr(system, name, value)
    found = make(given(site, resources=["Task"])).check()
    assert (found.identity, len(found.problems)) == (None, 1)
    assert says in found.problems[0]


def test_check_counts_what_may_be_read(make: Make, system: Fhir, site: Site) -> None:
    a_family(system)
    found = make(given(site)).check()
    assert (found.identity, found.problems, found.readable["Encounter"]) == ("FHIR 4.0.1", [], "2 resources")


@pytest.mark.parametrize(
    "resources", [["Task", "Task"], [{"type": "../Task"}], [{"type": "Task", "params": {"_include": "Task:owner"}}], []]
)
def test_settings_that_would_ask_for_something_else_are_refused(site: Site, resources: list[Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(given(site, resources=resources))
