"""The rules of retention: the file that DUECARE_RETENTION names, checked with the place of every fault.

Without a file nothing is ever removed.  Imports pydantic, rules.yamlsource, service.sources.file and store.ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rules.errors import PolicyError
from rules.yamlsource import read
from service.errors import NotPossible
from service.sources.file import faults_of
from store.ids import digest_of
from store.removing import PSEUDONYMISE

ANY = "*"
MOST_YEARS = 200


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Keep(_Model):
    """For how long something is kept."""

    years: int = Field(ge=1, le=MOST_YEARS)
    """Whole years."""


class RetentionRule(Keep):
    """How long the cases of a program are kept after the closure of their last episode."""

    program: str = Field(min_length=1, max_length=100)
    """A program's code, or `*` for every other one and for cases that name none."""
    mode: Literal["purge", "pseudonymise"] = "purge"
    """`purge`: only counts stay. `pseudonymise`: each verdict stays by itself, under a made-up id, without evidence, words or people."""


class RetentionFile(_Model):
    """The whole file."""

    rules: list[RetentionRule] = Field(min_length=1, max_length=200)
    settled_breaches: Literal["keep", "go"] = "keep"
    """Whether a case may go although a breach of it is open for ever, once a person has upheld or dismissed that breach."""
    access_log: Keep | None = None
    """For how long lines of the access log are kept; without it, for ever."""
    refused_records: Keep | None = None
    """For how long records of client systems are listed that were refused and are about a case that nobody knows; without it, for ever."""
    audit_details: Keep | None = None
    """For how long audits can be compared case by case; their reports stay. Without it, for ever."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        programs = [rule.program for rule in self.rules]
        if twice := sorted({one for one in programs if programs.count(one) > 1}):
            raise ValueError(f"rules: the program {twice[0]} stands twice")
        return self

    def rule_for(self, program: str) -> RetentionRule | None:
        """The rule of a program, else the one for every other."""
        named = {rule.program: rule for rule in self.rules}
        return named.get(program) or named.get(ANY)

    @property
    def fewest_years(self) -> int:
        return min(rule.years for rule in self.rules)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        return digest_of(self.as_json())


@dataclass(frozen=True, slots=True)
class Due:
    """From which local day on a case may go, and the rule that says so."""

    on: dt.date
    rule: RetentionRule


def load(where: Path | None) -> RetentionFile:
    """What the file says.  Raises NotPossible where there is none, or where it has faults, with the place of each."""
    if where is None:
        raise NotPossible("there are no rules of retention: set DUECARE_RETENTION to a file with them; until then nothing is removed")
    try:
        yaml = read(where)
        try:
            return RetentionFile.model_validate(yaml.data)
        except ValidationError as error:
            raise PolicyError(faults_of(yaml, (), error)) from None
    except PolicyError as error:
        told = "; ".join(str(fault) for fault in error.faults)
        raise NotPossible(f"the rules of retention have faults, so nothing is removed: {told}") from None


def of_json(value: Mapping[str, Any]) -> RetentionFile:
    """The rules that a certificate names."""
    return RetentionFile.model_validate(dict(value))


def may_go_on(closed: dt.date, years: int) -> dt.date:
    """The first day on which what was closed on a day may go, kept for whole years: the day after the anniversary.

    The anniversary of 29 February in a year without one is 1 March: never sooner than the years are full.
    """
    year = closed.year + years
    if year > dt.MAXYEAR - 1:
        return dt.date.max
    try:
        anniversary = closed.replace(year=year)
    except ValueError:
        anniversary = dt.date(year, 3, 1)
    return anniversary + dt.timedelta(days=1)


def due(rules: RetentionFile, programs: Collection[str], closed: dt.date) -> Due | None:
    """From when on a journey may go: when the rules of all its programs let it.  None: for one of them there is no rule.

    The rule that keeps it longest says how it goes; of two that keep it as long, the one that keeps more.
    """
    wanted = [rules.rule_for(program) for program in sorted(programs)] or [rules.rule_for(ANY)]
    found = [Due(may_go_on(closed, rule.years), rule) for rule in wanted if rule is not None]
    if len(found) < len(wanted):
        return None
    return max(found, key=lambda one: (one.on, one.rule.mode == PSEUDONYMISE))
