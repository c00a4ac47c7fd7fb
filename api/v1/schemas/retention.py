"""Retention and legal holds.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Day, Instant, NextCursor

Mode = Annotated[
    Literal["purge", "pseudonymise"], Field(description="purge: only counts stay; pseudonymise: verdicts stay under made-up ids")
]


class LegalHold(TypedDict):
    """A person's word that nothing of a case, or of those that hang together with it, may be removed."""

    id: str
    case: Annotated[str, Field(description="once the case was removed, a keyed digest in its place")]
    reason: str
    set_by: str
    set_name: str
    set_at: Instant
    lifted_by: str | None
    lifted_name: str | None
    lifted_at: Annotated[Instant | None, Field(description="null: it stands")]
    lift_reason: str | None


class LegalHoldPage(TypedDict):
    """Legal holds, the newest first."""

    items: list[LegalHold]
    next: NextCursor


class Journey(TypedDict):
    """Cases that hang together and are kept or removed as a whole."""

    cases: list[str]
    closed: Annotated[Day | None, Field(description="local day of the last closure")]
    due: Annotated[Day | None, Field(description="the first local day on which it may go")]
    mode: Mode | None
    kept: Annotated[str | None, Field(description="why it is kept; null: it may go")]


class RetentionPlan(TypedDict):
    """What a removal would do now."""

    rules: dict[str, Any]
    whole: Annotated[bool, Field(description="false: there is more; only the first journeys were looked at")]
    cases: int
    journeys: int
    modes: Annotated[dict[str, int], Field(description="cases by how they go")]
    kept: Annotated[dict[str, int], Field(description="journeys by why they are kept")]
    access_log_lines: int
    refused_records: Annotated[int, Field(description="refused records about unknown cases that are old enough to go")]
    remove: list[Journey]
    keep: list[Journey]


class RowCount(TypedDict):
    """Rows of a table."""

    removed: int
    changed: int


class Removal(TypedDict):
    """A removal, or its certificate."""

    id: str
    state: Literal["running", "done"]
    begun: Instant
    finished: Instant | None
    by: str
    name: str
    rules: dict[str, Any]
    rules_digest: str
    position: Annotated[int, Field(description="of the last event when it began")]
    seal: Annotated[int | None, Field(description="number of the last seal when it ended")]
    cases: int
    journeys: int
    rows: Annotated[dict[str, RowCount], Field(description="by table")]
    kept: Annotated[dict[str, int], Field(description="journeys by why they were kept")]
    lines: Annotated[int, Field(description="sealed lines that went or were changed")]
    chain: Annotated[str, Field(description="hash over these lines")]
    digest: str
    mac: Annotated[str, Field(description="keyed hash over the digest")]


class RemovalPage(TypedDict):
    """Removals, the newest first."""

    items: list[Removal]
    next: NextCursor
