"""A store of an agency far larger than the demo, made in a minute: a few hundred cases judged from real events, and copies of their rows.

The copies are what evaluation wrote for the originals, under other ids, with other teams and workers, and with their past moved back by
up to a year; what is still to come keeps its days.  They have no events: only the originals have a page to open.  Not every copy has its
verdicts (see ``Size``), and the lines of copied histories carry made-up hashes.  Imports service/, store/ and tests.support.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from service import evaluate, statistics
from service.access import system
from service.audits import runs as audits
from service.audits.work import work
from service.bootstrap import Service
from service.demo import population
from service.ingest import ingest
from service.sweeper import Sweeper


@dataclass(frozen=True, slots=True)
class Size:
    """How much there shall be, about.  ``kept``: verdicts of a case that has some; one case in ``every`` has."""

    cases: int = 200_000
    breaches: int = 50_000
    kept: int = 12
    every: int = 4
    waivers: int = 400
    log: int = 200_000


def judged(svc: Service, families: int) -> list[str]:
    """Made-up families taken in and judged, and one audit of them; the ids of their cases."""
    until = dt.datetime.fromtimestamp(svc.now() / 1000, dt.UTC)
    events = list(population(until=until, families=families))
    for start in range(0, len(events), 1_000):
        ingest(svc, events[start : start + 1_000], via="bench")
    Sweeper(svc, probation=3600).sweep()
    while evaluate.drain(svc):
        pass
    made = audits.start(svc, system(), chunk=100)
    while not work(svc, made.id, give_way=False):
        pass
    statistics.refresh(svc)
    with svc.reading() as session:
        return list(session.execute(text("SELECT case_id FROM case_state ORDER BY case_id")).scalars())


def crowd(svc: Service, size: Size) -> None:
    """Copies until the store is as large as ``size`` says."""
    with svc.engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        cases, breaches = (_count(connection, table) for table in ("case_state", "breach"))
        copies = max(0, round(size.cases / cases) - 1)
        told = {
            "copies": copies,
            "kept": size.kept,
            "every": size.every,
            "share": min(1.0, (size.breaches - breaches) / max(1, breaches * copies)),
            "waivers": size.waivers,
            "log": size.log,
            "now": svc.now(),
        }
        for statement in _STATEMENTS:
            connection.execute(text(statement), told)
    statistics.refresh(svc)
    with svc.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    svc.engine.dispose()


def sizes(svc: Service) -> dict[str, int]:
    """How many rows the tables of the store have that pages read."""
    tables = ("case_state", "breach", "breach_history", "verdict", "event", "access_log")
    with svc.engine.connect() as connection:
        return {table: _count(connection, table) for table in tables}


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


_TEAM, _OFFICE, _WORKER = "team || '-' || k % 12", "office || '-' || k % 3", "worker || '-' || k % 40"
_BACK = "(k * 7 % 365)"
_DAY = 86_400_000


def _past(column: str) -> str:
    return f"to_char(CAST({column} AS date) - {_BACK}, 'YYYY-MM-DD')"


# Chosen by a hash and not by random(): each run makes the same store, and breaches agree with their verdicts.
_STATEMENTS = (
    """
    CREATE TEMPORARY TABLE breach_copy ON COMMIT DROP AS
    SELECT breach.id AS origin, md5(breach.id || '-' || k)::uuid::text AS id, breach.case_id || '-' || k AS case_id, k,
        abs(hashtext(breach.id || '/' || k)) AS luck
    FROM breach CROSS JOIN generate_series(1, :copies) AS k
    WHERE abs(hashtext(k || breach.id)) % 1000000 < :share * 1000000
    """,
    f"""
    INSERT INTO breach (id, case_id, episode, policy, rule, obligation, condition, review, severity, severity_rank, team, office, worker,
        due_on, due_key, days_late, assignee, contested, opened_at, changed_at, announced_at, announce_after, version, policy_digest,
        snapshot)
    SELECT copy.id, copy.case_id, episode, policy, rule, obligation, condition,
        CASE WHEN luck % 10 < 6 THEN review ELSE (array['acknowledged', 'acknowledged', 'upheld', 'dismissed'])[luck % 10 - 5] END,
        severity, severity_rank, {_TEAM}, {_OFFICE}, {_WORKER}, {_past("due_on")}, coalesce({_past("due_on")}, '9999-12-31'), days_late,
        CASE WHEN luck % 7 = 0 THEN 'user:nobody-' || luck % 20 END, contested,
        opened_at - {_BACK} * {_DAY}::bigint - luck % 80000000, changed_at - {_BACK} * {_DAY}::bigint, announced_at, announce_after,
        version, policy_digest, snapshot || jsonb_build_object('case', copy.case_id, 'team', {_TEAM}, 'due_on', {_past("due_on")})
    FROM breach_copy AS copy JOIN breach ON breach.id = copy.origin
    """,
    """
    INSERT INTO breach_history (breach_id, at, kind, actor, "from", "to", policy_digest, known_at, event_position, events, reason_code,
        comment, prev_hash, hash)
    SELECT copy.id, at, kind, actor, "from", "to", policy_digest, known_at, event_position, events, reason_code, comment,
        CASE WHEN prev_hash = repeat('0', 64) THEN prev_hash ELSE md5(prev_hash || k) END, md5(hash || k)
    FROM breach_copy AS copy JOIN breach_history ON breach_history.breach_id = copy.origin ORDER BY breach_history.id
    """,
    f"""
    WITH chosen AS (
        SELECT *, row_number() OVER (PARTITION BY case_id ORDER BY verdict = 'not_applicable', md5(id)) AS place FROM verdict
    ), copied AS (
        SELECT chosen.*, k, verdict NOT IN ('due_soon', 'pending') AS past
        FROM chosen CROSS JOIN generate_series(1, :copies) AS k
        WHERE place <= :kept AND k % :every = 0
    )
    INSERT INTO verdict (case_id, episode, policy, rule, obligation, id, policy_digest, verdict, reason, severity, severity_rank, status,
        activated_on, due_on, due_key, due_soon_on, satisfied_on, days_late, curable, evidence, rejected, team, office, worker, contested,
        as_of, known_at, changed_at, digest)
    SELECT case_id || '-' || k, episode, policy, rule, obligation, md5(id || '-' || k)::uuid::text, policy_digest, verdict, reason,
        severity, severity_rank, status,
        CASE WHEN past THEN {_past("activated_on")} ELSE activated_on END, CASE WHEN past THEN {_past("due_on")} ELSE due_on END,
        CASE WHEN past AND due_on IS NOT NULL THEN {_past("due_on")} ELSE due_key END,
        CASE WHEN past THEN {_past("due_soon_on")} ELSE due_soon_on END, {_past("satisfied_on")}, days_late, curable, evidence, rejected,
        {_TEAM}, {_OFFICE}, {_WORKER}, contested, as_of, known_at, changed_at - {_BACK} * {_DAY}::bigint, digest
    FROM copied
    """,
    f"""
    INSERT INTO case_state (case_id, id, next_check_at, evaluated_at, position, as_of, program, team, office, worker, open_breaches,
        summary, queries, query_count)
    SELECT copied.case_id || '-' || k, md5(copied.id || '-' || k)::uuid::text, next_check_at, evaluated_at, position, as_of, program,
        {_TEAM}, {_OFFICE}, {_WORKER}, coalesce(opened.number, 0), summary, queries, query_count
    FROM case_state AS copied CROSS JOIN generate_series(1, :copies) AS k
    LEFT JOIN (
        SELECT breach.case_id, count(*) AS number FROM breach WHERE condition = 'open' GROUP BY breach.case_id
    ) AS opened ON opened.case_id = copied.case_id || '-' || k
    """,
    """
    INSERT INTO waiver (id, breach_id, author, approver, reason_code, comment, state, created, decided_at, ends_at, evidence_digest,
        version)
    SELECT md5('waiver' || copy.id)::uuid::text, copy.id, 'user:nobody-1', CASE WHEN luck % 3 = 0 THEN 'user:nobody-2' END, 'other', NULL,
        CASE WHEN luck % 3 = 0 THEN 'approved' ELSE 'proposed' END, :now - luck % 1000000000, CASE WHEN luck % 3 = 0 THEN :now END,
        :now + 2592000000, repeat('0', 64), 1
    FROM breach_copy AS copy JOIN breach ON breach.id = copy.id WHERE condition = 'open' ORDER BY luck LIMIT :waivers
    """,
    """
    INSERT INTO access_log (at, actor, via, action, outcome, case_ref, thing, count, request_id)
    SELECT :now - (:log - n) * 60000::bigint, 'user:nobody-' || n % 40, 'page',
        (array['breaches.list', 'case.read', 'breach.read', 'cases.list', 'today.read'])[n % 5 + 1], 'done',
        CASE WHEN n % 5 = 1 THEN md5('case' || n)::uuid::text END, CASE WHEN n % 5 = 2 THEN md5('breach' || n)::uuid::text END,
        CASE WHEN n % 5 IN (0, 3) THEN 50 END, NULL
    FROM generate_series(1, :log) AS n
    """,
)
