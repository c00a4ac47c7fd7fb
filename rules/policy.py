"""Policies: declarative rules with their parameters, terms, anchors and citations, loaded from YAML with the place of every fault.

Files and catalogues are read here; judging reads none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rules.catalogue import Catalogue
from rules.clock import Calendar, Zone, parse_day, zone
from rules.conditions import Collection, Term
from rules.course import CourseOfCase
from rules.errors import Fault, ParameterError, PolicyError
from rules.kinds import registry
from rules.kinds.base import Kind
from rules.policyfile import Anchor, Citation, Office, Parameter, PolicyFile, Question, RuleHead, message
from rules.references import check_references
from rules.yamlsource import Source, read

HERE = Path(__file__).parent / "policies"


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
    def counted(self) -> bool:
        """Whether it is only counted: such a rule has no verdicts."""
        return self.clauses[0].counted

    @property
    def order_rule(self) -> bool:
        return all(clause.order_rule for clause in self.clauses)


@dataclass(frozen=True)
class Policy:
    """A policy ready to judge.  ``values`` are its parameters as set; ``digest`` changes with anything that can change a verdict."""

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
        return replace(self, values=values, digest=_digest(self.text_digest, values))

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


def _digest(text_digest: str, values: Mapping[str, int | None]) -> str:
    return hashlib.sha256(f"{text_digest}\n{json.dumps(dict(values), sort_keys=True)}".encode()).hexdigest()


def shipped() -> dict[str, Path]:
    """The policies that come with the product, by name."""
    return {name: HERE / f"{name}.yaml" for name in ("cfss", "strengthening_families", "record_quality")}


def load_policy(path: str | Path) -> Policy:
    """Reads a policy file with its catalogue and calendars.  Raises PolicyError with every fault and its place."""
    return _Loader(read(Path(path)), Path(path)).policy()


@lru_cache(maxsize=8)
def load_shipped(name: str) -> Policy:
    """One of the shipped policies.  Raises KeyError for another name."""
    return load_policy(shipped()[name])


class _Loader:
    def __init__(self, source: Source, path: Path) -> None:
        self.source, self.path = source, path
        self.faults: list[Fault] = []

    def fault(self, loc: tuple[Any, ...], code: str, message: str) -> None:
        line, col = self.source.mark(loc)
        where = ".".join(str(part) for part in loc)
        self.faults.append(Fault(str(self.path), line, col, code, f"{where}: {message}" if where else message))

    def errors(self, error: ValidationError, prefix: tuple[Any, ...] = ()) -> None:
        for detail in error.errors(include_url=False):
            self.fault(
                (*prefix, *detail["loc"]), "P001", message(detail["type"], str(detail["loc"][-1] if detail["loc"] else ""), detail["msg"])
            )

    def policy(self) -> Policy:
        head = self._head()
        rules = self._rules(head)
        catalogue, domain = self._catalogue(head)
        calendars = self._calendars(head)
        if catalogue is not None:
            for loc, code, message in check_references(head, rules, catalogue, domain):
                self.fault(loc, code, message)
        if self.faults or catalogue is None:
            raise PolicyError(self.faults)
        data = self.source.data
        parts = [data, catalogue.digest, {name: sorted(c.holidays) for name, c in calendars.items()}]
        text_digest = hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        values = {name: parameter.default for name, parameter in head.parameters.items()}
        return Policy(
            id=head.policy,
            title=head.title,
            version=head.version,
            effective=parse_day(head.effective),
            zone_name=head.zone,
            zones=head.zones,
            program=head.program,
            calendars=calendars,
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
            rules=tuple(rules),
            catalogue=catalogue,
            domain=domain,
            text_digest=text_digest,
            digest=_digest(text_digest, values),
            path=str(self.path),
            raw=data,
        )

    def _head(self) -> PolicyFile:
        try:
            head = PolicyFile.model_validate(self.source.data)
        except ValidationError as error:
            self.errors(error)
            raise PolicyError(self.faults) from None
        for loc, text in [
            (("effective",), head.effective),
            *((("offices", n, "holidays"), d) for n, o in head.offices.items() for d in o.holidays),
        ]:
            try:
                parse_day(text)
            except ValueError:
                self.fault(loc, "P002", f"{text!r} is not a date like 2026-01-31")
        names = [(("zone",), head.zone), *((("zones", p), z) for p, z in head.zones.items())]
        for loc, name in [*names, *((("offices", n, "zone"), o.zone) for n, o in head.offices.items() if o.zone)]:
            try:
                zone(name)
            except ValueError as error:
                self.fault(loc, "P003", str(error))
        if self.faults:
            raise PolicyError(self.faults)
        return head

    def _rules(self, head: PolicyFile) -> list[Rule]:
        rules: list[Rule] = []
        for index, data in enumerate(head.rules):
            fields = set(RuleHead.model_fields)
            own = {key: value for key, value in data.items() if key in fields}
            rest = {key: value for key, value in data.items() if key not in fields}
            try:
                rule = RuleHead.model_validate(own)
            except ValidationError as error:
                self.errors(error, ("rules", index))
                if "clauses" not in own:
                    self._kind(("rules", index), rest)
                continue
            parts: list[tuple[tuple[Any, ...], dict[str, Any]]]
            if rule.clauses is not None:
                parts = [(("rules", index, "clauses", n), clause) for n, clause in enumerate(rule.clauses)]
                for key in rest:
                    self.fault(("rules", index, key), "P001", "belongs in one of the clauses")
            else:
                parts = [(("rules", index), rest)]
            kinds = [kind for loc, part in parts if (kind := self._kind(loc, part)) is not None]
            if len(kinds) == len(parts):
                rules.append(
                    Rule(
                        rule.id,
                        rule.title,
                        rule.guidance,
                        rule.cites,
                        rule.severity,
                        rule.status,
                        tuple(kinds),
                        rule.unmet,
                        rule.false_alarm,
                    )
                )
        return rules

    def _kind(self, loc: tuple[Any, ...], data: dict[str, Any]) -> Kind | None:
        name = data.get("kind")
        kind = registry().get(name) if isinstance(name, str) else None
        if kind is None:
            self.fault(
                (*loc, "kind"), "P004", f"there is no kind {name!r}; there are {', '.join(registry())}" if name else "a rule needs a kind"
            )
            return None
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            self.errors(error, loc)
            return None

    def _catalogue(self, head: PolicyFile) -> tuple[Catalogue | None, CourseOfCase]:
        try:
            catalogue = Catalogue.load(self.path.parent / head.catalogue)
            return catalogue, CourseOfCase.of(catalogue)
        except PolicyError as error:
            self.faults += error.faults
        except ValidationError as error:
            self.fault(
                ("catalogue",), "P005", f"the catalogue's course cannot be used: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
            )
        return None, CourseOfCase()

    def _calendars(self, head: PolicyFile) -> dict[str, Calendar]:
        calendars: dict[str, Calendar] = {}
        named = [(("calendar",), head.calendar), *((("offices", n, "calendar"), o.calendar) for n, o in head.offices.items())]
        for loc, name in named:
            if name is None or name in calendars:
                continue
            try:
                data = read(self.path.parent / "calendars" / f"{name}.yaml").data
                days = data["holidays"] if isinstance(data, dict) and isinstance(data.get("holidays"), dict) else {}
                calendars[name] = Calendar(name, frozenset(parse_day(day) for day in days))
            except PolicyError as error:
                self.faults += error.faults
            except (ValueError, TypeError) as error:
                self.fault(loc, "P006", f"the calendar {name!r} cannot be used: {error}")
        return calendars
