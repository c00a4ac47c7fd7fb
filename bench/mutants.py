"""`./dev bench mutants`: do the tests of the core notice small faults in it?

The tests are collected once.  Every mutant lives in a forked child: the changed function takes the place of the sound one, and the
tests that reach the changed statement run until one fails.  What runs while a module is loaded is tried in a fresh process.  No file
is changed.  docs/explanation/mutation-testing.md tells how to read the scores.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import yaml

from bench.mutants_child import TESTS, WITHOUT, Loop, run_fresh
from bench.mutations import MODULES, ROOT, Mutant, mutants_of

JUDGED = ROOT / "bench" / "mutants_judged.yaml"


def judged() -> dict[str, dict[str, str]]:
    """By module and name, why a mutant that survives means the same as the module."""
    return yaml.safe_load(JUDGED.read_text()) or {} if JUDGED.exists() else {}


def interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not whole:
        return 0.0, 1.0
    z, p = 1.96, part / whole
    middle, width = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return (middle - width) / (1 + z * z / whole), (middle + width) / (1 + z * z / whole)


def chosen(arguments: argparse.Namespace) -> list[Mutant]:
    """The mutants to try, module by module."""
    again: set[str] | None = None
    if arguments.again:
        lines = [json.loads(line) for line in Path(arguments.again).read_text().splitlines()]
        same = judged()
        again = {f"{r['module']} {r['name']}" for r in lines if r["end"] == "survived" and r["name"] not in same.get(r["module"], {})}
    draw = random.Random(arguments.seed)
    found: list[Mutant] = []
    for module in arguments.module or MODULES:
        mine = [m for m in mutants_of(module) if again is None or f"{module} {m.name}" in again]
        mine = [m for m in mine if m.function or not arguments.functions]
        if arguments.sample is not None and arguments.sample < len(mine):
            mine = sorted(draw.sample(mine, arguments.sample), key=lambda m: m.number)
        found += mine
    return found


def table(results: Iterable[dict[str, str]], everything: Counter[str]) -> str:
    """The score of each module: of those tried, how many were killed, leaving out what means the same."""
    by_module: dict[str, list[dict[str, str]]] = {}
    for result in results:
        by_module.setdefault(result["module"], []).append(result)
    same = judged()
    rows, killed, counted = [], 0, 0
    for module, mine in by_module.items():
        dead = sum(r["end"] != "survived" for r in mine)
        equal = sum(r["end"] == "survived" and r["name"] in same.get(module, {}) for r in mine)
        low, high = interval(dead, len(mine) - equal) if len(mine) < everything[module] else (0.0, 0.0)
        score = dead / (len(mine) - equal) if len(mine) > equal else 1.0
        between = f"  ({low:.0%} to {high:.0%})" if high else ""
        left = len(mine) - equal - dead
        rows.append(f"{module:32} {len(mine):5} of {everything[module]:5} {dead:6} {equal:6} {left:6}  {score:6.1%}{between}")
        killed, counted = killed + dead, counted + len(mine) - equal
    head = f"{'module':32} {'tried':>14} {'killed':>6} {'equal':>6} {'left':>6}  score"
    return "\n".join((head, *rows, f"{'all':32} {counted:30} {killed / max(counted, 1):>13.1%}"))


def main(arguments: Sequence[str]) -> int:
    """Exit code 1: a mutant survives that nobody has judged."""
    parser = argparse.ArgumentParser(prog="bench mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--module", action="append", choices=MODULES, help="only this module (may be given several times)")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=math.inf, help="seconds of tests for one mutant, quickest first (default: all)")
    parser.add_argument("--functions", action="store_true", help="leave out what runs while a module is loaded: it takes long to try")
    parser.add_argument("--again", metavar="FILE", help="only those that survived according to this file of results, and are not judged")
    parser.add_argument("--out", metavar="FILE", help="where the results go, one a line as JSON")
    parser.add_argument("--list", action="store_true", help="say what would be tried")
    parser.add_argument("--fresh", nargs=2, metavar=("MODULE", "NUMBER"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    os.environ["CI"] = "1"  # tests by properties then draw the same examples every time
    if asked.fresh:
        return run_fresh(asked.fresh[0], int(asked.fresh[1]))
    mutants = chosen(asked)
    if asked.list:
        print("\n".join(f"{m.module}:{m.line} {m.name}" for m in mutants))
        print(f"{len(mutants)} mutants", file=sys.stderr)
        return 0
    same = judged()
    results: list[dict[str, str]] = []
    if asked.out:
        Path(asked.out).write_text("")

    def note(mutant: Mutant, end: str, by: str) -> None:
        results.append({"module": mutant.module, "name": mutant.name, "end": end, "line": str(mutant.line), "by": by})
        if asked.out:
            with Path(asked.out).open("a") as out:
                print(json.dumps(results[-1]), file=out)
        if end == "survived" and mutant.name not in same.get(mutant.module, {}):
            print(f"{mutant.module}:{mutant.line} {mutant.name}{'  (no test reaches it)' if by.startswith('no ') else ''}", flush=True)

    ended = pytest.main(
        ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", WITHOUT, *TESTS],
        plugins=[Loop(mutants, note, budget=asked.budget, afresh=not asked.functions)],
    )
    print(table(results, Counter(m.module for module in {r["module"] for r in results} for m in mutants_of(module))))
    if ended != 0:
        return int(ended)
    return int(any(r["end"] == "survived" and r["name"] not in same.get(r["module"], {}) for r in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
