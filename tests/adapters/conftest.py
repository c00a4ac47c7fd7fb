"""Fixtures that the tests of several adapters share."""

from collections.abc import Iterator

import pytest

from tests.adapters.contract import reader
from tests.support.servers import fresh_database

__all__ = ["module_pg", "reader"]


@pytest.fixture(scope="module")
def module_pg(pg_url: str) -> Iterator[str]:
    """A PostgreSQL database for all tests of a module: each clears away what it needs."""
    with fresh_database(pg_url) as url:
        yield url
