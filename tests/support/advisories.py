"""`./dev audit`: whether advisories are known against what the lock installs, asked by pip-audit; and whether they could be asked at all.

pip-audit says "no known vulnerabilities" also where the registry knows nothing of advisories.  Here each package has to have been looked
up, or it is said that the advisories could not be asked: that fails nothing, and proves nothing.  Exit code 1: an advisory is known.
Imports the standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0


@dataclass(frozen=True)
class Outcome:
    """What came of asking: advisories by package, and how many packages could be looked up."""

    known: dict[str, list[str]]
    asked: int
    skipped: int
    why: str = ""

    @property
    def code(self) -> int:
        return 1 if self.known else 0

    def words(self) -> str:
        if self.known:
            lines = [f"  {package}: {', '.join(ids)}" for package, ids in sorted(self.known.items())]
            return "\n".join(["Advisories are known:", *lines])
        if self.asked and not self.skipped:
            return f"No advisory is known against any of {self.asked} packages."
        told = f" ({self.why})" if self.why else ""
        return f"The advisories could not be asked for {self.skipped or 'any'} of the packages{told}: nothing is known of them either way."


def read(text: str) -> Outcome:
    """What pip-audit's JSON says."""
    known: dict[str, list[str]] = {}
    asked = skipped = 0
    for package in json.loads(text)["dependencies"]:
        if "skip_reason" in package:
            skipped += 1
            continue
        asked += 1
        if package["vulns"]:
            known[f"{package['name']} {package['version']}"] = sorted(one["id"] for one in package["vulns"])
    return Outcome(known, asked, skipped)


def ask(command: Sequence[str], lock: Path) -> Outcome:
    """Ask about what ``lock`` installs."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [*command, "-r", str(lock), "--no-deps", "--disable-pip", "-f", "json", "-o", str(report), "--progress-spinner", "off"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return Outcome({}, 0, 0, "no answer in time")
        if report.exists() and report.stat().st_size:
            return read(report.read_text("utf-8"))
        last = (done.stderr.strip().splitlines() or ["no report"])[-1]
        return Outcome({}, 0, 0, last.split(":")[0][:100])


def main() -> int:
    lock, *command = sys.argv[1:]
    outcome = ask(command, Path(lock))
    sys.stdout.write(outcome.words() + "\n")
    return outcome.code


if __name__ == "__main__":
    sys.exit(main())
