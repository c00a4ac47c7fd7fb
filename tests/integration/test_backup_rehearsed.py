"""Backup and restore, rehearsed: made while others write, brought back on either database, judged again to the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select

from service import backups, evaluate, seals
from service.access import system
from service.audits import runs as audits
from service.bootstrap import build
from service.errors import NotPossible
from service.ingest import ingest
from service.settings import Settings
from service.sources.pull import pull
from store import migrations
from store.backup import FORMAT, VERSION
from store.engine import dumps, make_engine, reader_factory
from store.models import AuditRow, Base, CaseStateRow, DirtyRow, EventRow, VerdictRow
from store.queue import mark_every_case
from store.restore import read_backup
from tests.adapters.contract import configured
from tests.support.chaos import crowd, verdicts
from tests.support.furnished import NEVER_FILLED, content, furnish, part, put
from tests.support.overseen import until
from tests.support.servers import fresh_database
from tests.support.service_kit import KEY, Kit, kit, shipped

NOW = "2026-06-01T12:00"
HELD = "id,family,held\n1,F1,2026-03-02 10:00\n"
MAPPING = """
mapping: rehearsed
version: "1"
source: urn:test:rehearsed
format: {zone: UTC}
case: family
id: {template: "visit-{id}"}
type: {constant: visit.held}
time: held
data: {status: {constant: held}, mode: {constant: in_person}}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database that the backup goes into."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    else:
        with fresh_database(request.getfixturevalue("pg_url")) as url:
            yield url


@pytest.fixture
def house(store_url: str, tmp_path: Path) -> Iterator[Kit]:
    with kit(store_url, tmp_path / "house", now=NOW) as made:
        yield made


def restored(file: Path, url: str, house: Kit) -> Kit:
    svc = build(Settings(home=file.parent / "again", database_url=url, secret_key=KEY), now=house.clock, policies=shipped())
    backups.restore(svc, file)
    return Kit(svc, house.clock)


def bytes_of_verdicts(house: Kit) -> str:
    with house.svc.reading() as session:
        rows = session.execute(select(*VerdictRow.__table__.columns).order_by(VerdictRow.id)).all()
    return "\n".join(dumps(list(row)) for row in rows)


def test_after_a_restore_every_verdict_is_made_again_byte_for_byte(house: Kit, elsewhere: str, tmp_path: Path) -> None:
    furnish(house)
    house.settle()
    made = backups.write(house.svc, tmp_path / "saved")
    again = restored(tmp_path / "saved", elsewhere, house)
    before = bytes_of_verdicts(house)
    assert bytes_of_verdicts(again) == before
    with again.svc.writing() as session:
        session.query(VerdictRow).delete()
        mark_every_case(session, house.clock())
    while evaluate.drain(again.svc):
        pass
    assert bytes_of_verdicts(again) == before
    with house.svc.reading() as session:
        (audit,) = session.scalars(select(AuditRow.id))
    assert audits.report_text(again.svc, system(), audit) == audits.report_text(house.svc, system(), audit)
    found = seals.verify(again.svc)
    assert (found.count, found.seals > 0) == (0, True)
    told = " ".join(backups.aftermath(again.svc, made))
    assert "read to then: urn:test:pulled." in told
    assert "sent since, which does no harm where it is there already: urn:test:casework." in told
    assert "SECRET_KEY" not in told
    other = build(Settings(home=tmp_path, database_url=elsewhere, secret_key="another-key-that-is-also-long-enough"), policies=shipped())
    assert "DUECARE_SECRET_KEY is not that of the backup" in " ".join(backups.aftermath(other, made))
    other.close()
    again.svc.close()


