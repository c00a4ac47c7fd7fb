"""Changes of policies at the command line: proposed and decided by two accounts, listed, looked back on."""

from __future__ import annotations

import datetime as dt
import io
import shutil

import pytest
from pydantic import SecretStr

from rules.policy import shipped
from service import users
from service.bootstrap import build
from service.settings import Settings
from store.migrations import upgrade

PASSWORDS = {"ann": "the first good password 1", "bob": "the other good password 2", "vic": "one more good password 3"}
TOMORROW = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)).isoformat()


@pytest.fixture(scope="module")
def peopled(tmp_path_factory):
    """A database with tables and three accounts."""
    file = tmp_path_factory.mktemp("peopled") / "duecare.db"
    svc = build(Settings(home=file.parent, database_url=SecretStr(f"sqlite:///{file}"), secret_key=SecretStr("k" * 40)))
    upgrade(svc.engine)
    for name, role in (("ann", "policy_owner"), ("bob", "manager"), ("vic", "viewer")):
        user, first = users.create(svc, name=name, roles=[role])
        users.change_password(svc, user_id=user.id, old=first or "", new=PASSWORDS[name])
    svc.close()
    return file


@pytest.fixture
def desk(command, monkeypatch, peopled, tmp_path):
    """Runs a command, with what somebody types."""
    (tmp_path / "duecare").mkdir(mode=0o700)
    shutil.copy(peopled, tmp_path / "duecare" / "duecare.db")

    class Desk:
        def __call__(self, *arguments, typed: str = ""):
            monkeypatch.setattr("sys.stdin", io.StringIO(typed))
            return command(*arguments)

        def by(self, name, *arguments):
            return self("policy", *arguments, "--user", name, "--password-stdin", typed=f"{PASSWORDS[name]}\n")

    return Desk()


def test_an_account_changes_its_own_password(desk):
    assert desk("users", "change-password", "ann", "--stdin", typed=f"wrong\n{PASSWORDS['bob']}\n").code == 2
    assert desk("users", "change-password", "ann", "--stdin", typed=f"{PASSWORDS['ann']}\n{PASSWORDS['bob']}\n").code == 0
    assert desk("users", "change-password", "ann", "--stdin", typed=f"{PASSWORDS['ann']}\n{PASSWORDS['vic']}\n").code == 2


def test_a_parameter_is_proposed_by_one_account_and_approved_by_another(desk):
    assert desk("policy", "changes").err.startswith("There are no changes")
    made = desk.by("ann", "set", "cfss.household_days=10", "--effective", TOMORROW, "--reason", "Agreed", "--applies-to-open")
    assert made.code == 0, made.err
    assert "household_days=10" in made.out
    assert "can breach from now on" in made.out
    (row,) = desk("policy", "changes", "--state", "proposed", "--format", "json").json
    assert (row["effective"], row["values"]) == (TOMORROW, {"household_days": 10})
    assert (row["proposed_name"], row["applies_to_open"]) == ("ann", True)
    assert row["id"][:12] in made.err
    own = desk.by("ann", "approve", row["id"])
    assert (own.code, "own" in own.err) == (2, True)
    done = desk.by("bob", "approve", row["id"][:8], "--comment", "Good")
    assert (done.code, f"In force from {TOMORROW}" in done.err) == (0, True)
    again = desk.by("bob", "reject", row["id"][:8])
    assert (again.code, "active already" in again.err) == (2, True)
    told = desk("policy", "history", "cfss")
    assert told.out.index(f"{TOMORROW} upcoming") < told.out.index("2020-01-01 in force")
    assert "by bob, proposed by ann: Agreed" in told.out
    rows = desk("policy", "history", "cfss", "--format", "json").json
    assert [one["in_force"] for one in rows] == ["upcoming", "in_force"]
    assert any("C04" in sentence for sentence in rows[0]["changes"])
    listed = desk("policy", "changes", "--policy", "cfss").out.splitlines()
    assert len(listed) == 3
    assert "household_days=10" in listed[1]


def test_what_is_wrong_is_told_in_a_line_each(desk, tmp_path):
    late = desk.by("ann", "set", "cfss.household_days=10", "--effective", "2026-01-01", "--reason", " ")
    assert late.code == 2
    assert {line.split(" ")[0] for line in late.err.splitlines()} == {"reason", "effective"}
    for assignment in ("household_days=10", "cfss.household_days", "cfss.=1"):
        assert desk.by("ann", "set", assignment, "--effective", TOMORROW, "--reason", "x").code == 2
    two = desk.by("ann", "set", "cfss.household_days=1", "record_quality.recording_days=2", "--effective", TOMORROW, "--reason", "x")
    assert (two.code, "One change is of one policy" in two.err) == (2, True)
    refused = desk.by("vic", "set", "cfss.household_days=10", "--effective", TOMORROW, "--reason", "x")
    assert (refused.code, "policies:write" in refused.err) == (2, True)
    wrong = desk("policy", "approve", "abcdefgh", "--user", "bob", "--password-stdin", typed="not the password\n")
    assert (wrong.code, "password is wrong" in wrong.err) == (2, True)
    assert desk.by("bob", "approve", "abc").code == desk.by("bob", "approve", "abcdefgh").code == 2
    assert desk("policy", "history", "nothing").code == 2
    (tmp_path / "bad.yaml").write_text("policy: cfss\n")
    assert desk.by("ann", "propose", tmp_path / "bad.yaml", "--reason", "x").code == 2


def test_a_file_is_proposed_and_taken_back(desk, tmp_path):
    folder = shipped()["cfss"].parent
    for name in ("catalogue.yaml", "calendars"):
        (tmp_path / name).symlink_to(folder / name)
    file = tmp_path / "cfss.yaml"
    file.write_text(shipped()["cfss"].read_text().replace('version: "1"', 'version: "2"', 1))
    past = desk.by("ann", "propose", file, "--reason", "A better text")
    assert (past.code, past.err.split(" ")[0]) == (2, "effective")
    made = desk.by("ann", "propose", file, "--reason", "A better text", "--effective", TOMORROW)
    assert made.code == 0, made.err
    assert "cfss: version 2" in made.out
    (row,) = desk("policy", "changes", "--state", "proposed", "--format", "json").json
    assert desk.by("bob", "withdraw", row["id"]).code == 2
    assert desk.by("ann", "withdraw", row["id"]).err == "Withdrawn.\n"
    assert desk("policy", "changes", "--state", "proposed").err.startswith("There are no changes")


def test_open_questions_tell_how_many_cases_wait(desk):
    found = desk("policy", "questions", "--db", "cfss")
    assert found.code == 0
    assert "cfss.household_days (days): no case waits; it decides C04" in found.out
    assert "strengthening_families" not in found.out
    everything = desk("policy", "questions", "--db").out
    assert everything.count("waits; it decides") > found.out.count("waits; it decides") > 0
