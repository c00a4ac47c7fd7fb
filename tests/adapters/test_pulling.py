"""Pulls from a database that many write to at once: nothing is lost, nothing comes twice.

`./dev bench pulling` does the same with far more.  That pulls are killed is a part of the contract that every adapter keeps.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from service.sources import pull as pulling
from service.sources.definitions import Configured, read_file
from tests.support.pulling import SOURCE, SQL, Crowd, client, standing, there
from tests.support.service_kit import Kit
from tests.support.service_kit import kit as kit_on

LATE = 0.5


def configured(kit: Kit, folder: Path, *, page: int, overlap: int) -> Configured:
    path = folder / "source.yaml"
    path.write_text(SOURCE.format(adapter="sql", settings=SQL.format(page=page, overlap=overlap)), "utf-8")
    return read_file(path, kit.svc.policies.all_types)


def test_what_many_write_at_once_is_all_read_though_some_of_it_commits_late(
    module_pg: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_URL", module_pg)
    engine = client(module_pg)
    crowd = Crowd(engine, writers=4, changes=2_000, late=LATE)
    with kit_on(sqlite_url, tmp_path, now="2030-01-01T00:00") as kit:
        source = configured(kit, tmp_path, page=100, overlap=600)
        crowd.start()
        while crowd.busy:
            assert pulling.pull(kit.svc, source).error is None
        assert pulling.pull(kit.svc, source).error is None
        assert standing(kit.svc.engine) == there(engine)
        assert crowd.changed == 2_000
    engine.dispose()
