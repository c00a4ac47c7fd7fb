"""Obligations and candidates as the facts that the ruleset reads: the only form in which anything reaches the C module.

One shape, no optional keys, whole milliseconds and short codes; no text that a person wrote, no id of a case, person or event
(the module hashes what it compares to 32 bits).  Imports rules.model and rules.errors.

An obligation (``t: ob``)
    ``k`` number in the batch, ``state``, ``waived``, ``now``; ``lo`` and ``hi`` the earliest and the latest reading of "the last
    moment in time"; ``over`` from here on, unfulfilled is a breach; ``day`` start of the due day; ``soon``, ``end``, ``have``
    (complete until), ``need`` (how far it must be); ``mend`` until when evidence still counts.
Evidence (``t: ev``), at most two for an obligation: the sure candidates and the unclear ones
    ``k``, ``sure``; between ``lo`` and ``hi`` lies the first of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.decide.items import Item
from rules.errors import EngineError
from rules.model import NEVER, Candidate, Duty, Fit

SESSION = "c"
FIRST = f'{{"id":"begin","sid":"{SESSION}","t":"begin"}}'
LAST = f'{{"id":"end","sid":"{SESSION}","t":"end"}}'


@dataclass(frozen=True, slots=True)
class Batch:
    """``text``: the facts as a JSON array.  ``sure`` and ``unsure``: for each obligation, the candidates that give ``lo`` and ``hi``."""

    text: str
    sure: list[tuple[int, int]]
    unsure: list[tuple[int, int]]


_NONE = (-1, -1)


def batch(items: Sequence[Item], now: int) -> Batch:
    """The facts of one session: a constant one, all evidence, all obligations, a constant one.

    Raises EngineError for what the engine must never be shown: nothing at all, times that are not whole milliseconds or lie
    beyond NEVER, spans that end before they begin, an obligation with a due day and a gate.
    """
    if not items:
        raise EngineError("an empty batch")
    if type(now) is not int or not -NEVER < now < NEVER:
        raise EngineError("now is not a whole number of milliseconds")
    evidence: list[str] = []
    duties: list[str] = []
    sure: list[tuple[int, int]] = []
    unsure: list[tuple[int, int]] = []
    for k, (duty, candidates) in enumerate(items):
        duties.append(_duty(k, duty, now))
        for flag, fit, found in ((1, Fit.YES, sure), (0, Fit.UNCLEAR, unsure)):
            chosen = _interval(candidates, fit) if candidates else _NONE
            found.append(chosen)
            if chosen is not _NONE:
                lo, hi = candidates[chosen[0]].first, candidates[chosen[1]].last
                evidence.append(
                    f'{{"id":"{3 * k + 1 + flag}","sid":"{SESSION}","t":"ev","k":{k},"sure":{flag},"lo":{lo},"hi":{hi},"one":1}}'
                )
    return Batch(f"[{','.join((FIRST, *evidence, *duties, LAST))}]", sure, unsure)


def _interval(candidates: Sequence[Candidate], fit: Fit) -> tuple[int, int]:
    """The candidates of that fit with the least first and the least last moment: between these lies the first fulfilment."""
    chosen = _NONE
    for index, candidate in enumerate(candidates):
        _check(candidate.first, candidate.last)
        if candidate.fit != fit:
            continue
        if chosen is _NONE:
            chosen = (index, index)
        else:
            at, by = chosen
            chosen = (
                index if candidate.first < candidates[at].first else at,
                index if candidate.last < candidates[by].last else by,
            )
    return chosen


def _duty(k: int, duty: Duty, now: int) -> str:
    lo = hi = over = day = NEVER
    if duty.gate is not None:
        if duty.due is not None:
            raise EngineError("an obligation with a due day and a gate")
        lo, hi = duty.gate
        _check(lo, hi)
        over, day = lo, -NEVER
    elif duty.due is not None:
        day, over = duty.due
        _check(day, over)
        lo = hi = over - 1
    soon = NEVER if duty.soon is None else duty.soon
    end = NEVER if duty.ended is None else duty.ended
    have = NEVER if duty.complete_until is None else duty.complete_until
    need = -NEVER if duty.complete_needed is None else duty.complete_needed
    for time in (soon, end, have, need):
        _check(time, time)
    return (
        f'{{"id":"{3 * k}","sid":"{SESSION}","t":"ob","k":{k},"state":"{duty.state.value}","waived":{1 if duty.waived else 0},"now":{now},'
        f'"lo":{lo},"hi":{hi},"over":{over},"day":{day},"soon":{soon},"end":{end},"have":{have},"need":{need},'
        f'"mend":{NEVER if duty.curable else hi},"one":1}}'
    )


def _check(first: int, last: int) -> None:
    if type(first) is not int or type(last) is not int or not -NEVER <= first <= last <= NEVER:
        raise EngineError("a time that is not a whole number of milliseconds, or a span that ends before it begins")
