"""Pulls from a database that many write to at once, and pulls that are killed: nothing is lost, nothing comes twice.

`./dev bench pulling` does the same with far more of both.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import text

from service import pull as pulling
from service.sources import Configured, read_file
from tests.support.pulling import FILES, SOURCE, SQL, Crowd, Installation, client, standing, there, word_for_word
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
        source = configured(kit, tmp_path, page=100, overlap=3)
        crowd.start()
        while crowd.busy:
            assert pulling.pull(kit.svc, source).error is None
        assert pulling.pull(kit.svc, source).error is None
        assert standing(kit.svc.engine) == there(engine)
        assert crowd.changed == 2_000
    engine.dispose()


@pytest.mark.parametrize("adapter", ["sql", "files"])
def test_a_pull_that_is_killed_and_begun_again_ends_as_one_that_was_not(tmp_path: Path, adapter: str) -> None:
    rows = [f"{n},F{n % 7},2026-03-{1 + n % 28:02} 10:00:00,2026-04-01 10:{n // 60 % 60:02}:{n % 60:02}" for n in range(300)]
    client_url = f"sqlite:///{tmp_path / 'client.sqlite3'}"
    engine = client(client_url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO visits VALUES (:id, :family, :held, :changed)"),
            [dict(zip(("id", "family", "held", "changed"), row.split(","), strict=True)) for row in rows],
        )
    engine.dispose()
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "visits.csv").write_text("id,family,held,changed\n" + "\n".join(rows) + "\n")
    settings = SQL.format(page=5, overlap=60) if adapter == "sql" else FILES.format(folder=folder, page=5)
    made = [
        Installation(tmp_path / name, f"sqlite:///{tmp_path / name}.sqlite3", adapter=adapter, settings=settings, client_url=client_url)
        for name in ("killed", "undisturbed")
    ]
    killed, undisturbed = made
    rng = random.Random(1)
    assert [killed.pull_and_kill(rng, within=0.2) for _ in range(2)].count(True)
    killed.pull()
    undisturbed.pull()
    assert word_for_word(killed.store) == word_for_word(undisturbed.store)
    assert len(standing(killed.store)) == 300
    for one in made:
        one.close()
