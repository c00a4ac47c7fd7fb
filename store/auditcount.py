"""Counting what is stored of many cases at once, for audits: findings that count alike come as one.  Imports store.sql.

On PostgreSQL only.  What a group of findings counts as is not decided here but by whoever counts findings one by one, so that both
ways come to the same; the digests alone are made as service.audits.prints and service.audits.tally make them.  What an evaluation has left
of such a digest with the case is taken where the audit looks at everything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.audits import AuditScope
from store.sql import Statement, dialect


class Cell(NamedTuple):
    """So many findings that count alike.

    ``month`` is that of the due day, or else of the activation; ``reason`` only where ``told``.  ``what`` is ``done`` (``days`` after the
    due day) or ``open`` (on the day of the audit), or None; ``days`` is their sum, ``longest`` the most, ``edges`` how many are smaller.
    """

    policy: str
    rule: str
    severity: str
    status: str
    team: str | None
    office: str | None
    month: str | None
    verdict: str
    reason: str | None
    what: str | None
    edges: int | None
    times: int
    days: int | None
    longest: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How to count.  ``by``: the latest instant (ms) of judging; ``until``: nothing may change by itself up to then."""

    by: int
    until: int
    scope: AuditScope
    since: int
    """First instant (ms) at which what became of breaches counts, up to ``upto`` and the line ``lines``."""
    upto: int
    lines: int
    today: Mapping[str, int]
    """The day of the audit (ordinal) by policy."""
    edges: Sequence[int]
    told: Collection[str]
    """Verdicts whose reasons are counted."""
    not_asked: Collection[str]
    """Reasons for which a finding that does not apply stands in no sample."""
    listed: str
    """The reason whose findings are listed, ``most`` of them at most."""
    most: int
    seed: int
    size: int
    """Cases drawn of each team, office and verdict."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is stored of the cases that are settled.  ``prints``: each of them, with the digest of what was found in it."""

    cells: Sequence[Cell]
    strata: Sequence[Sequence[Any]]
    """(team, office, verdict, cases, drawn), the last as (digest, case, episode, policy, rule, obligation)."""
    listed: Sequence[list[str | None]]
    """(case, episode, policy, rule, obligation, due day, team, office), in order."""
    places: Sequence[Sequence[Any]]
    """(team, office, cases, those with a breach of an enforced rule)."""
    queries: Sequence[Sequence[Any]]
    """(team, office, code, how many)."""
    movements: Sequence[Sequence[Any]]
    """(policy, rule, severity, team, office, kind, whether by a waiver, how many)."""
    prints: Mapping[str, str]


def count(session: Session, cases: Collection[str], asked: Asked) -> Counted | None:
    """What is stored of those of the cases that need no judging; None on a database that cannot count so."""
    if dialect(session) != "postgresql":
        return None
    scope = asked.scope
    session.execute(_MEMORY)
    found: Any = _COUNT.on(
        session,
        cases=cases,
        by=asked.by,
        until=asked.until,
        since=asked.since,
        upto=asked.upto,
        lines=asked.lines,
        whole=scope == AuditScope(),
        program=scope.program,
        policies=_array(scope.policies),
        teams=_array(scope.teams),
        offices=_array(scope.offices),
        first=scope.since or ("" if scope.until else None),
        last=scope.until or "9999-12-31",
        judged=sorted(asked.today),
        days=[dt.date.fromordinal(asked.today[policy]) for policy in sorted(asked.today)],
        edges=list(asked.edges),
        told=sorted(asked.told),
        not_asked=sorted(asked.not_asked),
        listed=asked.listed,
        most=asked.most,
        seed=str(asked.seed),
        size=asked.size,
    ).one()
    cells = [Cell(*row) for row in found.cells]
    return Counted(cells, found.strata, found.listed, found.places, found.queries, found.movements, found.prints)


def _array(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)


