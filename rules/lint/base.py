"""What every check shares: what it is given, what it finds, and the walk over all parts of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from rules.errors import Fault, PolicyError
from rules.yamlsource import Key, Source

if TYPE_CHECKING:
    from rules.kinds.base import Kind
    from rules.lint.puts import Put
    from rules.periods import Period
    from rules.policy import Policy, Rule
    from rules.policyloader import Read
    from rules.timelines import Timeline

ERROR = "error"
WARNING = "warning"
INFO = "info"

Path = tuple[Key, ...]
Found = tuple[Path, str] | tuple[Path, str, Source]
"""A place in the policy's file and what is wrong there; with a source, the place is in that other file of the package."""
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Subject:
    """A policy under the checks, with the others that are used beside it and the place of everything in its file.

    ``today``: the day on which it is looked at (an ordinal), where whoever asks has a clock; None: checks that need one are silent.
    """

    policy: Policy
    others: tuple[Policy, ...]
    source: Source
    read: Read
    today: int | None = None

    def rules(self) -> Iterator[tuple[Path, Rule]]:
        """Each rule with its place."""
        for place, rule in zip(self.read.rules, self.policy.rules, strict=True):
            yield place[0], rule

    def clauses(self) -> Iterator[tuple[Path, Rule, Kind]]:
        """Each clause of each rule with its place."""
        for path, rule in self.rules():
            several = "clauses" in self.policy.raw["rules"][path[1]]
            for number, clause in enumerate(rule.clauses):
                yield ((*path, "clauses", number) if several else path), rule, clause

    @cached_property
    def parts(self) -> tuple[tuple[Path, BaseModel], ...]:
        """Every model in the policy, the inner ones included, with its place."""
        found = [one for path, _, clause in self.clauses() for one in walk(clause, path)]
        for group in ("anchors", "terms", "collections"):
            found += [one for name, part in getattr(self.policy, group).items() for one in walk(part, (group, name))]
        return tuple(found)

    @cached_property
    def puts(self) -> tuple[Put, ...]:
        """Every condition of the policy with what it is put to; see rules.lint.puts."""
        from rules.lint.puts import puts

        return tuple(puts(self))

    def find(self, model: type[M]) -> Iterator[tuple[Path, M]]:
        """Every part of one type."""
        return ((path, part) for path, part in self.parts if isinstance(part, model))

    def line(self, path: Path) -> int:
        """The line of something in the policy's file."""
        return self.source.mark(path)[0]

    def types_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """The event types that names of types and terms stand for, as far as the catalogue knows them."""
        terms, types = self.policy.terms, self.policy.catalogue.types
        each = (one for name in names for one in (terms[name].names if name in terms else (name,)))
        return tuple(dict.fromkeys(name for name in each if name in types))

    @cached_property
    def timelines(self) -> list[Timeline]:
        """The timelines of the package's tests that judge by this policy."""
        from rules.timelines import timelines_in

        found = []
        for source in self.test_files:
            try:
                found += [one for one in timelines_in(source) if self.policy.id in one.policies]
            except PolicyError:
                continue
        return found

    @cached_property
    def test_files(self) -> list[Source]:
        """The files of the tests folder beside the policy that can be read as YAML."""
        found = []
        for name in self.read.names_in("tests"):
            try:
                found.append(self.read.open_file(f"tests/{name}"))
            except PolicyError:
                continue
        return found


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    ``severity``: error (judging would be wrong), warning (probably not meant) or info.  ``about`` says what it finds, ``mend`` what to
    do.  ``whole``: it says something only of a policy that could be read as a whole.
    """

    code: str
    severity: str
    about: str
    run: Callable[[Subject], Iterable[Found]]
    mend: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and where."""

    severity: str
    fault: Fault

    def __str__(self) -> str:
        fault = self.fault
        return f"{fault.file}:{fault.line}:{fault.col} {fault.code} {self.severity}: {fault.message}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        fault = self.fault
        place = {"file": fault.file, "line": fault.line, "col": fault.col}
        return {"severity": self.severity, "code": fault.code, "message": fault.message, **place}

    def as_command(self) -> str:
        """The finding as a workflow command, which code hosts show beside the line."""
        fault = self.fault
        word = {ERROR: "error", WARNING: "warning"}.get(self.severity, "notice")
        place = f"file={_escaped(fault.file, ',:')},line={max(fault.line, 1)},col={max(fault.col, 1)}"
        return f"::{word} {place},title={fault.code}::{_escaped(fault.message)}"


def _escaped(text: str, more: str = "") -> str:
    for letter in ["%", "\r", "\n", *more]:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def given(part: BaseModel) -> Iterator[tuple[str, Any]]:
    """The fields of a model by their names in the file, without what it keeps besides."""
    for name, info in type(part).model_fields.items():
        yield info.alias or name, getattr(part, name)
    yield from (part.__pydantic_extra__ or {}).items()


def walk(part: Any, path: Path) -> Iterator[tuple[Path, BaseModel]]:
    """A model and every model inside it."""
    if isinstance(part, BaseModel):
        yield path, part
        for name, value in given(part):
            yield from walk(value, (*path, name))
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from walk(value, (*path, key))
    elif isinstance(part, tuple):
        for index, value in enumerate(part):
            yield from walk(value, (*path, index))


def days_of(period: Period | None, values: Mapping[str, int | None]) -> int | None:
    """About how many days a period has; None where nobody has said."""
    if period is None or (period.parameter is not None and values.get(period.parameter) is None):
        return None
    span = period.span(values)
    return None if span is None else span.count * {"days": 1, "weeks": 7, "months": 30, "business_days": 1}[span.unit]
