"""The contract of adapters, kept by dhis2: counted pages, times without an offset, records that stay marked as deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import OVERLAP, VISITS, Contract, Row, World
from tests.adapters.online import Online
from tests.support.dhis2world import PROGRAM, TOKEN, Dhis2

MAPPING = """
mapping: contract
version: "1"
source: {uri}
format: {{zone: Australia/Adelaide}}
case: trackedEntity
recorded: updatedAt
events:
  - of: event
    type: {{constant: visit.held}}
    id: {{template: "visit-{{event}}"}}
    time: occurredAt
    data:
      status: {{column: values.OUTCOME, values: {{done: held, missed: attempted{more}}}}}
      mode: {{constant: in_person}}
  - of: enrollment
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{enrollment}}"}}
    time: updatedAt
    data:
      decision: {{column: status, values: {{ACTIVE: agree, CANCELLED: withdraw}}}}
"""
STATUS = {"granted": "ACTIVE", "withdrawn": "CANCELLED"}


class Program(Online):
    """Events, and enrollments whose status is what stands; the server's zone is that of the suite."""

    text = MAPPING

    def __init__(self, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]) -> None:
        self.system = Dhis2(zone="Australia/Adelaide", version=version)
        super().__init__(self.system)
        monkeypatch.setenv("DHIS2_TOKEN", TOKEN)

    def remove(self, row: Row) -> None:
        self._begin(row, deleted=True)()

    def late(self, row: Row) -> Callable[[], None]:
        return self._begin(row, deleted=False)

    def settings(self) -> tuple[str, dict[str, Any]]:
        who = {"token": {"env": "DHIS2_TOKEN"}, "user": "reader", "program": PROGRAM, "zone": self.system.zone}
        how = {"instances": True} if self.system.older else {"id_scheme": "CODE"}
        return "dhis2", {**self.where, **who, **how, "page": self.page, "overlap": OVERLAP}

    def mapping(self, *, mended: bool = False) -> str:
        text = super().mapping(mended=mended)
        return text.replace("OUTCOME", "Outcome0000") if self.system.older else text

    def _begin(self, row: Row, *, deleted: bool) -> Callable[[], None]:
        more: dict[str, Any] = {"trackedEntity": row.family, "deleted": deleted, "at": row.at}
        if row.kind == VISITS:
            held = int(row.held.timestamp() * 1000)
            return self.system.begin("event", row.ref, {"OUTCOME": row.status}, occurredAt=held, **more)
        return self.system.begin("enrollment", row.ref, status=STATUS[row.status], **more)


class TestDhis2(Contract):
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Program(monkeypatch, (2, 42))
        yield made
        made.close()


class TestDhis2BeforeItsListsHadNames(Contract):
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Program(monkeypatch, (2, 40))
        yield made
        made.close()
