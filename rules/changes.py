"""A change of a policy, as people read it.  Imports nothing of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

TEXT_ONLY = "text only: no verdict changes"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.  ``rule``: the rule that it concerns, None for the whole policy; ``effect``: what it does, in words.

    ``before`` or ``after`` is empty where something came or went.
    """

    rule: str | None
    what: str
    before: str
    after: str
    effect: str

    @property
    def changes_verdicts(self) -> bool:
        """Whether any verdict can differ."""
        return self.effect != TEXT_ONLY

    @property
    def words(self) -> str:
        """The change in one sentence."""
        subject = f"{self.rule}: {self.what}" if self.rule is not None else f"{self.what[:1].upper()}{self.what[1:]}"
        before, after = self.before.rstrip("."), self.after.rstrip(".")
        if not before or not after:
            return f"{subject}, {'new' if after else 'gone'}: {after or before}: {self.effect}."
        return f"{subject} is now {after} instead of {before}: {self.effect}."

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "changes_verdicts": self.changes_verdicts, "words": self.words}


def apart(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands in one of two lists only, each in its order."""
    return [one for one in before if one not in after], [one for one in after if one not in before]


def text(rule: str | None, what: str, before: str, after: str) -> Change:
    """A change of what is said about the policy, and not of how it judges."""
    return Change(rule, what, before, after, TEXT_ONLY)
