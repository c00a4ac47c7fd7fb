"""A program of a DHIS2 becomes events by the mapping that ships: tried out, pulled, changed, deleted, in versions old and new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.systems.dhis2 import KIND, Settings
from service.sources import pull as pulling
from service.sources.definitions import Configured
from service.sources.trial import trial
from tests.support.dhis2world import OTHER_UNIT, PROGRAM, TOKEN, UNIT, USER, Dhis2, a_family
from tests.support.reading import configured, pull, standing, stored
from tests.support.service_kit import Kit
from tests.support.webworld import Site, ms

EVENTS = ["connected-n1", "consent-k1", *(f"visit-v{number}" for number in range(1, 8))]


@pytest.fixture
def system() -> Dhis2:
    made = Dhis2()
    a_family(made)
    return made


Make = Callable[..., Configured]


@pytest.fixture
def source(kit: Kit, system: Dhis2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("DHIS2_TOKEN", TOKEN)
    with Site(system) as site:
        site.now = lambda: system.now

        def make(**more: Any) -> Configured:
            settings = {"token": {"env": "DHIS2_TOKEN"}, "user": USER, "program": PROGRAM, "id_scheme": "CODE", "page": 3, **more}
            given = {"base": site.base, "allow_private": True, "tries": 1, **settings}
            return configured(kit, tmp_path, "dhis2", given, zone=system.zone)

        yield make


def test_a_source_tried_out_shows_what_each_record_becomes(kit: Kit, source: Make) -> None:
    found = list(trial(kit.svc, source(), limit=50))
    assert [problem for one in found for problem in one.problems] == []
    made = {part.parsed.event.id: part.parsed.event for one in found for part in one.events if part.parsed.event is not None}
    assert sorted(made) == EVENTS
    assert made["visit-v1"].data == {"episode": "n1", "status": "held", "mode": "in_person", "seen": ["c1", "p1"]}
    assert made["visit-v1"].time == ms("2026-03-02T14:30:00")
    assert made["connected-n1"].data == {"episode": "n1", "program": "cfss", "office": UNIT}
    assert "values.NARRATIVE" in {name for one in found for name in one.unread}
    assert all("createdBy" not in one.record.fields for one in found)


def test_a_program_is_pulled_page_by_page_and_again_without_a_change(kit: Kit, source: Make) -> None:
    pull(kit, source())
    assert sorted(standing(kit, "f1")) == EVENTS
    assert pull(kit, source()).counts["accepted"] == 0


@pytest.mark.parametrize("zone", ["Australia/Darwin", "America/Bogota"])
def test_edits_and_deletions_are_followed(kit: Kit, system: Dhis2, source: Make, zone: str) -> None:
    system.zone = zone
    pull(kit, source())
    system.now += 60_000
    system.drop("event", "v3")
    system.save("event", "v4", status="SKIPPED")
    system.save("event", "z1", status="COMPLETED", occurredAt=system.now, values={"VISIT_MODE": "PHONE"})
    system.save("enrollment", "n1", status="COMPLETED", completedAt=system.now)
    system.now += 1_000
    pull(kit, source())
    expected = {*EVENTS, "visit-v4~2", "visit-z1", "closed-n1"} - {"visit-v3", "visit-v4"}
    assert set(standing(kit, "f1")) == expected


def test_an_enrollment_that_is_deleted_takes_its_events_with_it(kit: Kit, system: Dhis2, source: Make) -> None:
    pull(kit, source())
    system.now += 60_000
    system.drop("enrollment", "n1")
    pull(kit, source())
    assert standing(kit, "f1") == {}


def test_events_that_change_while_they_are_read_hide_no_other(kit: Kit, system: Dhis2, source: Make) -> None:
    moved = iter(["v1", "v2", "v4"])

    def meanwhile() -> None:
        system.now += 2_000
        for ref in moved:
            system.save("event", ref, {"VISIT_MODE": "PHONE"})
            return

    system.between = meanwhile
    pull(kit, source())
    pull(kit, source())
    found = {name.partition("~")[0]: event.data.get("mode") for name, event in standing(kit, "f1").items()}
    assert [found[f"visit-v{number}"] for number in range(1, 6)] == ["phone", "phone", "in_person", "phone", "in_person"]


def test_changes_in_the_hour_that_comes_twice_are_found(kit: Kit, system: Dhis2, source: Make) -> None:
    system.zone = "Australia/Adelaide"
    pull(kit, source())
    for at in ("2026-04-04T16:20:00", "2026-04-04T16:50:00"):  # 2.50 and 2.20, an hour later by the clock, on 5 April
        system.now = ms(at)
        system.save("event", "v1", {"VISIT_MODE": "PHONE" if at.endswith("20:00") else "VIDEO"})
        system.now += 1_000
        pull(kit, source())
    (visit,) = [event for name, event in standing(kit, "f1").items() if name.startswith("visit-v1")]
    assert visit.data["mode"] == "video"


def test_check_says_when_the_clock_is_in_another_zone_than_the_file_says(system: Dhis2, source: Make) -> None:
    adapter = source().adapter()
    found = adapter.check()
    assert (found.identity, dict(found.readable), found.problems) == (
        USER,
        {"enrollment": "1 that this user may see", "event": "9 that this user may see"},
        [],
    )
    system.called = "Africa/Kigali"
    assert "time zone is Africa/Kigali" in adapter.check().problems[0]
    system.called = "Australia/North"  # another name for Darwin's
    assert adapter.check().ok
    adapter.close()


def test_a_version_without_codes_is_found_out(system: Dhis2, source: Make) -> None:
    system.version = (2, 41)
    adapter = source().adapter()
    assert "2.41 gives identifiers whatever" in adapter.check().problems[0]
    adapter.close()


def test_an_older_version_is_read_where_its_lists_stand(kit: Kit, system: Dhis2, source: Make) -> None:
    system.version = (2, 40)
    adapter = source(id_scheme="UID").adapter()
    assert "set `instances` to true" in adapter.check().problems[0]
    adapter.close()
    adapter = source(id_scheme="UID", instances=True).adapter()
    found = adapter.check()
    assert (found.problems, found.readable["event"]) == ([], "9 that this user may see")
    system.version = (2, 43)
    found = adapter.check()
    assert "set `instances` to false" in found.problems[0]
    assert "no list stands under instances" in found.problems[1]
    adapter.close()
    system.version = (2, 40)
    pull(kit, source(id_scheme="UID", instances=True))
    assert list(standing(kit, "f1")) == ["connected-n1"]  # the mapping that ships speaks of stages by code


@pytest.mark.parametrize("version", [(2, 40), (2, 42)])
def test_no_unit_is_read_but_the_one_that_was_named(system: Dhis2, source: Make, version: tuple[int, int]) -> None:
    system.version = version
    system.save("enrollment", "n2", trackedEntity="f2", orgUnit=OTHER_UNIT)
    system.save("event", "v8", {}, enrollment="n2", trackedEntity="f2", programStage="VISIT", orgUnit=OTHER_UNIT)
    adapter = source(org_unit=OTHER_UNIT, instances=system.older, id_scheme="UID").adapter()
    page = adapter.pull(None)
    found = [one.ref for one in page.records]
    while page.more:
        page = adapter.pull(page.cursor)
        found += [one.ref for one in page.records]
    assert found == ["n2", "v8"]
    adapter.close()


def test_a_system_that_takes_us_for_somebody_else_is_not_read(kit: Kit, source: Make) -> None:
    assert "somebody else" in str(pulling.pull(kit.svc, source(user="admin")).error)
    assert stored(kit, "f1") == []


@pytest.mark.parametrize(
    "fault",
    [
        {"zone": None},
        {"zone": "Nowhere/Here"},
        {"token": None},
        {"basic": {"user": "u", "password": {"env": "P"}}},
        {"program": "CFSS"},
        {"org_unit": "NORTH"},
        {"org_unit_mode": "CHILDREN"},
        {"org_unit": UNIT, "org_unit_mode": "ALL"},
    ],
)
def test_settings_that_cannot_work_are_refused(fault: dict[str, Any]) -> None:
    good = {"base": "https://dhis2.example/", "token": {"env": "T"}, "program": PROGRAM, "zone": "UTC"}
    assert Settings.model_validate(good).page == 200
    with pytest.raises(ValidationError):
        KIND.settings.model_validate({**good, **fault})
