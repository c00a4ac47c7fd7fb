"""The contract of adapters, kept by rest with each way of paging that may be trusted with a busy system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.contract import CONSENTS, OVERLAP, VISITS, Contract, Row, World
from tests.support.webworld import Ask, Records, Say, Site


class Lists(World):
    """Two lists with a filter that is inclusive and cut to seconds, and records that say that they were deleted."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.style = style
        self.lists = {kind: Records(name=kind, style="page" if style == "ordered" else style) for kind in (VISITS, CONSENTS)}
        self.broken = False
        self.site = Site(self._answer)
        self.site.now = lambda: int(self.clock.timestamp() * 1000)
        self.site.__enter__()

    def _answer(self, ask: Ask) -> Say:
        if self.broken:
            return Say({}, 500)
        return self.lists[ask.path.split("/")[1]](ask)

    def write(self, row: Row) -> None:
        self._put(row, deleted=False)

    def remove(self, row: Row) -> None:
        self._put(row, deleted=True)

    def late(self, row: Row) -> Callable[[], None]:
        self._put(row, deleted=False, late=True)
        return lambda: self.lists[row.kind].late.discard(row.ref)

    def breaks(self) -> Callable[[], None]:
        self.broken = True

        def mend() -> None:
            self.broken = False

        return mend

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
        return "rest", {"base": self.site.base, "allow_private": True, "tries": 1, "overlap": OVERLAP, "lists": lists}

    def close(self) -> None:
        self.site.__exit__()

    def _put(self, row: Row, *, deleted: bool, late: bool = False) -> None:
        self.lists[row.kind].put(row.ref, at=int(row.changed.timestamp() * 1000), late=late, **{**row.fields(), "deleted": deleted})


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
