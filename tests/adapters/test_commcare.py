"""Cases of a CommCare HQ become events by the mapping that ships: tried out, pulled, changed, deleted, moved out of sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.base import AdapterError
from adapters.systems.commcare import KIND
from service.sources import pull as pulling
from service.sources.definitions import Configured
from service.sources.trial import trial
from tests.support.commcareworld import KEY, USER, CommCare, a_family
from tests.support.reading import configured, pull, standing, stored
from tests.support.service_kit import Kit
from tests.support.webworld import Say, Site

CASES = ["connected-f1", "consent-k1", "meeting-m1", "opened-f1", "safety-plan-s1", *(f"visit-v{number}" for number in range(1, 8))]


@pytest.fixture
def system() -> CommCare:
    made = CommCare()
    a_family(made)
    return made


Make = Callable[..., Configured]


@pytest.fixture
def source(kit: Kit, system: CommCare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("COMMCARE_KEY", KEY)
    with Site(system) as site:
        site.now = lambda: system.now

        def make(**more: Any) -> Configured:
            types = ["family", "family_visit", "consent", "safety_plan", "network_meeting"]
            settings = {"domain": "north", "user": USER, "key": {"env": "COMMCARE_KEY"}, "case_types": types, "page": 3, **more}
            given = {"base": site.base, "allow_private": True, "tries": 1, **settings}
            return configured(kit, tmp_path, "commcare", given, zone="Australia/Darwin")

        yield make


def test_a_source_tried_out_shows_what_each_case_becomes_and_what_is_left(kit: Kit, source: Make) -> None:
    found = list(trial(kit.svc, source(), limit=50))
    assert [problem for one in found for problem in one.problems] == []
    made = {part.parsed.event.id: part.parsed.event for one in found for part in one.events if part.parsed.event is not None}
    assert sorted(made) == CASES
    assert made["visit-v3"].data == {
        "status": "held", "mode": "in_person", "purpose": "engagement", "seen": ["c1", "p1"], "occurred_on": "2026-03-03",
    }  # fmt: skip
    assert "case_name" in found[0].unread
    assert "Jane Doe" not in str([one.events for one in found])


@pytest.mark.parametrize("links", [True, False])
def test_cases_are_pulled_page_by_page_whether_the_next_is_a_link_or_a_cursor_and_again_without_a_change(
    kit: Kit, system: CommCare, source: Make, *, links: bool
) -> None:
    system.links = links
    pull(kit, source())
    assert sorted(standing(kit, "f1")) == CASES
    assert pull(kit, source()).counts["accepted"] == 0


@pytest.mark.parametrize("further", [None, "https://www.commcare.example/a/north/api/case/v2/?page=2", {"page": 2}, 7])
def test_a_list_that_has_more_and_does_not_say_how_to_go_on_is_not_taken_for_whole(
    kit: Kit, system: CommCare, source: Make, monkeypatch: pytest.MonkeyPatch, further: Any
) -> None:
    real = system._list

    def cut(params: dict[str, str]) -> Say:
        said = real(params)
        return Say({**said.body, "next": further} if "next" in said.body else said.body)

    monkeypatch.setattr(system, "_list", cut)
    assert "more cases of the type family_visit" in str(pulling.pull(kit.svc, source()).error)


def test_cases_that_are_indexed_again_change_nothing_and_those_that_are_edited_do(kit: Kit, system: CommCare, source: Make) -> None:
    pull(kit, source())
    system.now += 60_000
    for row in system.index.values():
        row["indexed_on"] = system.now
    assert pull(kit, source()).counts["accepted"] == 0
    system.save("v2", "family_visit", {"visit_status": "not_home"})
    system.save("k1", "consent", {"decision": "withdrawn"})
    system.save("f1", "family", {"closure_reason": "moved"}, closed=True, date_closed="2026-03-19T01:00:00.000000Z")
    pull(kit, source())
    assert {"visit-v2~2", "consent-k1~2", "closed-f1-2026-03-19T01:00:00.000000Z"} <= set(standing(kit, "f1"))
    assert "visit-v2" not in standing(kit, "f1")


def test_cases_that_are_indexed_while_they_are_read_hide_no_other(kit: Kit, system: CommCare, source: Make) -> None:
    moved = iter(["v1", "v2", "v4"])

    def meanwhile() -> None:
        system.now += 500
        for ref in moved:
            system.save(ref, "family_visit", {"visit_mode": "phone"})
            return

    system.between = meanwhile
    pull(kit, source())
    pull(kit, source())
    found = {name.partition("~")[0]: event.data.get("mode") for name, event in standing(kit, "f1").items()}
    assert [found[f"visit-v{number}"] for number in range(1, 6)] == ["phone", "phone", "in_person", "phone", "in_person"]


def test_cases_that_are_deleted_are_found_out_by_a_sweep_and_those_out_of_sight_stay(kit: Kit, system: CommCare, source: Make) -> None:
    pull(kit, source(sweep_hours=1))
    before = stored(kit, "f1")
    system.elsewhere.update({"v6", "m1"})
    system.now += 3_700_000
    kit.clock.advance(hours=2)
    pull(kit, source(sweep_hours=1))
    assert stored(kit, "f1") == before
    system.drop("v5")
    system.now += 3_700_000
    kit.clock.advance(hours=2)
    pull(kit, source(sweep_hours=1))
    assert sorted(standing(kit, "f1")) == [one for one in CASES if one != "visit-v5"]


def test_check_says_how_much_may_be_read_and_what_may_not(system: CommCare, source: Make) -> None:
    adapter = source(fields=["properties.visit_date"]).adapter()
    found = adapter.check()
    assert (found.identity, found.readable["family_visit"], found.problems) == (USER, "7 cases that this user may see", [])
    system.knows_fields = False
    assert "an older installation does not know `fields`" in adapter.check().problems[0]
    system.key = "another"
    assert adapter.check().problems[0].endswith("does not know us")
    adapter.close()


def test_no_more_is_asked_for_than_was_told(system: CommCare, source: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = source(fields=["properties.visit_date", "indices"], case_types=["family_visit"]).adapter()
    seen: list[dict[str, str]] = []
    real = system._list

    def watched(params: dict[str, str]) -> Say:
        seen.append(params)
        return real(params)

    monkeypatch.setattr(system, "_list", watched)
    page = adapter.pull(None)
    second = adapter.pull(page.cursor)
    assert seen[0] == {"case_type": "family_visit", "fields": "case_id,case_type,indexed_on,properties.visit_date,indices", "limit": "3"}
    assert set(seen[1]) == {"cursor"}
    fields = {"case_id", "case_type", "indexed_on", "properties", "indices"}
    assert {frozenset(one.fields) for one in (*page.records, *second.records, *adapter.fetch("family_visit", "v1"))} == {frozenset(fields)}
    adapter.close()


def test_a_case_that_may_not_be_read_is_told_from_one_that_is_gone(system: CommCare, source: Make) -> None:
    adapter = source().adapter()
    system.elsewhere.add("v1")
    with pytest.raises(AdapterError, match="may not read"):
        adapter.fetch("family_visit", "v1")
    (gone,) = adapter.fetch("family_visit", "v99")
    assert gone.gone
    adapter.close()


@pytest.mark.parametrize("domain", ["north", "a.b-c_d", "9lives"])
def test_settings_that_can_work_are_taken(domain: str) -> None:
    good = {"base": "https://host.example/", "domain": domain, "user": "u", "key": {"env": "K"}, "case_types": ["a"]}
    assert KIND.settings.model_validate(good).model_dump()["page"] == 500


@pytest.mark.parametrize(
    "fault",
    [{"domain": "../other"}, {"domain": "a/b"}, {"case_types": []}, {"case_types": ["a", "a"]}, {"page": 5001}, {"key": "written-out"}],
)
def test_settings_that_cannot_work_are_refused(fault: dict[str, Any]) -> None:
    good = {"base": "https://host.example/", "domain": "north", "user": "u", "key": {"env": "K"}, "case_types": ["a"]}
    with pytest.raises(ValidationError):
        KIND.settings.model_validate({**good, **fault})
