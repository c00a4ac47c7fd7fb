"""Settings: safe without any, strict about what is given, and silent about secrets."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from service.errors import SettingsError
from service.settings import LEAST_KEY, Settings, load

LONG = "k" * LEAST_KEY


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("DUECARE_") or name in {"DATABASE_URL", "REDIS_URL", "XDG_DATA_HOME"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path / "home"))


def test_without_any_setting_it_is_embedded_in_its_home(tmp_path):
    settings = load()
    assert settings.database == f"sqlite:///{tmp_path / 'home' / 'duecare.db'}"
    assert settings.embedded
    assert not settings.shared
    assert not (tmp_path / "home").exists(), "reading the settings writes nothing"


def test_the_home_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.delenv("DUECARE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load().home == tmp_path / ".local" / "share" / "duecare"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert load().home == tmp_path / "data" / "duecare"


def test_variables_of_others_are_left_alone(monkeypatch):
    for name in ("HOME", "POLICIES", "SECRET_KEY", "LOG_LEVEL", "BATCH_LIMIT"):
        monkeypatch.setenv(name, "1")
    settings = load()
    assert (settings.policies, settings.secret_key, settings.batch_limit) == (None, None, 10_000)


def test_the_embedded_secret_is_made_once_and_kept_from_others(tmp_path):
    first = load().secret
    assert load().secret == first
    assert len(first) >= LEAST_KEY
    kept = tmp_path / "home" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_two_processes_that_start_at_once_share_one_secret():
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(load().secret)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_damaged_secret_is_never_used_or_replaced_in_silence(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret_key").write_text("short")
    with pytest.raises(SettingsError, match="does not hold a secret key"):
        _ = load().secret


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_several_processes_must_be_given_their_secret(monkeypatch, name):
    monkeypatch.setenv(name, {"DATABASE_URL": "postgresql://u@h/d", "REDIS_URL": "redis://h/0"}[name])
    assert load().shared
    with pytest.raises(SettingsError, match="DUECARE_SECRET_KEY"):
        _ = load().secret
    monkeypatch.setenv("DUECARE_SECRET_KEY", LONG)
    assert load().secret == LONG.encode()


def test_every_fault_is_told_at_once_and_no_value(monkeypatch):
    monkeypatch.setenv("DUECARE_SECRET_KEY", "hunter2")
    monkeypatch.setenv("DUECARE_BATCH_LIMIT", "lots")
    monkeypatch.setenv("DUECARE_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        load()
    told = str(caught.value)
    assert all(name in told for name in ("DUECARE_SECRET_KEY", "DUECARE_BATCH_LIMIT", "DUECARE_LOG_LEVEL"))
    assert "hunter2" not in told
    assert "lots" not in told


def test_secrets_never_show(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://:hunter3@h/0")
    monkeypatch.setenv("DUECARE_SECRET_KEY", "hunter4" * 8)
    shown = repr(load()) + str(load()) + str(load().model_dump())
    assert "hunter" not in shown


def test_blank_means_unset(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "DUECARE_POLICIES", "DUECARE_SECRET_KEY", "DUECARE_RATE_LIMIT"):
        monkeypatch.setenv(name, "")
    settings = load()
    assert (settings.database_url, settings.redis_url, settings.policies, settings.secret_key, settings.rate_limit) == (None,) * 5


def test_levels_are_taken_in_any_case(monkeypatch):
    monkeypatch.setenv("DUECARE_LOG_LEVEL", "DEBUG")
    assert load().log_level == "debug"


def test_every_setting_is_an_environment_variable_with_a_description():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert len(_names(field)) == 1, name


def test_the_settings_that_others_rely_on_have_their_names():
    names = {alias for field in Settings.model_fields.values() for alias in _names(field)}
    assert names >= {
        "DATABASE_URL",
        "REDIS_URL",
        "DUECARE_HOME",
        "DUECARE_POLICIES",
        "DUECARE_SECRET_KEY",
        "DUECARE_LOG_LEVEL",
    }


def _names(field) -> list[str]:
    return [str(choice) for choice in field.validation_alias.choices]
