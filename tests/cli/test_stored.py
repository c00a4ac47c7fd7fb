"""Commands that need the store: database, keys, accounts, import, demo, explain --db; each with a home folder of its own."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from cli.progress import progress
from store import migrations
from store.engine import make_engine
from store.migrations import upgrade
from tests.cli.conftest import LATE_PLAN, event, write


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """A database with tables and nothing in it."""
    file = tmp_path_factory.mktemp("upgraded") / "duecare.db"
    engine = make_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture
def ready(command, upgraded, tmp_path):
    (tmp_path / "duecare").mkdir(mode=0o700)
    shutil.copy(upgraded, tmp_path / "duecare" / "duecare.db")
    return command


def test_the_database_is_upgraded_and_checked(command):
    before = command("db", "check")
    assert before.code == 1
    assert "duecare db upgrade" in before.err
    assert "from nothing to" in command("db", "upgrade").out
    assert "nothing to do" in command("db", "upgrade").out
    assert command("db", "check").code == 0


def test_what_needs_tables_says_how_to_get_them(command):
    done = command("keys", "list")
    assert done.code == 2
    assert "run `duecare db upgrade`" in done.err


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "DUECARE_SECRET_KEY": "k" * 40}, 3, "database"),
        ({"DATABASE_URL": "mysql://x/y"}, 2, "Error: "),
        ({"DUECARE_EVENT_LIMIT": "many"}, 2, "DUECARE_EVENT_LIMIT"),
        ({"DUECARE_POLICIES": "/no/such/folder"}, 2, "/no/such/folder"),
    ],
)
def test_settings_that_cannot_be_used_are_told_without_a_trace(command, environment, code, words):
    done = command("keys", "list", **environment)
    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err


def test_the_home_folder_is_not_the_users_home(command, tmp_path):
    """HOME is every process's variable and no setting of duecare's."""
    command("db", "upgrade", HOME=str(tmp_path / "person"))
    assert not (tmp_path / "person" / "duecare.db").exists()
    assert (tmp_path / "duecare" / "duecare.db").exists()
    command("db", "upgrade", HOME=str(tmp_path / "person"), DUECARE_HOME="")
    assert not (tmp_path / "person" / "duecare.db").exists()
    assert (tmp_path / "person" / ".local" / "share" / "duecare" / "duecare.db").exists()


def test_keys_are_made_listed_and_revoked(ready):
    made = ready("keys", "create", "client", "--scope", "events:write", "--team", "north")
    token = made.out.strip()
    assert token.startswith("dk_")
    identity = token.split("_")[1]
    (key,) = ready("keys", "list", "--format", "json").json
    assert (key["id"], key["scopes"], key["teams"], key["revoked"]) == (identity, ["events:write"], ["north"], None)
    assert token not in ready("keys", "list").out
    assert ready("keys", "revoke", identity).code == 0
    (key,) = ready("keys", "list", "--format", "json").json
    assert key["revoked"]
    assert ready("keys", "revoke", "nothing").code == 2
    assert ready("keys", "create", "client", "--scope", "everything").code == 2
    assert ready("keys", "create", "client", "--scope", "metrics", "--expires", "2001-01-01").code == 2


def test_keys_of_a_secret_key_that_was_lost_are_listed_as_void(ready):
    former, present = {"DUECARE_SECRET_KEY": "f" * 40}, {"DUECARE_SECRET_KEY": "p" * 40}
    assert ready("keys", "create", "client", "--scope", "events:write", **former).code == 0
    assert ready("keys", "create", "register", "--scope", "events:write", **present).code == 0
    listed = ready("keys", "list", **present)
    assert "1 key was made with another secret key" in listed.err
    assert [line.split()[1:3] for line in listed.out.splitlines()[1:]] == [["client", "void"], ["register", "good"]]
    assert [key["state"] for key in ready("keys", "list", "--format", "json", **former).json] == ["good", "void"]


def test_accounts_are_made_listed_reset_and_disabled(ready):
    made = ready("users", "create", "anna", "--role", "reviewer", "--office", "darwin")
    assert len(made.out.strip()) >= 12
    assert ready("users", "create", "anna", "--role", "reviewer").code == 2
    assert "not a role: wizard; roles are administrator, " in ready("users", "create", "ben", "--role", "wizard").err
    assert ready("users", "create", "admin", "--role", "administrator").code == 0
    assert ready("users", "reset-password", "anna").out.strip() != made.out.strip()
    assert ready("users", "disable", "anna").code == 0
    listed = {user["name"]: user for user in ready("users", "list", "--format", "json").json}
    assert listed["anna"]["disabled"]
    assert listed["anna"]["offices"] == ["darwin"]
    assert ready("users", "disable", "anna", "--undo").code == 0
    assert ready("users", "disable", "admin").code == 2
    assert ready("users", "reset-password", "nobody").code == 2


def test_events_are_imported_once_and_explained_from_the_store(ready, tmp_path):
    file = write(tmp_path / "events.jsonl", *LATE_PLAN)
    first = ready("events", "import", file, "--format", "json")
    assert (first.code, first.json) == (0, {"accepted": 4, "duplicate": 0, "conflict": 0, "refused": 0})
    again = ready("events", "import", file)
    assert (again.code, again.out.strip()) == (0, "4 duplicate")
    told = ready("explain", "--db", "case-1", "C08", "--as-of", "2026-03-30", "--format", "json")
    assert [one["verdict"]["verdict"] for one in told.json] == ["breached"]
    assert ready("explain", "--db", "case-9", "C08", "--as-of", "2026-03-30").code == 2
    assert ready("explain", "--db", "case-1", "Z99").code == 2


def test_what_an_import_refuses_is_told_with_its_line_and_the_rest_goes_in(ready, tmp_path):
    file = write(tmp_path / "events.jsonl", LATE_PLAN[0], "{", {**LATE_PLAN[1], "type": "visit.hold"}, LATE_PLAN[2])
    done = ready("events", "import", file)
    assert done.code == 2
    assert [line.split(": ")[0] for line in done.err.splitlines()] == [f"{file}:2", f"{file}:3"]
    assert done.out.strip() == "2 accepted, 2 refused"
    other = write(tmp_path / "other.jsonl", event("k1", "service.connected", "2026-03-05T09:00:00+10:30", program="cfss"))
    conflict = ready("events", "import", other)
    assert conflict.code == 2
    assert f"{other}:1: /id event 'k1'" in conflict.err
    assert ready("events", "import", tmp_path / "none.jsonl").code == 2


def test_a_backup_restores_into_an_empty_store(ready, tmp_path):
    ready("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN))
    saved = tmp_path / "saved.backup"
    assert "4 events among them" in ready("db", "backup", saved).out
    assert saved.stat().st_mode & 0o077 == 0
    assert ready("db", "backup", saved).code == 2
    nowhere = ready("db", "backup", tmp_path / "no" / "saved.backup")
    assert (nowhere.code, nowhere.err.endswith(f"{tmp_path / 'no'} is no folder: make it first\n")) == (2, True)
    assert ready("db", "restore", saved).code == 2
    other = str(tmp_path / "other")
    assert "4 events among them" in ready("db", "restore", saved, DUECARE_HOME=other).out
    again = ready("events", "import", tmp_path / "events.jsonl", "--format", "json", DUECARE_HOME=other)
    assert again.json["duplicate"] == 4
    saved.write_bytes(saved.read_bytes()[:-30])
    assert ready("db", "restore", saved, DUECARE_HOME=str(tmp_path / "third")).code == 2


def test_a_backup_can_be_looked_at_and_what_came_after_it_is_told(ready, tmp_path):
    ready("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN))
    saved, other = tmp_path / "saved.backup", str(tmp_path / "other")
    ready("db", "backup", saved)
    looked = ready("db", "restore", "--check", saved, DUECARE_HOME=other)
    assert (looked.code, "is whole and holds" in looked.out, "event position 4" in looked.out) == (0, True, True)
    told = ready("db", "restore", saved, DUECARE_HOME=other).out
    assert "Nothing that came after that instant is in it." in told
    assert "Must send again what they sent since" in told
    assert "DUECARE_SECRET_KEY is not that of the backup" in told, "each home folder has a key of its own"
    saved.write_bytes(saved.read_bytes()[:-30])
    assert ready("db", "restore", "--check", saved).code == 2


def test_the_tables_are_taken_back_a_step_only_where_nothing_is_lost_unasked(ready, tmp_path):
    ready("users", "create", "ann", "--role", "viewer")
    head = migrations.revisions()
    assert ready("db", "downgrade").out.startswith(f"The tables went from {head[-1]} to {head[-2]}.")
    assert ready("users", "list").code == 2, "this program needs its own tables"
    refused = ready("db", "downgrade", "--to", "nowhere")
    assert (refused.code, "is not before" in refused.err) == (2, True)
    assert "to 0001" in ready("db", "downgrade", "--to", "0001", "--lose").out
    assert ready("db", "upgrade").code == 0
    assert "ann" in ready("users", "list").out


def test_the_demo_is_loaded_once_and_marks_the_store(ready, tmp_path):
    loaded = ready("demo", "load", "--families", "12")
    assert loaded.code == 0
    assert "12 made-up families" in loaded.err
    assert "loaded already" in ready("demo", "load").err
    with sqlite3.connect(tmp_path / "duecare" / "duecare.db") as database:
        (mark,) = database.execute("SELECT cursor FROM source WHERE source = 'urn:demo:population'").fetchone()
        (cases,) = database.execute("SELECT count(DISTINCT case_id) FROM event").fetchone()
        (others,) = database.execute(
            "SELECT count(*) FROM event WHERE source NOT LIKE 'urn:demo:%' OR case_id NOT LIKE 'demo-%'"
        ).fetchone()
    assert json.loads(mark)["loaded"] is True
    assert cases >= 12
    assert others == 0


def test_the_demo_does_not_go_where_real_cases_are(ready, tmp_path):
    ready("events", "import", write(tmp_path / "events.jsonl", *LATE_PLAN))
    done = ready("demo", "load", "--families", "3")
    assert done.code == 2
    assert "not made up" in done.err


def test_a_worker_without_redis_says_why_there_is_none(ready):
    done = ready("worker")
    assert done.code == 2
    assert "REDIS_URL" in done.err
    assert ready("worker", "--scheduler", "--processes", "2").code == 2


def test_progress_is_silent_where_nobody_looks(capsys):
    with progress("Working") as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")
