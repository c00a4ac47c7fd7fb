"""The health of the feeds, and the cases that could not be judged.  Thin over store.queries.upkeep and service.evaluate."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Operations, Reply
from api.v1 import schemas, shapes
from api.v1.lists import Paged, Text, page, scope_of
from rules.model import rfc3339
from service.errors import NotFound
from service.evaluate import requeue
from store.queries import casework, upkeep
from store.queries.paging import MAX_LIMIT

operations = Operations(
    "sources", "For those who look after the feeds: how fresh they are, what was refused, which cases could not be judged."
)


class ConflictFilters(Paged):
    """Whose conflicts."""

    source: Text | None = Field(default=None, description="only this source")


@operations.get("/v1/sources", scope="sources:admin", answers={200: Answer("All sources, by name.", schemas.SourceList)})
def list_sources() -> Any:
    """List the sources and how fresh they are."""
    with service().reading() as session:
        return {"items": [shapes.source(found) for found in upkeep.list_sources(session)]}


@operations.get(
    "/v1/conflicts",
    scope="sources:admin",
    query=ConflictFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Conflicts, the latest first.", schemas.ConflictPage)},
)
def list_conflicts(query: ConflictFilters) -> Any:
    """List deliveries that were refused because their id is taken by other content."""
    scope = scope_of(current_access())
    with service().reading() as session:
        found = upkeep.list_conflicts(session, source=query.source, scope=scope, limit=query.limit, cursor=query.cursor)
        items = [
            {
                "source": row.source,
                "id": row.event_id,
                "case": row.case_id,
                "received": rfc3339(row.received),
                "deliveries": row.deliveries,
                "kept_position": row.kept_position,
            }
            for row in found.items
        ]
    return page(items, found.next_cursor)


@operations.get("/v1/quarantine", scope="sources:admin", answers={200: Answer("The cases.", schemas.HeldList)})
def list_quarantine() -> Any:
    """List the cases that were set aside because judging them failed again and again."""
    scope = scope_of(current_access())
    with service().reading() as session:
        found = upkeep.list_waiting(session, quarantined=True, scope=scope, limit=MAX_LIMIT)
    return {"items": [{"case": w.case, "since": rfc3339(w.since), "attempts": w.attempts, "error": w.last_error} for w in found]}


@operations.post("/v1/quarantine/{case}/retry", scope="sources:admin", answers={202: Answer("It will be judged again.", schemas.CaseRef)})
def retry_quarantined(case: str) -> Any:
    """Let a case out of quarantine, to be judged again."""
    svc, scope = service(), scope_of(current_access())
    with svc.reading() as session:
        if not casework.may_see_case(session, case, scope=scope):
            raise NotFound("there is no such case")
    requeue(svc, case)
    return Reply({"case": case}, status=202)
