"""Judging in columns (`bench.columnar`) against judging case by case: whatever the first takes on must be the same to the evidence."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from bench.bulk import in_columns, judged
from bench.by_hand import RULES
from bench.columnar.conditions import NotTaken
from bench.columnar.engine import plan, run
from bench.population import DAY, awkward_case, plain_case
from rules.clock import zone
from rules.model import CaseFile, Event
from rules.policy import Policy, load_shipped
from tests.support.random_cases import PARAMETERS, random_case

START = zone("Australia/Adelaide").start_of(739_676)
COLUMNS = (
    "->>0 AS source, j->>1 AS id, j->>2 AS type, j->>3 AS case_id, (j->>4)::BIGINT AS time, (j->>5)::BIGINT AS recorded, j->>6 AS data"
)


def compared(files: Sequence[CaseFile], policy: Policy, folder: Path, *, as_of: int, known_at: int) -> tuple[int, int]:
    """How many of the cases were judged in columns, by how many rules; all of them as one by one."""
    text = folder / "events.json"
    with text.open("w", encoding="utf-8") as out:
        for file in files:
            for e in file.events:
                out.write(json.dumps([e.source, e.id, e.type, e.case, e.time, e.recorded, json.dumps(dict(e.data))]) + "\n")
    made = plan(policy, as_of=as_of, known_at=known_at, low=START - 400 * DAY)
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE events AS SELECT j{COLUMNS} FROM read_ndjson_objects(?) AS t(j)", [str(text)])
        run(db, made, "events")
        left = {case for (case,) in db.execute("SELECT case_id FROM leftover").fetchall()}
        known = {case for (case,) in db.execute("SELECT case_id FROM found").fetchall()}
        taken = [file for file in files if file.case in known - left]
        found = in_columns(db, [file.case for file in taken])
    for file in taken:
        assert found[file.case] == judged(policy, file, frozenset(made.selects), as_of=as_of, known_at=known_at), file.case
    return len(taken), len(made.selects)


def plainer(events: Sequence[Event], program: str) -> CaseFile:
    """A random case without most of what keeps it from being plain."""
    kept = [e for e in events if e.type not in ("clock.paused", "case.reopened", "case.closed", "event.voided", "event.corrected")]
    without = {"occurred_on", "episode", "program"}
    named = [replace(e, source="urn:desk", data={k: v for k, v in e.data.items() if k not in without}) for e in kept]
    named[0] = replace(named[0], data={**named[0].data, "program": program})
    return CaseFile(events[0].case, tuple(named))


@pytest.mark.parametrize(("days", "known"), [(30, 30), (60, 400), (95, 95), (160, 400)])
def test_plain_cases_come_to_the_same_in_columns(tmp_path: Path, days: int, known: int) -> None:
    files = [plain_case(seed, case=f"c{seed}") for seed in range(60)]
    policy = load_shipped("cfss").with_parameters(PARAMETERS["cfss"] if days == 160 else {})
    taken, rules = compared(files, policy, tmp_path, as_of=START + days * DAY + 5, known_at=START + known * DAY)
    assert taken > 50
    assert rules >= (15 if days == 160 else 20)


@pytest.mark.parametrize("days", [34, 35, 42, 43, 56, 57])
def test_the_days_on_which_a_verdict_turns_are_the_same_in_columns(tmp_path: Path, days: int) -> None:
    begun = tuple(e for e in plain_case(1, case="open").events if e.type in ("service.connected", "household.recorded"))
    files = [CaseFile("open", begun)]
    for day in (41, 42, 43):
        time = START + day * DAY + 1
        closed = Event("urn:bench", f"x{day}", "case.closed", f"k{day}", time, time, True, {"closure_reason": "moved"})
        files.append(CaseFile(f"k{day}", (*(replace(e, case=f"k{day}", id=f"{e.id}-{day}") for e in begun), closed)))
    taken, _ = compared(files, load_shipped("cfss"), tmp_path, as_of=START + days * DAY + 5, known_at=START + 400 * DAY)
    assert taken == len(files)


def test_awkward_cases_come_to_the_same_or_are_left(tmp_path: Path) -> None:
    files = [awkward_case(seed, case=f"c{seed}") for seed in range(100)]
    taken, _ = compared(files, load_shipped("cfss"), tmp_path, as_of=START + 95 * DAY, known_at=START + 400 * DAY)
    assert 0 < taken < 40


@pytest.mark.parametrize(("name", "least"), [("cfss", 15), ("strengthening_families", 2)])
def test_random_cases_come_to_the_same_or_are_left(tmp_path: Path, name: str, least: int) -> None:
    files = [plainer(random_case(random.Random(seed), case=f"c{seed}", most=14), name) for seed in range(150)]
    policy = load_shipped(name).with_parameters(PARAMETERS[name])
    taken, rules = compared(files, policy, tmp_path, as_of=START + 90 * DAY, known_at=START + 400 * DAY)
    assert taken > 20
    assert rules >= least


def test_what_columns_cannot_say_is_left_by_name() -> None:
    left = plan(load_shipped("cfss"), as_of=START, known_at=START, low=START).left
    assert left["C05"] == "an obligation for each person"
    assert not left.keys() & set(RULES)
    with pytest.raises(NotTaken):
        plan(load_shipped("record_quality"), as_of=START, known_at=START, low=START)
