"""Seals: whatever is changed, taken away, put in or moved behind the product's back is found and named, on both databases."""

import io
import json
import threading

import pytest
from sqlalchemy import text

from service import seals
from service.bootstrap import Service
from service.seals import NotSeals
from service.settings import Settings
from store import accesslog
from store.accesslog import Entry
from store.backup import write_backup
from store.breaches import Change, Line, append_history, write_breaches
from store.migrations import APPEND_ONLY
from store.models import AuditRow, AuditSignatureRow, PolicyChangeRow, PolicyVersionRow, WaiverRow
from store.restore import read_backup
from store.seals import settled
from tests.support.service_kit import KEY
from tests.support.stores import Store, at_once, breach, opened

HISTORY, LOG = "breach_history", "access_log"
CHANGE = {
    "policy": "p", "kind": "parameters", "digest": "d1", "version": "1", "effective": "2026-01-01", "applies_to_open": True,
    "values": {"b": 1.5, "a": [1]}, "reason": "because", "proposed_by": "user:1", "proposed_name": "One", "proposed_at": 1,
}  # fmt: skip


class House(Service):
    """As much of a service as sealing needs."""

    def __init__(self, store: Store) -> None:
        self.engine, self.sessions, self.readers = store.engine, store.write, store.read
        self.settings = Settings(secret_key=KEY)
        self.clock = 1_000
        self.now = lambda: self.clock

    def tamper(self, *statements: str) -> None:
        """What somebody does who has the database in their hands."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                for table in APPEND_ONLY:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                    connection.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                connection.execute(text(statement))

    def numbers(self, table: str) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT id FROM {table} ORDER BY id")))

    def found(self, held=None) -> list[tuple[str, str, str | None]]:
        return [(flaw.what, flaw.kind, flaw.line) for flaw in seals.verify(self, held).flaws]


@pytest.fixture
def house(store):
    triggers = []
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect() as connection:
            triggers = [sql for (sql,) in connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))]
    made = House(store)
    with made.writing() as session:
        lines = (Line(at=1, kind="opened", actor="evaluation"), Line(at=2, kind="assigned", actor="user:1", comment="Mine."))
        write_breaches(session, [Change(breach(), lines)])
        accesslog.append(session, [Entry(at=n, actor=f"user:{n}", via="page", action="case.read", case="C1") for n in range(1, 7)])
        session.add(PolicyVersionRow(digest="d1", policy="p", version="1", effective=None, text={"files": {"p.yaml": "x"}}, first_used=1))
        session.add(WaiverRow(id="w1", breach_id=breach().id, author="user:1", reason_code="r", state="approved", approver="user:2",
                              created=1, decided_at=2, ends_at=9, evidence_digest="e"))  # fmt: skip
        session.add(AuditRow(id="a1", kind="full", as_of=1, known_at=1, position=1, heartbeat=1, lines=1, policies=["d1"], scope={}, seed=1,
                             sample=1, state="done", created=1, created_by="user:1", created_name="One", finished=2, report="{}",
                             report_digest="x"))  # fmt: skip
        session.flush()
        session.add(PolicyChangeRow(id="c1", state="active", decided_by="user:2", decided_name="Two", decided_at=3, **CHANGE))
        session.add(PolicyChangeRow(id="c2", state="proposed", **CHANGE))
        session.add(AuditSignatureRow(audit="a1", signed_by="user:3", name="Three", at=4, digest="x", comment="Read."))
    assert seals.seal(made) == 2 + 6 + 1 + 3 + 2 + 1 + 1
    yield made
    if triggers:
        with store.engine.begin() as connection:
            there = set(connection.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))
            for sql in triggers:
                if sql not in there:
                    connection.execute(text(sql))


def test_what_nobody_touched_is_intact_and_is_sealed_once(house):
    found = seals.verify(house)
    assert (found.flaws, found.unsealed, found.seals) == ([], dict.fromkeys(found.unsealed, 0), 9)
    assert found.sealed == {
        "breach_history": 2, "access_log": 6, "policy_version": 1, "policy_proposal": 2, "policy_decision": 1, "waiver_request": 1,
        "waiver_decision": 1, "audit_report": 1, "audit_signature": 1, "legal_hold": 0, "legal_hold_end": 0, "removal": 0,
    }  # fmt: skip
    assert seals.seal(house) == 0


def test_what_the_product_itself_does_later_is_no_flaw(house):
    with house.writing() as session:
        session.get(WaiverRow, "w1").state = "void"
        change = session.get(PolicyChangeRow, "c2")
        change.state, change.decided_by, change.decided_name, change.decided_at = "rejected", "user:2", "Two", 9
        append_history(session, [(breach().id, Line(at=3, kind="comment", actor="user:1"))])
    found = seals.verify(house)
    assert (found.flaws, found.unsealed["breach_history"], found.unsealed["policy_decision"]) == ([], 1, 1)
    assert seals.seal(house) == 2
    assert house.found() == []


def test_a_changed_a_missing_an_added_and_a_moved_line_of_the_access_log_are_named(house):
    one, two, three, four, five, six = house.numbers(LOG)
    house.tamper(_line_of_the_log(six + 5))
    seals.seal(house)
    house.tamper(
        f"UPDATE access_log SET actor = 'user:8' WHERE id = {one}",
        f"DELETE FROM access_log WHERE id = {two}",
        f"UPDATE access_log SET at = at + 2, actor = 'user:5' WHERE id = {three}",
        f"UPDATE access_log SET at = at - 2, actor = 'user:3' WHERE id = {five}",
        _line_of_the_log(six + 3),
        f"UPDATE access_log SET outcome = 'refused' WHERE id = {six + 5}",
    )
    found = seals.verify(house)
    told = [("changed", one), ("missing", two), ("moved", three), ("moved", five), ("added", six + 3), ("changed", six + 5)]
    assert [(flaw.what, flaw.line) for flaw in found.flaws] == [(what, str(line)) for what, line in told]
    assert f"holds what line {five:,} held" in found.flaws[2].words
    assert str(four) not in {flaw.line for flaw in found.flaws}


def _line_of_the_log(number: int) -> str:
    return f"INSERT INTO access_log (id, at, actor, via, action, outcome) VALUES ({number}, 1, 'user:7', 'page', 'case.read', 'done')"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE breach_history SET comment = 'Yours.' WHERE kind = 'assigned'", ("changed", HISTORY)),
        ("UPDATE breach_history SET at = 3, hash = 'made to fit' WHERE kind = 'assigned'", ("changed", HISTORY)),
        ("DELETE FROM breach_history WHERE kind = 'assigned'", ("missing", HISTORY)),
        ("UPDATE policy_version SET version = '2'", ("changed", "policy_version", "d1")),
        ("UPDATE policy_change SET reason = 'other' WHERE id = 'c2'", ("changed", "policy_proposal", "c2")),
        ("UPDATE policy_change SET decided_by = 'user:3' WHERE id = 'c1'", ("changed", "policy_decision", "c1")),
        ("DELETE FROM policy_change WHERE id = 'c2'", ("missing", "policy_proposal", "c2")),
        ("UPDATE waiver SET ends_at = 99", ("changed", "waiver_request", "w1")),
        ("UPDATE waiver SET approver = 'user:3'", ("changed", "waiver_decision", "w1")),
        ("UPDATE audit SET report = '[]'", ("changed", "audit_report", "a1")),
        ("UPDATE audit_signature SET comment = 'Not read.'", ("changed", "audit_signature", "a1 user:3")),
        ("DELETE FROM audit_signature", ("missing", "audit_signature", "a1 user:3")),
        ("DELETE FROM seal WHERE number = 3", ("missing", "seal", None)),
        ("UPDATE seal SET lines = replace(lines, '0', '1') WHERE number = 2", ("changed", "seal", None)),
        ("UPDATE seal SET at = at + 1 WHERE number = 8", ("changed", "seal", None)),
    ],
)
def test_each_kind_of_line_is_watched(house, statement, expected):
    house.tamper(statement)
    assert [flaw[: len(expected)] for flaw in house.found()][:1] == [expected]


def test_lines_without_a_seal_are_watched_by_the_chain_of_their_breach(house):
    with house.writing() as session:
        append_history(session, [(breach().id, Line(at=at, kind="comment", actor="user:1", comment=str(at))) for at in (3, 4, 5)])
    house.tamper("DELETE FROM breach_history WHERE at = 4")
    assert house.found() == [("changed", HISTORY, str(house.numbers(HISTORY)[-1]))]


def test_a_chain_made_anew_agrees_with_itself_but_not_with_the_seals_kept_elsewhere(house):
    kept = seals.read(seals.export(house))
    assert house.found(kept) == []
    house.tamper("DELETE FROM seal", "UPDATE access_log SET actor = 'user:8' WHERE at = 1")
    house.clock += 1
    seals.seal(house)
    assert house.found() == []
    assert set(house.found(kept)) == {("changed", "seal", None)}
    house.tamper("DELETE FROM seal WHERE number > 5")
    assert {("missing", "seal", None), ("changed", "seal", None)} == set(house.found(kept))


def test_a_file_of_seals_that_was_altered_or_cut_off_is_refused(house):
    lines = list(seals.export(house))
    altered = json.loads(lines[3])
    with pytest.raises(NotSeals, match="line 4: seal 3 was altered"):
        seals.read([*lines[:3], json.dumps({**altered, "rows": 9})])
    with pytest.raises(NotSeals, match="cut off"):
        seals.read(lines[:-1])
    with pytest.raises(NotSeals, match="no file of seals"):
        seals.read(["{}"])
    with pytest.raises(NotSeals, match="line 2: this is no seal"):
        seals.read([lines[0], "[]"])
    assert len(seals.read(seals.export(house, after=6))) == 3


def test_a_line_whose_writer_is_still_at_it_is_not_passed_over(house):
    if house.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    entry = Entry(at=9, actor="user:9", via="page", action="case.read")
    with house.sessions() as slow:
        accesslog.append(slow, [entry])
        with house.writing() as fast:
            accesslog.append(fast, [entry])
        with house.sessions() as session:
            assert settled(session, patience=0.0) is None
        threading.Timer(0.2, slow.commit).start()
        assert seals.seal(house, patience=120.0) == 2
    assert house.found() == []


def test_sealers_and_writers_at_once_make_one_chain(house):
    def write() -> None:
        for at in range(10):
            with house.writing() as session:
                accesslog.append(session, [Entry(at=at, actor="user:1", via="api", action="case.read")])

    def seal() -> None:
        for _ in range(5):
            seals.seal(house, patience=120.0)

    at_once([write, write, write, seal, seal])
    seals.seal(house, patience=120.0)
    found = seals.verify(house)
    assert (found.flaws, found.sealed["access_log"], found.unsealed["access_log"]) == ([], 36, 0)


@pytest.mark.parametrize("onto", ["sqlite_url", "pg_db"])
def test_what_was_restored_from_a_backup_agrees_with_its_seals_on_either_database(house, onto, request):
    written = io.BytesIO()
    write_backup(house.engine, written, now=1)
    with opened(request.getfixturevalue(onto)) as other:
        restored = House(other)
        read_backup(other.engine, io.BytesIO(written.getvalue()))
        found = seals.verify(restored, seals.read(seals.export(house)))
        assert (found.flaws, found.seals, found.held, found.sealed["access_log"]) == ([], 9, 9, 6)
        with restored.writing() as session:
            accesslog.append(session, [Entry(at=9, actor="user:9", via="cli", action="log.read")])
        assert seals.seal(restored) == 1
        restored.tamper("UPDATE access_log SET actor = 'user:8' WHERE at = 9")
        assert [flaw[0] for flaw in restored.found()] == ["changed"]
