"""Lists of verdicts as they stand now: all, and those that fall due soon.  Thin over store.queries."""

from __future__ import annotations

import datetime as dt
from typing import Any

from api.access import current_access, service
from api.operations import Answer, Operations
from api.v1 import schemas, shapes
from api.v1.lists import DueFilters, VerdictFilters, page, scope_of
from store.queries import findings

operations = Operations(
    "verdicts", "What each rule says of each obligation, as judged last. For another instant, see a case's verdicts under cases."
)


@operations.get(
    "/v1/verdicts",
    scope="breaches:read",
    query=VerdictFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Verdicts.", schemas.VerdictPage)},
)
def list_verdicts(query: VerdictFilters) -> Any:
    """List current verdicts."""
    with service().reading() as session:
        found = findings.list_verdicts(
            session,
            where=query.where(verdict=tuple(query.verdict)),
            scope=scope_of(current_access()),
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return page([shapes.stored_verdict(item) for item in found.items], found.next_cursor)


@operations.get(
    "/v1/due-soon",
    scope="breaches:read",
    query=DueFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Open obligations, the nearest due day first.", schemas.DuePage)},
)
def list_due_soon(query: DueFilters) -> Any:
    """List what is not done yet and falls due within some days.

    Only obligations of enforced rules. `days` counts from today, the local day of each policy's time zone.
    """
    svc = service()
    now = svc.now()
    days = {policy.id: policy.zone.day_of(now) for policy in svc.policies.policies}
    today = max(days.values(), default=0)
    due_by = dt.date.fromordinal(today + query.days).isoformat()
    with svc.reading() as session:
        found = findings.list_due_soon(
            session,
            due_by=due_by,
            where=query.where(),
            scope=scope_of(current_access()),
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return page([shapes.due(item, days.get(item.verdict.policy, today)) for item in found.items], found.next_cursor)
