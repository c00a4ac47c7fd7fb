"""The filters and pages that all lists of findings share.  Imports store.queries' filters; the queries themselves are elsewhere."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field

from api.operations import Query
from api.v1.schemas import Condition, Outcome, Review, Severity
from rules.instants import parse_day, parse_instant
from service import worklist
from service.judge import When
from store.queries.narrow import MOST_VALUES, Where
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT

scope_of = worklist.scope_of
MOST = MOST_VALUES
DAY_LENGTH = len("2026-03-23")
Text = Annotated[str, Field(min_length=1, max_length=1024)]
_YEARS = r"^(19|20|21)\d\d-"
WhenText = Annotated[
    str,
    Field(max_length=64, json_schema_extra={"anyOf": [{"format": "date"}, {"format": "date-time"}], "pattern": _YEARS}),
]
"""A day or an RFC 3339 instant, as the document tells it; ``parse_when`` reads it."""
InstantText = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time", "pattern": _YEARS})]
DayText = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", json_schema_extra={"format": "date"})]
Sort = Literal["due_on", "-due_on", "changed_at", "-changed_at", "severity", "-severity", "days_late", "-days_late", "rule", "-rule"]
AgeName = Literal["today", "week", "month", "quarter", "older"]
BreachSort = Literal[Sort, "opened_at", "-opened_at", "case", "-case"]


class Paged(Query):
    """How much of a list, and from where."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="most items on a page")
    cursor: str | None = Field(
        default=None, min_length=1, max_length=500, description="`next` of the page before; the other parameters stay the same"
    )


class Narrowing(Query):
    """What narrows a list of findings.  Each may be given several times: any of the values fits."""

    policy: list[Text] = Field(default_factory=list, max_length=MOST, description="policy id; may be repeated, any of them fits")
    rule: list[Text] = Field(default_factory=list, max_length=MOST, description="rule id; may be repeated")
    severity: list[Severity] = Field(default_factory=list, max_length=MOST, description="may be repeated")
    condition: list[Condition] = Field(default_factory=list, max_length=MOST, description="of the breach; may be repeated")
    review: list[Review] = Field(default_factory=list, max_length=MOST, description="of the breach; may be repeated")
    team: list[Text] = Field(default_factory=list, max_length=MOST, description="the team at the due day; `-`: none; may be repeated")
    office: list[Text] = Field(default_factory=list, max_length=MOST, description="`-`: none; may be repeated")
    worker: list[Text] = Field(default_factory=list, max_length=MOST, description="`-`: none; may be repeated")
    case: list[Text] = Field(default_factory=list, max_length=MOST, description="case id; may be repeated")
    since: DayText | None = Field(default=None, alias="from", description="due on this day or later")
    until: DayText | None = Field(default=None, alias="to", description="due on this day or earlier")

    def where(self, **more: Any) -> Where:
        """As the store takes it.  Raises store.errors.QueryError for a day that does not exist."""
        names = ("policy", "rule", "severity", "condition", "review", "team", "office", "worker", "case")
        several: dict[str, Any] = {name: tuple(getattr(self, name)) for name in names}
        return Where(**several, since=self.since, until=self.until, **more)


class Filters(Narrowing, Paged):
    """What narrows a list of findings, and which page of it."""


class BreachFilters(Filters):
    """Filters of the list of breaches: those of its page, too."""

    assignee: list[Text] = Field(
        default_factory=list, max_length=MOST, description="`user:ID`, `me` for the caller, `-` for nobody; may be repeated"
    )
    age: list[AgeName] = Field(
        default_factory=list,
        max_length=MOST,
        description="found today, 1 to 7 local days before (`week`), 8 to 30 (`month`), 31 to 90 (`quarter`), or `older`; may be repeated",
    )
    search: Text | None = Field(default=None, description="how the case's id begins, small or capital letters alike")
    sort: BreachSort | None = Field(default=None, description="`-` first: descending; without it, the newest first")


class VerdictFilters(Filters):
    """Filters of the list of verdicts."""

    verdict: list[Outcome] = Field(default_factory=list, max_length=MOST, description="may be repeated")
    sort: Sort | None = Field(default=None, description="`-` first: descending; without it, by due day")


class DueFilters(Filters):
    """Filters of what falls due soon."""

    days: int = Field(default=14, ge=0, le=3660, description="how many days ahead of today")
    sort: Sort | None = Field(default=None, description="`-` first: descending; without it, by due day")


def parse_when(text: str) -> When:
    """A day (its last local instant is meant) or an RFC 3339 instant (ms).  Raises ValueError with a reason fit for the caller."""
    if len(text) == DAY_LENGTH:
        return dt.date.fromordinal(parse_day(text))
    return parse_instant(text)


def page(items: list[dict[str, Any]], following: str | None, **more: Any) -> dict[str, Any]:
    """A page of a list."""
    return {"items": items, "next": following, **more}
