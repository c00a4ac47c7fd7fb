"""What is done at the command line stands in the access log: by whom, what, of which thing, and never in words of a record."""

from __future__ import annotations

import getpass
import importlib
import json
from collections.abc import Iterator

import click
import pytest
from sqlalchemy import create_engine, text

from cli.main import COMMANDS, run
from cli.recorded import ACTIONS, NOT_RECORDED
from service.accesslog import ACTIONS as KNOWN
from store import accesslog

ME = f"os:{getpass.getuser()}"


def commands(one: click.Command, name: str) -> Iterator[str]:
    if isinstance(one, click.Group):
        for part, inner in one.commands.items():
            yield from commands(inner, f"{name} {part}")
    else:
        yield name


def test_each_command_is_recorded_or_is_known_not_to_be():
    every = set()
    for name, target in COMMANDS.items():
        module, _, attribute = target.partition(":")
        every |= set(commands(getattr(importlib.import_module(module), attribute), name))
    assert every == set(ACTIONS) | NOT_RECORDED
    assert not set(ACTIONS) & NOT_RECORDED
    assert set(ACTIONS.values()) <= set(KNOWN)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "REDIS_URL", "DUECARE_NOTIFY"):
        monkeypatch.delenv(name, raising=False)
    assert run(["db", "upgrade"]) == 0
    return tmp_path


def lines(home) -> list[tuple]:
    engine = create_engine(f"sqlite:///{home / 'duecare.db'}")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT actor, via, action, outcome, thing, count FROM access_log ORDER BY id")).all()
    engine.dispose()
    return [tuple(row) for row in found]


def test_accounts_and_keys_leave_lines_with_who_did_it_and_to_which(home, capsys):
    assert run(["users", "create", "root", "--role", "administrator"]) == 0
    assert run(["users", "create", "kim", "--role", "reviewer", "--email", "kim@example.org"]) == 0
    assert run(["users", "disable", "kim"]) == 0
    assert run(["users", "disable", "nobody-of-this-name"]) == 2
    assert run(["keys", "create", "office", "--scope", "events:write", "--format", "json"]) == 0
    key = json.loads(capsys.readouterr().out.splitlines()[-1])["id"]
    assert run(["keys", "revoke", key]) == 0
    found = lines(home)[1:]
    account = found[0][4]
    assert [(who, via) for who, via, *_ in found] == [(ME, "cli")] * 5
    assert [(action, outcome, thing) for _, _, action, outcome, thing, _ in found] == [
        ("account.make", "done", account),
        ("account.change", "done", account),
        ("account.change", "not_found", None),
        ("key.make", "done", key),
        ("key.revoke", "done", key),
    ]
    assert not [word for word in ("kim", "office", "nobody") if word in str(found)]


def test_holds_and_retention_leave_lines_too(home, tmp_path):
    events = tmp_path / "events.jsonl"
    one = {"specversion": "1.0", "id": "1", "source": "urn:test:cli", "type": "referral.received", "subject": "FAM-1"}
    events.write_text(json.dumps({**one, "time": "2026-03-02T09:00:00+10:30", "data": {}}) + "\n")
    assert run(["events", "import", str(events)]) == 0
    assert run(["holds", "set", "FAM-1", "--by", "Kim", "--reason", "a court asks for it"]) == 0
    assert run(["holds", "set", "FAM-2", "--by", "Kim", "--reason", "a court asks for it"]) == 2
    assert run(["holds", "list"]) == 0
    assert run(["retention", "plan"]) == 2
    assert run(["retention", "certificates"]) == 0
    found = lines(home)[1:]
    assert [(who, via) for who, via, *_ in found] == [(ME, "cli")] * 5
    assert [(action, outcome) for _, _, action, outcome, *_ in found] == [
        ("hold.set", "done"),
        ("hold.set", "not_found"),
        ("retention.read", "done"),
        ("retention.read", "not_done"),
        ("retention.read", "done"),
    ]
    assert "court" not in str(found)


def test_events_are_counted_and_what_only_looks_at_the_tables_leaves_no_line(home, tmp_path):
    events = tmp_path / "events.jsonl"
    one = {"specversion": "1.0", "id": "1", "source": "urn:test:cli", "type": "referral.received", "subject": "FAM-1"}
    events.write_text(json.dumps({**one, "time": "2026-03-02T09:00:00+10:30", "data": {}}) + "\n")
    assert run(["events", "import", str(events)]) == 0
    assert run(["db", "check"]) == 0
    assert [(action, count) for _, _, action, _, _, count in lines(home)] == [("events.send", 1)]


def test_what_is_read_and_cannot_be_written_down_is_not_shown(home, capsys, monkeypatch):
    assert run(["keys", "create", "office", "--scope", "events:write"]) == 0
    capsys.readouterr()

    def full(*_: object) -> None:
        from store.errors import StoreError

        raise StoreError("the disk is full")

    monkeypatch.setattr("service.accesslog.append", full)
    assert accesslog.append is not full
    assert run(["keys", "list"]) == 2
    told = capsys.readouterr()
    assert "office" not in told.out
    assert "the access log cannot be written" in told.err
    assert run(["keys", "create", "other", "--scope", "events:write"]) == 0
    assert "the access log could not be written" in capsys.readouterr().err
