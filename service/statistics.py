"""How well requirements are met: rates with their denominators, month by month, by rule and team, and how early or late.

The count behind them is made ahead by a worker whom the sweeper tells (``keep_up``), as often as its own cost allows, and says of when it
is; nothing that a page shows makes the store read every verdict.  Imports store/ and service/.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from service.bootstrap import Service
from service.logs import get
from service.rates import Share, Timeliness, gathered, months
from store import removedcounts, tallies
from store.queries import rates as stored
from store.queries.narrow import Scope, Where
from store.tallies import AHEAD, EARLIER, NO_DAY

SHOWN = 12
"""Months that a trend shows, the present one included."""
KEPT = 25
"""Months that are told apart in the count."""
LEAST_MS = 30_000
COST = 50
"""A count may be made anew after so many times as long as it took: it never takes more than a fiftieth of one machine's time."""
AT_LEAST_EVERY = 3_600_000
LONGEST_CLAIM = 900_000
MOST_BOARDS = 256

_log = get("statistics")


@dataclass(frozen=True, slots=True)
class Month:
    """What was due in one month.  ``whole``: the month was over when it was counted."""

    name: str
    whole: bool
    share: Share


@dataclass(frozen=True, slots=True)
class Line:
    """A rule (``policy``, ``rule``) or a team over the months shown; ``name`` of None: what has no team."""

    policy: str
    name: str | None
    share: Share
    months: Sequence[Share]


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of what somebody may see, counted at ``counted_at`` (ms), over the months from ``first`` to ``last`` (days, inclusive).

    ``outside``: what stands in no month, by span: ``none`` (no due day), ``ahead`` (the day is not over) and ``earlier``.
    """

    counted_at: int
    first: dt.date
    last: dt.date
    months: Sequence[Month]
    total: Share
    rules: Sequence[Line]
    teams: Sequence[Line]
    timeliness: Timeliness
    outside: Mapping[str, Share]


def keep_up(svc: Service) -> bool:
    """Count anew where something has changed and the time for it has come; whether it was done."""
    return due(svc) and refresh(svc)


def due(svc: Service) -> bool:
    """Whether something has changed and the time has come to count anew."""
    now = svc.now()
    with svc.reading() as session:
        before, seen = tallies.state(session), tallies.last_change(session)
    if before.counted_at is not None:
        age = now - before.counted_at
        return not (0 <= age < max(LEAST_MS, COST * before.took) or (0 <= age < AT_LEAST_EVERY and seen == before.seen))
    return bool(seen)


def refresh(svc: Service) -> bool:
    """Count all verdicts as they stand now; False where another machine is at it."""
    now = svc.now()
    with svc.writing() as session:
        if not tallies.claim(session, now, now + LONGEST_CLAIM):
            return False
    began = time.monotonic()
    over = _over(svc, now)
    with svc.reading() as session:
        seen = tallies.last_change(session)
        first_month = months(_last(over, now).isoformat()[:7], KEPT)[0]
        rows = tallies.count(session, over=over, first_month=first_month) + removedcounts.alike(session, first_month=first_month)
    took = int((time.monotonic() - began) * 1000)
    with svc.writing() as session:
        tallies.keep(session, rows, now=now, took=took, seen=seen)
    _log.info("verdicts_counted", groups=len(rows), took_ms=took)
    return True


class Statistics:
    """Boards, each put together once for one count: of readers who see the same, all but the first find it made."""

    def __init__(self, svc: Service) -> None:
        self._svc = svc
        self._counted_at: int | None = None
        self._made: dict[tuple[Scope, Where], Board] = {}

    def board(self, scope: Scope, where: Where | None = None) -> Board | None:
        """The figures over what ``scope`` lets see, of enforced rules; None where nothing has been counted yet.

        ``where`` may narrow by policy, rule, severity, team and office.
        """
        narrowed = replace(where if where is not None else Where(), status=("enforced",))
        with self._svc.reading() as session:
            counted_at = tallies.state(session).counted_at
            if counted_at is None:
                return None
            if counted_at != self._counted_at or len(self._made) > MOST_BOARDS:
                self._counted_at, self._made = counted_at, {}
            key = (scope, narrowed)
            if key not in self._made:
                told = partial(stored.counted, session, where=narrowed, scope=scope)
                whole = told(by=("span", "verdict", "cause"))
                rules = told(by=("policy", "rule", "span", "verdict"))
                teams = told(by=("team", "span", "verdict"))
                timing = told(by=("span", "timing"))
                self._made[key] = _board(counted_at, _last(_over(self._svc, counted_at), counted_at), whole, rules, teams, timing)
            return self._made[key]


def _over(svc: Service, now: int) -> dict[str, str]:
    """By policy, the last local day that is over at ``now`` (ms)."""
    return {one.id: dt.date.fromordinal(one.zone.day_of(now) - 1).isoformat() for one in svc.policies.policies}


def _last(over: Mapping[str, str], now: int) -> dt.date:
    """The last day that is over anywhere."""
    elsewhere = dt.datetime.fromtimestamp(now / 1000, dt.UTC).date() - dt.timedelta(days=1)
    return max((dt.date.fromisoformat(day) for day in over.values()), default=elsewhere)


def _board(
    counted_at: int,
    last: dt.date,
    whole: Sequence[stored.Counted],
    rules: Sequence[stored.Counted],
    teams: Sequence[stored.Counted],
    timing: Sequence[stored.Counted],
) -> Board:
    names = months(last.isoformat()[:7], SHOWN)
    shown = set(names)
    month_end = (last.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    by_span = _by_span((span, outcome, cause, number) for (span, outcome, cause), number in whole)
    older = [share for span, share in by_span.items() if span not in shown and span not in (AHEAD, NO_DAY)]
    outside = {NO_DAY: by_span.get(NO_DAY, Share()), AHEAD: by_span.get(AHEAD, Share()), EARLIER: _together(older)}
    late: dict[int, int] = {}
    for (span, code), number in timing:
        if span in shown and code is not None:
            late[code] = late.get(code, 0) + number
    return Board(
        counted_at=counted_at,
        first=dt.date.fromisoformat(f"{names[0]}-01"),
        last=last,
        months=[Month(name, name < names[-1] or last == month_end, by_span.get(name, Share())) for name in names],
        total=_together(by_span[name] for name in names if name in by_span),
        rules=_lines(names, [((policy, rule), span, outcome, number) for (policy, rule, span, outcome), number in rules]),
        teams=_lines(names, [(("", team), span, outcome, number) for (team, span, outcome), number in teams]),
        timeliness=Timeliness(late),
        outside=outside,
    )


def _lines(names: Sequence[str], counted: Iterable[tuple[tuple[str, str | None], str, str, int]]) -> list[Line]:
    """One line for each key, in order; what was never due in these months has none."""
    grouped: dict[tuple[str, str | None], list[tuple[str, str, str, int]]] = {}
    for key, span, outcome, number in counted:
        if span in names:
            grouped.setdefault(key, []).append((span, outcome, "", number))
    lines = []
    for (policy, name), pieces in sorted(grouped.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")):
        spans = _by_span(pieces)
        lines.append(Line(policy, name, _together(spans.values()), [spans.get(month, Share()) for month in names]))
    return lines


def _by_span(pieces: Iterable[tuple[str, str, str, int]]) -> dict[str, Share]:
    sorted_out: dict[str, list[Any]] = {}
    for span, outcome, cause, number in pieces:
        sorted_out.setdefault(span, []).append((outcome, cause, number))
    return {span: gathered(found) for span, found in sorted_out.items()}


def _together(shares: Iterable[Share]) -> Share:
    total = Share()
    for share in shares:
        total = total.plus(share)
    return total
