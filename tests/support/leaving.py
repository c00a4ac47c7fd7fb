"""Journeys that have ended, people who have dealt with them, and what a store holds in all of its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from service import review
from service.access import Access, system
from service.bootstrap import Service
from service.retention import work
from store.breaches import breaches_of_case
from store.removals import Removal
from tests.support.service_kit import Kit, event

ME = Access("user:keeper", "Kay Keeper", scopes=system().scopes, roles=system().roles)
WORDS = "A word about the family that nobody shall read later."

RULES = """
rules:
  - program: cfss
    years: 7
  - program: strengthening_families
    years: 9
    mode: pseudonymise
settled_breaches: go
"""


def journey(
    case: str, closed: str | None, *, child: str, parent: str = "", worker: str = "", program: str = "cfss", team: str = "north"
) -> list[dict[str, Any]]:
    """A case from its connection to its closure on a day, with a child, a parent and a worker of these ids."""
    year = 2021 if closed is None else int(closed[:4])
    people = [{"person": child, "role": "child"}, *([{"person": parent, "role": "parent"}] if parent else [])]
    who = {"performer": {"id": worker, "role": "practitioner"}} if worker else {}
    place = {"program": program, "team": team, "office": "adelaide"}
    made = [
        event("service.connected", f"{year}-02-01T09:00", place, case=case),
        event("household.recorded", f"{year}-02-02T09:00", {"members": people}, case=case),
        *(
            event("visit.held", f"{year}-02-{day}T10:00", {
                "status": "held", "mode": "in_person", "purpose": "engagement", "seen": [child], "episode": f"E-{case}", **who
            }, case=case)
            for day in ("08", "15", "22")
        ),
    ]  # fmt: skip
    if closed is not None:
        made.append(event("case.closed", f"{closed}T16:00", {"closure_reason": "safety_achieved", **who}, case=case))
    return made


def settle_breaches(made: Kit, *cases: str) -> int:
    """Dismisses every open breach of cases, with words; how many."""
    done = 0
    for case in cases:
        with made.svc.reading() as session:
            found = list(breaches_of_case(session, case).values())
        for breach in found:
            if breach.condition == "open" and breach.review != "dismissed":
                done += 1
                review.review(
                    made.svc, ME, breach.id, version=breach.version, action="dismiss", reason_code="other", comment=WORDS
                )  # fmt: skip
    made.settle()
    return done


def removed(svc: Service) -> Removal:
    """Everything that may go is gone."""
    progress = work.work(svc, work.start(svc, ME).id)
    assert progress.done, progress.waits
    return progress.removal


def whole_dump(url: str) -> str:
    """Everything that a store's tables hold, as its own tool writes it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as held:
            return "\n".join(held.iterdump())
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as held:
        tables = [name for (name,) in held.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        rows = [(name, row) for name in tables for (row,) in held.execute(SQL("SELECT t::text FROM {} t").format(Identifier(name)))]
    return "\n".join(f"{name}: {row}" for name, row in rows)


def found_in(dump: str, *names: str) -> dict[str, list[str]]:
    """For each of these texts the beginnings of the lines that hold it."""
    return {name: lines for name in names if (lines := list(_lines(dump, name)))}


def _lines(dump: str, name: str) -> Iterator[str]:
    return (line[:160] for line in dump.splitlines() if name in line)
