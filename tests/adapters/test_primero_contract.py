"""The contract of adapters, kept by primero; each record of the suite is a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import OVERLAP, Contract, Row, World, local
from tests.support.primeroworld import PASSWORD, USER, Primero
from tests.support.webworld import Site

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


class Cases(World):
    """Cases that hold what the suite's records hold; disabling a case is how it is deleted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.system = Primero(token_good_for=9)
        self.site = Site(self.system)
        self.site.now = lambda: int(self.clock.timestamp() * 1000)
        self.site.__enter__()
        monkeypatch.setenv("PRIMERO_PASSWORD", PASSWORD)

    def write(self, row: Row) -> None:
        self.late(row)()

    def remove(self, row: Row) -> None:
        self.system.save(f"{row.kind}-{row.ref}", at=int(row.changed.timestamp() * 1000), record_state=False)

    def late(self, row: Row) -> Callable[[], None]:
        at = int(row.changed.timestamp() * 1000)
        values = {"sort": row.kind, "number": row.ref, "family": row.family, "status": row.status, "held": local(row.held)}
        return self.system.begin(f"{row.kind}-{row.ref}", at=at, record_state=True, name_first="Jane", **values)

    def breaks(self) -> Callable[[], None]:
        self.system.broken = True

        def mend() -> None:
            self.system.broken = False

        return mend

    def settings(self) -> tuple[str, dict[str, Any]]:
        who = {"user": USER, "password": {"env": "PRIMERO_PASSWORD"}, "base": self.site.base, "allow_private": True}
        fields = ["sort", "number", "family", "status", "held"]
        return "primero", {**who, "page": self.page, "overlap": OVERLAP, "fields": fields}

    def mapping(self, *, mended: bool = False) -> str:
        return MAPPING.format(uri=self.uri, more=", perhaps: cancelled" if mended else "")

    def close(self) -> None:
        self.site.__exit__()


class TestPrimero(Contract):
    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Cases(monkeypatch)
        yield made
        made.close()
