"""The contract of adapters, kept by rest with each way of paging that may be trusted with a busy system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import CONSENTS, OVERLAP, VISITS, Contract, Row, World
from tests.adapters.online import Online
from tests.support.webworld import Ask, Records, Say


class Two:
    """A system of two lists."""

    broken = False

    def __init__(self, style: str) -> None:
        self.lists = {kind: Records(name=kind, style=style) for kind in (VISITS, CONSENTS)}

    def __call__(self, ask: Ask) -> Say:
        return Say({}, 500) if self.broken else self.lists[ask.path.split("/")[1]](ask)


class Lists(Online):
    """Two lists with a filter that is inclusive and cut to seconds, and records that say that they were deleted."""

    def __init__(self, style: str) -> None:
        self.style = style
        system = Two("page" if style == "ordered" else style)
        super().__init__(system)
        self.lists = system.lists

    def remove(self, row: Row) -> None:
        self._put(row, deleted=True)

    def late(self, row: Row) -> Callable[[], None]:
        self._put(row, deleted=False, late=True)
        return lambda: self.lists[row.kind].late.discard(row.ref)

    def settings(self) -> tuple[str, dict[str, Any]]:
        paging: dict[str, Any] = {
            "ordered": {"style": "page", "parameter": "page"},
            "cursor": {"style": "cursor", "parameter": "cursor", "at": "next.cursor"},
            "link": {"style": "link"},
        }[self.style]
        lists = [
            {
                "kind": kind,
                "path": kind,
                "records": "data",
                "id": "id",
                "updated": "updated",
                "since": {"parameter": "since"},
                "ordered": self.style == "ordered",
                "paging": {**paging, "size_parameter": "per", "size": self.page},
                "total": "meta.total",
                "deleted": {"field": "deleted"},
                "one": f"{kind}/{{id}}",
            }
            for kind in (VISITS, CONSENTS)
        ]
        return "rest", {**self.where, "tries": 1, "overlap": OVERLAP, "lists": lists}

    def _put(self, row: Row, *, deleted: bool, late: bool = False) -> None:
        self.lists[row.kind].put(row.ref, at=row.at, late=late, **{**row.fields(), "deleted": deleted})


@pytest.fixture
def world(style: str) -> Iterator[World]:
    made = Lists(style)
    yield made
    made.close()


@pytest.mark.parametrize("style", ["ordered"])
class TestByTime(Contract):
    pass


@pytest.mark.parametrize("style", ["cursor"])
class TestByCursor(Contract):
    pass
