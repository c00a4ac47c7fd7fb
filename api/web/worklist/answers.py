"""What became of a step with several breaches, in words: what was done, and for each breach that was left, why and by whom.

Imports service.assigning's outcomes and this package's views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.web import words
from api.web.worklist.views import Answer, Left, WorkRow
from service.assigning import CHANGED, DONE, MISSING, Outcome


@dataclass(frozen=True, slots=True)
class Names:
    """People's names by actor, and which actor is reading."""

    known: Mapping[str, str]
    me: str

    def of(self, actor: str | None) -> str:
        """The name of an actor; empty for nobody."""
        if not actor:
            return ""
        return self.known.get(actor) or actor.replace("key:", "API key ")


def answer_of(outcomes: Sequence[Outcome], rows: Mapping[str, WorkRow], names: Names, *, action: str, assignee: str, zone: str) -> Answer:
    """The answer to a step.  ``rows``: the breaches as they stand now, by id."""
    done = [one for one in outcomes if one.result == DONE]
    left = [_left(one, rows.get(one.id), names, zone) for one in outcomes if one.result != DONE]
    return Answer(_done(done, rows, names, action, assignee), len(done), left, list(rows.values()), zone, [one.id for one in done])


def _done(done: Sequence[Outcome], rows: Mapping[str, WorkRow], names: Names, action: str, assignee: str) -> str:
    if not done:
        return "Nothing was changed"
    what = "Acknowledged" if action == "acknowledge" else f"Assigned to {_person(assignee, names)}" if assignee else "Assigned to nobody"
    if len(done) == 1 and (item := rows.get(done[0].id)) is not None:
        return f"{what}: {item.row.sentence} (case {item.row.case})"
    return f"{what}: {words.count(len(done), 'breach', 'breaches')}"


def _person(assignee: str, names: Names) -> str:
    return "you" if assignee == names.me else names.of(assignee)


def _left(one: Outcome, item: WorkRow | None, names: Names, zone: str) -> Left:
    what = f"{item.row.sentence} (case {item.row.case})" if item is not None else "A breach of your choice"
    if one.result == MISSING:
        return Left(one.id, what, "it is not there, or no longer within the teams and offices that you look after")
    if one.result != CHANGED:
        return Left(one.id, what, one.why)
    if one.last is None:
        return Left(one.id, what, "it was changed meanwhile")
    line = one.last.line
    people = line.actor.startswith(("user:", "key:"))
    who = "by you, elsewhere" if line.actor == names.me else f"by {names.of(line.actor)}" if people else "by what came on record"
    step = words.word("history", line.kind)
    if line.kind == "assigned":
        step = f"Assigned to {_person(line.after, names)}" if line.after else "Assigned to nobody"
    return Left(one.id, what, f"it was changed meanwhile {who}, {words.short_moment(line.at, zone)}: {step}")
