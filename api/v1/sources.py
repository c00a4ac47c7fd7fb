"""The health of the feeds, and the cases that could not be judged.  Thin over store.queries.upkeep and service.evaluate."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Operations, Reply
from api.v1 import schemas, shapes
from api.v1.lists import Paged, Text, page, scope_of
from rules.model import rfc3339
from service import onrecord
from service.errors import NotFound, NotPossible
from service.evaluate import requeue
from service.sources import pull as pulling
from service.sources import rejects, sweeps
from service.sources.definitions import Configured
from service.sources.health import feeds
from store.queries import upkeep
from store.queries.paging import MAX_LIMIT

operations = Operations(
    "sources", "For those who look after the feeds: how fresh they are, what was refused, which cases could not be judged."
)


class ConflictFilters(Paged):
    """Whose conflicts."""

    source: Text | None = Field(default=None, description="only this source")


@operations.get(
    "/v1/sources", scope="sources:admin", answers={200: Answer("All sources, those that need somebody first.", schemas.SourceList)}
)
def list_sources() -> Any:
    """List the sources and how they stand."""
    svc = service()
    with svc.reading() as session:
        return {"items": [shapes.source(found) for found in feeds(svc, session)]}


class RejectFilters(Paged):
    """Which rejects."""

    settled: bool = Field(default=False, description="those that were taken in or set aside since, instead of those that wait")


@operations.get(
    "/v1/sources/{source}/rejects",
    scope="sources:admin",
    query=RejectFilters,
    problems=["bad_cursor", "not_found"],
    answers={200: Answer("Records, the latest first; never what stands in them.", schemas.RejectPage)},
)
def list_rejects(source: str, query: RejectFilters) -> Any:
    """List the records of a source that could not be taken in, with why."""
    with service().reading() as session:
        found = upkeep.list_rejects(session, source=_configured(source).uri, replayed=query.settled, limit=query.limit, cursor=query.cursor)
        return page([shapes.reject(row) for row in found.items], found.next_cursor)


@operations.post(
    "/v1/sources/{source}/replay",
    scope="sources:admin",
    problems=["not_found"],
    answers={200: Answer("What became of them.", schemas.Replayed)},
)
def replay_rejects(source: str) -> Any:
    """Try the rejects of a source again, as after its mapping was mended."""
    done = rejects.replay(service(), _configured(source))
    names = ("records", "accepted", "duplicate", "conflict", "refused")
    return {name: done.counts[name] for name in names} | {"error": done.error}


@operations.post(
    "/v1/sources/{source}/rejects/{reject}/dismiss",
    scope="sources:admin",
    problems=["not_found"],
    answers={200: Answer("It is set aside, and what the system gave is forgotten.", schemas.Dismissed)},
)
def dismiss_reject(source: str, reject: str) -> Any:
    """Set a reject aside for good: the record is not about a case."""
    number = int(reject) if reject.isascii() and reject.isdigit() and len(reject) < 18 else -1
    if not rejects.dismiss(service(), _configured(source), number, by=current_access().actor):
        raise NotFound("there is no such reject that waits")
    return {"id": number}


@operations.post(
    "/v1/sources/{source}/pull",
    scope="sources:admin",
    problems=["not_found", "not_possible"],
    answers={202: Answer("It is asked soon.", schemas.Nudged)},
)
def pull_source(source: str) -> Any:
    """Have a source asked now, whatever its schedule says."""
    found = _configured(source)
    if not found.asked:
        raise NotPossible("this source is not switched on")
    pulling.nudge(service(), found)
    return Reply({"source": found.name}, status=202)


@operations.post(
    "/v1/sources/{source}/confirm",
    scope="sources:admin",
    problems=["not_found", "not_possible"],
    answers={202: Answer("They are taken back at the next pull, which comes soon.", schemas.Confirmed)},
)
def confirm_gone(source: str) -> Any:
    """Say that records which a sweep of the source did not find are gone indeed.

    Where nearly everything seems to be gone, nothing is taken back until somebody has looked.
    """
    return Reply({"gone": sweeps.confirm(service(), _configured(source), by=current_access().actor)}, status=202)


def _configured(name: str) -> Configured:
    return service().feeds.current().get(name)


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
    with service().reading() as session:
        found = onrecord.put_aside(service(), session, current_access(), limit=MAX_LIMIT)
    return {"items": [{"case": w.case, "since": rfc3339(w.since), "attempts": w.attempts, "error": w.last_error} for w in found]}


@operations.post("/v1/quarantine/{case}/retry", scope="sources:admin", answers={202: Answer("It will be judged again.", schemas.CaseRef)})
def retry_quarantined(case: str) -> Any:
    """Let a case out of quarantine, to be judged again."""
    svc = service()
    with svc.reading() as session:
        onrecord.require(svc, session, current_access(), case)
    requeue(svc, case)
    return Reply({"case": case}, status=202)
