"""Breaches: the list, and one of them with all that a reviewer needs.  Thin over store.queries and service.judge."""

from __future__ import annotations

from typing import Any

from api.access import current_access, service
from api.operations import Answer, Operations, Reply
from api.v1 import schemas, shapes
from api.v1.lists import BreachFilters, page, scope_of
from service import worklist
from service.errors import NotFound
from service.judge import explain_breach
from store.breaches import history_of
from store.queries import findings

operations = Operations(
    "breaches",
    "The lasting record of what was not done in time. `condition` follows the evidence, `review` the people; nothing is ever deleted.",
)


@operations.get(
    "/v1/breaches",
    scope="breaches:read",
    query=BreachFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Breaches.", schemas.BreachPage)},
)
def list_breaches(query: BreachFilters) -> Any:
    """List breaches, the newest first unless sorted otherwise."""
    svc, access = service(), current_access()
    where = query.where(
        assignee=worklist.assignees(access, query.assignee), age=worklist.chosen_ages(svc, query.age), search=query.search or ""
    )
    with svc.reading() as session:
        found = findings.list_breaches(
            session,
            where=where,
            scope=scope_of(access),
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return page([shapes.breach(item) for item in found.items], found.next_cursor)


@operations.get(
    "/v1/breaches/{breach}",
    scope="breaches:read",
    answers={200: Answer("The breach.", schemas.Breach, headers={"ETag": "the breach's version, for `If-Match`"})},
)
def show_breach(breach: str) -> Any:
    """Show a breach with its history, its waivers and its explanation."""
    svc = service()
    scope = scope_of(current_access())
    with svc.reading() as session:
        found = findings.find_breach(session, breach, scope=scope)
        if found is None:
            raise NotFound("there is no such breach")
        history = history_of(session, breach)
        waivers = findings.list_waivers(session, breach_id=breach, scope=scope, sort="created", limit=200)
        explanation = explain_breach(svc, session, found)
    body = shapes.breach(found) | {
        "verdict": dict(found.snapshot),
        "explanation": None if explanation is None else explanation.as_dict(),
        "history": [shapes.history_line(line) for line in history],
        "waivers": [shapes.waiver(item) for item in waivers.items],
    }
    return Reply(body, headers={"ETag": f'"{found.version}"'})
