"""Cases of a Primero become events with the times and persons of their own, whatever the interface leaves out, cuts or moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.base import Adapter, AdapterError, Kind
from adapters.systems.primero import KIND
from service.sources import pull as pulling
from service.sources.definitions import Configured
from service.sources.taking import take_one
from tests.support.primeroworld import PASSWORD, USER, Primero
from tests.support.reading import configured, stored, told
from tests.support.service_kit import Kit, instant
from tests.support.webworld import Site, ms

CASE = "7f0c5c0e-0000-4000-8000-000000000001"


@pytest.fixture
def system() -> Primero:
    return Primero()


@pytest.fixture
def site(system: Primero, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("PRIMERO_PASSWORD", PASSWORD)
    with Site(system) as made:
        made.now = lambda: system.now
        yield made


@pytest.fixture
def kind() -> Kind:
    return KIND


Make = Callable[[dict[str, Any]], Adapter]


def given(site: Site, **more: Any) -> dict[str, Any]:
    return {"base": site.base, "allow_private": True, "user": USER, "password": {"env": "PRIMERO_PASSWORD"}, **more}


@pytest.fixture
def source(kit: Kit, site: Site, tmp_path: Path) -> Configured:
    return configured(kit, tmp_path, "primero", given(site))


def at(text: str) -> int:
    return ms(f"2026-{text}")


def a_closed_case(system: Primero) -> None:
    system.save(CASE, at=at("03-02T00:00:00"), by="ada", owned_by="ada", status="open", consent_for_services=False, name_first="Jane")
    system.save(CASE, at=at("03-03T00:00:00"), by="ada", consent_for_services=True)
    system.save(CASE, at=at("03-04T00:00:00"), by="ada", date_case_plan="2026-03-03", approval_status_case_plan="pending")
    system.save(CASE, at=at("03-05T00:00:00"), by="bo", approval_status_case_plan="approved", case_plan_approved_date="2026-03-05")
    system.save(CASE, at=at("03-06T00:00:00"), by="bo", owned_by="cleo")
    system.save(CASE, at=at("03-09T00:00:00"), by="cleo", status="closed", closure_reason="moved", date_closure="2026-03-09")


LIFE = [
    ("case.opened", at("03-02T00:00:00")),
    ("consent.recorded", at("03-03T00:00:00")),
    ("case_plan.recorded", instant("2026-03-03 12:00")),
    ("approval.granted", at("03-05T00:00:00")),
    ("case.transferred", at("03-06T00:00:00")),
    ("case.closed", at("03-09T00:00:00")),
]


@pytest.mark.parametrize("creation_told", [True, False], ids=["the creation is told", "older versions leave it out"])
def test_a_case_becomes_the_events_of_its_history(kit: Kit, system: Primero, source: Configured, creation_told: bool) -> None:
    system.creation_told = creation_told
    a_closed_case(system)
    done = pulling.pull(kit.svc, source)
    assert (done.error, done.counts["refused"]) == (None, 0)
    assert told(kit, CASE) == LIFE
    found = {event.type: event for event in stored(kit, CASE)}
    assert found["approval.granted"].data == {"of": "case_plan", "by": {"id": "bo"}, "performer": {"id": "bo"}}
    assert (found["case.opened"].data["worker"], found["case.transferred"].data["worker"]) == ({"id": "ada"}, {"id": "cleo"})
    assert found["case.closed"].data["closure_reason"] == "moved"
    assert found["case_plan.recorded"].recorded == at("03-04T00:00:00")
    assert found["consent.recorded"].data["decision"] == "agree"


def test_a_case_pulled_at_each_step_becomes_the_same_events(kit: Kit, system: Primero, source: Configured) -> None:
    steps = Primero()
    a_closed_case(steps)
    for number, entry in enumerate(steps.histories[CASE]):
        values = {name: change["to"] for part in entry["record_changes"] for name, change in part.items()}
        system.save(CASE, at=ms(entry["datetime"].removesuffix("Z")), by=entry["user_name"], **values)
        pulling.pull(kit.svc, source)
        assert len(stored(kit, CASE)) >= min(number, len(LIFE))
    assert told(kit, CASE) == LIFE


def test_a_second_closure_is_told_although_its_date_stays_that_of_the_first(kit: Kit, system: Primero, source: Configured) -> None:
    a_closed_case(system)
    system.save(
        CASE, at=at("04-01T00:00:00"), by="cleo", status="open", reopened_logs=[{"reopened_date": "2026-04-01", "reopened_user": "cleo"}]
    )
    system.save(CASE, at=at("04-20T00:00:00"), by="cleo", status="closed", closure_reason="disengaged")
    pulling.pull(kit.svc, source)
    assert told(kit, CASE)[6:] == [("case.reopened", at("04-01T00:00:00")), ("case.closed", at("04-20T00:00:00"))]
    assert [event.data["closure_reason"] for event in stored(kit, CASE) if event.type == "case.closed"] == ["moved", "disengaged"]


def test_decisions_that_follow_each_other_between_two_pulls_are_all_told(kit: Kit, system: Primero, source: Configured) -> None:
    a_closed_case(system)
    pulling.pull(kit.svc, source)
    for day, word in (("10", "pending"), ("11", "rejected"), ("12", "pending"), ("13", "approved")):
        system.save(CASE, at=at(f"03-{day}T00:00:00"), by="bo", approval_status_closure=word, closure_approved_date="2026-03-13")
    pulling.pull(kit.svc, source)
    closure = [(kind, when) for kind, when in told(kit, CASE) if when > at("03-09T00:00:00")]
    assert closure == [
        ("closure.requested", at("03-10T00:00:00")),
        ("approval.rejected", at("03-11T00:00:00")),
        ("closure.requested", at("03-12T00:00:00")),
        ("approval.granted", at("03-13T00:00:00")),
    ]


def test_a_follow_up_counts_from_the_save_that_brought_it_and_goes_with_the_one_that_took_it(
    kit: Kit, system: Primero, source: Configured
) -> None:
    system.save(CASE, at=at("03-02T00:00:00"), owned_by="ada", status="open")
    one = {"unique_id": "f1", "followup_date": "2026-03-03"}
    system.save(CASE, at=at("03-04T00:00:00"), by="bo", followup_subform_section=[one, {"unique_id": "f2"}])
    system.save(CASE, at=at("03-08T00:00:00"), by="bo", sex="female")
    pulling.pull(kit.svc, source)
    (visit,) = [event for event in stored(kit, CASE) if event.type == "visit.held"]
    assert (visit.time, visit.recorded, visit.data["recorder"]) == (instant("2026-03-03 12:00"), at("03-04T00:00:00"), {"id": "bo"})
    system.save(CASE, at=at("03-09T00:00:00"), followup_subform_section=[])
    pulling.pull(kit.svc, source)
    (void,) = [event for event in stored(kit, CASE) if event.type == "event.voided"]
    assert (void.data["target"], void.recorded) == (visit.id, at("03-09T00:00:00"))


def test_a_case_that_is_disabled_takes_everything_back(kit: Kit, system: Primero, source: Configured) -> None:
    a_closed_case(system)
    pulling.pull(kit.svc, source)
    system.save(CASE, at=at("05-01T00:00:00"), record_state=False)
    pulling.pull(kit.svc, source)
    voided = {event.data["target"] for event in stored(kit, CASE) if event.type == "event.voided"}
    assert voided == {event.id for event in stored(kit, CASE) if event.type != "event.voided"}


def test_a_token_that_runs_out_in_the_middle_is_renewed(kit: Kit, system: Primero, source: Configured) -> None:
    system.token_good_for = 3
    for number in range(8):
        system.save(f"{CASE[:-1]}{number}", at=at("03-02T00:00:00") + number * 1000, owned_by="ada", status="open")
    done = pulling.pull(kit.svc, source)
    assert (done.error, done.counts["accepted"]) == (None, 8)
    assert len(system.tokens) > 2


def test_a_long_history_is_read_in_pages(kit: Kit, system: Primero, source: Configured) -> None:
    system.history_page = 3
    a_closed_case(system)
    pulling.pull(kit.svc, source)
    assert told(kit, CASE) == LIFE


def test_what_a_webhook_says_is_enough_to_take_that_one_case_in(kit: Kit, system: Primero, source: Configured) -> None:
    a_closed_case(system)
    nudged = yaml.safe_load(system.nudge(CASE))["data"]["record_id"]
    done = take_one(kit.svc, source, "case", nudged)
    assert (done.counts["refused"], told(kit, CASE)) == (0, LIFE)


def test_no_field_that_was_not_asked_for_leaves_the_adapter(make: Make, system: Primero, site: Site) -> None:
    a_closed_case(system)
    system.save(CASE, at=at("03-10T00:00:00"), name_first="Janet")
    adapter = make(given(site))
    page = adapter.pull(None)
    assert len(page.records) > 5
    assert "Jane" not in repr(page)


def test_check_says_as_whom_and_what_may_be_read(make: Make, system: Primero, site: Site) -> None:
    a_closed_case(system)
    found = make(given(site)).check()
    assert (found.identity, found.problems, found.readable["case"]) == (USER, [], "1 cases that this user may see")


@pytest.mark.parametrize(
    ("what", "says"),
    [({"filters": False}, "may not filter by it"), ({"log_allowed": False}, "403"), ({"broken": True}, "500")],
)
def test_check_tells_what_the_role_may_not_do(make: Make, system: Primero, site: Site, what: dict[str, Any], says: str) -> None:
    a_closed_case(system)
    for name, value in what.items():
        setattr(system, name, value)
    found = make(given(site)).check()
    assert (found.identity, len(found.problems)) == (None, 1)
    assert says in found.problems[0]


def test_a_wrong_password_is_told_without_it(make: Make, system: Primero, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIMERO_PASSWORD", "not-this-one")
    with pytest.raises(AdapterError) as caught:
        make(given(site)).pull(None)
    assert "not-this-one" not in str(caught.value)
