"""The contract of adapters, kept by commcare: an index that lags behind, links to another address, cases that vanish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import CONSENTS, OVERLAP, VISITS, Contract, Row, World, local
from tests.adapters.online import Online
from tests.support.commcareworld import KEY, USER, CommCare

MAPPING = """
mapping: contract
version: "1"
source: {uri}
format: {{zone: Australia/Adelaide}}
case: indices.parent.case_id
recorded: server_last_modified
events:
  - of: visits
    type: {{constant: visit.held}}
    id: {{template: "visit-{{properties.number}}"}}
    time: properties.held
    data:
      status: {{column: properties.status, values: {{done: held, missed: attempted{more}}}}}
      mode: {{constant: in_person}}
  - of: consents
    state: true
    type: {{constant: consent.recorded}}
    id: {{template: "consent-{{properties.number}}"}}
    time: server_last_modified
    data:
      decision: {{column: properties.status, values: {{granted: agree, withdrawn: withdraw}}}}
"""


class Cases(Online):
    """Cases of two types with an index to their family; each answer comes two hours after the one before, so that sweeps are due."""

    text = MAPPING
    slow = 2

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = CommCare()
        super().__init__(self.system)
        monkeypatch.setenv("COMMCARE_KEY", KEY)

    def remove(self, row: Row) -> None:
        self.system.drop(f"{row.kind}-{row.ref}")

    def late(self, row: Row) -> Callable[[], None]:
        properties = {"number": row.ref, "status": row.status, "held": local(row.held)}
        return self.system.begin(f"{row.kind}-{row.ref}", row.kind, properties, at=row.at, parent=row.family)

    def settings(self) -> tuple[str, dict[str, Any]]:
        who = {"domain": "north", "user": USER, "key": {"env": "COMMCARE_KEY"}, "case_types": [VISITS, CONSENTS]}
        return "commcare", {**self.where, **who, "page": self.page, "overlap": OVERLAP, "sweep_hours": 1}


class TestCommCare(Contract):
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Cases(monkeypatch)
        yield made
        made.close()
