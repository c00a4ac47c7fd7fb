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
    """What a policy file says."""

    policy: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="The policy's id; it stays the same from version to version.")
    title: str = Field(description="What it is called where people see it.")
    version: str = Field(description="The name of this version, in quotes.")
    effective: IsoDate = Field(description="The day from which this version judges what begins.")
    applies_to_open: bool = Field(
        default=False, description="In episodes that are open on that day, what began earlier is judged by this version too."
    )
    zone: str = Field(description="Whose local days count.")
    zones: dict[str, str] = Field(default_factory=dict, description="By program: another time zone for its cases.")
    catalogue: str = Field(description="The file that lists the events that a case may have.")
    program: str | None = Field(default=None, description="Only cases of this program are judged.")
    calendar: str | None = Field(default=None, description="The file in `calendars/` with the public holidays, for business days.")
    offices: dict[str, Office] = Field(default_factory=dict, description="Offices with a calendar or a time zone of their own.")
    documents: dict[str, str] = Field(default_factory=dict, description="The documents that rules cite, each with its title.")
    parameters: dict[str, Parameter] = Field(default_factory=dict, description="Numbers that the policy's owner sets.")
    terms: dict[str, Term] = Field(default_factory=dict, description="Words for events that mean the same in every rule.")
    anchors: dict[str, Anchor] = Field(default_factory=dict, description="Days from which weeks count.")
    collections: dict[str, Collection] = Field(default_factory=dict, description="Items that documents list, such as the goals of a plan.")
    questions: tuple[Question, ...] = Field(default=(), description="How the text is read where it leaves something open.")
    for_a_person: tuple[str, ...] = Field(default=(), description="What no machine can judge, listed beside the rules.")
    rules: tuple[dict[str, Any], ...] = Field(min_length=1, description="The rules.")


class RuleHead(Model):
    """What every rule says, whatever its kind."""

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,40}$", description="It stays the same from version to version.")
    title: str = Field(description="What it asks for, in a few words.")
    guidance: str = Field(description="What it is for, in a sentence or two of one's own.")
    cites: Citation = Field(description="Where it comes from.")
    severity: Severity = Field(description="How much hangs on it.")
    status: Status = Field(
        default="enforced",
        description="`draft`: tried in tests, judges no case. `shadow`: judged and shown, opens no breach. `retired`: no longer judged.",
    )
    unmet: str = Field(default="", description="The finding in a few words; else the title is used.")
    false_alarm: str = Field(default="", description="What would be a false alarm, and what to look at before a breach is upheld.")
    clauses: tuple[dict[str, Any], ...] | None = Field(
        default=None, min_length=1, description="Several parts, each of a kind of its own, where one kind will not do."
    )
