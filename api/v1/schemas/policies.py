"""Policies and figures.  See the package."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.v1.schemas.common import Day, Severity


class PolicyRow(TypedDict):
    """A policy that is in use."""

    id: str
    title: str
    version: str
    digest: Annotated[str, Field(description="changes with anything that can change a verdict, parameters included")]
    effective: Day
    zone: Annotated[str, Field(description="IANA time zone of its days")]
    rule_count: int
    unset: Annotated[list[str], Field(description="parameters that nobody has set: what needs them judges nothing")]


class PolicyList(TypedDict):
    """All policies in use."""

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


class Parameter(TypedDict):
    """A number that the policy's owner sets."""

    name: str
    unit: str
    value: Annotated[int | None, Field(description="null: not set")]
    question: Annotated[str, Field(description="what its owner has to answer")]


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
    met_rate: Annotated[float | None, Field(ge=0, le=1)]
    late_rate: Annotated[float | None, Field(ge=0, le=1)]
    breached_rate: Annotated[float | None, Field(ge=0, le=1)]
    mean_days_late: Annotated[float | None, Field(description="over the `late` ones")]
    most_days_late: int | None


class Stats(TypedDict):
    """Counts and rates, each with its denominator."""

    cases: Annotated[int, Field(description="cases that have been judged")]
    breaches: BreachCounts
    groups: list[GroupCounts]
    truncated: Annotated[bool, Field(description="there are more groups than are shown")]
