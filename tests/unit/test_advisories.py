"""An audit of the packages tells three things apart: an advisory is known, none is, and nobody could be asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.advisories import ask, read

FINE = {"name": "flask", "version": "3.1.3", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2"}, {"id": "CVE-1"}]}
UNASKED = {"name": "other", "skip_reason": "not found"}


def said(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_an_advisory_fails_and_is_named():
    found = read(said(FINE, BAD, UNASKED))
    assert found.code == 1
    assert "old 1.0: CVE-1, PYSEC-2" in found.words()


def test_all_looked_up_and_nothing_known_is_good():
    found = read(said(FINE))
    assert (found.code, found.words()) == (0, "No advisory is known against any of 1 packages.")


def test_packages_that_nobody_could_be_asked_about_are_not_called_good():
    found = read(said(FINE, UNASKED, UNASKED))
    assert found.code == 0
    assert "could not be asked for 2 of the packages" in found.words()


def test_a_service_that_is_away_is_said_and_fails_nothing(tmp_path: Path):
    away = [sys.executable, "-c", "import sys; sys.exit('ConnectionError: cannot reach it')"]
    found = ask(away, tmp_path / "lock.txt")
    assert found.code == 0
    assert found.words().startswith("The advisories could not be asked for any of the packages (ConnectionError): ")
