"""Backtests: what a version of a policy would have said of the cases on record.  Thin over service.backtests.runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import ConfigDict, Field

from api.access import current_access, service
from api.operations import Answer, Body, Operations, Query, Reply, one_of
from api.v1 import changeshapes as shapes
from api.v1 import schemas
from api.v1.lists import DayText, WhenText, parse_when
from service.backtests import runs as backtests
from service.backtests.runs import When
from service.errors import Flaw, Invalid
from service.policies import changes as policychanges

operations = Operations(
    "backtests",
    "Every stored case, judged by the versions in force and by another one, and compared. Nothing is changed by it. The work is "
    "queued behind the events that come in; ask for the backtest until its `state` is `done`, then for its report.",
)


class BacktestFilters(Query):
    """Which backtests."""

    policy: str | None = Field(default=None, min_length=1, max_length=200, description="policy id")
    candidate: str | None = Field(default=None, min_length=1, max_length=200, description="digest of the version that was tried")
    limit: int = Field(default=50, ge=1, le=200, description="most items")


class BacktestOrder(Body):
    """What is to be tried: the version of a `change`, or one on record by its digest (`candidate`)."""

    model_config = ConfigDict(json_schema_extra=one_of(("change",), ("candidate",)))

    change: str | None = Field(default=None, min_length=1, max_length=200, description="id of a proposal; without `candidate`")
    candidate: str | None = Field(default=None, min_length=1, max_length=200, description="digest of a version; without `change`")
    since: DayText | None = Field(default=None, description="only what was called for on that day or later is compared")
    as_of: WhenText | None = Field(default=None, description="a day (its end) or an RFC 3339 instant; without it, now")
    known_at: WhenText | None = Field(default=None, description="the same, for what was on record; never later than now")


@operations.get(
    "/v1/backtests",
    scope="policies:write",
    query=BacktestFilters,
    answers={200: Answer("Backtests, the newest first.", schemas.BacktestList)},
)
def list_backtests(query: BacktestFilters) -> Any:
    """List backtests."""
    found = backtests.listing(service(), current_access(), policy=query.policy, candidate=query.candidate, limit=query.limit)
    return {"items": [shapes.backtest(one) for one in found]}


@operations.post(
    "/v1/backtests",
    scope="policies:write",
    body=BacktestOrder,
    problems=["not_possible", "not_found"],
    answers={202: Answer("The backtest, in the queue.", schemas.Backtest, headers={"Location": "where to follow it"})},
)
def start_backtest(body: BacktestOrder) -> Any:
    """Try a version on the stored cases."""
    svc = service()
    if (body.change is None) == (body.candidate is None):
        raise Invalid(Flaw("change", "wrong_value", "give a change, or the digest of a candidate"))
    candidate = body.candidate if body.change is None else policychanges.change(svc, body.change).digest
    assert candidate is not None
    made = backtests.start(
        svc,
        current_access(),
        candidate=candidate,
        since=_day("since", body.since),
        as_of=_when("as_of", body.as_of),
        known_at=_when("known_at", body.known_at),
    )
    return Reply(shapes.backtest(made), status=202, headers={"Location": f"/v1/backtests/{made.id}"})


@operations.get("/v1/backtests/{backtest}", scope="policies:write", answers={200: Answer("The backtest.", schemas.Backtest)})
def show_backtest(backtest: str) -> Any:
    """Show a backtest and how far it is."""
    return shapes.backtest(backtests.get(service(), current_access(), backtest))


@operations.get(
    "/v1/backtests/{backtest}/report",
    scope="policies:write",
    problems=["not_possible"],
    answers={200: Answer("The report.", schemas.BacktestReport)},
)
def show_backtest_report(backtest: str) -> Any:
    """Show the report of a finished backtest.

    A key without limits gets the very bytes that `report_digest` is of; a limited one what it may see of them.
    """
    return Reply(backtests.report_text(service(), current_access(), backtest))


@operations.post(
    "/v1/backtests/{backtest}/cancel",
    scope="policies:write",
    problems=["not_possible"],
    answers={200: Answer("The backtest, cancelled.", schemas.Backtest)},
)
def cancel_backtest(backtest: str) -> Any:
    """Stop a backtest that is under way."""
    return shapes.backtest(backtests.cancel(service(), current_access(), backtest))


def _day(field: str, text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(Flaw(field, "wrong_value", "there is no such day")) from None


def _when(field: str, text: str | None) -> When | None:
    try:
        return None if text is None else parse_when(text)
    except ValueError as error:
        raise Invalid(Flaw(field, "wrong_value", str(error))) from None
