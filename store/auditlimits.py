"""Which cases may hold anything of some teams or offices, told without judging.  Imports store.cases, store.audits and store.sql.

A finding belongs to a team or office because an event of the case, or of one that it hangs together with, names it, or a correction does.
So a case without any such event, and without anything stored under the name, holds nothing of them, as of whatever instant.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from store.audits import AuditScope
from store.cases import neighbours
from store.engine import dumps
from store.sql import Statement


def concerned(session: Session, cases: Collection[str], scope: AuditScope, *, upto: int) -> set[str]:
    """Those of the cases that may hold something within the scope's teams and offices, by events up to the position ``upto``."""
    left = set(cases)
    for names, stored in ((scope.teams, _TEAM), (scope.offices, _OFFICE)):
        if names is not None and left:
            linked = neighbours(session, left)
            cluster = left.union(*linked.values())
            named = set(_NAMED.on(session, cases=cluster, names=[dumps(name)[1:-1] for name in names], upto=upto).scalars())
            kept = set(stored.on(session, cases=left, names=names).scalars())
            left = {case for case in left if case in kept or not named.isdisjoint((case, *linked.get(case, ())))}
    return left


# The name as a part of the text of the data, wherever it stands: a number may be a team, too, and too many cases do no harm.
_NAMED = Statement("""
    WITH given AS (SELECT value FROM LISTED(:cases) AS one), named AS (SELECT value FROM LISTED(:names) AS one)
    SELECT DISTINCT said.case_id FROM (
        SELECT case_id, CAST(data AS text) AS data FROM event WHERE case_id IN (SELECT value FROM given) AND position <= :upto
        UNION ALL
        SELECT event.case_id, CAST(word.data AS text) AS data
        FROM event JOIN event word ON word.target = event.id AND word.source = event.source
        WHERE event.case_id IN (SELECT value FROM given) AND word.case_id <> event.case_id AND word.position <= :upto
    ) AS said JOIN named ON replace(said.data, named.value, '') <> said.data
""")
_STORED = """
    WITH given AS (SELECT value FROM LISTED(:cases) AS one), named AS (SELECT value FROM LISTED(:names) AS one)
    SELECT case_id FROM case_state WHERE case_id IN (SELECT value FROM given) AND {place} IN (SELECT value FROM named)
    UNION SELECT case_id FROM verdict WHERE case_id IN (SELECT value FROM given) AND {place} IN (SELECT value FROM named)
    UNION SELECT case_id FROM breach WHERE case_id IN (SELECT value FROM given) AND {place} IN (SELECT value FROM named)
"""
_TEAM, _OFFICE = (Statement(_STORED.format(place=place)) for place in ("team", "office"))
