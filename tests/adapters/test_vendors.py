"""CommCare HQ and DHIS2 through their simulators and their ready mappings: tried out, pulled, changed, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.base import kinds
from adapters.systems.dhis2 import Settings as Dhis2Settings
from rules.model import Event
from service import pull as pulling
from service.sources import Configured, read_file
from service.trial import trial
from store.cases import load_case
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on
from tests.support.vendors import CommCare, Dhis2
from tests.support.webworld import Say, Site, ms

NOW = "2026-03-20 14:00"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with kit_on(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, now=NOW) as made:
        yield made


@pytest.fixture
def commcare() -> CommCare:
    made = CommCare()
    made.save("f1", "family", {"program": "cfss", "team": "north", "connected_on": "2026-03-02", "service": "cfss-north"})
    made.now += 60_000
    visit = {"visit_status": "done", "visit_mode": "home", "visit_purpose": "engagement", "persons_seen": "c1 p1"}
    for number in range(1, 8):
        made.save(f"v{number}", "family_visit", {**visit, "visit_date": f"2026-03-0{number}"}, parent="f1")
        made.now += 1_000
    made.save("k1", "consent", {"person_id": "p1", "decision": "agreed"}, parent="f1")
    made.save("s1", "safety_plan", {"plan_date": "2026-03-09", "plan_status": "completed", "plan_kind": "immediate"}, parent="f1")
    made.save("m1", "network_meeting", {"meeting_date": "2026-03-10", "is_final": "no"}, parent="f1")
    made.now += 1_000
    return made


@pytest.fixture
def dhis2() -> Dhis2:
    made = Dhis2()
    day = ms("2026-03-01T14:30:00")  # midnight of 2 March in Darwin
    made.save("enrollment", "n1", trackedEntity="f1", enrolledAt=day, completedAt=None)
    for number in range(1, 8):
        made.now += 1_000
        values = {"VISIT_MODE": "HOME", "PERSONS_SEEN": "c1,p1", "NARRATIVE": "Jane Doe was upset"}
        more = {"programStage": "VISIT", "status": "COMPLETED", "occurredAt": day + number * 86_400_000}
        made.save("event", f"v{number}", values, enrollment="n1", trackedEntity="f1", **more)
    consent = {"CONSENT_PERSON": "p1", "CONSENT_DECISION": "AGREE"}
    made.save("event", "k1", consent, enrollment="n1", trackedEntity="f1", programStage="CONSENT", occurredAt=day)
    made.save("event", "z1", {}, enrollment="n1", trackedEntity="f1", programStage="VISIT", status="SCHEDULE", scheduledAt=day)
    made.now += 1_000
    return made


Make = Callable[..., Configured]


@pytest.fixture
def commcare_source(kit: Kit, commcare: CommCare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("COMMCARE_KEY", "the-key")
    with Site(commcare) as site:
        site.now = lambda: commcare.now

        def make(**more: Any) -> Configured:
            settings = {
                "base": site.base,
                "allow_private": True,
                "tries": 1,
                "domain": "north",
                "user": "reader@example.org",
                "key": {"env": "COMMCARE_KEY"},
                "case_types": ["family", "family_visit", "consent", "safety_plan", "network_meeting"],
                "page": 3,
                **more,
            }
            return _source(tmp_path, kit, "commcare", "Australia/Darwin", settings)

        yield make


@pytest.fixture
def dhis2_source(kit: Kit, dhis2: Dhis2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("DHIS2_TOKEN", "d2pat_the-token")
    with Site(dhis2) as site:
        site.now = lambda: dhis2.now

        def make(**more: Any) -> Configured:
            settings = {
                "base": site.base,
                "allow_private": True,
                "tries": 1,
                "token": {"env": "DHIS2_TOKEN"},
                "user": "reader",
                "program": "CFSS",
                "id_scheme": "CODE",
                "page": 3,
                **more,
            }
            return _source(tmp_path, kit, "dhis2", dhis2.zone, settings)

        yield make


def _source(folder: Path, kit: Kit, name: str, zone: str, settings: dict[str, Any]) -> Configured:
    file = folder / f"{name}.yaml"
    given = {"source": name, "adapter": name, "zone": zone, "mapping": name, "settings": settings}
    file.write_text(json.dumps(given))
    return read_file(file, kit.svc.policies.all_types)


def events(kit: Kit) -> list[Event]:
    with kit.svc.reading() as session:
        return sorted(load_case(session, "f1").file.events, key=lambda event: event.id)


def standing(kit: Kit) -> list[str]:
    found = events(kit)
    voided = {event.data["target"] for event in found if event.type == "event.voided"}
    return [event.id for event in found if event.id not in voided and event.type != "event.voided"]


def pull(kit: Kit, source: Configured) -> pulling.Pulled:
    done = pulling.pull(kit.svc, source)
    assert done.error is None
    return done


# --- CommCare ---------------------------------------------------------------------------------------------------------

COMMCARE = ["connected-f1", "consent-k1", "meeting-m1", "opened-f1", "safety-plan-s1", *(f"visit-v{number}" for number in range(1, 8))]


def test_commcare_tried_out_shows_what_each_case_becomes_and_what_is_left(kit: Kit, commcare_source: Make) -> None:
    found = list(trial(kit.svc, commcare_source(), limit=50))
    assert [problem for one in found for problem in one.problems] == []
    made = {part.parsed.event.id: part.parsed.event for one in found for part in one.events if part.parsed.event is not None}
    assert sorted(made) == COMMCARE
    assert made["visit-v3"].data == {
        "status": "held", "mode": "in_person", "purpose": "engagement", "seen": ["c1", "p1"], "occurred_on": "2026-03-03",
    }  # fmt: skip
    assert "case_name" in found[0].unread
    assert "Jane Doe" not in str([one.events for one in found])


def test_commcare_is_pulled_page_by_page_and_again_without_a_change(kit: Kit, commcare_source: Make) -> None:
    pull(kit, commcare_source())
    assert standing(kit) == COMMCARE
    assert pull(kit, commcare_source()).counts["accepted"] == 0


def test_commcare_cases_that_are_indexed_again_change_nothing_and_those_that_are_edited_do(
    kit: Kit, commcare: CommCare, commcare_source: Make
) -> None:
    pull(kit, commcare_source())
    commcare.now += 60_000
    for row in commcare.index.values():
        row["indexed_on"] = commcare.now
    assert pull(kit, commcare_source()).counts["accepted"] == 0
    commcare.save("v2", "family_visit", {"visit_status": "not_home"})
    commcare.save("k1", "consent", {"decision": "withdrawn"})
    commcare.save("f1", "family", {"closure_reason": "moved"}, closed=True, date_closed="2026-03-19T01:00:00.000000Z")
    pull(kit, commcare_source())
    assert {"visit-v2~2", "consent-k1~2", "closed-f1-2026-03-19T01:00:00.000000Z"} <= set(standing(kit))
    assert "visit-v2" not in standing(kit)


def test_commcare_cases_that_are_indexed_while_they_are_read_hide_no_other(kit: Kit, commcare: CommCare, commcare_source: Make) -> None:
    moved = iter(["v1", "v2", "v4"])

    def meanwhile() -> None:
        commcare.now += 500
        for ref in moved:
            commcare.save(ref, "family_visit", {"visit_mode": "phone"})
            return

    commcare.between = meanwhile
    pull(kit, commcare_source())
    pull(kit, commcare_source())
    found = {event.id.partition("~")[0]: event.data.get("mode") for event in events(kit) if event.id in standing(kit)}
    assert [found[f"visit-v{number}"] for number in range(1, 6)] == ["phone", "phone", "in_person", "phone", "in_person"]


def test_commcare_cases_that_are_deleted_are_found_out_by_a_sweep(kit: Kit, commcare: CommCare, commcare_source: Make) -> None:
    source = commcare_source(sweep_hours=1)
    pull(kit, source)
    commcare.drop("v5")
    commcare.now += 3_700_000
    kit.clock.advance(hours=2)
    pull(kit, source)
    assert standing(kit) == [one for one in COMMCARE if one != "visit-v5"]


def test_commcare_says_how_much_may_be_read_and_what_may_not(commcare: CommCare, commcare_source: Make) -> None:
    adapter = commcare_source().adapter()
    found = adapter.check()
    assert (found.identity, found.readable["family_visit"], found.problems) == ("reader@example.org", "7 cases that this user may see", [])
    commcare.key = "another"
    assert "does not know us" in adapter.check().problems[0]
    adapter.close()


def test_commcare_asks_for_no_more_than_it_is_told_to(commcare: CommCare, commcare_source: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = commcare_source(fields=["properties.visit_date", "indices"], case_types=["family_visit"]).adapter()
    seen: list[dict[str, str]] = []
    real = commcare._list

    def watched(params: dict[str, str]) -> Say:
        seen.append(params)
        return real(params)

    monkeypatch.setattr(commcare, "_list", watched)
    cursor = adapter.pull(None).cursor
    adapter.pull(cursor)
    assert seen[0] == {"case_type": "family_visit", "fields": "case_id,case_type,indexed_on,properties.visit_date,indices", "limit": "3"}
    assert set(seen[1]) == {"cursor"}
    adapter.close()


# --- DHIS2 ------------------------------------------------------------------------------------------------------------

DHIS2 = ["connected-n1", "consent-k1", *(f"visit-v{number}" for number in range(1, 8))]


def test_dhis2_tried_out_shows_what_each_record_becomes(kit: Kit, dhis2_source: Make) -> None:
    found = list(trial(kit.svc, dhis2_source(), limit=50))
    assert [problem for one in found for problem in one.problems] == []
    made = {part.parsed.event.id: part.parsed.event for one in found for part in one.events if part.parsed.event is not None}
    assert sorted(made) == DHIS2
    assert made["visit-v1"].data == {"episode": "n1", "status": "held", "mode": "in_person", "seen": ["c1", "p1"]}
    assert made["visit-v1"].time == ms("2026-03-02T14:30:00")
    assert "values.NARRATIVE" in {name for one in found for name in one.unread}
    assert all("createdBy" not in one.record.fields for one in found)


def test_dhis2_is_pulled_page_by_page_and_again_without_a_change(kit: Kit, dhis2_source: Make) -> None:
    pull(kit, dhis2_source())
    assert standing(kit) == DHIS2
    assert pull(kit, dhis2_source()).counts["accepted"] == 0


@pytest.mark.parametrize("zone", ["Australia/Darwin", "America/Bogota"])
def test_dhis2_edits_and_deletions_are_followed(kit: Kit, dhis2: Dhis2, dhis2_source: Make, zone: str) -> None:
    dhis2.zone = zone
    pull(kit, dhis2_source())
    dhis2.now += 60_000
    dhis2.drop("event", "v3")
    dhis2.save("event", "v4", status="SKIPPED")
    dhis2.save("event", "z1", status="COMPLETED", occurredAt=dhis2.now, values={"VISIT_MODE": "PHONE"})
    dhis2.save("enrollment", "n1", status="COMPLETED", completedAt=dhis2.now)
    dhis2.now += 1_000
    pull(kit, dhis2_source())
    expected = {*DHIS2, "visit-v4~2", "visit-z1", "closed-n1"} - {"visit-v3", "visit-v4"}
    assert set(standing(kit)) == expected


def test_dhis2_events_that_change_while_they_are_read_hide_no_other(kit: Kit, dhis2: Dhis2, dhis2_source: Make) -> None:
    moved = iter(["v1", "v2", "v4"])

    def meanwhile() -> None:
        dhis2.now += 2_000
        for ref in moved:
            dhis2.save("event", ref, {"VISIT_MODE": "PHONE"})
            return

    dhis2.between = meanwhile
    pull(kit, dhis2_source())
    pull(kit, dhis2_source())
    found = {event.id.partition("~")[0]: event.data.get("mode") for event in events(kit) if event.id in standing(kit)}
    assert [found[f"visit-v{number}"] for number in range(1, 6)] == ["phone", "phone", "in_person", "phone", "in_person"]


def test_dhis2_says_when_its_clock_is_in_another_zone_than_the_file_says(dhis2: Dhis2, dhis2_source: Make) -> None:
    adapter = dhis2_source().adapter()
    found = adapter.check()
    assert (found.identity, dict(found.readable), found.problems) == (
        "reader",
        {"enrollment": "1 that this user may see", "event": "9 that this user may see"},
        [],
    )
    dhis2.zone = "Africa/Kigali"
    assert "time zone is Africa/Kigali" in adapter.check().problems[0]
    adapter.close()


def test_dhis2_of_an_older_version_is_read_where_its_lists_stand(kit: Kit, dhis2: Dhis2, dhis2_source: Make) -> None:
    dhis2.under = "instances"
    adapter = dhis2_source().adapter()
    assert "see `instances`" in adapter.check().problems[0]
    adapter.close()
    pull(kit, dhis2_source(instances=True))
    assert standing(kit) == DHIS2


def test_dhis2_that_takes_us_for_somebody_else_is_not_read(kit: Kit, dhis2_source: Make) -> None:
    assert "somebody else" in str(pulling.pull(kit.svc, dhis2_source(user="admin")).error)
    assert events(kit) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"zone": None},
        {"zone": "Nowhere/Here"},
        {"token": None},
        {"basic": {"user": "u", "password": {"env": "P"}}},
        {"org_unit_mode": "CHILDREN"},
        {"org_unit": "x", "org_unit_mode": "ALL"},
    ],
)
def test_dhis2_settings_that_cannot_work_are_refused(fault: dict[str, Any]) -> None:
    good = {"base": "https://dhis2.example/", "token": {"env": "T"}, "program": "p", "zone": "UTC"}
    assert Dhis2Settings.model_validate(good).page == 200
    with pytest.raises(ValidationError):
        Dhis2Settings.model_validate({**good, **fault})


def test_commcare_settings_that_cannot_work_are_refused() -> None:
    good = {"base": "https://host.example/", "domain": "north", "user": "u", "key": {"env": "K"}, "case_types": ["a"]}
    model = kinds()["commcare"].settings
    assert model.model_validate(good).model_dump()["page"] == 500
    for fault in ({"domain": "../other"}, {"case_types": []}, {"case_types": ["a", "a"]}, {"page": 5001}, {"key": "written-out"}):
        with pytest.raises(ValidationError):
            model.model_validate({**good, **fault})
