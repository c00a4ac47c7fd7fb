"""Random cases judged by the product and by a model that was written from the wording of the rules alone: they must say the same.

What may differ is left out on purpose: which visit of one day is the same visit (a matter of sources, of which there is one here).
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from rules.evaluate import evaluate
from rules.model import CaseFile, Event
from rules.policy import load_shipped
from tests.support import plaincases, plainrules
from tests.support.plain import Run, Said, effective, episodes

CASES = 700
WITHOUT_A_DAY = {
    "C01", "C02", "C09", "C10", "C13", "C15", "C18", "C19", "C24", "C26", "C28",
    "S01", "S02", "S04", "S07", "S16", "S18", "S19", "S22", "S23", "S24",
}  # fmt: skip
"""Of order and content rules the verdict is compared; their days are those of the activation."""
Row = tuple[str, ...]
Model = Callable[[Run], dict[str, list[Said]]]


def row(rule: str, verdict: str, reason: str | None, due: object, satisfied: object, late: int | None) -> Row:
    if rule in WITHOUT_A_DAY or reason == "not_triggered":
        return (verdict,)
    return tuple(str(part) for part in (verdict, reason, due, satisfied, late))


def row_of(rule: str, said: Said) -> Row:
    return row(rule, said.verdict, said.reason, said.due, said.satisfied, said.late)


@pytest.mark.parametrize(
    ("policy", "zone", "makers", "parameters", "model"),
    [
        ("cfss", "Australia/Adelaide", plaincases.CFSS, plainrules.CFSS, plainrules.cfss),
        ("strengthening_families", "Australia/Darwin", plaincases.STRENGTHENING, plainrules.STRENGTHENING, plainrules.strengthening),
    ],
)
def test_the_product_says_what_the_wording_says(
    policy: str, zone: str, makers: dict[str, tuple[float, plaincases.Make]], parameters: dict[str, int], model: Model
) -> None:
    judge, place = load_shipped(policy).with_parameters(parameters), ZoneInfo(zone)
    verdicts: Counter[tuple[str, str]] = Counter()
    differing: list[str] = []
    for seed in range(CASES):
        told, as_of, known_at = plaincases.make(random.Random(seed), makers, policy, place)
        today = dt.datetime.fromtimestamp(as_of / 1000, dt.UTC).astimezone(place).date()
        runs = [Run(events, today) for events in episodes(effective(told, place, as_of, known_at))]
        wanted = [{rule: sorted(row_of(rule, one) for one in said) for rule, said in model(run).items()} for run in runs]
        events = tuple(Event("urn:desk", e.id, e.type, "C", e.time, e.recorded, True, plaincases.core_data(e)) for e in told)
        found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for v in evaluate([judge], CaseFile("C", events, {}, ()), as_of=as_of, known_at=known_at).verdicts:
            line = v.as_dict()
            found[line["episode"]][line["rule"]].append(
                row(line["rule"], line["verdict"], line["reason"], line["due_on"], line["satisfied_on"], line["days_late"])
            )
        assert len(found) == len(wanted), f"seed {seed}: episodes {sorted(found)}, by the wording {len(wanted)}"
        for name, said in zip(sorted(found), wanted, strict=True):
            differing += [
                f"seed {seed}, episode {name}, {rule}: {sorted(found[name][rule])}, by the wording {rows}"
                for rule, rows in said.items()
                if sorted(found[name][rule]) != rows
            ]
        verdicts.update((rule, line[0]) for said in wanted for rule, lines in said.items() for line in lines)
    assert not differing, "\n".join(differing[:20])
    seen = {rule: {verdict for name, verdict in verdicts if name == rule} for rule, _ in verdicts}
    weak = {rule: words for rule, words in seen.items() if not {"met", "breached"} <= words}
    assert not weak, "these rules were not tried on both sides"
