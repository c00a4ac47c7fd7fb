"""A change of a policy, as people read it.  Imports nothing of the project."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TEXT_ONLY = "text only: no verdict changes"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.  ``rule``: the rule that it concerns, None for the whole policy; ``effect``: what it does, in words."""

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
        return f"{subject} is now {self.after.rstrip('.') or 'empty'} instead of {self.before.rstrip('.') or 'empty'}: {self.effect}."

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "changes_verdicts": self.changes_verdicts, "words": self.words}


def text(rule: str | None, what: str, before: str, after: str) -> Change:
    """A change of what is said about the policy, and not of how it judges."""
    return Change(rule, what, before, after, TEXT_ONLY)
