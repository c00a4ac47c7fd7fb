"""Backups: everything comes back, on either database, and a damaged file changes nothing."""

import gzip
import io
import json

import pytest
from sqlalchemy import select, text

from rules.model import Heartbeat
from store import migrations
from store.backup import BackupError, SourceThen, write_backup
from store.breaches import Change, Line, altered_lines, write_breaches
from store.engine import make_engine
from store.errors import SchemaError
from store.events import insert_events, insert_heartbeats, insert_links
from store.models import ApiKeyRow, Base, WaiverRow
from store.queue import claim_dirty, mark_dirty
from store.restore import read_backup, read_manifest
from store.states import CaseState, note_policy, write_state
from store.verdicts import replace_verdicts
from tests.support.stores import Store, breach, event, opened, verdict


def fill(store: Store) -> None:
    with store.write.begin() as session:
        insert_events(session, [event(f"e{number}", text="ä\U0001f600", nothing=None, n=number) for number in range(1_500)], received=1)
        insert_events(session, [event("e1", n="other")], received=1)
        insert_heartbeats(session, [Heartbeat("cms", 1, 2)])
        insert_links(session, [("C1", "child:1")])
        mark_dirty(session, ["C1", "C2"], 1)
        claim_dirty(session, limit=1, now=2, lease_ms=3, worker="w")
        replace_verdicts(session, "C1", [verdict()], now=1)
        write_breaches(session, [Change(breach(), (Line(at=1, kind="opened", actor="evaluation"), Line(at=2, kind="x", actor="y")))])
        session.add(
            WaiverRow(
                id="w", breach_id=breach().id, author="a", reason_code="r", state="proposed", created=1, ends_at=2, evidence_digest="d"
            )
        )
        session.add(ApiKeyRow(id="k", name="n", hash="h", scopes=["events:write"], teams=None, offices=[], created=1))
        write_state(session, CaseState("C1", evaluated_at=1, as_of=1, position=1, next_check_at=None, open_breaches=1))
        note_policy(session, digest="d", policy="p", version="1", effective=None, text={"a": [1.5, True]}, now=1)


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def backup(store: Store) -> bytes:
    out = io.BytesIO()
    write_backup(store.engine, out, now=7)
    return out.getvalue()


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_everything_comes_back_on_either_database(store, onto, tmp_path, request):
    fill(store)
    written = write_backup(store.engine, out := io.BytesIO(), now=7, program="1", key="k")
    target = f"sqlite:///{tmp_path / 'other.sqlite3'}" if onto == "sqlite" else request.getfixturevalue("pg_db")
    with opened(target) as other:
        assert read_backup(other.engine, io.BytesIO(out.getvalue())) == written
        assert everything(other) == everything(store)
        assert (written.rows["event"], written.made_at, written.database, written.key) == (1_500, 7, store.engine.dialect.name, "k")
        assert written.position == max(int(str(row[0])) for row in everything(store)["event"])
        assert written.sources == (SourceThen("cms", pulled=False, complete_until=2),)
        assert read_manifest(io.BytesIO(out.getvalue())) == written
        with other.read() as session:
            assert altered_lines(session) == ([], None)
        with other.write.begin() as session:
            [receipt] = insert_events(session, [event("new")], received=1)
            assert receipt.position not in {row[0] for row in everything(store)["event"]}
            write_breaches(session, [Change(breach("C5"), (Line(at=1, kind="opened", actor="evaluation"),))])
        assert migrations.check(other.engine) == []


def test_the_same_store_gives_the_same_bytes(store):
    fill(store)
    assert backup(store) == backup(store)


def test_an_empty_store_can_be_backed_up(store, sqlite_url):
    with opened(sqlite_url) as other:
        assert set(read_backup(other.engine, io.BytesIO(backup(store))).rows.values()) == {0}


def test_a_store_that_holds_something_is_left_alone(store):
    fill(store)
    before = everything(store)
    with pytest.raises(BackupError, match="not empty"):
        read_backup(store.engine, io.BytesIO(backup(store)))
    assert everything(store) == before


def damaged(good: bytes) -> list[bytes]:
    lines = gzip.decompress(good).splitlines(keepends=True)
    head = json.loads(lines[0])
    altered = [line.replace(b'"e7"', b'"e_"') for line in lines]

    def packed(*some: bytes) -> bytes:
        return gzip.compress(b"".join(some))

    return [
        b"",
        b"text",
        good[: len(good) // 2],
        good[:-5],
        packed(*lines[:-1]),
        packed(*lines[1:]),
        packed(*lines[:5], *lines[6:]),
        packed(*altered),
        packed(*lines, b"{}\n"),
        packed(json.dumps({**head, "version": 99}).encode() + b"\n", *lines[1:]),
        packed(lines[0], b'["nowhere",[]]\n', *lines[1:]),
        packed(lines[0], b'["event",[1]]\n', *lines[1:]),
        packed(lines[0], b"7\n", *lines[1:]),
        packed(lines[0], lines[1], *lines[1:]),
    ]


@pytest.mark.parametrize("which", range(14))
def test_a_damaged_backup_restores_nothing(store, which, sqlite_url):
    fill(store)
    broken = damaged(backup(store))[which]
    with opened(sqlite_url) as other:
        before = everything(other)
        with pytest.raises(BackupError):
            read_backup(other.engine, io.BytesIO(broken))
        assert everything(other) == before
    if which not in (11, 13):  # these two have a digest that fits, or did not come to it: what they hold is wrong for tables only
        with pytest.raises(BackupError):
            read_manifest(io.BytesIO(broken))


def test_a_revision_that_this_program_does_not_know_is_named(store, sqlite_url):
    lines = gzip.decompress(backup(store)).splitlines(keepends=True)
    new = json.dumps({**json.loads(lines[0]), "revision": "9999"}).encode() + b"\n"
    with opened(sqlite_url) as other, pytest.raises(BackupError, match="9999"):
        read_backup(other.engine, io.BytesIO(gzip.compress(b"".join([new, *lines[1:]]))))


def test_tables_that_are_not_there_are_named_when_writing_and_made_when_restoring(store, sqlite_url):
    engine = make_engine(sqlite_url)
    with pytest.raises(SchemaError):
        write_backup(engine, io.BytesIO(), now=1)
    read_backup(engine, io.BytesIO(backup(store)))
    assert migrations.check(engine) == []
    engine.dispose()


def test_empty_tables_of_an_earlier_revision_are_made_anew(store, sqlite_url):
    fill(store)
    engine = make_engine(sqlite_url)
    migrations.upgrade(engine, "0003")
    read_backup(engine, io.BytesIO(backup(store)))
    assert migrations.check(engine) == []
    engine.dispose()


def test_a_database_of_somebody_else_is_left_alone(store, sqlite_url):
    engine = make_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a int)"))
    with pytest.raises(BackupError, match="not duecare's"):
        read_backup(engine, io.BytesIO(backup(store)))
    engine.dispose()
