"""Every small situation against the oracle of worlds: `python -m bench.deciders_worlds`.

The long form of a test of the suite: some 2.07 million situations, each decided by the table, by the ruleset, and by trying out
every way in which the missing data may turn out.  Exit status 1 where any two differ.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from rules.decide import table
from rules.decide.ruleset import Ruleset
from rules.model import Line
from tests.support.worlds import CROWD, VERDICTS, WIDE, expected, situations


def main() -> int:
    engine, lines = Ruleset(), Counter[Line]()
    start, tried, differences, violations = time.perf_counter(), 0, 0, 0
    for grid in (WIDE, CROWD):
        for now, items in situations(grid):
            decisions = table.decide(items, now)
            differences += engine.decide(items, now) != decisions
            tried += len(items)
            for (duty, candidates), found in zip(items, decisions, strict=True):
                lines[found.line] += 1
                if VERDICTS[found.line] != (right := expected(duty, candidates, now)):
                    violations += 1
                    print(f"{found.line.value}, the worlds say {right}: {duty} {candidates} {now}", file=sys.stderr)
    print(f"situations {tried}  batches that differ {differences}  against the worlds {violations}  {time.perf_counter() - start:.0f} s")
    print("  ".join(f"{line.value} {lines[line]}" for line in Line if lines[line]))
    return 1 if differences or violations else 0


if __name__ == "__main__":
    sys.exit(main())