# The verdicts of the cases lie together by their key and are mostly in memory: reading all others to get at them is never worth it.
_MEMORY = text("SELECT set_config('work_mem', '64MB', TRUE), set_config('enable_seqscan', 'off', TRUE)")
_COUNT = Statement(
    """
    WITH settled AS MATERIALIZED (
        SELECT state.case_id, state.program, state.team, state.office, state.queries,
            CASE WHEN CAST(:whole AS boolean) THEN state.summary ->> 'print' END AS print
        FROM LISTED(:cases) AS given JOIN case_state state ON state.case_id = given.value
        WHERE state.evaluated_at <= :by AND (state.next_check_at IS NULL OR state.next_check_at > :until)
            AND NOT EXISTS (SELECT 1 FROM dirty WHERE dirty.case_id = state.case_id)
    ), looked AS MATERIALIZED (
        SELECT case_id, team, office, queries FROM settled WHERE CAST(:program AS text) IS NULL OR program = :program
    ), found AS MATERIALIZED (
        SELECT one.case_id, episode, policy, rule, obligation, verdict, reason, severity, status, activated_on, due_on, satisfied_on,
            days_late, one.team, one.office, coalesce(due_on, activated_on) AS day
        FROM looked JOIN verdict one ON one.case_id = looked.case_id
        WHERE (CAST(:policies AS text[]) IS NULL OR policy = ANY (CAST(:policies AS text[])))
            AND (CAST(:teams AS text[]) IS NULL OR one.team = ANY (CAST(:teams AS text[])))
            AND (CAST(:offices AS text[]) IS NULL OR one.office = ANY (CAST(:offices AS text[])))
            AND (CAST(:first AS text) IS NULL OR coalesce(due_on, activated_on) BETWEEN CAST(:first AS text) AND CAST(:last AS text))
    ), timed AS (
        SELECT found.*, CASE WHEN due_on IS NULL THEN NULL
            WHEN verdict IN ('met', 'late') THEN CAST(satisfied_on AS date) - CAST(due_on AS date)
            WHEN verdict = 'breached' THEN today.day - CAST(due_on AS date) END AS days
        FROM found LEFT JOIN unnest(CAST(:judged AS text[]), CAST(:days AS date[])) AS today (policy, day) ON today.policy = found.policy
    ), grouped AS (
        SELECT policy, rule, severity, status, team, office, substr(day, 1, 7) AS month, verdict,
            CASE WHEN verdict = ANY (CAST(:told AS text[])) THEN reason END AS reason,
            CASE WHEN days IS NULL THEN NULL WHEN verdict = 'breached' THEN 'open' ELSE 'done' END AS what,
            width_bucket(days - 1, CAST(:edges AS integer[])) AS edges, count(*) AS times, sum(days) AS days, max(days) AS longest
        FROM timed GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ), breached AS (
        SELECT DISTINCT case_id FROM found WHERE status = 'enforced' AND verdict = 'breached'
    ), lines AS (
        SELECT case_id, concat_ws(chr(9), episode, policy, rule, obligation, verdict, coalesce(reason, 'None'), severity, status,
            coalesce(activated_on, 'None'), coalesce(due_on, 'None'), coalesce(satisfied_on, 'None'),
            coalesce(CAST(days_late AS text), 'None'), coalesce(team, 'None'), coalesce(office, 'None')) AS line
        FROM found WHERE case_id IN (SELECT case_id FROM settled WHERE print IS NULL)
    ), texts AS (
        SELECT case_id, string_agg(line, chr(10) ORDER BY line COLLATE "C") AS said FROM lines GROUP BY case_id
    ), stratum AS (
        SELECT team, office, verdict, case_id, min(ARRAY[episode, policy, rule, obligation]) AS place
        FROM found
        WHERE status = 'enforced' AND (verdict <> 'not_applicable' OR reason IS NULL OR reason <> ALL (CAST(:not_asked AS text[])))
        GROUP BY team, office, verdict, case_id
    ), digested AS (
        SELECT stratum.*, substr(encode(sha256(
            convert_to(CAST(:seed AS text), 'UTF8') || decode('00', 'hex') || convert_to(coalesce(team, ''), 'UTF8')
            || decode('00', 'hex') || convert_to(coalesce(office, ''), 'UTF8') || decode('00', 'hex') || convert_to(verdict, 'UTF8')
            || decode('00', 'hex') || convert_to(case_id, 'UTF8')), 'hex'), 1, 24) AS digest
        FROM stratum
    ), drawn AS (
        SELECT digested.*, row_number() OVER (PARTITION BY team, office, verdict ORDER BY digest COLLATE "C", case_id) AS number
        FROM digested
    ), strata AS (
        SELECT team, office, verdict, count(*) AS cases,
            coalesce(json_agg(json_build_array(digest, case_id, place[1], place[2], place[3], place[4]) ORDER BY number)
                FILTER (WHERE number <= :size), CAST('[]' AS json)) AS drawn
        FROM drawn GROUP BY team, office, verdict
    ), ended AS (
        SELECT case_id, episode, policy, rule, obligation, due_on, team, office FROM found
        WHERE reason = :listed AND verdict = ANY (CAST(:told AS text[]))
        ORDER BY case_id, episode, policy, rule, obligation LIMIT :most
    ), seen AS MATERIALIZED (
        SELECT case_id, team, office, queries FROM looked
        WHERE (CAST(:teams AS text[]) IS NULL OR team = ANY (CAST(:teams AS text[])))
            AND (CAST(:offices AS text[]) IS NULL OR office = ANY (CAST(:offices AS text[])))
    ), place AS (
        SELECT team, office, count(*) AS cases, count(breached.case_id) AS breached
        FROM seen LEFT JOIN breached ON breached.case_id = seen.case_id GROUP BY team, office
    ), query AS (
        SELECT team, office, one.value ->> 'code' AS code, count(*) AS times
        FROM seen CROSS JOIN jsonb_array_elements(seen.queries) AS one (value)
        WHERE CAST(:policies AS text[]) IS NULL GROUP BY 1, 2, 3
    ), movement AS (
        SELECT breach.policy, breach.rule, breach.severity, line.kind, line.kind = 'excused' AND line.reason_code = 'waiver' AS waived,
            CASE WHEN one.case_id IS NULL THEN breach.team ELSE one.team END AS team,
            CASE WHEN one.case_id IS NULL THEN breach.office ELSE one.office END AS office
        FROM looked JOIN breach ON breach.case_id = looked.case_id JOIN breach_history line ON line.breach_id = breach.id
        LEFT JOIN verdict one ON one.case_id = breach.case_id AND one.episode = breach.episode AND one.policy = breach.policy
            AND one.rule = breach.rule AND one.obligation = breach.obligation
        WHERE line.kind IN ('opened', 'reopened', 'remedied', 'withdrawn', 'excused')
            AND line.at >= :since AND line.at <= :upto AND line.id <= :lines
    ), moved AS (
        SELECT policy, rule, severity, team, office, kind, coalesce(waived, FALSE) AS waived, count(*) AS times FROM movement
        WHERE (CAST(:policies AS text[]) IS NULL OR policy = ANY (CAST(:policies AS text[])))
            AND (CAST(:teams AS text[]) IS NULL OR team = ANY (CAST(:teams AS text[])))
            AND (CAST(:offices AS text[]) IS NULL OR office = ANY (CAST(:offices AS text[])))
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    SELECT
        (SELECT coalesce(json_agg(json_build_array(policy, rule, severity, status, team, office, month, verdict, reason, what, edges, times,
            days, longest)), CAST('[]' AS json)) FROM grouped) AS cells,
        (SELECT coalesce(json_agg(json_build_array(team, office, verdict, cases, drawn)), CAST('[]' AS json)) FROM strata) AS strata,
        (SELECT coalesce(json_agg(json_build_array(case_id, episode, policy, rule, obligation, due_on, team, office)), CAST('[]' AS json))
            FROM ended) AS listed,
        (SELECT coalesce(json_agg(json_build_array(team, office, cases, breached)), CAST('[]' AS json)) FROM place) AS places,
        (SELECT coalesce(json_agg(json_build_array(team, office, code, times)), CAST('[]' AS json)) FROM query) AS queries,
        (SELECT coalesce(json_agg(json_build_array(policy, rule, severity, team, office, kind, waived, times)), CAST('[]' AS json))
            FROM moved) AS movements,
        (SELECT coalesce(json_object_agg(settled.case_id, coalesce(settled.print,
                substr(encode(sha256(convert_to(coalesce(texts.said, ''), 'UTF8')), 'hex'), 1, 16))), CAST('{}' AS json))
            FROM settled LEFT JOIN texts ON texts.case_id = settled.case_id) AS prints
    """,
    documents=("cells", "strata", "listed", "places", "queries", "movements", "prints"),
)
