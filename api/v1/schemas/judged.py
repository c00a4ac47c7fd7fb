"""Verdicts and explanations.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Day, Instant, NextCursor, Outcome, Severity


class Rejected(TypedDict):
    """An event that was considered and did not count."""

    event: str
    why: str


class Finding(TypedDict):
    """What one rule says of one obligation of a case, without the instants at which it was looked at."""

    case: str
    episode: str
    rule: str
    policy: str
    policy_digest: Annotated[str, Field(description="of the exact policy text that judged")]
    obligation: Annotated[str, Field(description="which activation of the rule: the case itself, a person, a meeting, an interval ...")]
    verdict: Outcome
    reason: Annotated[str | None, Field(description="of `not_applicable` and `unknown`: why")]
    activated_on: Day | None
    due_on: Day | None
    due_soon_on: Day | None
    satisfied_on: Day | None
    days_late: int | None
    curable: Annotated[bool, Field(description="false: nothing that happens now can mend it")]
    evidence: Annotated[list[str], Field(description="ids of the events that it rests on")]
    rejected: list[Rejected]
    severity: Severity
    status: Annotated[str, Field(description="of the rule: `draft`, `shadow`, `enforced` or `retired`")]
    team: str | None
    office: str | None
    worker: str | None
    contested: Annotated[str | None, Field(description="why a person should look at it: a date was moved after the fact")]


class Verdict(Finding):
    """What one rule says of one obligation of a case at (as_of, known_at)."""

    as_of: Instant
    known_at: Instant


class StandingVerdict(Verdict):
    """A verdict as it stands now."""

    id: Annotated[str, Field(description="also the id of its breach, where there is one")]
    changed_at: Annotated[str, Field(description="since when it has stood so", json_schema_extra={"format": "date-time"})]


class VerdictPage(TypedDict):
    """Current verdicts."""

    items: list[StandingVerdict]
    next: NextCursor


class DataQuery(TypedDict):
    """Something in the record that a person should look at; it is never a breach."""

    code: str
    message: str
    events: list[str]


class Considered(TypedDict):
    """An event that was looked at, and what became of it."""

    event: str
    type: str
    happened: Annotated[str, Field(description="in words, local time")]
    recorded: Annotated[str, Field(description="in words, local day")]
    counts: Annotated[Literal["yes", "no", "unclear", "against"], Field(description="against: it is what the rule forbids")]
    why: str


class Explanation(TypedDict):
    """Why a verdict is what it is, in plain words."""

    verdict: Verdict
    title: Annotated[str, Field(description="of the rule")]
    sentence: Annotated[str, Field(description="all of it in one sentence")]
    reasoning: Annotated[list[str], Field(description="step by step, with the day arithmetic")]
    considered: list[Considered]
    would_have_met: Annotated[str, Field(description="empty where nothing is wanting")]
    citation: str
    guidance: str


class Judgement(TypedDict):
    """A case judged at (as_of, known_at)."""

    case: str
    as_of: Annotated[str, Field(description="the instant, or the day as asked for")]
    known_at: Annotated[str, Field(description="the instant, or the day as asked for")]
    merged_into: Annotated[str | None, Field(description="the case that this one has gone into, where it is judged now")]
    verdicts: list[Verdict]
    queries: Annotated[list[DataQuery], Field(description="what a person should look at in the record")]
    explanations: NotRequired[Annotated[list[Explanation], Field(description="with `explain=true`")]]


class EarlierRecord(TypedDict):
    """An earlier record of the case that was removed under the rules of retention."""

    through: Annotated[Instant, Field(description="when the last event of it happened")]
    removed_at: Instant
    certificate: Annotated[str | None, Field(description="its number under `/v1/removals`, for those who may read it")]


class CaseExport(TypedDict):
    """Everything that is held about a case."""

    format: Annotated[str, Field(description="`duecare-case`")]
    version: int
    case: str
    made: Instant
    earlier: Annotated[EarlierRecord | None, Field(description="an earlier record of it that was removed; null: there was none")]
    counts: Annotated[dict[str, int], Field(description="rows by part")]
    meaning: Annotated[dict[str, str], Field(description="what each part holds")]
    left_out: Annotated[dict[str, str], Field(description="what is no part of it, and why")]
    parts: Annotated[dict[str, list[dict[str, Any]]], Field(description="the rows of each part; their columns may grow in number")]


class DueRow(StandingVerdict):
    """An obligation inside its warning window or before its due day."""

    days_left: Annotated[int | None, Field(description="from today to the due day; negative while a passed day waits to be judged")]


class DuePage(TypedDict):
    """Obligations that fall due soon, the nearest first."""

    items: list[DueRow]
    next: NextCursor
