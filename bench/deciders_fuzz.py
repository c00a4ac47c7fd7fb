"""A long seeded fuzz of the two deciders: `python -m bench.deciders_fuzz --items 2000000 --seed 1`.

Random obligations in batches of the size of a case, their times close around a few edges so that every tie and every order comes
up.  Prints what was tried, every difference, how often each line held, and what an obligation costs each decider.  Exit status 1
where they differ.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from rules.decide import Item, table
from rules.decide.ruleset import Ruleset
from rules.model import Candidate, Duty, Fit, Line, State

DAY = 10
SCALES = ((0, 1), (1_772_323_200_000, 1), (1_772_323_200_000, 8_640_000), (-2_208_988_800_000, 8_640_000))
"""Where the edges below lie and how many milliseconds they are apart: small numbers, 2026, 1900."""
EDGES = (90, 95, 99, 100, 101, 104, 105, 106, 109, 110, 111, 115, 119, 120)
LIMITS: tuple[dict[str, tuple[int, int]], ...] = (
    {"due": (100, 110)},
    {"due": (100, 110)},
    {"gate": (105, 105)},
    {"gate": (100, 109)},
    {"gate": (104, 106)},
    {},
)
STATES = (State.LIVE,) * 12 + (State.OFF, State.UNSET, State.HOLE)
FITS = (Fit.YES, Fit.YES, Fit.UNCLEAR, Fit.UNCLEAR, Fit.NO)
COUNTS = (0, 0, 1, 1, 1, 2, 2, 3, 5)


class Draw:
    """Random obligations on one scale."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.origin, self.unit = draw.choice(SCALES)

    def ms(self, edge: int) -> int:
        return self.origin + edge * self.unit

    def maybe(self, share: float) -> int | None:
        return self.ms(self.draw.choice(EDGES)) if self.draw.random() < share else None

    def span(self) -> tuple[int, int]:
        """A moment, a whole day, or any other span."""
        kind = self.draw.random()
        if kind < 0.5:
            moment = self.ms(self.draw.choice(EDGES))
            return moment, moment
        if kind < 0.8:
            day = self.draw.choice((90, 100, 110))
            return self.ms(day), self.ms(day + DAY) - 1
        first, last = sorted((self.draw.choice(EDGES), self.draw.choice(EDGES)))
        return self.ms(first), self.ms(last)

    def item(self) -> Item:
        limit = {name: (self.ms(first), self.ms(last)) for name, (first, last) in self.draw.choice(LIMITS).items()}
        duty = Duty(
            state=self.draw.choice(STATES),
            due=limit.get("due"),
            gate=limit.get("gate"),
            soon=self.maybe(0.5),
            ended=self.maybe(0.3),
            complete_until=self.maybe(0.4),
            complete_needed=self.maybe(0.7),
            curable=self.draw.random() < 0.7,
            waived=self.draw.random() < 0.3,
        )
        return duty, [Candidate(*self.span(), self.draw.choice(FITS)) for _ in range(self.draw.choice(COUNTS))]


def cases(seed: int, wanted: int) -> Iterator[tuple[list[Item], int]]:
    """Batches that hold ``wanted`` obligations in all, each with its now."""
    chance = random.Random(seed)
    while wanted > 0:
        draw = Draw(chance)
        size = min(wanted, chance.choice((1, 2, 10, 40, 40, 40, 63, 64, 65, 130)))
        wanted -= size
        now = draw.ms(chance.choice((80, *EDGES, 130, 130, 130))) - chance.choice((0, 0, 0, 1))
        yield [draw.item() for _ in range(size)], now


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    engine, lines = Ruleset(), Counter[Line]()
    differences = tried = 0
    for_table = for_ruleset = 0.0
    for items, now in cases(given.seed, given.items):
        start = time.perf_counter()
        wanted = table.decide(items, now)
        middle = time.perf_counter()
        found = engine.decide(items, now)
        end = time.perf_counter()
        for_table += middle - start
        for_ruleset += end - middle
        tried += len(items)
        lines.update(each.line for each in wanted)
        if found != wanted:
            for one, said, other in zip(items, wanted, found, strict=True):
                if said != other:
                    differences += 1
                    print(f"table {said}, ruleset {other}, now {now}: {one}", file=sys.stderr)
    print(f"obligations {tried}  differences {differences}  seed {given.seed}")
    print("  ".join(f"{line.value} {lines[line]}" for line in Line if line is not Line.DISAGREE))
    print(f"us per obligation: table {for_table / tried * 1e6:.2f}  ruleset {for_ruleset / tried * 1e6:.2f}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
