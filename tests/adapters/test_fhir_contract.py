"""The contract of adapters, kept by fhir: over next links and over offsets, with errors that are marked and resources that vanish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from tests.adapters.contract import OVERLAP, VISITS, Contract, Row, World
from tests.adapters.online import Online
from tests.support.fhirworld import Fhir

MAPPING = """
mapping: contract
version: "1"
source: {uri}
recorded: meta.lastUpdated
events:
  - of: Encounter
    case: subject.target.id
    type: {{constant: visit.held}}
    id: {{template: "visit-{{id}}"}}
    time: period.start
    data:
      status: {{column: status, values: {{done: held, missed: attempted{more}}}}}
      mode: {{constant: in_person}}
  - of: Consent
    case: patient.target.id
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{id}}"}}
    time: meta.lastUpdated
    data:
      decision: {{column: status, values: {{granted: agree, withdrawn: withdraw}}}}
"""


class Resources(Online):
    """Encounters and consents; what is deleted is entered in error."""

    text = MAPPING
    paging: ClassVar[str] = "next"
    more: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.system = Fhir(links=self.paging == "next")
        super().__init__(self.system)
        self.system.host = self.site.base

    def remove(self, row: Row) -> None:
        self.system.put({**_resource(row), "status": "entered-in-error"}, at=row.at)

    def late(self, row: Row) -> Callable[[], None]:
        return self.system.begin(_resource(row), at=row.at)

    def settings(self) -> tuple[str, dict[str, Any]]:
        resources = [{"type": "Encounter", "history": ["status"], **self.more}, {"type": "Consent", **self.more}]
        return "fhir", {**self.where, "paging": self.paging, "count": self.page, "overlap": OVERLAP, "resources": resources}


class Vanishing(Resources):
    """The same by offsets; what is deleted has vanished from searches, and each answer comes two hours after the one before."""

    paging = "offset"
    slow = 2
    more: ClassVar[dict[str, Any]] = {"sweep_hours": 1}

    def remove(self, row: Row) -> None:
        self.system.delete("Encounter" if row.kind == VISITS else "Consent", row.ref)


def _resource(row: Row) -> dict[str, Any]:
    family = f"Patient/{row.family}"
    if row.kind == VISITS:
        person = {"reference": family, "display": "Jane Doe"}
        return {
            "resourceType": "Encounter",
            "id": row.ref,
            "status": row.status,
            "subject": person,
            "period": {"start": row.held.isoformat()},
        }
    return {
        "resourceType": "Consent",
        "id": row.ref,
        "status": row.status,
        "patient": {"reference": f"https://elsewhere.example/fhir/{family}"},
    }


class TestFhirByLinks(Contract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        made = Resources()
        yield made
        made.close()


class TestFhirByOffset(Contract):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        made = Vanishing()
        yield made
        made.close()
