"""The fhir adapter against a server that somebody else wrote; bench/fhir_server.md says how to run one by hand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from adapters.base import Adapter
from adapters.systems.fhir import KIND, Settings
from service.sources import pull as pulling
from service.sources.definitions import Configured, read_file
from store.cases import load_case
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

SERVER = os.environ.get("DUECARE_TEST_FHIR", "")
pytestmark = pytest.mark.skipif(not SERVER, reason="DUECARE_TEST_FHIR names no FHIR server to be played with (bench/fhir_server.md)")


@pytest.fixture
def kit(sqlite_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(sqlite_url, tmp_path / "home", now="2099-01-01 12:00") as made:
        yield made


@pytest.fixture
def patient() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def server() -> Iterator[httpx.Client]:
    with httpx.Client(base_url=SERVER) as client:
        yield client


def settings(**more: Any) -> dict[str, Any]:
    return {"base": SERVER, "allow_private": True, "paging": "offset", "count": 10, "resources": ["Encounter", "Consent"], **more}


@pytest.fixture
def source(kit: Kit, tmp_path: Path) -> Configured:
    path = tmp_path / "fhir.yaml"
    file = {"source": "other", "adapter": "fhir", "zone": "Australia/Adelaide", "mapping": "fhir", "settings": settings()}
    path.write_text(yaml.safe_dump(file))
    return read_file(path, kit.svc.policies.all_types)


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    made = KIND.make(Settings.model_validate(settings()))
    yield made
    made.close()


def visit(patient: str, day: int, **more: Any) -> dict[str, Any]:
    start = f"2026-03-{day:02d}T00:00:00Z"
    common = {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}, "subject": {"reference": f"Patient/{patient}"}}
    return {**common, "period": {"start": start}, **more}


def created(server: httpx.Client, resource: dict[str, Any]) -> dict[str, Any]:
    answer = server.post(resource["resourceType"], json=resource)
    assert answer.status_code in (200, 201)
    found: dict[str, Any] = answer.json()
    return found


def held(kit: Kit, patient: str) -> list[str]:
    """The visits that stand."""
    with kit.svc.reading() as session:
        events = load_case(session, patient).file.events
    voided = {event.data["target"] for event in events if event.type == "event.voided"}
    return [event.id for event in events if event.type == "visit.held" and event.id not in voided]


def test_everything_is_read_once_and_changes_are_followed(kit: Kit, server: httpx.Client, source: Configured, patient: str) -> None:
    made = [created(server, visit(patient, day)) for day in range(1, 26)]
    done = pulling.pull(kit.svc, source)
    assert (done.error, len(held(kit, patient))) == (None, 25)
    server.put(f"Encounter/{made[0]['id']}", json={**made[0], "status": "entered-in-error"})
    server.put(f"Encounter/{made[1]['id']}", json={**made[1], "status": "cancelled"})
    created(server, visit(patient, 27))
    assert pulling.pull(kit.svc, source).error is None
    standing = held(kit, patient)
    assert len(standing) == 25
    assert f"Encounter-{made[0]['id']}" not in standing
    assert f"Encounter-{made[1]['id']}~2" in standing
    assert pulling.pull(kit.svc, source).counts["accepted"] == 0


def test_a_resource_that_was_deleted_is_known_to_be_gone(server: httpx.Client, adapter: Adapter, patient: str) -> None:
    made = created(server, visit(patient, 1))
    assert [one.gone for one in adapter.fetch("Encounter", made["id"])] == [False]
    assert server.delete(f"Encounter/{made['id']}").status_code in (200, 204)
    assert [one.gone for one in adapter.fetch("Encounter", made["id"])] == [True]


def test_check_says_what_may_be_read(server: httpx.Client, adapter: Adapter, patient: str) -> None:
    created(server, visit(patient, 1))
    found = adapter.check()
    assert found.ok
    assert set(found.readable) == {"Encounter", "Consent"}
