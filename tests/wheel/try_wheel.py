"""Builds the wheel, installs it in an empty environment outside the checkout, and judges a small case with it.

A checkout works even when the wheel lacks a policy, a template or a migration, because its files lie beside the code. So this looks at
what was packed, and compares what the installed command says with what the checkout's says. `./dev check` runs it; it stands alone.
Imports the standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = Path(__file__).with_name("late_plan.jsonl")
CHECK = ["check", "--policy", "cfss", "--as-of", "2026-04-01", "--known-at", "2026-04-02", "--format", "json"]
BREACHES_FOUND = 1


def packages() -> list[str]:
    """The top-level packages that the project says it ships."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def tracked() -> set[str]:
    """Every file of those packages that is under version control."""
    listed = subprocess.run(["git", "ls-files", "-z", *packages()], cwd=ROOT, capture_output=True, check=True).stdout
    return {name for name in listed.decode().split("\0") if name and (ROOT / name).exists()}


def build(folder: Path) -> Path:
    """The wheel, built without network from this checkout."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """The `duecare` command of a new environment that holds the wheel and the requirements of a run, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements/build.txt")], check=True)
    subprocess.run([*pip, "--require-hashes", "--no-build-isolation", "-r", str(ROOT / "requirements/run.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return folder / "bin/duecare"


def judge(command: Path, elsewhere: Path) -> list[dict[str, object]]:
    """The verdicts of ``command`` on the sample, run in an empty folder, away from the checkout."""
    env = {"PATH": os.environ["PATH"], "HOME": str(elsewhere), "LANG": "C.UTF-8"}
    done = subprocess.run([str(command), *CHECK, str(SAMPLE)], cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    if done.returncode != BREACHES_FOUND:
        raise SystemExit(f"{command} {' '.join(CHECK)}: exit {done.returncode}, not {BREACHES_FOUND}\n{done.stderr}")
    return list(json.loads(done.stdout))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="duecare-wheel-") as scratch:
        folder = Path(scratch)
        wheel = build(folder / "dist")
        with zipfile.ZipFile(wheel) as archive:
            packed = set(archive.namelist())
        if missing := sorted(tracked() - packed):
            raise SystemExit(f"the wheel lacks {len(missing)} files of the checkout: {', '.join(missing[:10])}")
        installed = install(wheel, folder / "venv")
        (folder / "empty").mkdir()
        theirs = judge(installed, folder / "empty")
        ours = judge(Path(sys.executable).with_name("duecare"), folder / "empty")
        if theirs != ours:
            differing = [pair for pair in zip_longest(theirs, ours) if pair[0] != pair[1]]
            raise SystemExit(f"the wheel judges otherwise than the checkout; first of {len(differing)} differences:\n{differing[0]}")
        if not any(verdict["rule"] == "C08" and verdict["verdict"] == "breached" for verdict in theirs):
            raise SystemExit("the sample's missing safety plan (C08) was not found")
        print(f"{wheel.name}: {len(packed)} files; {len(theirs)} verdicts, the same as the checkout's")


if __name__ == "__main__":
    main()
