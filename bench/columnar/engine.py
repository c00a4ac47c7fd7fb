"""Judging many cases at once in columns: DuckDB's SQL made of the same compiled rules that judge case by case.  A measurement.

It gives the verdict, days and evidence of every rule and case that it takes on, and names the others; `rules.evaluate` judges those.
Why the product does not judge like this stands in docs/decisions.  Imports rules/ and bench.columnar.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from bench.columnar.columns import Columns, quoted
from bench.columnar.conditions import NotTaken
from bench.columnar.kinds import obligations
from rules.policy import Policy

_VERDICT = """CASE
    WHEN act IS NULL OR unset THEN 'not_applicable'
    WHEN gate IS NOT NULL AND done.time <= gate THEN 'met'
    WHEN gate IS NULL AND done.day <= coalesce(due, 9999999) THEN 'met'
    WHEN gate IS NULL AND ended < coalesce(due, 9999999) THEN 'not_applicable'
    WHEN gate IS NULL AND (due IS NULL OR {today} <= due) THEN if(soon <= {today}, 'due_soon', 'pending')
    WHEN curable AND done IS NOT NULL THEN 'late'
    ELSE 'breached' END"""
"""The decision table (`rules.decide.table`) where all is clear and no source is quiet: a fulfilment counts or does not."""
_REASON = """CASE
    WHEN verdict <> 'not_applicable' THEN NULL
    WHEN act IS NULL THEN 'not_triggered' WHEN unset THEN 'parameter_unset' ELSE 'ended_before_due' END"""
COLUMNS = "case_id, rule, key, verdict, reason, activated, due, soon, satisfied, days_late, curable, evidence"


@dataclass(frozen=True)
class Plan:
    """What of a policy is judged in columns: a SELECT of obligations by rule; and why not, by each rule that is left out."""

    columns: Columns
    selects: Mapping[str, str]
    left: Mapping[str, str]


def plan(policy: Policy, *, as_of: int, known_at: int, low: int, only: Collection[str] | None = None) -> Plan:
    """What can be done of a policy in force since before ``low``, the instant before all events.  Raises NotTaken where nothing can be."""
    if policy.offices or policy.program is None:
        raise NotTaken("offices with calendars or zones of their own, or a policy for every program")
    columns = Columns(policy, policy.zone_for({policy.program}, None), as_of, known_at, low)
    selects: dict[str, str] = {}
    left: dict[str, str] = {}
    for rule in policy.rules:
        if rule.counted or rule.status not in ("enforced", "shadow") or (only is not None and rule.id not in only):
            continue
        try:
            if len(rule.clauses) != 1:
                raise NotTaken("several clauses")
            selects[rule.id] = obligations(rule.clauses[0], columns)
        except NotTaken as why:
            left[rule.id] = str(why)
    return Plan(columns, selects, left)


def run(db: duckdb.DuckDBPyConnection, made: Plan, events: str) -> None:
    """Makes the tables ``verdict`` (a row an obligation, with `COLUMNS`) and ``leftover`` (case_id of what is to be judged one by one).

    ``events`` is a table or subquery with the columns of the store's events; no heartbeat of their sources may count.
    """
    columns = made.columns
    found, plain = columns.found(), columns.plain()
    db.execute(f"CREATE OR REPLACE TEMP VIEW fact AS {columns.fact(events)}")
    db.execute(f"CREATE OR REPLACE TEMP TABLE found AS {found}")
    db.execute(f"CREATE OR REPLACE TEMP TABLE plain AS {plain}")
    verdict = _VERDICT.format(today=columns.zone.day_of(columns.as_of))
    rules = " UNION ALL ".join(f"SELECT {quoted(rule)} AS rule, * FROM ({select})" for rule, select in made.selects.items())
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE verdict AS
        SELECT case_id, rule, key, verdict, {_REASON} AS reason, act.day AS activated, if(act IS NULL, NULL, due) AS due,
            if(act IS NULL, NULL, soon) AS soon, if(verdict IN ('met', 'late'), done.day, NULL) AS satisfied,
            if(verdict = 'late', done.day - due, NULL) AS days_late, curable OR act IS NULL AS curable,
            unclear AND act IS NOT NULL AS unclear,
            if(act IS NULL, [], list_concat([act.id], limits, if(verdict IN ('met', 'late'), [done.id], []))) AS evidence
        FROM (SELECT *, {verdict} AS verdict FROM ({rules}))"""
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE leftover AS SELECT case_id FROM found ANTI JOIN plain USING (case_id) "
        "UNION SELECT case_id FROM verdict WHERE unclear"
    )
