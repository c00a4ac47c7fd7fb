"""Another domain's export, through the store and straight from the file: the same verdicts, to the last field."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from cli.main import run
from rules.model import rfc3339
from service.bootstrap import build
from service.policies.policyset import load
from service.settings import Settings
from store.models import VerdictRow
from store.verdicts import as_verdict
from tests.support import tables
from tests.support.service_kit import KEY, Clock, Kit

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/permits"
WHEN = "2024-02-29T12:00:00+01:00"
INSTANTS = ("as_of", "known_at", "next_change")


def comparable(verdict):
    return {name: value for name, value in verdict.items() if name not in INSTANTS}


def by_key(verdicts):
    return {tuple(v[name] for name in ("case", "episode", "policy", "rule", "obligation")): comparable(v) for v in verdicts}


@pytest.fixture
def policies(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    for name in ("permits.yaml", "catalogue.yaml"):
        shutil.copy(EXAMPLE / name, folder)
    shutil.copytree(EXAMPLE / "calendars", folder / "calendars")
    return folder


@pytest.fixture
def desk(store_url, tmp_path, policies):
    clock = Clock(WHEN)
    settings = Settings(home=tmp_path / "home", database_url=SecretStr(store_url), secret_key=SecretStr(KEY), policies=policies)
    svc = build(settings, now=clock, policies=load(policies))
    tables.lay(svc.engine)
    yield Kit(svc, clock)
    svc.close()


def test_an_export_is_judged_in_the_store_as_in_its_file(desk, policies, capsys, monkeypatch, store_url, tmp_path):
    at = rfc3339(desk.clock.ms)
    mapping, sample = str(EXAMPLE / "mapping.yaml"), str(EXAMPLE / "sample.csv")
    for name, value in {"DATABASE_URL": store_url, "DUECARE_SECRET_KEY": KEY, "DUECARE_POLICIES": str(policies)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert run(["events", "import", "--mapping", mapping, sample]) == 0
    assert desk.settle() == 6
    capsys.readouterr()
    arguments = ["--policy", str(policies / "permits.yaml"), "--mapping", mapping, "--as-of", at, "--known-at", at]
    assert run(["check", "--format", "json", *arguments, sample]) == 1
    from_file = by_key(json.loads(capsys.readouterr().out))
    with desk.svc.reading() as session:
        from_store = by_key(as_verdict(row).as_dict() for row in session.scalars(select(VerdictRow)))
    assert len(from_file) == 14
    assert from_store == from_file
