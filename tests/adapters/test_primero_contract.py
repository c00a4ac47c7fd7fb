"""The contract of adapters, kept by primero; each record of the suite is a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import OVERLAP, Contract, Row, World, local
from tests.adapters.online import Online
from tests.support.primeroworld import PASSWORD, USER, Primero

MAPPING = """
mapping: contract
version: "1"
source: {uri}
format: {{zone: Australia/Adelaide}}
case: family
recorded: last_updated_at
events:
  - of: case
    skip: [{{column: sort, none_of: [visits]}}]
    type: {{constant: visit.held}}
    id: {{template: "visit-{{number}}"}}
    time: held
    data:
      status: {{column: status, values: {{done: held, missed: attempted{more}}}}}
      mode: {{constant: in_person}}
  - of: case
    skip: [{{column: sort, none_of: [consents]}}]
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{number}}"}}
    time: last_updated_at
    data:
      decision: {{column: status, values: {{granted: agree, withdrawn: withdraw}}}}
"""


class Cases(Online):
    """Cases that hold what the suite's records hold; disabling a case is how it is deleted."""

    text = MAPPING

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = Primero(token_good_for=9)
        super().__init__(self.system)
        monkeypatch.setenv("PRIMERO_PASSWORD", PASSWORD)

    def remove(self, row: Row) -> None:
        self.system.save(f"{row.kind}-{row.ref}", at=row.at, record_state=False)

    def late(self, row: Row) -> Callable[[], None]:
        values = {"sort": row.kind, "number": row.ref, "family": row.family, "status": row.status, "held": local(row.held)}
        return self.system.begin(f"{row.kind}-{row.ref}", at=row.at, record_state=True, name_first="Jane", **values)

    def settings(self) -> tuple[str, dict[str, Any]]:
        who = {"user": USER, "password": {"env": "PRIMERO_PASSWORD"}}
        fields = ["sort", "number", "family", "status", "held"]
        return "primero", {**self.where, **who, "page": self.page, "overlap": OVERLAP, "fields": fields}


class TestPrimero(Contract):
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Cases(monkeypatch)
        yield made
        made.close()
