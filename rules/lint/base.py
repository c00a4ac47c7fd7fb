"""What every check shares: what it is given, what it finds, and the walk over all parts of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from rules.errors import Fault
from rules.yamlsource import Key, Source

if TYPE_CHECKING:
    from rules.kinds.base import Kind
    from rules.policy import Policy, Rule

ERROR = "error"
WARNING = "warning"
INFO = "info"

Path = tuple[Key, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Subject:
    """A policy under the checks, with the others that are used beside it and the place of everything in its file."""

    policy: Policy
    others: tuple[Policy, ...]
    source: Source

    def rules(self) -> Iterator[tuple[Path, Rule]]:
        """Each rule with its place."""
        places = {raw["id"]: index for index, raw in enumerate(self.policy.raw["rules"])}
        for rule in self.policy.rules:
            yield ("rules", places[rule.id]), rule

    def clauses(self) -> Iterator[tuple[Path, Rule, Kind]]:
        """Each clause of each rule with its place."""
        for path, rule in self.rules():
            several = "clauses" in self.policy.raw["rules"][path[1]]
            for number, clause in enumerate(rule.clauses):
                yield ((*path, "clauses", number) if several else path), rule, clause

    def parts(self) -> Iterator[tuple[Path, BaseModel]]:
        """Every model in the policy, the inner ones included, with its place."""
        for path, _, clause in self.clauses():
            yield from walk(clause, path)
        for group in ("anchors", "terms", "collections"):
            for name, part in getattr(self.policy, group).items():
                yield from walk(part, (group, name))

    def find(self, model: type[M]) -> Iterator[tuple[Path, M]]:
        """Every part of one type."""
        return ((path, part) for path, part in self.parts() if isinstance(part, model))


@dataclass(frozen=True, slots=True)
class Check:
    """One check.  ``severity``: error (judging would be wrong), warning (probably not meant) or info.  ``about`` is its documentation."""

    code: str
    severity: str
    about: str
    run: Callable[[Subject], Iterable[tuple[Path, str]]]


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


def walk(part: Any, path: Path) -> Iterator[tuple[Path, BaseModel]]:
    """A model and every model inside it."""
    if isinstance(part, BaseModel):
        yield path, part
        fields = type(part).model_fields
        for name, value in part:
            alias = fields[name].alias if name in fields else None
            yield from walk(value, (*path, alias or name))
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from walk(value, (*path, key))
    elif isinstance(part, tuple):
        for index, value in enumerate(part):
            yield from walk(value, (*path, index))
