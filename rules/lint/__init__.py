"""Checks of a policy beyond what loading refuses: one small file each.  Pure; imports rules.*.

The loader refuses what cannot be judged (unknown events and attributes, a rule without a citation, a zone that does not
exist).  What can be judged but is probably not what was meant is found here.  A new check is one new file in this package with a
``CHECK``: it is found, listed and documented by itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rules.errors import Fault, PolicyError
from rules.lint.base import ERROR, INFO, WARNING, Check, Finding, Subject
from rules.lint.refusals import REFUSALS

if TYPE_CHECKING:
    from rules.policy import Policy
    from rules.policyloader import Read

__all__ = [
    "ERROR",
    "INFO",
    "REFUSALS",
    "WARNING",
    "Check",
    "Finding",
    "Subject",
    "checks",
    "lint_files",
    "lint_policies",
    "lint_texts",
    "refused",
]


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in order of codes."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.CHECK for module in modules if hasattr(module, "CHECK")), key=lambda check: check.code))


def lint_files(paths: Iterable[str | Path], *, today: int | None = None) -> list[Finding]:
    """Everything that is wrong with policy files that are used together: what loading refuses, and what the checks find in the rest.

    ``today`` (a day's ordinal) lets checks look ahead: whether a holiday table is about to end.
    """
    from rules.policyloader import read_folder

    reads: list[Read] = []
    faults: list[Fault] = []
    for path in dict.fromkeys(Path(path) for path in paths):
        try:
            reads.append(read_folder(path))
        except PolicyError as error:
            faults += error.faults
    return _sorted([*refused(faults), *_examine(reads, (), today)])


def lint_texts(files: Mapping[str, str], main: str, *, beside: Sequence[Policy] = (), today: int | None = None) -> list[Finding]:
    """The same for a package given as texts by name; ``beside`` are the policies that it will be used with."""
    from rules.policyloader import read_texts

    try:
        found = read_texts(files, main)
    except PolicyError as error:
        return _sorted(refused(error.faults))
    return _sorted(_examine([found], beside, today))


def lint_policies(policies: Sequence[Policy]) -> list[Finding]:
    """What is wrong with policies that were loaded from files and are used together."""
    return lint_files([policy.path for policy in policies])


def refused(faults: Iterable[Fault]) -> list[Finding]:
    """What the loader refused, as findings."""
    return [Finding(ERROR, fault) for fault in faults]


def _examine(reads: Sequence[Read], beside: Sequence[Policy], today: int | None) -> list[Finding]:
    from rules.policy import policy_of

    found = [finding for read in reads for finding in refused(read.faults)]
    loaded = [(read, policy_of(read, read.source.name)) for read in reads if read.catalogue is not None]
    for read, policy in loaded:
        others = tuple(other for _, other in loaded if other is not policy) + tuple(beside)
        subject = Subject(policy, others, read.source, read, today)
        for check in checks():
            if read.faults and check.whole:
                continue
            for path, words, *where in check.run(subject):
                source = where[0] if where else subject.source
                found.append(Finding(check.severity, source.fault(path, check.code, words)))
    return found


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    once = dict.fromkeys(findings)
    return sorted(once, key=lambda finding: (finding.fault.file, finding.fault.line, finding.fault.col, finding.fault.code))
