"""What becomes of one case's verdicts when another version of its policy judges.  Pure; imports rules.model and rules.obligation.

Verdicts are paired by what they are about.  One that only says that nothing is asked (out of scope, not triggered, before the
policy) counts as no verdict at all, so that a rule which comes or goes changes nothing in cases that it has nothing to do with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from rules.model import Outcome, Verdict
from rules.obligation import BEFORE_POLICY, NOT_TRIGGERED, OUT_OF_SCOPE

NOTHING = "none"
"""How a side is called on which nothing is asked."""
SHADOW = "shadow:"
"""Before the outcome of a rule in shadow: what it would be called if the rule were enforced."""
_NOT_ASKED = frozenset({OUT_OF_SCOPE, NOT_TRIGGERED, BEFORE_POLICY})
_BREACHES = frozenset({Outcome.BREACHED, Outcome.LATE})
_LIMITS = ("due_on", "days_late")
_UNEQUAL_ANYHOW = frozenset({"policy_digest", "as_of", "known_at", "next_change"})
_COMPARED = tuple(field.name for field in fields(Verdict) if field.name not in _UNEQUAL_ANYHOW)


class Change(StrEnum):
    """What has become of an obligation; the first that holds."""

    GAINED = "gained"
    """A breach (or one mended late) of an enforced rule, where there was none."""
    LOST = "lost"
    """A breach, or one mended late, that is none any more."""
    APPEARED = "appeared"
    """An obligation where nothing was asked."""
    DISAPPEARED = "disappeared"
    CHANGED = "changed"
    """Another verdict, or the same of a rule that was enforced and is in shadow now, or the other way round."""
    MOVED = "moved"
    """The same verdict with another due day, or another number of days late."""
    NOTED = "noted"
    """The same verdict and days; something that is said with it (reason, evidence, severity ...) differs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One obligation under both versions.  ``change`` None: the same in every field."""

    before: Verdict | None
    after: Verdict | None
    change: Change | None
    differs: tuple[str, ...] = ()
    """The fields of the verdict that differ, where there are two."""

    @property
    def either(self) -> Verdict:
        """The later side that there is: it says whose obligation this is."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found

    @property
    def transition(self) -> tuple[str, str]:
        """Both sides' labels, as a matrix of transitions names its lines and columns."""
        return label(self.before), label(self.after)


def compare(before: Iterable[Verdict], after: Iterable[Verdict], *, since: str | None = None) -> list[Pair]:
    """The obligations of one case under both versions, in order of what they are about.

    ``since`` (ISO day) leaves out those that were activated before it; an obligation that either side says was activated on that
    day or later stays, and so does one whose day of activation neither knows.
    """
    old = {verdict.key: verdict for verdict in before if is_asked(verdict)}
    new = {verdict.key: verdict for verdict in after if is_asked(verdict)}
    pairs = [_pair(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    return pairs if since is None else [pair for pair in pairs if _activated_since(pair, since)]


def is_asked(verdict: Verdict) -> bool:
    """Whether the verdict is about an obligation, and does not only say that there is none."""
    return not (verdict.verdict is Outcome.NOT_APPLICABLE and verdict.reason in _NOT_ASKED)


def stands(verdict: Verdict | None) -> bool:
    """Whether people would be shown a breach, open or mended late."""
    return verdict is not None and verdict.status == "enforced" and verdict.verdict in _BREACHES


def label(verdict: Verdict | None) -> str:
    """The verdict of a side, ``shadow:`` before it where the rule is not enforced; ``none`` where nothing is asked."""
    if verdict is None:
        return NOTHING
    return verdict.verdict.value if verdict.status == "enforced" else f"{SHADOW}{verdict.verdict.value}"


def _pair(before: Verdict | None, after: Verdict | None) -> Pair:
    differs = _differing(before, after)
    if stands(after) != stands(before):
        return Pair(before, after, Change.GAINED if stands(after) else Change.LOST, differs)
    if before is None:
        return Pair(before, after, Change.APPEARED)
    if after is None:
        return Pair(before, after, Change.DISAPPEARED)
    if not differs:
        return Pair(before, after, None)
    if label(before) != label(after):
        return Pair(before, after, Change.CHANGED, differs)
    return Pair(before, after, Change.MOVED if set(differs) & set(_LIMITS) else Change.NOTED, differs)


def _differing(before: Verdict | None, after: Verdict | None) -> tuple[str, ...]:
    if before is None or after is None:
        return ()
    return tuple(name for name in _COMPARED if getattr(before, name) != getattr(after, name))


def _activated_since(pair: Pair, since: str) -> bool:
    days = [side.activated_on for side in (pair.before, pair.after) if side is not None and side.activated_on is not None]
    return not days or max(days) >= since
