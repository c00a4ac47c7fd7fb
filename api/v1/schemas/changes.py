"""Changes of policies, and backtests.  See the package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Day, Instant

ChangeKind = Literal["installed", "version", "parameters"]
ChangeState = Literal["proposed", "active", "rejected", "withdrawn"]
BacktestState = Literal["queued", "running", "done", "failed", "cancelled"]
Digest = Annotated[str, Field(description="SHA-256 (hex) of a version: of its texts, its parameters and its first day")]


class PolicyChange(TypedDict):
    """A version of a policy that somebody wants to be in force, and what became of it."""

    id: str
    version: Annotated[int, Field(description="of this resource, for `If-Match`")]
    policy: str
    kind: Annotated[ChangeKind, Field(description="`installed`: it came with the installation's files")]
    state: Annotated[ChangeState, Field(description="`active`: approved; it judges from its first day on")]
    digest: Digest
    base_digest: Annotated[str | None, Field(description="the version that it was made from")]
    policy_version: str
    effective: Annotated[Day, Field(description="its first day")]
    applies_to_open: Annotated[bool, Field(description="cases that are open on the first day are judged by it throughout from then on")]
    values: Annotated[dict[str, int | None], Field(description="parameters that were named by whoever proposed it; null: unset")]
    reason: str
    proposed_by: str
    proposed_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    comment: str | None
    backtest: Annotated[str | None, Field(description="the backtest that the approval rested on")]


class Difference(TypedDict):
    """One change of meaning between two versions, in words."""

    rule: Annotated[str | None, Field(description="null: it concerns the whole policy")]
    what: str
    before: str
    after: str
    effect: str
    changes_verdicts: bool
    words: Annotated[str, Field(description="all of it in one sentence")]


class PolicyChangeDetail(PolicyChange):
    """A change with what it means."""

    differences: Annotated[list[Difference], Field(description="against the version that it was made from")]
    enforces: Annotated[list[str], Field(description="rules that it would enforce and that are not enforced now: they need a backtest")]


class PolicyChangeList(TypedDict):
    """Changes, the newest first."""

    items: list[PolicyChange]


class Backtest(TypedDict):
    """What a version would have said of the cases on record: how far the work is."""

    id: str
    state: BacktestState
    policy: str
    candidate: Digest
    base: Annotated[list[str], Field(description="digests of the versions that it is compared with")]
    as_of: Instant
    known_at: Instant
    since: Annotated[Day | None, Field(description="only what was called for on that day or later is compared")]
    total: Annotated[int, Field(description="cases")]
    done: Annotated[int, Field(description="cases judged so far")]
    created: Instant
    created_by: str
    started: Instant | None
    finished: Instant | None
    report_digest: Annotated[str | None, Field(description="SHA-256 (hex) of the whole report")]
    error: str | None


class BacktestList(TypedDict):
    """Backtests, the newest first."""

    items: list[Backtest]


class PolicyPackage(TypedDict):
    """A version as it is kept: all that it takes to judge by it again."""

    digest: Digest
    policy: str
    version: str
    effective: Day
    applies_to_open: bool
    values: dict[str, int | None]
    main: Annotated[str, Field(description="which of the files is the policy")]
    files: Annotated[dict[str, str], Field(description="texts by name: the policy, its event catalogue and its calendars")]


BacktestReport = Annotated[
    dict[str, Any],
    Field(description="the report of a backtest: `totals`, and rows by rule, team and office; cut to what the key may read"),
]
