"""Plain words for what policies say: conditions, selectors, requirements, days, reasons.  One wording for command line, API and pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rules.conditions import Ref, Selector, Test, Value, Where
from rules.model import Verdict
from rules.view import MOMENT

if TYPE_CHECKING:
    from rules.kinds.requires import Requires
    from rules.policy import Policy

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


def reason_words(verdict: Verdict) -> str:
    """Why a verdict is not applicable, excused or unknown, as a clause."""
    reason = verdict.reason or ""
    if reason.startswith("missing "):
        what = reason.removeprefix("missing ")
        return "no household is on record" if what == "household" else f"the record does not say: {what}"
    return _REASONS.get(reason, reason)


_REASONS: Mapping[str, str] = {
    "not_triggered": "nothing has happened that calls for it",
    "ended_before_due": "the case was closed, or the person left, before it was due",
    "out_of_scope": "the case is not in the program of this policy",
    "before_policy": "it began before the policy was in force",
    "parameter_unset": "the policy's owner has not set the number that gives the limit",
    MOMENT: "only the day is known, and the order within that day decides",
    "source_stale": "a source of this case has not reported up to the due day yet",
    "engines_disagree": "the two deciders do not agree; this is being looked into",
    "waiver": "a waiver covers it",
    "pause_approved_later": "a pause that was approved after the due day covers it",
}


def value_words(value: Value | tuple[Value, ...]) -> str:
    if isinstance(value, tuple):
        return listed(value_words(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Ref):
        if value.state is not None:
            return f"the {value.state} at that time"
        if value.previous is not None:
            return f"the {value.previous.attribute} before it"
        selector = value.last or value.greatest
        names = listed(selector.names) if selector is not None else ""
        return f"the {'last' if value.last else 'greatest'} {value.attribute} of {names}"
    text = str(value)
    return {"$person": "this person", "$item.id": "the item"}.get(text, text.removeprefix("$"))


def where_words(where: Where | None) -> str:
    """A condition as a phrase: ``status completed or final, and seen at least 1``."""
    if where is None:
        return ""
    parts = [_test_words(path, test) for path, test in where.tests.items()]
    parts += [where_words(part) for part in where.all_ or ()]
    if where.any_:
        parts.append("either " + ", or ".join(where_words(part) for part in where.any_))
    if where.not_ is not None:
        parts.append("not " + where_words(where.not_))
    return ", and ".join(part for part in parts if part)


def _test_words(path: str, test: Test) -> str:
    parts = []
    if test.present is not None:
        parts.append(f"{path} {'stated' if test.present else 'not stated'}")
    for name, wanted in test.active:
        if name in ("each", "some"):
            parts.append(f"{'each' if name == 'each' else 'one'} of {path} with {where_words(wanted)}")
        else:
            words = (
                listed(wanted, "and")
                if name == "has_all"
                else listed(wanted)
                if isinstance(wanted, tuple) and name != "differs_from"
                else value_words(wanted)
            )
            parts.append(f"{path} {_VERBS[name]} {words}".replace("  ", " "))
    return " and ".join(parts)


_VERBS = {
    "equals": "",
    "in_": "",
    "differs_from": "other than",
    "has": "with",
    "has_all": "with all of",
    "has_any": "with one of",
    "at_least": "at least",
    "at_most": "at most",
    "before": "before",
    "after": "after",
    "includes_role": "including",
}


def selector_words(selector: Selector, policy: Policy) -> str:
    """A selector as a phrase, in the policy's own terms where it has them."""
    names = [policy.terms[n].means or n if n in policy.terms else f"{n}" for n in selector.names]
    words = listed(names)
    condition = where_words(selector.where)
    if condition:
        words += f" with {condition}"
    if selector.same:
        words += f" with the same {listed(selector.same, 'and')}"
    if selector.of == "attempt":
        words += ", for this closure"
    return words


def requires_words(asked: Requires, policy: Policy) -> str:
    """What a rule asks for, as a phrase."""
    if asked.for_every is not None:
        collection = policy.collections[asked.for_every]
        return f"{selector_words(collection.done_by, policy)}, for every current item of {collection.list_}"
    words = selector_words(asked, policy)
    if asked.takes == "last":
        words = f"the last {words}, which must have {where_words(asked.that)}"
    if asked.collects is not None:
        wanted = "; ".join(
            f"{path}: {listed((w if isinstance(w, str) else listed(w) for w in parts), 'and')}" for path, parts in asked.collects.items()
        )
        words += f", together covering {wanted}"
    if asked.and_each is not None:
        words += f", with each item having {where_words(asked.and_each.where)}"
    if asked.after_last is not None:
        words += f", after the last {selector_words(asked.after_last, policy)}"
    if asked.unless_followed_by:
        words += f", not followed by {listed(c.event for c in asked.unless_followed_by)}"
    if asked.itself is not None:
        words += f"; or else {where_words(asked.itself)}"
    return words
