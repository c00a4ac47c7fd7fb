"""Sources, conflicts, quarantine, health.  See the package."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Instant, NextCursor


class SourceRow(TypedDict):
    """A source of events, and how fresh it is."""

    source: Annotated[str, Field(description="the `source` of its events")]
    name: Annotated[str | None, Field(description="what its file calls it; null: it is not configured here, it posts")]
    title: str
    adapter: Annotated[str | None, Field(description="what pulls it; null: it posts")]
    state: Annotated[
        Literal["off", "failing", "quiet", "waiting", "good", "pushed"],
        Field(description="`waiting`: it has not been asked yet; `pushed`: it posts; `off`: its file says so"),
    ]
    every_seconds: Annotated[int | None, Field(description="between two pulls")]
    last_event: Annotated[Instant | None, Field(description="when its last event was received")]
    complete_until: Annotated[
        Instant | None,
        Field(description="it has delivered everything recorded up to then; null: it sends no heartbeat and is taken as complete"),
    ]
    last_heartbeat: Instant | None
    last_pull: Instant | None
    last_good_pull: Instant | None
    next_pull: Instant | None
    last_error: str | None
    failures: Annotated[int, Field(description="in a row")]
    records: Annotated[int, Field(description="read so far, those read again included")]
    conflicts: Annotated[int, Field(description="deliveries refused because their id is taken by other content")]
    rejects: Annotated[int, Field(description="records that could not be taken in and wait")]


class SourceList(TypedDict):
    """All sources that ever sent something."""

    items: list[SourceRow]


class RejectProblem(TypedDict):
    """Why a record could not be taken in."""

    pointer: Annotated[str, Field(description="RFC 6901 pointer into the event that it would have become")]
    code: str
    message: str


class RejectedRecord(TypedDict):
    """A record that could not be taken in."""

    id: int
    kind: Annotated[str, Field(description="the table or resource that it comes from")]
    ref: Annotated[str, Field(description="what it is called there")]
    since: Instant
    problems: list[RejectProblem]
    taken_in: Instant | None
    dismissed: Instant | None


class RejectPage(TypedDict):
    """Records that could not be taken in, the latest first."""

    items: list[RejectedRecord]
    next: NextCursor


class Replayed(TypedDict):
    """What became of rejects that were tried again."""

    records: int
    accepted: Annotated[int, Field(description="events that were taken in")]
    duplicate: int
    conflict: int
    refused: Annotated[int, Field(description="records that are refused still")]
    error: Annotated[str | None, Field(description="why it ended early")]


class Dismissed(TypedDict):
    """A reject that was set aside."""

    id: int


class Nudged(TypedDict):
    """A source that is asked soon."""

    source: str


class Confirmed(TypedDict):
    """Records that are gone indeed."""

    gone: Annotated[dict[str, int], Field(description="by kind of record, how many")]


class Conflict(TypedDict):
    """A delivery that was refused, since other content is kept under its source and id."""

    source: str
    id: Annotated[str, Field(description="of the event")]
    case: Annotated[str, Field(description="the case that the refused delivery names")]
    received: Instant
    deliveries: Annotated[int, Field(description="how often this content was delivered")]
    kept_position: Annotated[int, Field(description="of the event that is kept")]


class ConflictPage(TypedDict):
    """Conflicts, the latest first."""

    items: list[Conflict]
    next: NextCursor


class HeldRow(TypedDict):
    """A case that was set aside, since judging it failed again and again."""

    case: str
    since: Instant
    attempts: int
    error: str | None


class HeldList(TypedDict):
    """Quarantined cases, the longest there first, 1000 at most."""

    items: list[HeldRow]


class CaseRef(TypedDict):
    """A case."""

    case: str


class Trouble(TypedDict):
    """One thing that is not as it should be."""

    code: str
    message: NotRequired[Annotated[str, Field(description="only for callers with a valid key")]]


class Health(TypedDict):
    """How the service is."""

    status: Literal["ok", "degraded", "unavailable"]
    deciders: Annotated[
        Literal["both", "table"], Field(description="`table`: durable-rules cannot be used here, so nothing checks the table")
    ]
    degraded: list[Trouble]
