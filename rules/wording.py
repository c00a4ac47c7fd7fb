"""Plain words for days, counts, lists and reasons.  One wording for command line, API and pages; `rules.saying` has those for rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rules.hits import MOMENT
from rules.model import Verdict

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_words(iso: str | None) -> str:
    """``2026-03-23`` as ``Mon 23 March 2026``."""
    if iso is None:
        return "no day"
    date = dt.date.fromisoformat(iso)
    return f"{_DAYS[date.weekday()]} {date.day} {_MONTHS[date.month - 1]} {date.year}"


def days_words(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def listed(words: Iterable[Any], joiner: str = "or") -> str:
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joiner} {texts[-1]}"


def reason_words(verdict: Verdict, missing: Callable[[str], str] | None = None) -> str:
    """Why a verdict is not applicable, excused or unknown, as a clause.  ``missing``: tells an absent attribute in a catalogue's words."""
    return told_reason(verdict.reason or "", missing)


def told_reason(reason: str, missing: Callable[[str], str] | None = None) -> str:
    """The same for a reason by itself."""
    if reason.startswith("missing "):
        what = reason.removeprefix("missing ")
        if what == "household":
            return "no household is on record"
        return missing(what) if missing is not None else f"the record does not say: {what.replace('.', ' ').replace('_', ' ')}"
    return _REASONS.get(reason, reason)


_REASONS: Mapping[str, str] = {
    "not_triggered": "nothing has happened that calls for it",
    "ended_before_due": "the case was closed, or the person left, before it was due",
    "out_of_scope": "the case is not in the program of this policy",
    "before_policy": "it began before the policy was in force",
    "parameter_unset": "the policy's owner has not set the number that gives the limit",
    MOMENT: "only the day is known, and the order within that day decides",
    "source_stale": "a source of this case has not reported up to the due day yet, or sent a record that could not be read",
    "engines_disagree": "the two deciders do not agree; this is being looked into",
    "waiver": "a waiver covers it",
    "pause_approved_later": "a pause that was approved after the due day covers it",
}
