"""While a page is stored the next one is read: nothing of it is on record before its turn, and nothing of the first is spoilt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import AdapterError, Cursor, Page
from service.sources import pull as pulling
from service.sources.definitions import Configured
from service.sources.records import Plan
from tests.integration.test_pull import Client, configured, ids, row, visit
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on


class Watched(Client):
    """A client that tells when its second page is read, and that spoils the cursor that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.second = threading.Event()
        self.using = threading.Lock()

    def pull(self, cursor: Cursor | None) -> Page:
        with self.using:
            found = super().pull(cursor)
            if cursor is not None:
                self.second.set()
                cursor.setdefault("seen", {})["spoilt"] = True  # type: ignore[attr-defined]
            return found

    def close(self) -> None:
        assert self.using.acquire(blocking=False), "it is closed while it is asked"
        self.using.release()
        super().close()


@pytest.fixture
def kit(sqlite_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit_on(sqlite_url, tmp_path, now="2026-03-20 12:00") as made:
        yield made


@pytest.fixture
def client() -> Watched:
    made = Watched()
    made.holds([visit("1")], [visit("2", held="2026-03-09 10:00")], [visit("3", held="2026-03-16 10:00")])
    return made


@pytest.fixture
def source(kit: Kit, client: Watched) -> Configured:
    return configured(kit, client)


def test_the_next_page_is_read_while_one_is_stored(kit: Kit, client: Watched, source: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    of, seen = Plan.of, []

    def waiting(*args: Any, **more: Any) -> Plan:
        seen.append(client.second.wait(120))
        return of(*args, **more)

    monkeypatch.setattr(Plan, "of", waiting)
    assert pulling.pull(kit.svc, source).error is None
    assert (seen, ids(kit)) == ([True] * 3, ["visit-1", "visit-2", "visit-3"])


def test_what_an_adapter_does_to_its_cursor_does_not_reach_the_one_on_record(kit: Kit, client: Watched, source: Configured) -> None:
    pulling.pull(kit.svc, source)
    assert row(kit).cursor == {"read": 3}


def test_a_page_that_was_read_and_not_stored_is_read_again(kit: Kit, client: Watched, source: Configured) -> None:
    stopped = pulling.pull(kit.svc, source, stop=lambda: True)
    assert (stopped.unfinished, ids(kit), row(kit).cursor) == (True, ["visit-1"], {"read": 1})
    pulling.pull(kit.svc, source)
    assert ids(kit) == ["visit-1", "visit-2", "visit-3"]


def test_a_page_that_cannot_be_read_spoils_none_before_it(kit: Kit, client: Watched, source: Configured) -> None:
    client.fails[1] = AdapterError("the system cannot be reached")
    broken = pulling.pull(kit.svc, source)
    assert (broken.error, ids(kit), row(kit).cursor, client.closed) == ("the system cannot be reached", ["visit-1"], {"read": 1}, 1)
