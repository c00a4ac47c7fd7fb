"""Retention: what may be removed, removals and their certificates, legal holds.  Thin over service.retention and service.legalholds."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Body, Operations, Query, Reply
from api.v1 import schemas
from api.v1.lists import Text, page
from api.v1.shapes import instant
from rules.model import rfc3339
from service import legalholds
from service.errors import Flaw, Invalid
from service.retention import certificates, plan, rules, work
from service.retention.access import administers
from service.retention.plan import Journey
from store.legalholds import LegalHold

operations = Operations(
    "retention",
    "For those who look after the installation: what the rules of retention let go, removals with their certificates, and legal holds, "
    "which win over every rule. They concern every team, so that a key with limits is refused.",
)
LOOKED_AT = 2_000
"""Journeys that an answer is made of at most; the command looks at all."""


class HoldFilters(Query):
    """Which holds."""

    standing: bool = Field(default=False, description="only those that nobody has lifted")
    limit: int = Field(default=50, ge=1, le=100, description="most items")
    cursor: Text | None = Field(default=None, description="`next` of the page before")


class RemovalFilters(Query):
    """Which removals."""

    limit: int = Field(default=50, ge=1, le=100, description="most items")
    cursor: Text | None = Field(default=None, description="`next` of the page before")


class HoldOrder(Body):
    """A hold to be set."""

    case: str = Field(min_length=1, max_length=1_000, description="id of the case")
    reason: str = Field(min_length=1, max_length=legalholds.LONGEST_REASON, description="why, as it is kept with the hold")


class HoldEnd(Body):
    """A hold to be lifted."""

    reason: str = Field(min_length=1, max_length=legalholds.LONGEST_REASON, description="why, as it is kept with the hold")


@operations.get(
    "/v1/retention",
    scope="users:admin",
    problems=["not_possible"],
    answers={200: Answer("What a removal would do now.", schemas.RetentionPlan)},
)
def show_retention() -> Any:
    """Show what the rules of retention let go now, and what is kept and why. Nothing is changed."""
    svc = service()
    administers(current_access())
    found = plan.look(svc, rules.load(svc.settings.retention), most=LOOKED_AT)
    return {
        "rules": found.rules.as_json(),
        "whole": found.whole,
        "cases": found.cases,
        "journeys": found.journeys,
        "modes": dict(found.modes),
        "kept": dict(found.kept),
        "access_log_lines": found.log_lines,
        "refused_records": found.refused,
        "remove": [_journey(one) for one in found.going],
        "keep": [_journey(one) for one in found.kept_ones],
    }


@operations.post(
    "/v1/removals",
    scope="users:admin",
    problems=["not_possible"],
    answers={202: Answer("The removal; the scheduler carries it out.", schemas.Removal, headers={"Location": "where to follow it"})},
)
def start_removal() -> Any:
    """Remove what the rules of retention let go now.

    There is no way back but a backup. One that is running already is given as it is.
    """
    made = work.start(service(), current_access())
    return Reply(certificates.summary(made), status=202, headers={"Location": f"/v1/removals/{made.id}"})


@operations.get(
    "/v1/removals",
    scope="users:admin",
    query=RemovalFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Removals, the newest first.", schemas.RemovalPage)},
)
def list_removals(query: RemovalFilters) -> Any:
    """List removals and their certificates."""
    found = certificates.listed(service(), current_access(), before=query.cursor, limit=query.limit)
    return page([certificates.summary(one) for one in found], found[-1].id if len(found) == query.limit else None)


@operations.get("/v1/removals/{removal}", scope="users:admin", answers={200: Answer("The removal.", schemas.Removal)})
def show_removal(removal: str) -> Any:
    """Show a removal, or its certificate."""
    return certificates.summary(certificates.one(service(), current_access(), removal))


@operations.get(
    "/v1/legal-holds",
    scope="users:admin",
    query=HoldFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Legal holds, the newest first.", schemas.LegalHoldPage)},
)
def list_legal_holds(query: HoldFilters) -> Any:
    """List legal holds, those that were lifted included."""
    found = legalholds.listed(service(), current_access(), standing=query.standing, after=legalholds.place(query.cursor), limit=query.limit)
    return page([_hold(one) for one in found], legalholds.cursor(found[-1]) if len(found) == query.limit else None)


@operations.post(
    "/v1/legal-holds",
    scope="users:admin",
    body=HoldOrder,
    problems=["not_found"],
    answers={201: Answer("The hold.", schemas.LegalHold)},
)
def set_legal_hold(body: HoldOrder) -> Any:
    """Keep a case, and all that hang together with it, from being removed."""
    if "\x00" in body.case:
        raise Invalid(Flaw("case", "wrong_value", "is no id"))
    return Reply(_hold(legalholds.put(service(), current_access(), case=body.case, reason=body.reason)), status=201)


@operations.post(
    "/v1/legal-holds/{hold}/lift",
    scope="users:admin",
    body=HoldEnd,
    problems=["not_possible"],
    answers={200: Answer("The hold, lifted.", schemas.LegalHold)},
)
def lift_legal_hold(hold: str, body: HoldEnd) -> Any:
    """Lift a hold. That it was there, and who lifted it, stays on record."""
    return _hold(legalholds.lift(service(), current_access(), hold, reason=body.reason))


def _hold(one: LegalHold) -> dict[str, Any]:
    return {
        "id": one.id,
        "case": one.case,
        "reason": one.reason,
        "set_by": one.set_by,
        "set_name": one.set_name,
        "set_at": rfc3339(one.set_at),
        "lifted_by": one.lifted_by,
        "lifted_name": one.lifted_name,
        "lifted_at": instant(one.lifted_at),
        "lift_reason": one.lift_reason,
    }


def _journey(one: Journey) -> dict[str, Any]:
    return {
        "cases": list(one.cases),
        "closed": None if one.closed is None else one.closed.isoformat(),
        "due": None if one.due is None else one.due.isoformat(),
        "mode": one.mode,
        "kept": one.kept,
    }
