"""`duecare policy new`: a folder that lints clean and whose tests hold, from the first moment on."""

from __future__ import annotations

import time

import pytest

from rules.clock import iso, zone
from rules.policy import HERE, load_policy


@pytest.mark.parametrize(("place", "calendar"), [("Australia/Darwin", "nt"), ("Australia/Adelaide", "sa"), ("Europe/Amsterdam", None)])
def test_a_new_policy_is_whole_and_clean(duecare, tmp_path, place, calendar):
    folder = tmp_path / "first_visits"
    done = duecare("policy", "new", folder, "--zone", place, "--from", "2026-02-01")
    assert done.code == 0
    policy = load_policy(folder / "first_visits.yaml")
    assert (policy.id, policy.zone_name, policy.calendar, iso(policy.effective)) == ("first_visits", place, calendar, "2026-02-01")
    assert [(rule.id, rule.status) for rule in policy.rules] == [("FIRST_VISITS-1", "shadow")]
    assert policy.catalogue.digest == load_policy(HERE / "cfss.yaml").catalogue.digest
    assert [path for path in folder.rglob("*.yaml") if str(path) not in done.out] == []
    found = duecare("policy", "lint", folder / "first_visits.yaml", "--strict", "--format", "json")
    assert (found.code, [one["severity"] for one in found.json if one["severity"] != "info"]) == (0, [])
    path = folder / "first_visits.yaml"
    path.write_text(path.read_text().replace("status: shadow", "status: enforced"))
    assert duecare("policy", "test", "--threshold", "100", folder / "tests").code == 0


def test_a_policy_beside_its_tests_comes_before_one_that_is_installed(duecare, tmp_path, monkeypatch):
    assert duecare("policy", "new", tmp_path / "visits", "--zone", "Australia/Darwin").code == 0
    other = tmp_path / "installed"
    other.mkdir()
    (other / "visits.yaml").write_text("policy: visits\n")
    monkeypatch.setenv("DUECARE_POLICIES", str(other))
    done = duecare("policy", "test", tmp_path / "visits" / "tests")
    assert (done.code, done.err.strip()) == (0, "4 timelines: 7 passed, 0 failed.")


def test_it_judges_from_today_on_where_nothing_is_said(duecare, tmp_path):
    before = zone("Australia/Darwin").day_of(time.time_ns() // 1_000_000)
    assert duecare("policy", "new", tmp_path / "visits", "--zone", "Australia/Darwin").code == 0
    assert load_policy(tmp_path / "visits" / "visits.yaml").effective in (before, before + 1)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("First Visits", ("--zone", "Australia/Darwin"), "lower-case letters"),
        ("visits", ("--zone", "Darwin"), "no time zone is called 'Darwin'"),
        ("visits", ("--zone", "Australia/Darwin", "--from", "2026-02-31"), "is not a day"),
        ("visits", (), "--zone"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(duecare, tmp_path, name, options, words):
    done = duecare("policy", "new", tmp_path / name, *options)
    assert done.code == 2
    assert words in done.err
    assert not (tmp_path / name).exists()


def test_nothing_is_written_over(duecare, tmp_path):
    (tmp_path / "visits").mkdir()
    (tmp_path / "visits" / "catalogue.yaml").write_text("mine")
    done = duecare("policy", "new", tmp_path / "visits", "--zone", "Australia/Darwin")
    assert done.code == 2
    assert "catalogue.yaml is there already" in done.err
    assert [path.name for path in (tmp_path / "visits").iterdir()] == ["catalogue.yaml"]
