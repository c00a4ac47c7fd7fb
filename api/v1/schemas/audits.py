"""Audits, their reports and their schedules.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Day, Instant

AuditKind = Literal["full", "incremental"]
AuditState = Literal["queued", "running", "done", "failed", "cancelled"]
CauseKind = Literal["events", "waiver", "time", "policy", "scope"]


class AuditScope(TypedDict):
    """What an audit looks at; null: no limit."""

    policies: list[str] | None
    program: str | None
    teams: list[str] | None
    offices: list[str] | None
    since: Annotated[Day | None, Field(description="what is due on that day or later, and what became of breaches from then on")]
    until: Day | None


class AuditProgress(TypedDict):
    """How far it is."""

    total: Annotated[int, Field(description="cases; 100 where `in_percent`")]
    done: int
    left: int
    in_percent: Annotated[bool, Field(description="the key is limited, and may not know how many cases there are in all")]
    rate: Annotated[float | None, Field(description="cases (or per cent) a second; null: not known yet, or over")]
    expected: Annotated[Instant | None, Field(description="when it will be over at this rate")]


class AuditSignature(TypedDict):
    """A person's word that a report has been read and stands."""

    name: str
    at: Instant
    digest: Annotated[str, Field(description="of the report that was read")]
    comment: str


class Audit(TypedDict):
    """An audit, as it stands."""

    id: str
    state: AuditState
    kind: AuditKind
    as_of: Instant
    known_at: Instant
    position: Annotated[int, Field(description="the last event that counts")]
    policies: Annotated[list[str], Field(description="digests of the versions that were in force as it was known then")]
    scope: AuditScope
    seed: Annotated[int, Field(description="of the sample")]
    sample: Annotated[int, Field(description="cases drawn of each team and verdict")]
    progress: AuditProgress
    created: Instant
    created_by: str
    schedule: Annotated[str | None, Field(description="id of the schedule that made it")]
    scheduled_for: Instant | None
    missed: Annotated[int, Field(description="earlier times of the schedule that it stands in for, as nothing was running then")]
    started: Instant | None
    finished: Instant | None
    report_digest: Annotated[str | None, Field(description="SHA-256 (hex) of the whole report")]
    error: str | None


class AuditList(TypedDict):
    """Audits, the newest first."""

    items: list[Audit]


class AuditTold(Audit):
    """An audit, with who has signed it off."""

    signatures: list[AuditSignature]


class AuditDelta(TypedDict):
    """Obligations of one rule with one verdict, before and after."""

    policy: str
    rule: str
    verdict: str
    before: int
    after: int


class AuditCause(TypedDict):
    """What made a verdict another one."""

    kind: CauseKind
    words: str
    events: Annotated[list[str], Field(description="ids of the events")]
    versions: Annotated[list[str], Field(description="digests of the policy versions before and after")]


class AuditDifference(TypedDict):
    """An obligation that the two audits judge differently."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    team: str | None
    office: str | None
    before: Annotated[str, Field(description="the verdict; `none`: there is none")]
    after: str
    before_words: str
    after_words: str
    causes: list[AuditCause]


class AuditComparison(TypedDict):
    """Two audits compared: counts that differ, and the cases behind them."""

    before: Audit
    after: Audit
    deltas: list[AuditDelta]
    cases: Annotated[int | None, Field(description="cases that differ; null: not for a limited key to know")]
    items: list[AuditDifference]
    next: Annotated[str | None, Field(description="give it as `start` to go on; null: these were the last")]


class AuditSchedule(TypedDict):
    """When to make which audit."""

    id: str
    name: str
    cron: str
    zone: str
    kind: AuditKind
    scope: AuditScope
    sample: int
    created: Instant
    created_by: str
    next_at: Annotated[Instant | None, Field(description="null: it is paused")]
    last_at: Instant | None
    last_audit: str | None
    missed: Annotated[int, Field(description="times before `last_at` that went by while nothing was running")]
    paused_because: str | None


class AuditScheduleList(TypedDict):
    """Schedules, by name."""

    items: list[AuditSchedule]


class AuditJudgedAgain(TypedDict):
    """How many cases wait to be judged again."""

    cases: int


AuditReport = Annotated[
    dict[str, Any],
    Field(
        description="`policies`, instants and `scope`; `results` by rule, team, office and month; `tables` and `totals` with rates and "
        "their denominators; `verification` against what is stored; cut to what the key may read"
    ),
]
