"""Metric: something is counted and shown in statistics; it yields no verdict and is never a breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from rules.conditions import Selector
from rules.course import dig
from rules.kinds.base import Kind
from rules.model import Outcome, Verdict
from rules.obligation import Obligation
from rules.view import View

if TYPE_CHECKING:
    from rules.saying import Saying


class Metric(Kind):
    """``event`` with ``by``: events counted by an attribute's value, and episodes in which ``when`` happened.  ``verdicts: unknown``:
    the verdicts that could not be given, counted by reason."""

    name: ClassVar[str] = "metric"
    about: ClassVar[str] = "Something is counted; it is never a breach."
    counted: ClassVar[bool] = True
    sets_a_day: ClassVar[bool] = False

    event: Selector | None = None
    by: str | None = None
    when: Selector | None = None
    verdicts: Literal["unknown"] | None = None

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        if self.verdicts is not None:
            return ["It counts the verdicts that could not be given, by what was missing."]
        if self.event is None:
            return []
        by = f", by {say.attribute(self.by, say.types(self.event.names))}" if self.by is not None else ""
        where = [f"Cases count only where {say.selector(self.when)}."] if self.when is not None else []
        return [f"It counts every time that {say.selector(self.event)}{by}.", *where]

    def obligations(self, view: View) -> list[Obligation]:  # noqa: ARG002
        return []

    def count(self, view: View) -> dict[str, int]:
        """How many events, by the value of ``by`` ("-" where it is absent); nothing where the episode does not count."""
        if self.event is None or (self.when is not None and not any(hit.fit for hit in view.find(self.when))):
            return {}
        counts: dict[str, int] = {}
        for hit in view.find(self.event):
            if hit.fit:
                value = str(dig(hit.entry.data, self.by) or "-") if self.by else "-"
                counts[value] = counts.get(value, 0) + 1
        return counts

    def tally(self, verdicts: Sequence[Verdict]) -> dict[str, int]:
        """How many verdicts could not be given, by reason."""
        if self.verdicts is None:
            return {}
        return dict(Counter(one.reason or "-" for one in verdicts if one.verdict is Outcome.UNKNOWN))