def test_a_backup_made_while_others_write_shows_one_instant(house: Kit, tmp_path: Path) -> None:
    events = crowd(1_000, seed=5)
    ingest(house.svc, events[:300], via="test")
    house.settle()
    stop, rounds = threading.Event(), []

    def write() -> None:
        rest = iter(range(300, 1_000, 20))
        while not stop.is_set() and (start := next(rest, None)) is not None:
            ingest(house.svc, events[start : start + 20], via="test")
            evaluate.drain(house.svc, budget=0.1)
            rounds.append(start)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: bool(rounds))
        for number in range(3):
            backups.write(house.svc, tmp_path / f"saved{number}")
    finally:
        stop.set()
        writer.join()
    again = restored(tmp_path / "saved2", f"sqlite:///{tmp_path / 'again.sqlite3'}", house)
    with again.svc.reading() as session:
        judged = {row.case_id: row.position for row in session.scalars(select(CaseStateRow))}
        waiting = set(session.scalars(select(DirtyRow.case_id)))
        for event in session.scalars(select(EventRow)):
            assert event.case_id in waiting or judged[event.case_id] >= event.position, "an event is neither judged nor waits"
    again.take(*events)
    again.settle()
    ingest(house.svc, events, via="test")
    house.settle()
    with again.svc.reading() as session, house.svc.reading() as other:
        assert verdicts(session) == verdicts(other)
    again.svc.close()


def test_sources_are_read_on_from_where_the_backup_saw_them(house: Kit, elsewhere: str, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "1.csv").write_text(HELD)
    source = configured(house, tmp_path, "files", {"folder": str(folder), "settle": 0}, MAPPING)
    assert pull(house.svc, source).counts["accepted"] == 1
    backups.write(house.svc, tmp_path / "saved")
    (folder / "2.csv").write_text(HELD.replace("1,F1", "2,F2"))
    assert pull(house.svc, source).counts["accepted"] == 1
    again = restored(tmp_path / "saved", elsewhere, house)
    assert pull(again.svc, source).counts["accepted"] == 1, "the file that came after the backup, and no other"
    with again.svc.reading() as session, house.svc.reading() as other:
        assert set(session.scalars(select(EventRow.id))) == set(other.scalars(select(EventRow.id))) == {"visit-1", "visit-2"}
    again.svc.close()


@pytest.mark.parametrize("revision", ["0001", "0012"])
def test_a_backup_of_an_earlier_version_becomes_one_of_this(revision: str, house: Kit, elsewhere: str, tmp_path: Path) -> None:
    furnish(house)
    with house.svc.engine.connect() as connection:
        held = content(connection)
    then = make_engine(f"sqlite:///{tmp_path / 'then.sqlite3'}")
    migrations.upgrade(then, revision)
    with then.begin() as connection:
        before = put(
            connection,
            held,
            order=[table.name for table in Base.metadata.sorted_tables],
            without={name for name, since in NEVER_FILLED.items() if revision < since},
        )
    engine = make_engine(elsewhere)
    with old_backup(then, tmp_path / "old").open("rb") as file:
        read_backup(engine, file)
    assert migrations.check(engine) == []
    with engine.connect() as connection:
        after = part(content(connection), before)
    for name in ("event", "verdict", "breach_history", "api_key"):
        assert after[name] == part(before, before)[name]
    engine.dispose()
    then.dispose()


def old_backup(engine: Engine, file: Path) -> Path:
    """As an earlier program would have written it."""
    with reader_factory(engine)() as session:
        rows = content(session.connection())
        columns = {name: [column["name"] for column in inspect(engine).get_columns(name)] for name in rows}
    order = sorted(
        rows, key=lambda name: [table.name for table in Base.metadata.sorted_tables].index(name) if name in Base.metadata.tables else 0
    )
    head = {"format": FORMAT, "version": VERSION, "revision": migrations.current(engine), "tables": {name: columns[name] for name in order}}
    lines = [head, *([name, [row[column] for column in columns[name]]] for name in order for row in rows[name])]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    foot = {"rows": {name: len(rows[name]) for name in order}, "sha256": hashlib.sha256(text).hexdigest()}
    file.write_bytes(gzip.compress(text + json.dumps(foot).encode() + b"\n"))
    return file


def test_a_backup_that_cannot_be_finished_leaves_no_file(house: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(backups, "write_backup", full)
        with pytest.raises(OSError, match="No space"):
            backups.write(house.svc, tmp_path / "saved")
    assert [file.name for file in tmp_path.iterdir() if "saved" in file.name] == []
    backups.write(house.svc, tmp_path / "saved")
    assert (tmp_path / "saved").stat().st_mode & 0o077 == 0
    with pytest.raises(NotPossible):
        backups.write(house.svc, tmp_path / "saved")
