"""What of a finding a report rests on, and a short digest of it for each case.  Pure; imports service.audits.tally's shapes only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from service.audits.tally import Finding

_SUBSTANCE = ("verdict", "reason", "severity", "status", "activated_on", "due_on", "satisfied_on", "days_late", "team", "office")
_SAYS = attrgetter("episode", "policy", "rule", "obligation", *_SUBSTANCE)
_LINE = "\t".join(["%s"] * (4 + len(_SUBSTANCE)))


def substance(one: Finding) -> tuple[Any, ...]:
    """What of a finding a report rests on; evidence and the version that judged may change without it."""
    found: tuple[Any, ...] = _SAYS(one)
    return found[4:]


def fingerprint(findings: Sequence[Finding]) -> str:
    """A short digest of what was found in a case.  ``store.auditcount`` makes the same."""
    lines = sorted([_LINE % _SAYS(one) for one in findings])
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


NOTHING = fingerprint(())
"""Of a case in which there is nothing that an audit looks at."""
