"""Policies: declarative rules with their parameters, terms, anchors and citations, loaded from YAML with the place of every fault.

Files and catalogues are read here; judging reads none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from rules.catalogue import Catalogue
from rules.clock import Calendar, Span, Zone, iso, parse_day, zone
from rules.conditions import Collection, Term
from rules.course import CourseOfCase
from rules.errors import Fault, ParameterError, PolicyError
from rules.finding import Finders
from rules.kinds.base import Kind
from rules.periods import Period
from rules.policyfile import Anchor, Citation, Office, Parameter, Question
from rules.policyloader import Read, read_folder, read_texts

HERE = Path(__file__).parent / "policies"


@dataclass(frozen=True)
class Package:
    """The texts that make up a policy, by their names as the policy's own text gives them; ``main`` is the policy's."""

    main: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule: what it is called, where it comes from, and the clauses (each of one kind) that give its obligations."""

    id: str
    title: str
    guidance: str
    citation: Citation
    severity: str
    status: str
    clauses: tuple[Kind, ...]
    unmet: str = ""
    """The finding in a few words ("No completed safety plan by the end of the 3rd visit"); else the title is used."""
    false_alarm: str = ""
    """What would be a false alarm, and what to look at before a breach is upheld.  Text only: no verdict hangs on it."""

    @property
    def kind(self) -> str:
        return self.clauses[0].name

    @property
    def done_word(self) -> str:
        return self.clauses[0].done_word

    @property
    def due_word(self) -> str:
        return self.clauses[0].due_word

    @cached_property
    def counted(self) -> bool:
        """Whether it is only counted: such a rule has no verdicts."""
        return self.clauses[0].counted

    @property
    def order_rule(self) -> bool:
        return all(clause.order_rule for clause in self.clauses)


@dataclass(frozen=True)
class Policy:
    """A version of a policy, ready to judge.  ``values`` are its parameters as set.

    ``digest`` changes with anything that can change a verdict.  ``applies_to_open``: from its effective day on it judges the whole of
    every episode that is open on that day, what was activated earlier included; else only what is activated from that day on.
    """

    id: str
    title: str
    version: str
    effective: int
    zone_name: str
    zones: Mapping[str, str]
    program: str | None
    calendars: Mapping[str, Calendar]
    calendar: str | None
    offices: Mapping[str, Office]
    documents: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    values: Mapping[str, int | None]
    terms: Mapping[str, Term]
    anchors: Mapping[str, Anchor]
    collections: Mapping[str, Collection]
    questions: tuple[Question, ...]
    for_a_person: tuple[str, ...]
    rules: tuple[Rule, ...]
    catalogue: Catalogue
    domain: CourseOfCase
    text_digest: str
    digest: str = ""
    path: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    applies_to_open: bool = False
    package: Package | None = field(default=None, repr=False, compare=False)
    """The texts that it was made from, where it was made from texts; see ``package_of``."""

    @cached_property
    def finders(self) -> Finders:
        """Its selectors, each made ready when it is first asked."""
        return Finders(self.terms)

    def limit(self, period: Period) -> tuple[Span | None, str]:
        """A period with its number (None where its parameter is not set), and how a limit is told that it gives: "6 weeks after"."""
        known = self._limits.get(id(period))
        if known is None:
            span = period.span(self.values)
            known = self._limits[id(period)] = period, (span, "" if span is None else f"{span} after")
        return known[1]

    @cached_property
    def _limits(self) -> dict[int, tuple[Period, tuple[Span | None, str]]]:
        return {}

    def rule(self, name: str) -> Rule:
        """Raises KeyError."""
        for rule in self.rules:
            if rule.id == name:
                return rule
        raise KeyError(name)

    def zone_for(self, programs: Mapping[str, object] | set[str], office: str | None) -> Zone:
        """The office's zone, else that of the case's program, else the policy's own."""
        if office is not None and office in self.offices and (own := self.offices[office].zone) is not None:
            return zone(own)
        return zone(next((name for program, name in self.zones.items() if program in programs), self.zone_name))

    @property
    def zone(self) -> Zone:
        return zone(self.zone_name)

    def calendar_for(self, office: str | None) -> Calendar:
        own = self.offices.get(office) if office is not None else None
        base = self.calendars.get((own.calendar if own is not None else None) or self.calendar or "", Calendar())
        if own is None or not own.holidays:
            return base
        return Calendar(f"{base.name}+{office}", base.holidays | {parse_day(day) for day in own.holidays})

    def with_parameters(self, changes: Mapping[str, int | str | None]) -> Policy:
        """The same policy with parameters set.  Raises ParameterError for one that it does not have, or a value it cannot take."""
        values = dict(self.values)
        for name, value in changes.items():
            if name not in values:
                raise ParameterError(f"policy {self.id} has no parameter {name!r}; it has {', '.join(sorted(values)) or 'none'}")
            values[name] = _number(name, value)
        return replace(self, values=values, digest=_digest(self.text_digest, values, self._course()))

    def taking_effect(self, day: int, *, applies_to_open: bool) -> Policy:
        """The same policy in force from another day (an ordinal), applying to open episodes or not."""
        moved = replace(self, effective=day, applies_to_open=applies_to_open)
        return moved.with_parameters({})

    def _course(self) -> Mapping[str, Any] | None:
        """How it comes into force, where that is not what the file says."""
        own = (self.raw.get("effective", iso(self.effective)), bool(self.raw.get("applies_to_open", False)))
        course = (iso(self.effective), self.applies_to_open)
        return None if course == own else {"effective": course[0], "applies_to_open": course[1]}

    def unset(self) -> list[str]:
        """Parameters that nobody has set: the policy questions."""
        return [name for name, value in self.values.items() if value is None]


