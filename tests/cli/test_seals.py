"""`duecare db verify|seal|seals` and `duecare cases export`: what a person at the terminal is told."""

from __future__ import annotations

import json
import sqlite3
import zipfile

import pytest

from tests.cli.conftest import LATE_PLAN, write


@pytest.fixture
def ready(command, tmp_path):
    command("db", "upgrade")
    assert command("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN)).code == 0
    assert command("cases", "export", "case-1", "--out", tmp_path / "case.json").code == 0
    return command


def tamper(tmp_path, *statements: str) -> None:
    with sqlite3.connect(tmp_path / "duecare" / "duecare.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_verify_names_the_line_that_was_changed(ready, tmp_path):
    before = ready("db", "verify")
    assert before.code == 0
    assert "There is no seal yet" in before.out
    assert "Sealed " in ready("db", "seal").out
    assert "nothing to do" in ready("db", "seal").out
    kept = tmp_path / "seals.jsonl"
    kept.write_text(ready("db", "seals").out)
    good = ready("db", "verify", "--against", kept)
    assert (good.code, good.out.splitlines()[-1]) == (0, "Everything that was sealed is as it was.")
    tamper(tmp_path, "UPDATE access_log SET actor = 'user:nobody' WHERE id = 1")
    bad = ready("db", "verify")
    assert bad.code == 1
    assert "Line 1 of access_log is not what was sealed (seal " in bad.out
    told = ready("db", "verify", "--format", "json").json
    assert (told["intact"], [(one["what"], one["kind"], one["line"]) for one in told["findings"]]) == (
        False, [("changed", "access_log", "1")],
    )  # fmt: skip


def test_a_file_that_holds_no_seals_is_refused(ready, tmp_path):
    done = ready("db", "verify", "--against", write(tmp_path / "other.jsonl", *LATE_PLAN))
    assert done.code == 2
    assert "line 1: this is no file of seals" in done.err


def test_what_is_held_about_a_case_is_written_and_recorded(ready, tmp_path):
    file = tmp_path / "case.json"
    held = json.loads(file.read_text())
    assert (held["case"], held["counts"]["event"]) == ("case-1", 4)
    assert file.stat().st_mode & 0o777 == 0o600
    assert ready("cases", "export", "case-1", "--out", file).code == 2
    assert ready("cases", "export", "case-1", "--format", "zip").code == 2
    assert ready("cases", "export", "case-1", "--format", "zip", "--out", tmp_path / "case.zip").code == 0
    assert zipfile.is_zipfile(tmp_path / "case.zip")
    told = ready("cases", "export", "case-1").json
    assert [line["action"] for line in told["parts"]["access_log"]] == ["case.export", "case.export"]
    assert ready("cases", "export", "no such case").code == 2
