"""The story of a case laid out as lanes on one scale.  Knows places and sizes, and nothing of rules.

Imports this package, and how rules/ says numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import pairwise

from api.web import words
from api.web.cases.duelanes import due_lanes, person_lanes
from api.web.cases.scale import Rows, Scale, text_width
from api.web.cases.story import Dot, Run, Story
from api.web.cases.views import Lane, Period, Picture, Shape
from api.web.cases.windows import WORTH_A_SIGN, Finding
from rules.phrases import ordinal

SHORTEST = 27
"""Days that a picture shows at least."""
AHEAD = 42
"""Days ahead of today that the picture of an open case shows."""
AFTER = 24
"""Days that it shows after the last thing that happened in a closed one."""
A_YEAR = 365
MANY = 14
"""Findings of one outcome from which on those that lie near each other share a sign."""
NEAR = 90
"""Pixels within which they do."""


def extent(story: Story, today: int) -> tuple[int, int]:
    """The first and the last day of the picture of a whole case: the same for every instant that it is judged at."""
    happened = [day for dot in story.dots for day in (dot.day, dot.recorded if dot.late else dot.day)]
    happened += [turn.day for run in story.runs for turn in run.turns] + [day for run in story.runs for day, _ in run.spans]
    if not happened:
        return today - SHORTEST, today
    still = any(end is None for run in story.runs for _, end in run.spans)
    last = max(today, *happened) + AHEAD if still else max(happened) + AFTER
    first = min(happened)
    pad = max(2, (last - first) // 60)
    return first - pad, max(last, first + SHORTEST)


def parts(runs: Sequence[Run], whole: tuple[int, int], chosen: str) -> tuple[Scale, list[Period]]:
    """The scale of the part that was chosen, and the parts that can be."""
    first, last = whole
    options: dict[str, tuple[str, int, int]] = {}
    if last - first > A_YEAR * 3 // 2:
        options["year"] = ("The last 12 months", last - A_YEAR, last)
    if len(runs) > 1:
        for run in runs:
            start, end = run.spans[0][0], run.spans[-1][1]
            options[f"episode-{run.number}"] = (f"Episode {run.name}", start - 5, min(last, end + AFTER) if end is not None else last)
    if not options:
        return Scale(first, last), []
    periods = [Period("", "The whole case", chosen not in options)]
    periods += [Period(value, label, value == chosen) for value, (label, _, _) in options.items()]
    _, low, high = options.get(chosen, ("", first, last))
    return Scale(low, max(high, low + SHORTEST)), periods


def draw(story: Story, scale: Scale, periods: Sequence[Period]) -> Picture:
    """The picture."""
    lanes = [_course(story, scale)]
    lanes += [_contacts(name, dots, scale) for name, dots in story.contacts.items()]
    lanes += [_events(story.events, scale), _found(story, scale), _late(story, scale)]
    lanes += due_lanes([window for window in story.windows if not window.person], scale)
    lanes += person_lanes(story.people, scale)
    days = [dot.day for dot in story.dots]
    return Picture(
        first=dt.date.fromordinal(scale.first),
        last=dt.date.fromordinal(scale.last),
        width=scale.width,
        ticks=scale.ticks(),
        lanes=[lane for lane in lanes if lane.shapes],
        as_at=scale.end(story.today),
        known=scale.end(story.known) if story.known != story.today and scale.shows(story.known) else None,
        periods=periods,
        outside=sum(not scale.shows(day) for day in days),
    )


def _bar(cls: str, scale: Scale, start: int, end: int, y: int, height: int, title: str = "") -> Shape:
    return Shape("bar", cls, scale.begin(start), y, scale.end(end), height, title=title)


def _text(x: float, y: int, text: str, cls: str = "", *, dx: int = 0, end: bool = False) -> Shape:
    return Shape("text", cls, x, y, text=text, dx=dx, end=end)


def spoken(day: int) -> str:
    """A day in a few words."""
    return words.short_day(dt.date.fromordinal(day))


# --- the course ------------------------------------------------------------------------------------------------------

_TURN_SIGNS = {"closed": "closed", "closed_again": "closed", "error": "error", "reopened": "reopened", "moved": "moved", "merged": "merged"}


def _course(story: Story, scale: Scale) -> Lane:
    shapes: list[Shape] = []
    rows = Rows(3, gap=8)
    signs: list[Shape] = []
    for run in story.runs:
        shapes += _spans(run, story, scale, several=len(story.runs) > 1)
        for turn in run.turns:
            if not scale.shows(turn.day):
                continue
            x = scale.middle(turn.day)
            signs.append(Shape("mark", "turn", x, 19, sign=_TURN_SIGNS[turn.kind], title=f"{turn.text}, {spoken(turn.day)}"))
            place = _label(rows, scale, x, turn.text, reach=0)
            if place is not None:
                row, end = place
                signs.append(_text(x, 46 + 16 * row, turn.text, "small", end=end, dx=4 if end else -4))
    return Lane("Course of the case", 40 + (16 * rows.used if rows.taken else 0), [*shapes, *signs], kind="course")


def _spans(run: Run, story: Story, scale: Scale, *, several: bool) -> Iterable[Shape]:
    for number, (start, end) in enumerate(run.spans):
        last = story.today if end is None else end
        if not scale.meets(start, last):
            continue
        upto = "still open" if end is None else f"closed {spoken(end)}"
        yield _bar("open", scale, start, last, 10, 18, f"Episode {run.name}: open from {spoken(start)}, {upto}")
        says = (f"Episode {run.name}, " if several else "") + (words.word("program", run.program) if run.program else "open")
        if number == 0:
            signs = [*(pause.start for pause in run.pauses), *(turn.day for turn in run.turns)]
            free = min((day for day in signs if day >= start), default=last + 1) - 1
            room = scale.pixels(scale.end(min(last, free)) - scale.begin(start))
            said = next((text for text in (says, f"Episode {run.name}") if text_width(text) + 24 < room), "")
            if said:
                yield _text(scale.begin(start), 23, words.sentence_case(said), "onbar", dx=8)
    for pause in run.pauses:
        last = max(pause.start, story.today if pause.open else pause.end - 1)
        if scale.meets(pause.start, last):
            approved = "" if pause.approved is not None else ", not approved"
            yield _bar(
                "paused", scale, pause.start, last, 10, 18, f"The clock rested from {spoken(pause.start)} to {spoken(last)}{approved}"
            )
            if scale.pixels(scale.end(last) - scale.begin(pause.start)) > 46:
                yield _text(scale.begin(pause.start), 23, "paused", "small", dx=4)


def _label(rows: Rows, scale: Scale, x: float, text: str, *, reach: int = 9) -> tuple[int, bool] | None:
    """The row for a sign at ``x`` with its words behind it (or, at the right edge, before it); None: there is no room."""
    at, wide = scale.pixels(x), text_width(text) + reach
    before = at + wide > scale.width
    row = rows.place(at - wide, at + 6) if before else rows.place(at - 6, at + wide)
    return None if row is None else (row, before)


# --- what happened ---------------------------------------------------------------------------------------------------


def told(dot: Dot) -> str:
    """What happened, for whoever rests the pointer on it."""
    counts = (
        f" ({ordinal(dot.ordinal)} that counts)"
        if dot.ordinal and not dot.unclear
        else " (it is unclear whether it counts)"
        if dot.unclear
        else ""
    )
    late = f"; recorded {words.count(dot.late, 'day')} later" if dot.late else ""
    return f"{dot.what}{counts}, {spoken(dot.day)}{late}"


def anchor(dot: Dot) -> str:
    """Where the journey beneath tells of the day."""
    return f"#d-{dt.date.fromordinal(dot.day).isoformat()}"


def _contacts(name: str, dots: Sequence[Dot], scale: Scale) -> Lane:
    """Each contact as a sign; those that count with their number, as far as there is room."""
    shown = [dot for dot in dots if scale.shows(dot.day)]
    gaps = sorted(scale.pixels(scale.middle(b.day) - scale.middle(a.day)) for a, b in pairwise(shown))
    dense = bool(gaps) and gaps[len(gaps) // 8] < 13
    shapes: list[Shape] = []
    free = -100.0
    for dot in shown:
        x = scale.middle(dot.day)
        number = str(dot.ordinal) if dot.ordinal else ""
        cls = ("counts" if dot.ordinal and not dot.unclear else "") + (" unclear" if dot.unclear else "") + (" late" if dot.late else "")
        sign = "tick" if dense else "contact"
        shapes.append(
            Shape(
                "mark",
                cls.strip(),
                x,
                30 if dense else 17,
                sign=sign,
                text="" if dense or dot.unclear else number,
                title=told(dot),
                href=anchor(dot),
            )
        )
        at = scale.pixels(x)
        if dense and number and (dot.ordinal <= 3 or dot.ordinal % 5 == 0) and at - free > text_width(number) + 5:
            shapes.append(_text(x, 15, number, "number"))
            free = at
    return Lane(name, 46 if dense else 34, shapes, kind="contact")


def _events(dots: Sequence[Dot], scale: Scale) -> Lane:
    """Signs with names; those on which a finding rests, and the first of a kind, are named before the others."""
    shown = [dot for dot in dots if scale.shows(dot.day)]
    first: dict[str, Dot] = {}
    for dot in shown:
        first.setdefault(dot.what, dot)
    rows, placed = Rows(6), {}
    for dot in sorted(shown, key=lambda dot: (not dot.used, first[dot.what] is not dot, dot.day)):
        placed[id(dot)] = _label(rows, scale, scale.middle(dot.day), short(dot.what), reach=16)
    height = 20 * rows.used
    shapes: list[Shape] = []
    for dot in shown:
        x, place = scale.middle(dot.day), placed[id(dot)]
        cls = ("used" if dot.used else "") + (" late" if dot.late else "")
        row, before = place if place is not None else (rows.used, False)
        y = 14 + 20 * row if place is not None else height + 12
        shapes.append(Shape("mark", cls.strip(), x, y, sign="event" if place is not None else "speck", title=told(dot), href=anchor(dot)))
        if place is not None:
            shapes.append(_text(x, y + 4, short(dot.what), "small" if not dot.used else "", dx=-9 if before else 9, end=before))
    loose = any(place is None for place in placed.values())
    return Lane("What was recorded", height + (24 if loose else 8), shapes, kind="events")


def short(what: str) -> str:
    """The name of an event without the word that says only that it is on record."""
    head, _, verb = what.rpartition(" ")
    return head if head and verb in ("recorded", "completed", "held", "received") else what


def _found(story: Story, scale: Scale) -> Lane:
    """What was not in time, at its due day; where there is much of one outcome, what lies near each other as one sign."""
    late = {dot.event.id for dot in story.late}
    practice = [one for one in story.findings if scale.shows(one.day) and not late.intersection(one.recorded)]
    shapes: list[Shape] = []
    rows = Rows(5)
    for outcome in WORTH_A_SIGN.values():
        for found in gathered([one for one in practice if one.outcome == outcome], scale):
            rules = sorted({one.rule for one in found})
            day, x = found[0].day, scale.middle(found[len(found) // 2].day)
            times = f" \u00d7{len(found)}" if len(found) > 1 else ""
            name = rules[0] + times if len(rules) == 1 else words.count(len(found), "finding")
            place = _label(rows, scale, x, name, reach=16)
            row, before = place or (rows.most - 1, False)
            says = f", {found[0].says}" if len(found) == 1 and found[0].says else ""
            upto = f" to {spoken(found[-1].day)}" if found[-1].day != day else ""
            told_of = f"{rules[0]} {found[0].title}" if len(rules) == 1 else ", ".join(rules[:8])
            title = f"{told_of}{times}: {words.word('outcome', outcome).lower()}{says}, {spoken(day)}{upto}"
            y = 15 + 22 * row
            shapes.append(Shape("mark", outcome, x, y, sign=outcome, title=title, href=found[0].link if len(found) == 1 else ""))
            if place is not None:
                shapes.append(_text(x, y + 4, name, "strong", dx=-11 if before else 11, end=before))
    return Lane("Not in time, or not sure", 8 + 22 * rows.used, shapes, kind="found")


def gathered(findings: Sequence[Finding], scale: Scale) -> list[list[Finding]]:
    """Findings that are told by one sign: those of one rule and day, and where there are many, those that lie near each other."""
    found: list[list[Finding]] = []
    many = len({(one.day, one.rule) for one in findings}) > MANY
    for one in sorted(findings, key=lambda one: (one.day, one.rule, one.person)):
        group = found[-1] if found else None
        if group is not None and (
            scale.pixels(scale.middle(one.day) - scale.middle(group[0].day)) < NEAR
            if many
            else (group[0].day, group[0].rule) == (one.day, one.rule)
        ):
            group.append(one)
        else:
            found.append([one])
    return found


def _late(story: Story, scale: Scale) -> Lane:
    """From the day on which it happened to the day on which it was recorded: practice in time, record late."""
    shapes: list[Shape] = []
    rows = Rows(6)
    found = {event: finding for finding in story.findings for event in finding.recorded}
    for dot in story.late:
        if not scale.meets(dot.day, dot.recorded):
            continue
        x, x2 = scale.middle(dot.day), scale.middle(dot.recorded)
        finding = found.get(dot.event.id)
        said = words.count(dot.late, "day") + (f", {finding.rule}" if finding is not None else "")
        leads = finding.link if finding is not None and finding.link else anchor(dot)
        wide = text_width(said) + 14
        edge = scale.pixels(x2) + wide > scale.width
        row = rows.place(scale.pixels(x) - (wide if edge else 6), scale.pixels(x2) + (6 if edge else wide))
        y = 13 + 18 * (rows.most - 1 if row is None else row)
        shapes.append(Shape("bar", "lag", x, y - 1, x2, 2, title=told(dot)))
        shapes.append(Shape("mark", "", x, y, sign="happened", title=told(dot), href=leads))
        shapes.append(Shape("mark", "", x2, y, sign="recorded", title=f"Recorded {spoken(dot.recorded)}: {told(dot)}", href=leads))
        if row is not None:
            shapes.append(_text(x if edge else x2, y + 4, said, "small", dx=-9 if edge else 9, end=edge))
    return Lane("Recorded late", 8 + 18 * rows.used, shapes, kind="late")
