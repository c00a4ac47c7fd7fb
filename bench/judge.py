"""`python -m bench.judge`: what judging one case of about 30 events costs, as a ratio to ten of the rules written by hand.

Equality of verdicts is checked first; then the sides take turns, and the best of several rounds counts, in time on the processor:
else a short round would slip between other programs' turns, and a long one would not.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

from bench.by_hand import RULES
from bench.by_hand import judge as by_hand
from bench.population import DAY, plain_case
from rules.clock import zone
from rules.evaluate import evaluate
from rules.model import CaseFile
from rules.policy import load_shipped

AS_OF = zone("Australia/Adelaide").start_of(739_676) + 95 * DAY


def rss_mb() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", type=int, default=0, help="evaluations after which the memory is looked at again")
    chosen = parser.parse_args()
    cfss = load_shipped("cfss")
    files = [plain_case(seed) for seed in range(chosen.cases)]
    for file in files:
        wanted = by_hand(file.events, AS_OF)
        got = {v.rule: v.verdict.value for v in evaluate([cfss], file, as_of=AS_OF, known_at=AS_OF + 99 * DAY).verdicts if v.rule in RULES}
        if got != wanted:
            raise SystemExit(f"the engine and the hand-written function differ: {got} {wanted}")
    size = sum(len(file.events) for file in files) / len(files)
    print(f"{len(files)} cases of {size:.0f} events, {len(cfss.rules)} rules; the ten written by hand give the same verdicts")

    def engine(deciders: str) -> Callable[[CaseFile], object]:
        return lambda file: evaluate(
            [cfss], file, as_of=AS_OF, known_at=AS_OF + 99 * DAY, deciders="both" if deciders == "both" else "table"
        )

    sides: dict[str, Callable[[CaseFile], object]] = {
        "by hand, 10 rules": lambda file: by_hand(file.events, AS_OF),
        "table alone, all rules": engine("table"),
        "both deciders, all rules": engine("both"),
    }
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(chosen.rounds):
        for name, side in sides.items():
            began = time.process_time()
            for file in files:
                side(file)
            best[name] = min(best[name], (time.process_time() - began) / len(files) * 1e6)
    floor = best["by hand, 10 rules"]
    for name, micros in best.items():
        print(f"{name:26} {micros:8.0f} us a case  {micros / floor:6.1f} times by hand")
    if chosen.memory:
        before = rss_mb()
        for number in range(chosen.memory):
            engine("both")(files[number % len(files)])
        print(f"memory: {before:.1f} MB before, {rss_mb():.1f} MB after {chosen.memory} more evaluations")


if __name__ == "__main__":
    main()
