"""The ten rules of `bench.by_hand` as one would write them by hand in DuckDB's SQL for plain cases: the peer of engines that judge many.

It reads the columns that `bench.manycases` writes and gives a row a case with the ten verdicts.  Like the function by hand it knows no
corrections, voids, episodes, pauses or missing attributes, and says neither why nor from which events.
"""

from __future__ import annotations

from bench.by_hand import RULES

_ZONE = "Australia/Adelaide"


def _day(ms: str) -> str:
    return f"epoch_ms({ms}) AT TIME ZONE 'UTC' AT TIME ZONE '{_ZONE}'"


def _by(done: str, due: str, soon: str, closed: str = "closed_day") -> str:
    return f"""CASE WHEN {done} <= {due} THEN 'met' WHEN {closed} < {due} THEN 'not_applicable'
        WHEN today <= {due} THEN if(today >= {soon}, 'due_soon', 'pending') WHEN {done} IS NOT NULL THEN 'late' ELSE 'breached' END"""


_DAYS = ("connected", "closed", "plan", "baseline", "follow_up", "assessment", "agreed", "summary")


def query(events: str, as_of: int) -> str:
    """One row a case: case_id and the verdict of each rule, as at an instant (ms)."""
    days = ", ".join(f"({_day(name)})::DATE AS {name}_day" for name in _DAYS)
    visit_days = ", ".join(f"({_day(f'visits[{number}]')})::DATE AS visit_{number}" for number in (1, 2, 3))
    return f"""
    WITH told AS (
        SELECT case_id, type, time, data, CASE type
            WHEN 'visit.held' THEN data->>'status' = 'held' AND data->>'mode' IN ('in_person', 'school')
                AND json_array_length(data, '$.seen') > 0
            WHEN 'safety_plan.recorded' THEN data->>'status' IN ('completed', 'final')
            WHEN 'safety_plan.updated' THEN data->>'status' IN ('completed', 'final')
            WHEN 'case_plan.recorded' THEN data->>'status' = 'agreed'
            WHEN 'case_plan.updated' THEN data->>'status' = 'agreed'
            WHEN 'snapshot.completed' THEN data->>'kind' = 'baseline'
            WHEN 'referral.received' THEN (data->>'source') IS NOT NULL AND (data->>'reason') IS NOT NULL
                AND json_array_length(data, '$.children') > 0
            ELSE true END AS fits
        FROM {events} WHERE time <= {as_of} AND type IN ('visit.held', 'referral.received', 'service.connected', 'safety_plan.recorded',
            'safety_plan.updated', 'snapshot.completed', 'assessment.completed', 'case_plan.recorded', 'case_plan.updated',
            'closure_summary.completed', 'case.closed', 'household.recorded')
    ), found AS (
        SELECT case_id,
            min(time) FILTER (type = 'service.connected') AS connected,
            min(time) FILTER (type = 'case.closed') AS closed,
            min(time) FILTER (type = 'referral.received' AND fits) AS referral,
            min(time) FILTER (type = 'referral.received' AND data->>'received_by' = 'pathways') AS pathways,
            min(time, 3) FILTER (type = 'visit.held' AND fits) AS visits,
            min(time) FILTER (type LIKE 'safety_plan.%' AND fits) AS plan,
            arg_min(data, time) FILTER (type LIKE 'safety_plan.%' AND fits) AS plan_data,
            min(time) FILTER (type = 'snapshot.completed' AND fits) AS baseline,
            min(time) FILTER (type = 'snapshot.completed' AND NOT fits) AS follow_up,
            min(time) FILTER (type = 'assessment.completed') AS assessment,
            min(time) FILTER (type LIKE 'case_plan.%' AND fits) AS agreed,
            min(time) FILTER (type = 'closure_summary.completed') AS summary
        FROM told GROUP BY case_id
    ), dated AS (
        SELECT *, {days}, {visit_days}, coalesce(len(visits), 0) AS visited, ({_day(str(as_of))})::DATE AS today FROM found
    ), anchored AS (
        SELECT *, if(visit_1 <= connected_day + 42 OR connected IS NULL, visit_1, connected_day) AS first_visit,
            coalesce(first_visit, connected_day) AS anchor,
            list_transform(json_extract(plan_data, '$.participants[*]'), lambda p: p->>'role') AS roles,
            json_extract(plan_data, '$.goals[*]') AS goals
        FROM dated
    )
    SELECT case_id,
        CASE WHEN connected IS NULL THEN 'not_applicable' WHEN referral <= connected THEN 'met' ELSE 'breached' END AS C01,
        CASE WHEN connected IS NULL THEN 'not_applicable' WHEN pathways <= connected THEN 'met' ELSE 'breached' END AS C02,
        CASE WHEN visited >= 3 THEN {_by("plan_day", "visit_3", "visit_2")} WHEN plan IS NOT NULL THEN 'met'
             WHEN closed IS NOT NULL THEN 'not_applicable' WHEN visited = 2 THEN 'due_soon' ELSE 'pending' END AS C08,
        CASE WHEN plan IS NULL THEN 'not_applicable' WHEN list_contains(roles, 'parent')
             AND (list_contains(roles, 'child') OR (plan_data->>'reason') IS NOT NULL) THEN 'met' ELSE 'breached' END AS C09,
        CASE WHEN plan IS NULL THEN 'not_applicable' WHEN (plan_data->>'immediate_risks')::INT >= 1 AND len(goals) > 0 AND
             len(list_filter(goals, lambda g: (g->>'measure') = 'true' AND (g->>'target') IS NOT NULL)) = len(goals)
             THEN 'met' ELSE 'breached' END AS C10,
        CASE WHEN anchor IS NULL THEN 'not_applicable' ELSE {_by("baseline_day", "anchor + 42", "anchor + 35")} END AS C12,
        CASE WHEN anchor IS NULL THEN 'not_applicable' ELSE {_by("assessment_day", "anchor + 56", "anchor + 42")} END AS C14,
        CASE WHEN anchor IS NULL THEN 'not_applicable' ELSE {_by("agreed_day", "anchor + 56", "anchor + 42")} END AS C17,
        CASE WHEN closed IS NULL THEN 'not_applicable'
             ELSE {_by("summary_day", "closed_day", "closed_day - 7", "NULL::DATE")} END AS C23,
        CASE WHEN closed IS NULL OR baseline IS NULL THEN 'not_applicable'
             ELSE {_by("follow_up_day", "closed_day", "closed_day - 7", "NULL::DATE")} END AS C25
    FROM anchored"""


COLUMNS = ("case_id", *RULES)
