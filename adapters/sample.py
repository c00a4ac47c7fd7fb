"""A made-up agency's database, to try the sql adapter on: how such systems look, and a dozen families over a quarter of a year.

Nothing here is read by the product itself.  Imports sqlalchemy.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Engine, Integer, MetaData, String, Table, Text, inspect

META = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    kept = (Column("updated_at", DateTime, nullable=False, index=True), Column("deleted", Boolean, nullable=False, default=False))
    return Table(name, META, Column("id", Integer, primary_key=True), Column("family_no", String(12), nullable=False), *columns, *kept)


REFERRAL = _table(
    "client_referral",
    Column("received_at", DateTime),
    Column("source", String(20)),
    Column("reason", String(20)),
    Column("desk", String(20)),
    Column("child_no", String(12)),
)
EPISODE = _table(
    "client_episode",
    Column("start_at", DateTime),
    Column("team", String(20)),
    Column("office", String(20)),
)
VISIT = _table(
    "client_visit",
    Column("visited_at", DateTime),
    Column("outcome", String(12)),
    Column("how", String(12)),
    Column("worker_no", String(12)),
    Column("people_seen", String(60)),
    Column("notes", Text),
)
PLAN = _table(
    "client_plan",
    Column("version", Integer),
    Column("agreed_at", DateTime),
    Column("state", String(12)),
)
SNAPSHOT = _table(
    "client_snapshot",
    Column("taken_at", DateTime),
    Column("worker_role", String(20)),
    Column("areas", String(60)),
)

FAMILIES = 12
_FIRST = dt.datetime.fromisoformat("2026-02-02T09:00:00")
_NOTES = "What was said is nobody's business but the family's; it stays in this database."


class SampleRefused(Exception):
    """The sample would stand beside other tables of the same names."""


def make(engine: Engine) -> dict[str, int]:
    """Creates the tables and fills them; how many rows each has.  Raises SampleRefused where one is there already."""
    there = sorted(set(inspect(engine).get_table_names()) & set(META.tables))
    if there:
        raise SampleRefused(f"the database has such tables already ({', '.join(there)}): nothing was changed")
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in META.sorted_tables}
    for number in range(1, FAMILIES + 1):
        _family(number, rows)
    with engine.begin() as connection:
        META.create_all(connection)
        for table, found in rows.items():
            connection.execute(table.insert(), found)
    return {table.name: len(found) for table, found in sorted(rows.items(), key=lambda pair: pair[0].name)}


def _family(number: int, rows: dict[Table, list[dict[str, Any]]]) -> None:
    """One family's story.  Every third plan is a draft still, every fourth comes late; every fifth snapshot is wanting."""
    start = _FIRST + dt.timedelta(days=3 * number)
    family, child, parent = f"F-{number:03}", f"C-{number:03}", f"P-{number:03}"

    def add(table: Table, at: dt.datetime, **values: Any) -> None:
        changed = at + dt.timedelta(hours=2)
        rows[table].append({"id": len(rows[table]) + 1, "family_no": family, "updated_at": changed, "deleted": False, **values})

    referred = start - dt.timedelta(days=4)
    add(REFERRAL, referred, received_at=referred, source="school", reason="neglect", desk="Pathways", child_no=child)
    office = "Port Augusta" if number % 2 else "Whyalla"
    add(EPISODE, start, start_at=start, team="North" if number % 2 else "West", office=office)
    for week in range(1, 7):
        at = start + dt.timedelta(days=7 * week, hours=1)
        outcome = "no answer" if (number + week) % 9 == 0 else "done"
        how = "phone" if week == 5 else "home"
        add(VISIT, at, visited_at=at, outcome=outcome, how=how, worker_no=f"W-{number % 4}", people_seen=f"{parent};{child}", notes=_NOTES)
    agreed = start + dt.timedelta(days=40 if number % 4 == 0 else 18, hours=3)
    add(PLAN, agreed, version=1, agreed_at=agreed, state="draft" if number % 3 == 0 else "agreed")
    if number % 5:
        taken = start + dt.timedelta(days=35, hours=2)
        add(SNAPSHOT, taken, taken_at=taken, worker_role="practitioner", areas="circumstances;stressors;strengths")
