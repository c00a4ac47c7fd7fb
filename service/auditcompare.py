"""Two audits compared: how the counts differ, and for each differing case which events or policy versions made the difference.

Imports store/, rules/ and service/.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.access import Access
from service.bootstrap import Service
from store.audits import Audit


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a verdict another one.  ``kind``: ``events``, ``waiver``, ``time`` or ``policy``."""

    kind: str
    words: str
    events: tuple[str, ...] = ()
    """Ids of the events."""
    versions: tuple[str, ...] = ()
    """Digests of the policy versions before and after."""


@dataclass(frozen=True, slots=True)
class Differing:
    """One obligation that the two audits judge differently; a side without a verdict is ``none``."""

    case: str
    episode: str
    policy: str
    rule: str
    obligation: str
    team: str | None
    office: str | None
    before: str
    after: str
    before_words: str
    after_words: str
    fields: tuple[str, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """How many obligations of a rule had a verdict before and after."""

    policy: str
    rule: str
    verdict: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``before`` is the first audit.  ``differing`` lists whole cases in order of their ids; ``next`` is where to go on, if anywhere."""

    before: Audit
    after: Audit
    deltas: tuple[Delta, ...]
    cases: int | None
    """Cases that differ; None for a reader with limits, who sees of them what lies within."""
    differing: tuple[Differing, ...]
    next: str | None


def compare(svc: Service, access: Access, before: str, after: str, *, start: str | None = None, limit: int = 50) -> Comparison:
    """Compare two finished audits; ``limit`` cases at a time, after the case ``start``.

    Raises Forbidden, NotFound, and NotPossible where one has no report or its verdicts are no longer kept.
    """
    raise NotImplementedError
