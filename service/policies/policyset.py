"""Policies that are judged by together, and what the files of this installation hold of them.  Imports rules/ and service.errors.

Policies of one domain, which is what the name of their event catalogue says, are judged together, as one group; another domain is a
group of its own, which sees the events that its catalogue knows and no others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rules.catalogue import CORRECTED, HEARTBEAT, VOIDED, Catalogue
from rules.course import CourseOfCase
from rules.errors import Fault, PolicyError
from rules.links import links
from rules.model import CaseFile, DataQuery, Event, Verdict

if TYPE_CHECKING:
    from rules.policy import Policy

CATALOGUE_FILE = "catalogue.yaml"
OUT_OF_SCOPE = "out_of_scope"
_RECORD = frozenset({VOIDED, CORRECTED, HEARTBEAT})


def _newest(policies: Sequence[Policy]) -> Policy:
    return max(policies, key=lambda policy: policy.effective)


@dataclass(frozen=True)
class Group:
    """Policies of one domain.  ``catalogue`` knows every event that any of them knows, as the newest of them reads it."""

    catalogue: Catalogue
    policies: tuple[Policy, ...]

    @classmethod
    def of(cls, policies: Sequence[Policy]) -> Group:
        """A group of policies whose catalogues may be versions of one another."""
        newest = _newest(policies).catalogue
        types = {name: one for policy in policies for name, one in policy.catalogue.types.items() if name not in newest.types}
        return cls(replace(newest, types={**newest.types, **types}) if types else newest, tuple(policies))

    @cached_property
    def domain(self) -> CourseOfCase:
        """The course of a case, as the newest of the policies declares it."""
        return _newest(self.policies).domain

    @cached_property
    def own_types(self) -> frozenset[str]:
        """The types of its domain, without those that speak about the record."""
        return frozenset(self.catalogue.types) - _RECORD

    def part_of(self, file: CaseFile) -> CaseFile | None:
        """What of ``file`` this group's catalogue knows; None where nothing of the case is of its domain."""
        if not any(event.type in self.own_types for event in file.events):
            return None
        known = self.catalogue.types

        def kept(events: Iterable[Event]) -> tuple[Event, ...]:
            return tuple(event for event in events if event.type in known)

        return replace(file, events=kept(file.events), linked={case: kept(events) for case, events in file.linked.items()})


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts on one case, in the groups' order; those that are out of scope are left out."""

    verdicts: tuple[Verdict, ...] = ()
    queries: tuple[DataQuery, ...] = ()
    next_change: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    merged_into: str | None = None
    disagreements: int = 0


