"""Cases with their events, breaches with their history.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Condition, Day, Instant, NextCursor, Review, Severity
from api.v1.schemas.judged import DataQuery, EarlierRecord, Explanation, Finding, StandingVerdict


class StoredEvent(TypedDict):
    """An event as it was taken in."""

    position: Annotated[int, Field(description="order of taking in; with gaps")]
    source: str
    id: str
    type: str
    subject: Annotated[str, Field(description="the case id")]
    time: Instant
    recordedtime: Annotated[Instant | None, Field(description="null where the sender gave none")]
    received: Instant
    spoken_of: Annotated[list[str], Field(description="ids of voids and corrections, of the same source, that name it")]
    data: dict[str, Any]


class EventPage(TypedDict):
    """Events of a case in the order of taking in."""

    items: list[StoredEvent]
    next: NextCursor


class CaseRow(TypedDict):
    """A case as it was judged last, or, until the first time, as its events tell."""

    case: str
    program: str | None
    team: str | None
    office: str | None
    worker: str | None
    open_breaches: int
    judged: Annotated[bool, Field(description="false: taken in, but not judged yet; then nothing stands found about it")]
    evaluated_at: Annotated[Instant | None, Field(description="null: taken in, but not judged yet")]
    next_check_at: Annotated[Instant | None, Field(description="when the passing of time alone may change a verdict; null: never")]
    waiting: Annotated[bool, Field(description="something has arrived, or a day has passed, since it was judged")]
    waiting_since: Annotated[Instant | None, Field(description="since when it has waited to be judged; null: it does not wait")]
    quarantined: Annotated[bool, Field(description="judging it failed again and again; it is set aside until a person has looked")]
    error: Annotated[str | None, Field(description="what failed when it was tried last, and where; null where nothing did")]
    withdrawn: Annotated[bool, Field(description="all its events were voided: it counts as no case, and its events are still on record")]


class CasePage(TypedDict):
    """Cases."""

    items: list[CaseRow]
    next: NextCursor


class BreachRow(TypedDict):
    """A breach in a list."""

    id: str
    version: Annotated[int, Field(description="grows with each change; send it in `If-Match`")]
    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    condition: Annotated[Condition, Field(description="set by evaluation")]
    review: Annotated[Review, Field(description="set by people")]
    severity: Severity
    team: str | None
    office: str | None
    worker: str | None
    assignee: Annotated[str | None, Field(description="who works on it, `user:ID`; set by people")]
    due_on: Day | None
    days_late: int | None
    contested: str | None
    opened_at: Instant
    changed_at: Instant
    announced_at: Instant | None


class Case(CaseRow):
    """A case and what stands found about it; its journey is under `/events`."""

    events: Annotated[int, Field(description="how many were taken in")]
    verdicts: Annotated[list[StandingVerdict], Field(description="as judged last, 1000 at most")]
    breaches: Annotated[list[BreachRow], Field(description="all on record, the closed ones too, 1000 at most")]
    queries: list[DataQuery]
    linked: Annotated[list[str], Field(description="cases that it is judged together with: merged, or sharing a child")]
    earlier: Annotated[EarlierRecord | None, Field(description="an earlier record of it that was removed; null: there was none")]


class BreachPage(TypedDict):
    """Breaches."""

    items: list[BreachRow]
    next: NextCursor


class HistoryLine(TypedDict):
    """One change of a breach; never altered, never deleted."""

    at: Instant
    kind: str
    actor: str
    before: str | None
    after: str | None
    policy_digest: str | None
    known_at: Instant | None
    event_position: int | None
    events: list[str]
    reason_code: str | None
    comment: str | None


class Waiver(TypedDict):
    """A request that a breach be excused for a time, which another person must approve."""

    id: str
    breach: str
    version: int
    state: Literal["proposed", "approved", "refused", "void", "ended"]
    author: str
    approver: str | None
    reason_code: str
    comment: str | None
    created: Instant
    decided_at: Instant | None
    ends_at: Instant


class Breach(BreachRow):
    """A breach with all that a reviewer needs."""

    verdict: Annotated[Finding, Field(description="the last verdict that was a breach, a remedied or an excused one")]
    explanation: Annotated[Explanation | None, Field(description="as judged now; null where the obligation no longer exists")]
    history: list[HistoryLine]
    waivers: list[Waiver]
