"""The contract of adapters, kept by the watched folder: its records never change, so nothing there is edited or deleted."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.contract import Contract, Row, World


class Folder(World):
    """A folder into which each record is laid as a file of its own."""

    edits = False
    states = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir()

    def write(self, row: Row) -> None:
        self._lay(row)

    def remove(self, row: Row) -> None:
        raise NotImplementedError

    def late(self, row: Row) -> Callable[[], None]:
        path = self._written(row, ".part")

        def finish() -> None:
            path.rename(path.with_suffix(".csv"))

        return finish

    def breaks(self) -> Callable[[], None]:
        away = self.folder.with_name("away")
        self.folder.rename(away)
        return lambda: (away.rename(self.folder), None)[1]

    def settings(self) -> tuple[str, dict[str, Any]]:
        return "files", {"folder": str(self.folder), "settle": 0, "page": self.page}

    def mapping(self, *, mended: bool = False) -> str:
        visits, _, _ = super().mapping(mended=mended).partition("  - of: consents")
        return visits.replace("of: visits", "of: csv")

    def _lay(self, row: Row) -> None:
        path = self._written(row, ".part")
        path.rename(path.with_suffix(".csv"))

    def _written(self, row: Row, suffix: str) -> Path:
        path = self.folder / f"{row.ref}{suffix}"
        with path.open("w", newline="") as file:
            out = csv.DictWriter(file, row.fields())
            out.writeheader()
            out.writerow(row.fields())
        os.utime(path, (row.changed.timestamp(), row.changed.timestamp()))
        return path


class Export(Folder):
    """The same, but all that was added since the last pull is laid in one file, which is read in several pages."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.waiting: list[Row] = []
        self.numbers = count()

    def write(self, row: Row) -> None:
        self.waiting.append(row)

    def settings(self) -> tuple[str, dict[str, Any]]:
        if self.waiting:
            with (self.folder / f"export-{next(self.numbers)}.csv").open("w", newline="") as file:
                out = csv.DictWriter(file, self.waiting[0].fields())
                out.writeheader()
                out.writerows(row.fields() for row in self.waiting)
            self.waiting = []
        return super().settings()


class TestFolder(Contract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return Folder(tmp_path / "exports")


class TestExport(Contract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return Export(tmp_path / "exports")