def _number(name: str, value: int | str | None) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = int(str(value))
    except ValueError:
        raise ParameterError(f"parameter {name} takes a whole number of days, not {value!r}") from None
    if not 0 <= number <= 36_500:
        raise ParameterError(f"parameter {name} takes 0 to 36500 days, not {number}")
    return number


def _digest(text_digest: str, values: Mapping[str, int | None], course: Mapping[str, Any] | None = None) -> str:
    text = f"{text_digest}\n{json.dumps(dict(values), sort_keys=True)}"
    return hashlib.sha256((text if course is None else f"{text}\n{json.dumps(dict(course), sort_keys=True)}").encode()).hexdigest()


def shipped() -> dict[str, Path]:
    """The policies that come with the product, by name."""
    return {name: HERE / f"{name}.yaml" for name in ("cfss", "strengthening_families", "record_quality")}


def load_policy(path: str | Path) -> Policy:
    """Reads a policy file with its catalogue and calendars.  Raises PolicyError with every fault and its place."""
    return _without_faults(read_folder(Path(path)), str(path))


def load_package(files: Mapping[str, str], main: str) -> Policy:
    """The policy of a package: texts by name, of which ``main`` is the policy's.  Raises PolicyError with every fault and its place."""
    return replace(_without_faults(read_texts(files, main), main), package=Package(main, dict(files)))


def package_of(policy: Policy) -> Package:
    """The texts that make up a policy, by which ``load_package`` makes the same policy again.

    Of one that was read from a folder they are read there.  Raises PolicyError where they have changed since.
    """
    if policy.package is not None:
        return policy.package
    path = Path(policy.path)
    names = [path.name, policy.raw["catalogue"], *(f"calendars/{name}.yaml" for name in policy.calendars)]
    try:
        files = {name: (path.parent / name).read_text("utf-8") for name in names}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError([Fault(str(path), 0, 0, "unreadable", f"cannot be read again: {type(error).__name__}")]) from error
    if load_package(files, path.name).text_digest != policy.text_digest:
        raise PolicyError([Fault(str(path), 0, 0, "changed", "has changed since it was read")])
    return Package(path.name, files)


@lru_cache(maxsize=8)
def load_shipped(name: str) -> Policy:
    """One of the shipped policies.  Raises KeyError for another name."""
    return load_policy(shipped()[name])


def policy_of(found: Read, path: str) -> Policy:
    """The policy that was read, faults or not: what could not be read is not in it.  Raises PolicyError where there is no catalogue."""
    head = found.head
    if found.catalogue is None:
        raise PolicyError(list(found.faults))
    values = {name: parameter.default for name, parameter in head.parameters.items()}
    return Policy(
        id=head.policy,
        title=head.title,
        version=head.version,
        effective=parse_day(head.effective),
        zone_name=head.zone,
        zones=head.zones,
        program=head.program,
        calendars=found.calendars,
        calendar=head.calendar,
        offices=head.offices,
        documents=head.documents,
        parameters=head.parameters,
        values=values,
        terms=head.terms,
        anchors=head.anchors,
        collections=head.collections,
        questions=head.questions,
        for_a_person=head.for_a_person,
        rules=tuple(
            Rule(r.id, r.title, r.guidance, r.cites, r.severity, r.status, kinds, r.unmet, r.false_alarm) for _, r, kinds in found.rules
        ),
        catalogue=found.catalogue,
        domain=found.domain,
        text_digest=found.text_digest,
        digest=_digest(found.text_digest, values),
        path=path,
        raw=found.source.data,
        applies_to_open=head.applies_to_open,
    )


def _without_faults(found: Read, path: str) -> Policy:
    if found.faults:
        raise PolicyError(list(found.faults))
    return policy_of(found, path)
