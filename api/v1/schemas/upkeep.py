"""Sources, conflicts, quarantine, health.  See the package."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Instant, NextCursor


class SourceRow(TypedDict):
    """A source of events, and how fresh it is."""

    source: str
    adapter: Annotated[str | None, Field(description="what pulls it; null: it posts")]
    last_event: Annotated[Instant | None, Field(description="when its last event was received")]
    complete_until: Annotated[
        Instant | None,
        Field(description="it has delivered everything recorded up to then; null: it sends no heartbeat and is taken as complete"),
    ]
    last_heartbeat: Instant | None
    last_pull: Instant | None
    last_error: str | None
    failures: Annotated[int, Field(description="in a row")]
    conflicts: Annotated[int, Field(description="deliveries refused because their id is taken by other content")]
    rejects: Annotated[int, Field(description="deliveries refused at the door and not replayed yet")]


class SourceList(TypedDict):
    """All sources that ever sent something."""

    items: list[SourceRow]


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
