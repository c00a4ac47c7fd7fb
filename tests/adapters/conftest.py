"""Fixtures that the tests of several adapters share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter, Kind
from tests.adapters.contract import killer, reader
from tests.support.servers import fresh_database
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

__all__ = ["killer", "kit", "make", "module_pg", "reader"]


@pytest.fixture(scope="module")
def module_pg(pg_url: str) -> Iterator[str]:
    """A PostgreSQL database for all tests of a module: each clears away what it needs."""
    with fresh_database(pg_url) as url:
        yield url


@pytest.fixture
def kit(sqlite_url: str, tmp_path: Path) -> Iterator[Kit]:
    """A service on an empty database, on a day in winter."""
    with kit_on(sqlite_url, tmp_path / "home", now="2026-06-01 12:00") as made:
        yield made


@pytest.fixture
def make(kind: Kind) -> Iterator[Callable[[dict[str, Any]], Adapter]]:
    """Makes adapters of the module's ``kind`` that are closed in the end."""
    made: list[Adapter] = []

    def of(settings: dict[str, Any]) -> Adapter:
        made.append(kind.make(kind.settings.model_validate(settings)))
        return made[-1]

    yield of
    for adapter in made:
        adapter.close()
