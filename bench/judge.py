"""`python -m bench.judge`: what judging one case of about 30 events costs, as a ratio to ten of the rules written by hand.

Judged are the same ten rules and all of cfss; beside it, durable-rules used as it comes (see `bench.durable_naive`).  Equality of
verdicts is checked first; then the sides take turns, and the best of several rounds counts, in time on the processor: else a short
round would slip between other programs' turns, and a long one would not.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace

from bench import durable_naive
from bench.by_hand import RULES
from bench.by_hand import judge as by_hand
from bench.population import DAY, plain_case
from rules.clock import zone
from rules.decide import Deciders
from rules.evaluate import Evaluation, evaluate
from rules.model import CaseFile
from rules.policy import Policy, load_shipped

AS_OF = zone("Australia/Adelaide").start_of(739_676) + 95 * DAY


def rss_mb() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def same(got: dict[str, str], wanted: dict[str, str], side: str) -> None:
    """Ends the benchmark where a side does not judge as the function by hand does."""
    if got != wanted:
        raise SystemExit(f"{side} and the hand-written function differ: {got} {wanted}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", type=int, default=0, help="evaluations after which the memory is looked at again")
    chosen = parser.parse_args()
    cfss = load_shipped("cfss")
    ten = replace(cfss, rules=tuple(rule for rule in cfss.rules if rule.id in RULES))
    naive = durable_naive.Naive()
    files = [plain_case(seed) for seed in range(chosen.cases)]

    def engine(policy: Policy, deciders: Deciders) -> Callable[[CaseFile], Evaluation]:
        return lambda file: evaluate([policy], file, as_of=AS_OF, known_at=AS_OF + 99 * DAY, deciders=deciders)

    for file in files:
        wanted = by_hand(file.events, AS_OF)
        for policy in (cfss, ten):
            same({v.rule: v.verdict.value for v in engine(policy, "both")(file).verdicts if v.rule in RULES}, wanted, policy.id)
        same(naive.judge(file.events, AS_OF), {rule: wanted[rule] for rule in durable_naive.RULES}, "durable-rules")
    size = sum(len(file.events) for file in files) / len(files)
    print(f"{len(files)} cases of {size:.0f} events, {len(cfss.rules)} rules; all sides give the same verdicts")
    few = f"durable-rules alone, {len(durable_naive.RULES)} rules"
    sides: dict[str, Callable[[CaseFile], object]] = {
        "by hand, 10 rules": lambda file: by_hand(file.events, AS_OF),
        "table alone, 10 rules": engine(ten, "table"),
        "both deciders, 10 rules": engine(ten, "both"),
        "table alone, all rules": engine(cfss, "table"),
        "both deciders, all rules": engine(cfss, "both"),
        few: lambda file: naive.judge(file.events, AS_OF),
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
            engine(cfss, "both")(files[number % len(files)])
        print(f"memory: {before:.1f} MB before, {rss_mb():.1f} MB after {chosen.memory} more evaluations")


if __name__ == "__main__":
    main()
