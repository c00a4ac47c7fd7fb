"""Both deciders on whole random cases: `python -m bench.cases_fuzz --cases N --seed S`.

Prints how many cases and verdicts were judged, how often the deciders differed (it must be never), and what the fence costs
a case.  Exit status 1 where they differed, or where two verdicts of a case had one key.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from rules.evaluate import evaluate
from rules.policy import load_shipped, shipped
from tests.support.random_cases import DAY, PARAMETERS, START, random_file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    as_shipped = [load_shipped(name) for name in shipped()]
    with_limits = [policy.with_parameters(PARAMETERS[policy.id]) for policy in as_shipped]
    outcomes: Counter[str] = Counter()
    differences = doubled = 0
    spent = {"both": 0.0, "table": 0.0}
    for number in range(chosen.cases):
        rnd = random.Random(chosen.seed * 1_000_000_007 + number)
        file = random_file(rnd)
        as_of = START + rnd.randint(0, 200) * DAY + rnd.randint(0, DAY)
        known_at = as_of if number % 3 else START + 400 * DAY
        policies = with_limits if number % 2 else as_shipped
        began = time.process_time()
        found = evaluate(policies, file, as_of=as_of, known_at=known_at)
        spent["both"] += time.process_time() - began
        if number % 10 == 0:
            began = time.process_time()
            evaluate(policies, file, as_of=as_of, known_at=known_at, deciders="table")
            spent["table"] += (time.process_time() - began) * 10
        differences += len(found.disagreements)
        doubled += len(found.verdicts) - len({verdict.key for verdict in found.verdicts})
        outcomes.update(verdict.verdict.value for verdict in found.verdicts)
    fence = (spent["both"] - spent["table"]) / chosen.cases * 1e6
    print(f"{chosen.cases} cases, {outcomes.total()} verdicts, {differences} differences, {doubled} keys twice")
    print(f"the second decider with its fence costs {fence:.0f} us a case on the processor")
    print("  ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
    return 1 if differences or doubled else 0


if __name__ == "__main__":
    sys.exit(main())
