"""What a policy file may say, field by field.  Imports pydantic, rules.conditions and rules.periods."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from rules.conditions import Collection, Model, Selector, Term
from rules.periods import Period

Severity = Literal["critical", "high", "medium", "low", "advisory"]
Status = Literal["draft", "shadow", "enforced", "retired"]
IsoDate = str


class Citation(Model):
    """Where a rule comes from: a document that the policy lists, and the step or heading in it."""

    document: str
    at: str


class Parameter(Model):
    """A number that the policy's owner sets.  Without a default it ships unset, and what needs it is never a breach."""

    unit: Literal["days"] = "days"
    default: int | None = Field(default=None, ge=0, le=36_500, strict=True)
    question: str


class Anchor(Model):
    """The day from which weeks count: the first event of a term if it took place within a period of another event, else that one."""

    first: str
    if_within: Period
    of: Selector
    means: str = ""


class Office(Model):
    """An office with a calendar or a time zone of its own."""

    zone: str | None = None
    calendar: str | None = None
    holidays: tuple[IsoDate, ...] = ()


class Question(Model):
    """A choice that the source leaves open, how it is read here, and what else it could mean."""

    about: str
    reading: str


class PolicyFile(Model):
    policy: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    version: str
    effective: IsoDate
    applies_to_open: bool = False
    zone: str
    zones: dict[str, str] = Field(default_factory=dict)
    catalogue: str
    program: str | None = None
    calendar: str | None = None
    offices: dict[str, Office] = Field(default_factory=dict)
    documents: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    terms: dict[str, Term] = Field(default_factory=dict)
    anchors: dict[str, Anchor] = Field(default_factory=dict)
    collections: dict[str, Collection] = Field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    for_a_person: tuple[str, ...] = ()
    rules: tuple[dict[str, Any], ...] = Field(min_length=1)


class RuleHead(Model):
    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,40}$")
    title: str
    guidance: str
    cites: Citation
    severity: Severity
    status: Status = "enforced"
    unmet: str = ""
    false_alarm: str = ""
    clauses: tuple[dict[str, Any], ...] | None = Field(default=None, min_length=1)
