"""The house stands as it was drawn: its folders, its small modules, its requirements, and nothing of one machine in its files."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rules", "adapters", "store", "service", "workers", "api", "cli")
LONGEST_MODULE = 400
LONGEST_TEST_MODULE = 600


@cache
def tracked() -> tuple[Path, ...]:
    """Every file under version control that is still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """The text of every tracked file that is text, by its path from the root."""
    found = {}
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8", errors="replace")
    return found


def project() -> dict[str, dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> dict[str, str]:
    """Package and pinned version of every line of a requirement file (the last one where the version depends on the Python)."""
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return {m[1]: m[2] for line in lines if (m := re.match(r"([a-z0-9._-]+)==(\S+)", line))}


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "docs", "bench"])
def test_a_folder_of_the_layout_is_there(folder):
    assert any(path.is_relative_to(ROOT / folder) for path in tracked()), f"{folder}/ holds no tracked file"


@pytest.mark.parametrize("name", ["pyproject.toml", "Procfile", "dev", ".ci/run", "README.md", "CHANGELOG.md", "LICENSE"])
def test_a_file_of_the_layout_is_there(name):
    assert (ROOT / name) in tracked()


@pytest.mark.parametrize("name", ["dev", ".ci/run"])
def test_a_script_may_be_executed(name):
    assert (ROOT / name).stat().st_mode & 0o111


def test_the_wheel_ships_the_packages_of_the_layout():
    assert tuple(project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_modules_are_small():
    # A migration is one history told in order, never split.
    modules = {name: text.count("\n") for name, text in texts().items() if name.endswith(".py") and "/versions/" not in name}
    long = {name: n for name, n in modules.items() if n > (LONGEST_TEST_MODULE if name.startswith("tests/") else LONGEST_MODULE)}
    assert not long


def test_every_module_of_the_product_says_why_it_exists():
    silent = [
        name
        for name, text in texts().items()
        if name.endswith(".py")
        and name.startswith(tuple(f"{p}/" for p in PACKAGES))
        and text.strip()
        and not text.lstrip().startswith(('"""', 'r"""'))
    ]
    assert not silent


# Put together here, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "|".join(re.escape(a + b) for a, b in [("/wo", "rk/"), ("/ro", "ot/"), ("/far", "m/"), (".lib", "rary/"), ("/tmp/bash", "_jobs")])
)
REGISTRIES = re.compile(
    "|".join(re.escape(a + b) for a, b in [("pypi.", "org"), ("pythonhosted.", "org"), ("registry.npm", "js"), ("--find", "-links /")])
)


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES], ids=["a path of somebody's machine", "a package registry"])
def test_no_tracked_file_names(pattern):
    named = {name: found[0] for name, text in texts().items() if (found := pattern.search(text))}
    assert not named


def test_no_file_is_indented_or_ended_by_another_system():
    assert [name for name, text in texts().items() if "\r\n" in text and not name.startswith("tests/")] == []


def test_the_readme_shows_how_to_run_and_how_to_test():
    readme = (ROOT / "README.md").read_text()
    assert "./dev run" in readme
    assert "./dev test" in readme


def test_the_processes_of_the_procfile_are_the_ones_that_are_promised():
    lines = (ROOT / "Procfile").read_text().splitlines()
    names = [line.partition(":")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(names) == ["evaluator", "release", "scheduler", "web", "worker"]


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_every_dependency_is_pinned_as_the_project_asks(name):
    pinned = {canonicalize_name(package): version for package, version in pins(name).items()}
    for line in project()["project"]["dependencies"]:
        wanted = Requirement(line)
        found = pinned.get(canonicalize_name(wanted.name))
        assert found is not None, f"{wanted.name} is not in requirements/{name}: run ./dev lock"
        assert found in wanted.specifier, f"requirements/{name} pins {wanted.name} {found}, the project asks for {wanted.specifier}"


def test_the_tests_run_on_what_the_product_runs_on():
    run, test = pins("run.txt"), pins("test.txt")
    assert {name: test.get(name) for name in run} == run


@pytest.mark.parametrize("name", ["run.txt", "build.txt", "test.txt"])
def test_every_pin_has_hashes(name):
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements" / name).read_text())
    bare = [block.split()[0] for block in blocks if "==" in block.split("\n")[0] and "--hash=sha256:" not in block]
    assert not bare


def test_the_changelog_tells_of_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog or f"## [{project()['project']['version']}]" in changelog


def test_the_installed_version_is_the_projects():
    assert installed_version("duecare") == project()["project"]["version"]
