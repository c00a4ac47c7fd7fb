"""What ``deploy`` holds can be run: each program, setting and file that a unit, an image or a compose file names is there."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click import Command, Context, Group

from cli.main import app
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("duecare*.*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
COMPOSE = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text("utf-8"))
FOREIGN = {"GUNICORN_CMD_ARGS", "FORWARDED_ALLOW_IPS", "POSTGRES_PASSWORD", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PATH"}


def settings() -> set[str]:
    """Every environment variable that the product reads."""
    aliases = (field.validation_alias for field in Settings.model_fields.values())
    return {str(name) for alias in aliases for name in getattr(alias, "choices", [alias])}


def known(words: list[str]) -> bool:
    """Whether a command line is one of ours: ``gunicorn`` for our application, or a command of ``duecare`` with options that it has."""
    program, *rest = words
    if Path(program).name == "gunicorn":
        return rest[-1] == "api.wsgi:app"
    assert Path(program).name == "duecare", program
    command: Command = app
    with Context(app) as context:
        while isinstance(command, Group):
            found = command.get_command(context, rest.pop(0))
            assert found is not None, words
            command = found
        options = {option for parameter in command.params for option in parameter.opts}
        return all(word in options for word in rest if word.startswith("--"))


def read(unit: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parsed.optionxform = str  # type: ignore[assignment]
    parsed.read_string(unit.read_text("utf-8"))
    return parsed


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_starts_a_program_that_is_there(unit: Path) -> None:
    command = re.sub(r"^/bin/sh -c '(?:exec )?(.*)'$", r"\1", read(unit)["Service"]["ExecStart"])
    assert command.startswith("/opt/duecare/.venv/bin/")
    assert known([word for word in shlex.split(command) if "/backups/" not in word])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_process_gives_the_same_rights_up(unit: Path) -> None:
    service = read(unit)["Service"]
    assert service["User"] == "duecare"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("yes", "strict", "")


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the units are held to the programs that they start only")
    for unit in UNITS:
        if unit.suffix != ".example":
            text = re.sub(r"/opt/duecare/.venv/bin/\w+", "/bin/true", unit.read_text("utf-8"))
            (tmp_path / unit.name).write_text(text.replace("file:///opt/duecare", "file:///opt"), "utf-8")
    units = [str(unit) for unit in sorted(tmp_path.iterdir())]
    asked = subprocess.run(["systemd-analyze", "verify", *units], check=False, capture_output=True, text=True, timeout=180)
    assert (asked.returncode, asked.stderr) == (0, "")


@pytest.mark.parametrize("example", sorted(DEPLOY.rglob("*.env.example")), ids=lambda path: path.name)
def test_settings_of_examples_are_settings_of_the_product(example: Path) -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", example.read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= settings() | FOREIGN


@pytest.mark.parametrize("name", [name for name, service in COMPOSE["services"].items() if service.get("image") == "duecare"])
def test_a_service_of_compose_runs_a_program_that_is_there(name: str) -> None:
    service = COMPOSE["services"][name]
    assert known(list(service["command"]))
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert set(service["depends_on"]) <= set(COMPOSE["services"])


def test_compose_runs_every_process_of_the_procfile() -> None:
    processes = set(re.findall(r"^(\w+):", (ROOT / "Procfile").read_text("utf-8"), re.MULTILINE))
    ours = {name for name, service in COMPOSE["services"].items() if service.get("image") == "duecare"}
    # A release is called an upgrade where it ends; an evaluator is a worker that has every core.
    assert {"upgrade" if name == "release" else name for name in processes - {"evaluator"}} == ours


def test_the_image_copies_what_is_there_and_runs_a_program_that_is_there() -> None:
    lines = (DEPLOY / "container/Containerfile").read_text("utf-8").replace("\\\n", " ")
    for source in re.findall(r"^COPY (?!--from)(\S+) ", lines, re.MULTILINE):
        assert (ROOT / source).exists()
    [command] = re.findall(r"^CMD (\[.*\])$", lines, re.MULTILINE)
    assert known(list(yaml.safe_load(command)))
    assert set(re.findall(r"\b((?:DUECARE|DATABASE|REDIS)_[A-Z_]+)=", lines)) <= settings()
    assert re.search(r"^USER (?!root|0$)", lines, re.MULTILINE)


def test_a_command_beside_the_services_has_their_settings_and_their_user(tmp_path: Path) -> None:
    (tmp_path / "systemd-run").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "systemd-run").chmod(0o755)
    script = [shutil.which("sh") or "sh", str(DEPLOY / "systemd" / "run"), "users", "create", "two words"]
    words = subprocess.run(script, env={"PATH": str(tmp_path)}, check=True, capture_output=True, text=True).stdout.splitlines()
    at = words.index("/opt/duecare/.venv/bin/duecare")
    assert words[at + 1 :] == ["users", "create", "two words"]
    service = read(DEPLOY / "systemd" / "duecare-upgrade.service")["Service"]
    assert f"--uid={service['User']}" in words
    assert f"--property=EnvironmentFile={service['EnvironmentFile']}" in words
    assert f"--setenv={service['Environment']}" in words
    assert f"--working-directory={service['WorkingDirectory']}" in words
