"""What was due in a case and what became of it: windows with a due day, and findings that have none of their own.

Imports rules/ and this package's words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from api.web import words
from rules.evaluate import Judged
from rules.model import Outcome

WORTH_A_SIGN = {
    Outcome.BREACHED: "breached",
    Outcome.LATE: "late",
    Outcome.EXCUSED: "excused",
    Outcome.UNKNOWN: "unknown",
}
WITH_A_WINDOW = frozenset(
    {Outcome.MET, Outcome.LATE, Outcome.BREACHED, Outcome.DUE_SOON, Outcome.PENDING, Outcome.EXCUSED, Outcome.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class Window:
    """From the day on which something was called for to the day on which it was due, and how it stands.  Days."""

    policy: str
    rule: str
    title: str
    person: str
    start: int
    soon: int | None
    due: int | None
    done: int | None
    until: int
    """To where it goes on while it is not done: today, or the closure."""
    outcome: str
    says: str
    """``16 days late``."""
    link: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding that has a place on the line of the case."""

    day: int
    rule: str
    title: str
    outcome: str
    severity: str
    person: str = ""
    link: str = ""
    says: str = ""
    recorded: tuple[str, ...] = ()
    """Where it is about the record, and not about practice: the events that were recorded late."""


def person_of(judged: Judged) -> str:
    """The person whom an obligation is about; empty: none."""
    return judged.obligation.about if judged.obligation.key.startswith("person:") else ""


def _day(text: str | None) -> int | None:
    return None if text is None else dt.date.fromisoformat(text).toordinal()


def windows(judged: Iterable[Judged], *, closed: Mapping[int, int | None], today: int, link: Callable[[Judged], str]) -> list[Window]:
    """The windows of a case, those that began first before the others.  ``closed``: the day on which each episode was closed.

    What is asked of each person is among them where it asks for a moment, too: it has its place in the lane of that person.
    """
    found = []
    for one in judged:
        verdict, duty = one.verdict, one.world.duty
        if verdict.verdict not in WITH_A_WINDOW or not (person_of(one) or (duty.gate is None and _sets_a_window(one))):
            continue
        due, done, start = _day(verdict.due_on), _day(verdict.satisfied_on), _day(verdict.activated_on)
        if due is None and start is None:
            continue
        end = closed.get(one.view.episode.number)
        until = max(today if end is None or (due is not None and end < due) else min(end, today), due or 0)
        if due is not None and not verdict.curable:
            until = due
        found.append(
            Window(
                verdict.policy,
                verdict.rule,
                one.rule.title,
                person_of(one),
                start if start is not None else due or until,
                _day(verdict.due_soon_on),
                due,
                done,
                until,
                verdict.verdict.value,
                _says(one, due, done, today),
                link(one),
                verdict.status == "shadow",
            )
        )
    return sorted(found, key=lambda window: (window.start, window.due or window.until, window.rule, window.person))


def _sets_a_window(judged: Judged) -> bool:
    """Rules about the order of things ask for a moment, and have no window."""
    clause = judged.rule.clauses[0]
    return clause.sets_a_day and not clause.order_rule


def _says(judged: Judged, due: int | None, done: int | None, today: int) -> str:
    verdict = judged.verdict
    match verdict.verdict:
        case Outcome.LATE:
            return f"{words.count(verdict.days_late or 0, 'day')} late"
        case Outcome.BREACHED if due is not None and due < today and verdict.curable:
            return f"{words.count(today - due, 'day')} overdue"
        case Outcome.BREACHED:
            return "not done in time"
        case Outcome.DUE_SOON | Outcome.PENDING if due is not None:
            left = due - today
            return "due today" if left == 0 else f"due in {words.count(left, 'day')}"
        case Outcome.DUE_SOON | Outcome.PENDING:
            return "no due day yet"
        case Outcome.EXCUSED:
            return "excused"
        case Outcome.UNKNOWN:
            return "cannot be judged"
        case _ if due is not None and done is not None and done < due:
            return f"{words.count(due - done, 'day')} early"
        case _:
            return "on the day" if due is not None else "done"


def findings(judged: Iterable[Judged], *, link: Callable[[Judged], str]) -> list[Finding]:
    """What was not in time, was excused or cannot be judged, at its due day."""
    found = []
    for one in judged:
        verdict = one.verdict
        outcome, day = WORTH_A_SIGN.get(verdict.verdict), _day(verdict.due_on) or _day(verdict.activated_on)
        if outcome is None or day is None or verdict.status == "shadow":
            continue
        says = f"{words.count(verdict.days_late, 'day')} late" if verdict.days_late else ""
        events = verdict.evidence if one.rule.done_word == "recorded" else ()
        found.append(Finding(day, verdict.rule, one.rule.title, outcome, verdict.severity, person_of(one), link(one), says, events))
    return sorted(found, key=lambda finding: (finding.day, finding.rule, finding.person))
