"""The picture of a case in tables: its course, what was due and what became of it, the people.  Imports this package."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from api.web import words
from api.web.cases.story import Person, Story
from api.web.cases.views import CourseLine, DueLine, PersonLine
from api.web.cases.windows import Window


def _day(number: int | None) -> dt.date | None:
    return None if number is None else dt.date.fromordinal(number)


def course(story: Story) -> list[CourseLine]:
    """What the first lane of the picture shows, in order."""
    lines: list[CourseLine] = []
    for run in story.runs:
        program = f", {words.word('program', run.program)}" if run.program else ""
        lines.append(CourseLine(dt.date.fromordinal(run.spans[0][0]), f"Episode {run.name} begins{program}"))
        lines += [CourseLine(dt.date.fromordinal(turn.day), turn.text) for turn in run.turns]
        for pause in run.pauses:
            said = "The clock rests" + ("" if pause.approved is not None else "; nobody has approved it")
            lines.append(CourseLine(dt.date.fromordinal(pause.start), said, None if pause.open else dt.date.fromordinal(pause.end)))
    return sorted(lines, key=lambda line: line.day)


def due(windows: Sequence[Window]) -> list[DueLine]:
    """What the lanes of windows show, in order of their beginning."""
    return [
        DueLine(
            one.rule,
            one.title,
            one.person,
            one.outcome,
            _day(one.start),
            _day(one.soon),
            _day(one.due),
            _day(one.done),
            one.says if one.outcome in ("late", "breached", "due_soon", "pending") and one.says != "not done in time" else "",
            one.link,
        )
        for one in windows
    ]


def people(found: Sequence[Person]) -> list[PersonLine]:
    """What the lanes of persons show."""
    return [
        PersonLine(
            one.person,
            one.role,
            [(_day(start), _day(end)) for start, end in one.spans],
            [dt.date.fromordinal(day) for day in sorted(set(one.seen))],
        )
        for one in found
    ]
