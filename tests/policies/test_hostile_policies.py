"""Broken and hostile policy packages: none crashes, hangs or takes much memory, and each is told with its place."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import Hostile, hostile, write_all

ROOT = Path(__file__).resolve().parents[2]
FINDING = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<col>\d+) (?P<code>\S+) (?P<severity>error|warning|info): (?P<message>.+)")
NAMES = [one.name for one in hostile()]


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Hostile, Path, dict[str, Any]]]:
    """What linting each package came to, by name: all in one process that has little memory."""
    written = write_all(tmp_path_factory.mktemp("hostile"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.lint_all"],
        input="\n".join(str(path) for _, path in written),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)["files"]
    return {one.name: (one, path, result) for (one, path), result in zip(written, found, strict=True)}


def test_there_are_more_than_three_hundred_each_with_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES) > 300


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_package_is_told_with_its_place_and_breaks_nothing(linted: dict[str, Any], name: str) -> None:
    one, path, result = linted[name]
    assert result["code"] in (0, 1), result["err"]
    assert "Traceback" not in result["err"]
    lines = result["out"].split("\n")[:-1]
    told = [FINDING.fullmatch(line) for line in lines]
    assert all(told), [line for line, match in zip(lines, told, strict=True) if match is None][:3]
    errors = [match for match in told if match is not None and match["severity"] == "error"]
    assert bool(errors) == (result["code"] == 1)
    assert errors or not one.refused, "it was not refused"
    for match in told:
        assert match is not None
        assert int(match["line"]) >= 1
        assert int(match["col"]) >= 1
        assert Path(match["file"]).is_relative_to(path.parent), "a fault outside the package"
        assert match["message"].isprintable()
        assert len(match["message"]) <= 500


def test_no_fault_quotes_a_file_outside_the_package(linted: dict[str, Any]) -> None:
    for _, _, result in linted.values():
        assert "root:" not in result["out"] + result["err"]
