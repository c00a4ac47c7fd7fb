"""Policies and figures.  See the package."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.changes import Difference
from api.v1.schemas.common import Day, Instant, Severity


class PolicyVersion(TypedDict):
    """A version that was put in force."""

    digest: str
    version: str
    effective: Annotated[Day, Field(description="its first day")]
    until: Annotated[Day | None, Field(description="the first day on which a later version judges what begins; null: none does")]
    state: Annotated[
        Literal["in_force", "upcoming", "past", "replaced"], Field(description="`replaced`: by one that was decided later for the same day")
    ]
    applies_to_open: bool
    change: Annotated[str, Field(description="id of the change that brought it")]
    activated_at: Instant | None
    proposed_by: str
    approved_by: Annotated[str | None, Field(description="null: it came with the installation")]
    reason: str


class PolicyVersionTold(PolicyVersion):
    """A version with what it changed, in words."""

    changes: Annotated[list[Difference], Field(description="against the version that it followed")]


class PolicyRow(TypedDict):
    """A policy as it is in force today."""

    id: str
    title: str
    version: str
    digest: Annotated[str, Field(description="changes with anything that can change a verdict, parameters included")]
    effective: Day
    zone: Annotated[str, Field(description="IANA time zone of its days")]
    rule_count: int
    unset: Annotated[list[str], Field(description="parameters that nobody has set: what needs them judges nothing")]
    last_change: Annotated[PolicyVersion | None, Field(description="what was activated last")]
    upcoming: Annotated[list[PolicyVersion], Field(description="approved, for a later day")]
    proposals: Annotated[int, Field(description="changes that wait for an answer")]


class PolicyList(TypedDict):
    """All policies in force."""

    items: list[PolicyRow]


class Citation(TypedDict):
    """Where a rule comes from."""

    document: str
    at: str


class Rule(TypedDict):
    """A rule of a policy."""

    id: str
    title: str
    guidance: str
    citation: Citation
    severity: Severity
    status: Annotated[str, Field(description="`draft`, `shadow`, `enforced` or `retired`")]
    kind: str
    read_aloud: Annotated[list[str], Field(description="the rule in sentences")]
    false_alarm: Annotated[str, Field(description="what would be one, and what to look at before a breach is upheld")]
    parameters: Annotated[list[str], Field(description="those that it needs")]


class Parameter(TypedDict):
    """A number that the policy's owner sets."""

    name: str
    unit: str
    value: Annotated[int | None, Field(description="null: not set")]
    question: Annotated[str, Field(description="what its owner has to answer")]
    rules: Annotated[list[str], Field(description="rules that need it")]
    waiting_cases: Annotated[int | None, Field(description="cases that the key may see and that wait for it; null: it is set")]


class Question(TypedDict):
    """A choice that the policy's source leaves open, and how it is read here."""

    about: str
    reading: str


class Policy(PolicyRow):
    """A policy, readable."""

    rules: list[Rule]
    parameters: list[Parameter]
    questions: list[Question]
    for_a_person: Annotated[list[str], Field(description="what no machine can judge")]
    versions: Annotated[list[PolicyVersionTold], Field(description="every version that was ever activated, the newest first")]


class Count(TypedDict):
    """How many have this value; null: those that have none."""

    value: str | None
    count: int


class BreachCounts(TypedDict):
    """Breaches on record, counted."""

    total: int
    by: Annotated[dict[str, list[Count]], Field(description="by condition, review, severity, policy, rule, team, office and worker")]


class GroupCounts(TypedDict):
    """Verdicts of one group.  Rates are over `judged`, and null where nothing was judged."""

    group: Annotated[dict[str, str | None], Field(description="the group's value for each name in `by`")]
    verdicts: Annotated[dict[str, int], Field(description="current verdicts by kind")]
    judged: Annotated[int, Field(description="met + late + breached + excused: the denominator of the rates")]
    small: Annotated[bool, Field(description="fewer than 10 were judged: the rates rest on few")]
    met_rate: Annotated[float | None, Field(ge=0, le=1)]
    late_rate: Annotated[float | None, Field(ge=0, le=1)]
    breached_rate: Annotated[float | None, Field(ge=0, le=1)]
    mean_days_late: Annotated[float | None, Field(description="over the `late` ones")]
    most_days_late: int | None


class TimingCounts(TypedDict):
    """How many were done how early or late."""

    done: Annotated[str, Field(description="in words, from the earliest to the latest")]
    count: int


class TimelinessCounts(TypedDict):
    """How early or late things were done that had a due day; days are counted from it, negative before it."""

    total: int
    small: Annotated[bool, Field(description="it rests on fewer than 10")]
    by: list[TimingCounts]
    median_days: int | None
    p90_days: Annotated[int | None, Field(description="nine tenths were done so many days after the due day, or sooner")]


class Stats(TypedDict):
    """Counts and rates, each with its denominator."""

    cases: Annotated[int, Field(description="cases that have been judged")]
    breaches: BreachCounts
    groups: list[GroupCounts]
    truncated: Annotated[bool, Field(description="there are more groups than are shown")]
    timeliness: NotRequired[Annotated[TimelinessCounts, Field(description="with `timeliness=true`")]]
