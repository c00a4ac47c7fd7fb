"""The lanes of what was due: a row for each rule, and one for each person whom rules ask about.  Imports this package."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from api.web import words
from api.web.cases.scale import Rows, Scale, text_width
from api.web.cases.story import Person
from api.web.cases.views import Lane, Shape
from api.web.cases.windows import Window

MOST_ROWS = 16
"""Rules with a row of their own; of more, those that were met in time share one."""
MOST_PERSONS = 24
DENSE = 60
"""Meetings with one person from which on their signs are small."""
_DONE = {"met": "met", "late": "late", "excused": "excused", "unknown": "unknown"}


def due_lanes(windows: Sequence[Window], scale: Scale) -> list[Lane]:
    """A lane for each rule that set a day, in the order in which they began."""
    by_rule: dict[tuple[str, str], list[Window]] = {}
    for window in windows:
        if scale.meets(window.start, _end(window)):
            by_rule.setdefault((window.policy, window.rule), []).append(window)
    plain = [key for key, mine in by_rule.items() if all(window.outcome == "met" for window in mine)]
    shared = plain[MOST_ROWS - (len(by_rule) - len(plain)) :] if len(by_rule) > MOST_ROWS else []
    lanes = [_lane(f"{mine[0].title}", mine[0].rule, mine, scale) for key, mine in by_rule.items() if key not in shared]
    if shared:
        rest = [window for key in shared for window in by_rule[key]]
        lanes.append(_lane(f"{words.count(len(shared), 'more rule')}, each met in time", "", rest, scale, named=True))
    return lanes


def _lane(name: str, rule: str, windows: Sequence[Window], scale: Scale, *, named: bool = False) -> Lane:
    rows = Rows(5, gap=4)
    shapes: list[Shape] = []
    for window in windows:
        shapes += _window(window, scale, rows, top=9, step=24, named=named)
    return Lane(name, 14 + 24 * rows.used, shapes, note=rule, kind="due")


def person_lanes(people: Sequence[Person], scale: Scale) -> list[Lane]:
    """A lane for each person: when a member, when met, and what was due about them."""
    lanes = []
    for person in people[:MOST_PERSONS]:
        shapes: list[Shape] = []
        for start, end in person.spans:
            low, high = scale.first if start is None else start, person.until if end is None else min(end, person.until)
            if scale.meets(low, high):
                upto = "" if end is None else f" to {_spoken(end)}"
                since = f" from {_spoken(low)}" if start is not None else ""
                shapes.append(Shape("bar", "member", scale.begin(low), 12, scale.end(high), 4, title=f"In the household{since}{upto}"))
        for day in person.seen:
            if scale.shows(day):
                anchor = f"#d-{dt.date.fromordinal(day).isoformat()}"
                shapes.append(
                    Shape(
                        "mark",
                        "",
                        scale.middle(day),
                        14,
                        sign="seen" if len(person.seen) < DENSE else "seen-often",
                        title=f"Met on {_spoken(day)}",
                        href=anchor,
                    )
                )
        rows = Rows(8, gap=4)
        windows: list[Shape] = []
        for window in person.windows:
            if scale.meets(window.start, _end(window)):
                windows += _window(window, scale, rows, top=24, step=24, named=True)
        height = 26 + (24 * rows.used if rows.taken else 0)
        lanes.append(Lane(person.person, height, [*shapes, *windows], note=words.sentence_case(person.role or "person"), kind="person"))
    if len(people) > MOST_PERSONS:
        rest = len(people) - MOST_PERSONS
        text = Shape("text", "small", 0.0, 17, text="They are in the tables beneath the picture.", dx=4)
        lanes.append(Lane(f"{words.count(rest, 'more person', 'more persons')}", 26, [text], kind="person"))
    return lanes


def _spoken(day: int) -> str:
    return words.short_day(dt.date.fromordinal(day))


def _end(window: Window) -> int:
    """The last day of a window and of what follows from it."""
    if window.done is not None and window.outcome in ("met", "late"):
        return max(window.due or 0, window.done, window.start)
    return max(window.until, window.due or 0, window.done or 0)


def told(window: Window) -> str:
    """The window in a sentence, for whoever rests the pointer on it."""
    parts = [f"{window.rule} {window.title}: {words.word('outcome', window.outcome).lower()}"]
    parts += [f"called for {_spoken(window.start)}"]
    parts += [f"due {_spoken(window.due)}"] if window.due is not None else []
    parts += [f"done {_spoken(window.done)}"] if window.done is not None else []
    parts += [window.says] if window.says not in ("excused", "cannot be judged", "done") else []
    return "; ".join(parts)


def _window(window: Window, scale: Scale, rows: Rows, *, top: int, step: int, named: bool) -> list[Shape]:
    """A window with what became of it, in the first row that has room."""
    due = window.due
    limit = due if due is not None else _end(window)
    end = _end(window)
    label = f"{window.rule} {window.says}" if named else window.says
    low, high = scale.pixels(scale.begin(window.start)), scale.pixels(scale.end(end)) + 10
    wide = text_width(label) + 4
    after = high + wide <= scale.width
    before = not after and low - wide >= 0
    over = due is not None and not after and scale.pixels(scale.end(end) - scale.end(due)) > wide + 24
    before = before and not over
    row = rows.place(low - (wide if before else 0), high + (wide if after else 0))
    if row is None:
        label, row = "", rows.place(low, high)
    y = top + step * (rows.most - 1 if row is None else row)
    title = told(window)
    shade = f"{window.outcome} shadow" if window.shadow else window.outcome
    shapes = [Shape("bar", f"window {shade}", scale.begin(window.start), y + 3, scale.end(limit), 12, title=title, href=window.link)]
    if window.soon is not None and window.outcome in ("due_soon", "pending", "met", "late", "breached") and window.soon <= limit:
        shapes.append(Shape("bar", "warn", scale.begin(max(window.soon, window.start)), y + 3, scale.end(limit), 12, title=title))
    if due is not None and window.outcome in ("late", "breached") and end > due and scale.meets(due + 1, end):
        shapes.append(Shape("bar", f"over {shade}", scale.begin(due + 1), y + 3, scale.end(end), 12, title=title, href=window.link))
    if due is not None and scale.shows(due):
        shapes.append(Shape("bar", "limit", scale.end(due), y, scale.end(due), 18))
    at, sign = _sign(window, end)
    if scale.shows(at):
        shapes.append(Shape("mark", window.outcome, scale.middle(at), y + 9, sign=sign, title=title, href=window.link))
    if label:
        x = scale.begin(window.start) if before else scale.end(end)
        if over and due is not None:
            shapes.append(Shape("text", f"says inside {window.outcome}", scale.end(due), y + 13, text=label, dx=14))
        elif after or before:
            shapes.append(Shape("text", f"says {window.outcome}", x, y + 13, text=label, end=before, dx=-12 if before else 10))
    return shapes


def _sign(window: Window, end: int) -> tuple[int, str]:
    """Where the sign of an outcome stands, and which it is."""
    if window.outcome in ("met", "late") and window.done is not None:
        return max(window.done, window.start), window.outcome
    if window.outcome == "breached":
        return (window.due if window.due is not None else end), "breached"
    return (window.due if window.due is not None else end), _DONE.get(window.outcome, window.outcome)
