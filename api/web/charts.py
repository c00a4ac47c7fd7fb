"""Pictures of figures as plain coordinates, for ``web/charts.html`` to draw as SVG.  Every picture stands beside its table.

Nothing is said by colour alone: a point over few is hollow, a gap is a gap, and the axis says where it begins.  Coordinates are in
units of the picture's own box.  Imports the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_FLOORS = {0.95: 5, 0.9: 5, 0.8: 4, 0.5: 5, 0.0: 5}
"""Where the axis may begin, and into how many parts it is then divided."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value to draw; ``value`` of None: there is none.  ``hollow``: it rests on few, or is not whole yet.  ``words``: what it says."""

    label: str
    value: float | None
    hollow: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across with its words; ``at`` is its place down (or along)."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of the line."""

    x: float
    y: float
    hollow: bool
    words: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A line over time.  ``paths``: pieces without gaps, as ``M x y L x y``; ``labels``: what stands along, at its place."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    paths: Sequence[str]
    dots: Sequence[Dot]
    ticks: Sequence[Tick]
    labels: Sequence[Tick]
    begins_at_zero: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that lies: ``width`` long, between ``y`` and ``y + height``."""

    y: float
    width: float
    height: float
    words: str
    number: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars one under the other, their words to the left and their numbers behind them."""

    width: float
    height: float
    left: float
    bars: Sequence[Bar]


def percent(share: float | None) -> str:
    """``99.7 %`` as ``99.7%``; nothing that is not whole is rounded to 100 %, and nothing that is there to 0 %.  None: a dash."""
    if share is None:
        return "\N{EN DASH}"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(99.9, max(0.1, round(share * 100, 1))):.1f}%"


def trend(points: Sequence[Point], *, width: float = 560, height: float = 320, labels_every: int = 1) -> Trend:
    """The line of shares from 0 to 1; its axis begins at the highest of 95, 90, 80, 50 and 0 % that leaves all points above it."""
    known = [point.value for point in points if point.value is not None]
    floor = _floor(known)
    left, right, top, bottom = 48.0, width - 16, 12.0, height - 28
    step = (right - left) / max(1, len(points) - 1)

    def down(value: float) -> float:
        return round(bottom - (value - floor) / (1 - floor) * (bottom - top), 1)

    dots, paths, piece = [], [], list[str]()
    for place, point in enumerate(points):
        x = round(left + step * place, 1) if len(points) > 1 else (left + right) / 2
        if point.value is None:
            paths.append(piece)
            piece = []
            continue
        y = down(point.value)
        piece.append(f"{x} {y}")
        dots.append(Dot(x, y, point.hollow, point.words or f"{point.label}: {percent(point.value)}"))
    paths.append(piece)
    parts = _FLOORS[floor]
    ticks = [Tick(down(mark), f"{mark:.0%}") for mark in (floor + (1 - floor) * place / parts for place in range(parts + 1))]
    last = len(points) - 1
    labels = [Tick(round(left + step * place, 1), point.label) for place, point in enumerate(points) if (last - place) % labels_every == 0]
    drawn = [f"M {' L '.join(piece)}" for piece in paths if len(piece) > 1]
    return Trend(width, height, left, right, top, bottom, drawn, dots, ticks, labels, not floor)


def spark(points: Sequence[Point], *, width: float = 120, height: float = 26) -> Trend:
    """A small line without words, for a row of a table: between the least and the greatest, at least a twentieth apart."""
    known = [point.value for point in points if point.value is not None]
    high = max(known, default=1.0)
    low = min(min(known, default=0.0), high - 0.05)
    left, right, top, bottom = 3.0, width - 3, 4.0, height - 4
    step = (right - left) / max(1, len(points) - 1)
    paths, piece, dots = [], list[str](), []
    for place, point in enumerate(points):
        if point.value is None:
            paths.append(piece)
            piece = []
            continue
        x, y = round(left + step * place, 1), round(bottom - (point.value - low) / (high - low) * (bottom - top), 1)
        piece.append(f"{x} {y}")
        if place == len(points) - 1 or len(known) == 1:
            dots.append(Dot(x, y, point.hollow, point.words))
    paths.append(piece)
    return Trend(
        width, height, left, right, top, bottom, [f"M {' L '.join(piece)}" for piece in paths if len(piece) > 1], dots, (), (), False
    )


def bars(rows: Sequence[tuple[str, int, str]], *, width: float = 640, left: float = 190, thickness: float = 24) -> Bars:
    """Bars for (words, number, kind); the longest takes what room there is."""
    most = max((number for _, number, _ in rows), default=0)
    room = width - left - 70
    made = [
        Bar(
            y=round(place * thickness + 4, 1),
            width=round(max(1.5, room * number / most), 1) if number else 0,
            height=thickness - 8,
            words=words,
            number=f"{number:,}",
            kind=kind,
        )
        for place, (words, number, kind) in enumerate(rows)
    ]
    return Bars(width, max(1, len(rows)) * thickness, left, made)


def _floor(values: Sequence[float]) -> float:
    least = min(values, default=0.0)
    return next(floor for floor in _FLOORS if least >= floor)
