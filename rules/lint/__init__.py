"""Checks of a policy beyond what loading refuses: one small file each.  Pure; imports rules.*.

The loader refuses what cannot be judged (unknown events and attributes, a rule without a citation, a zone that does not
exist).  What can be judged but is probably not what was meant is found here.  A new check is one new file in this package with a
``CHECK``: it is found, listed and documented by itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from rules.errors import Fault
from rules.lint.base import ERROR, INFO, WARNING, Check, Finding, Subject
from rules.yamlsource import read

if TYPE_CHECKING:
    from rules.policy import Policy

__all__ = ["ERROR", "INFO", "WARNING", "Check", "Finding", "Subject", "checks", "lint_policies", "refused"]


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in order of codes."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.CHECK for module in modules if hasattr(module, "CHECK")), key=lambda check: check.code))


def lint_policies(policies: Sequence[Policy]) -> list[Finding]:
    """What the checks find in policies that are used together, in the order of files and lines."""
    found: list[Finding] = []
    for policy in policies:
        subject = Subject(policy, tuple(other for other in policies if other is not policy), read(policy.path))
        for check in checks():
            found += [Finding(check.severity, subject.source.fault(path, check.code, words)) for path, words in check.run(subject)]
    return sorted(found, key=lambda finding: (finding.fault.file, finding.fault.line, finding.fault.col, finding.fault.code))


def refused(faults: Sequence[Fault]) -> list[Finding]:
    """What the loader refused, as findings."""
    return [Finding(ERROR, fault) for fault in faults]