@dataclass(frozen=True)
class PolicySet:
    """Every policy in use, in all versions that judge."""

    groups: tuple[Group, ...]

    @property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(policy for group in self.groups for policy in group.policies)

    def get(self, policy_id: str) -> Policy | None:
        """The policy of that id, in its last version; None where it is not in use."""
        return max((policy for policy in self.policies if policy.id == policy_id), key=lambda policy: policy.effective, default=None)

    def only(self, ids: Collection[str]) -> PolicySet:
        """The set cut down to the policies named."""
        groups = (Group(group.catalogue, tuple(p for p in group.policies if p.id in ids)) for group in self.groups)
        return PolicySet(tuple(group for group in groups if group.policies))

    @cached_property
    def digest(self) -> str:
        """Changes whenever any policy, parameter or catalogue in use does."""
        parts = sorted(policy.digest for policy in self.policies) + [group.catalogue.digest for group in self.groups]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def domain_of(self, type_name: object) -> CourseOfCase:
        """What the history needs to know of the domain that an event type belongs to."""
        for group in self.groups:
            if type_name in group.own_types:
                return group.domain
        return self.groups[0].domain

    def links(self, event: Event) -> frozenset[str]:
        """The keys by which an event ties its case to others; a word about the record may concern any domain."""
        if event.type in _RECORD:
            return frozenset[str]().union(*(links(event, group.domain) for group in self.groups))
        return links(event, self.domain_of(event.type))

    @cached_property
    def link_types(self) -> frozenset[str]:
        """The types of events that can tie cases together."""
        sources = {source.event for group in self.groups for kind in group.domain.links.values() for source in kind}
        return frozenset(sources | {g.domain.course.merges.event for g in self.groups if g.domain.course.merges is not None})

    @cached_property
    def tying_types(self) -> frozenset[str]:
        """The types of events that ``links`` has to look at: those that tie cases together, and those that speak about the record."""
        return self.link_types | _RECORD

    @cached_property
    def all_types(self) -> Catalogue:
        """A catalogue of every event type that the policies know."""
        first, *others = [group.catalogue for group in self.groups]
        types = dict(first.types)
        for other in others:
            types = {**other.types, **types}
        return replace(first, types=types)

    def catalogue_of(self, type_name: object) -> Catalogue:
        """The catalogue that knows an event type; the first one for types that all or none of them know."""
        for group in self.groups:
            if type_name in group.own_types:
                return group.catalogue
        return self.groups[0].catalogue

    def judge(
        self,
        file: CaseFile,
        *,
        as_of: Any,
        known_at: Any,
        waived: Collection[tuple[str, str, str]] = (),
        keep_out_of_scope: bool = False,
        only: Collection[str] | None = None,
    ) -> Judgement:
        """Judge one case by every group that knows its events.  Pure: the same file and instants give the same verdicts.

        ``only``: by the policies of these ids alone.
        """
        from rules.evaluate import evaluate

        verdicts: list[Verdict] = []
        queries: list[DataQuery] = []
        changes: list[int] = []
        metrics: dict[str, Any] = {}
        merged_into: str | None = None
        disagreements = 0
        for group in self.groups:
            part = file if len(self.groups) == 1 else group.part_of(file)
            chosen = group.policies if only is None else [policy for policy in group.policies if policy.id in only]
            if part is None or not chosen:
                continue
            made = evaluate(chosen, part, as_of=as_of, known_at=known_at, waived=waived)
            verdicts.extend(v for v in made.verdicts if keep_out_of_scope or v.reason != OUT_OF_SCOPE)
            queries.extend(made.queries)
            metrics.update(made.metrics)
            merged_into = merged_into or made.merged_into
            disagreements += len(made.disagreements)
            if made.next_change is not None:
                changes.append(made.next_change)
        return Judgement(tuple(verdicts), tuple(queries), min(changes, default=None), metrics, merged_into, disagreements)


def load(extra: Path | None = None) -> PolicySet:
    """The shipped policies and those in the folder ``extra``.  Raises PolicyError with the faults of all files at once."""
    from rules.policy import shipped

    paths: dict[str, Path] = dict(shipped())
    if extra is not None:
        if not extra.is_dir():
            raise PolicyError([Fault(str(extra), 0, 0, "unreadable", "DUECARE_POLICIES is not a folder")])
        own = {path.stem: path for path in sorted(extra.glob("*.yaml")) if path.name != CATALOGUE_FILE}
        paths = {**paths, **own}
    return of_files(list(paths.values()))


def of_files(paths: Sequence[Path]) -> PolicySet:
    """The policies in these files.  Those of one id are its versions; of two that take effect on one day the later one holds.

    Raises PolicyError.
    """
    from rules.policy import load_policy

    loaded: dict[tuple[str, int], Policy] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            policy = load_policy(path)
        except PolicyError as error:
            faults.extend(fault for fault in error.faults if fault not in faults)
        else:
            loaded[policy.id, policy.effective] = policy
    if faults:
        raise PolicyError(faults)
    return of_policies(list(loaded.values()))


def of_policies(policies: Sequence[Policy]) -> PolicySet:
    """Policies, grouped by their domains; all versions of one policy are in one group."""
    domain_of: dict[str, str] = {}
    for policy in sorted(policies, key=lambda policy: policy.effective):
        domain_of[policy.id] = policy.catalogue.name
    groups: dict[str, list[Policy]] = {}
    for policy in policies:
        groups.setdefault(domain_of[policy.id], []).append(policy)
    return PolicySet(tuple(Group.of(members) for members in groups.values()))
