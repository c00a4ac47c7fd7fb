"""Events that a selector looked at, each with the answer, and what can be said of several: the first, the last, the n-th of them.

Moments may be unknown and answers unclear, so of each question all possible answers are given.  Imports the history and matching.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rules.course import dig
from rules.history import Entry
from rules.lean import lean
from rules.matching import YES, Answer
from rules.model import NO, SURE, UNCLEAR, Candidate, Fit

MOMENT = "day_without_moment"


@lean
class Hit:
    """An event that a selector looked at, with the answer."""

    entry: Entry
    fit: Fit
    text: str = ""

    def candidate(self) -> Candidate:
        return Candidate(self.entry.first, self.entry.last, self.fit, (self.entry.id,), self.text if self.fit is UNCLEAR else "")


def alike(data: Mapping[str, Any], other: Mapping[str, Any], path: str, *, absent_too: bool = False) -> Answer:
    """Whether two events have the same value at a path."""
    mine, theirs = dig(data, path), dig(other, path)
    if mine is None or theirs is None:
        if absent_too:
            return YES if mine is theirs else (NO, f"{path} is another")
        return UNCLEAR, path
    return YES if mine == theirs else (NO, f"{path} is {mine}, not {theirs}")


def both(answers: Iterable[Answer]) -> Answer:
    """Kleene's *and*: the first NO, else the first UNCLEAR."""
    unclear: Answer | None = None
    for answer in answers:
        if answer[0] is NO:
            return answer
        if answer[0] is UNCLEAR and unclear is None:
            unclear = answer
    return unclear or YES


def possible_last(hits: Sequence[Hit]) -> list[Hit | None]:
    """Which of the hits may be the last one, given unknown moments and unclear answers; None: that there is none at all."""
    sure = [h for h in hits if h.fit is SURE]
    possible: list[Hit | None] = [
        h for h in hits if h.fit is not NO and not any(h.entry.surely_before(s.entry) for s in sure if s is not h)
    ]
    if not sure:
        possible.append(None)
    return possible


def possible_first(hits: Sequence[Hit]) -> list[Hit | None]:
    """Which of the ordered hits may be the first one that fits, given unknown moments and unclear answers; None: that none does."""
    sure = min((h for h in hits if h.fit is SURE), key=lambda h: (h.entry.last, h.entry.order), default=None)
    possible: list[Hit | None] = [
        h for h in hits if h.fit is not NO and (sure is None or h is sure or not sure.entry.surely_before(h.entry))
    ]
    return possible if sure is not None else [*possible, None]


def possible_nth(hits: Sequence[Hit], n: int) -> list[Hit | None]:
    """Which of the ordered hits may be the n-th one that fits; None: that there are fewer."""
    possible: list[Hit | None] = []
    sure = unclear = 0
    for hit in hits:
        if hit.fit is NO:
            continue
        if sure + unclear >= n - 1:
            possible.append(hit)
        if hit.fit is UNCLEAR:
            unclear += 1
        else:
            sure += 1
            if sure == n:
                break
    else:
        possible.append(None)
    return possible


def once(hits: list[Hit], alike_in: tuple[str, ...]) -> tuple[list[Hit], list[tuple[str, tuple[str, ...]]]]:
    """The hits with what several sources report paired off, the first of one source with the first of the other; and the pairs.

    What does not say whether it is the same as what another source reports may or may not count.
    """
    if not alike_in or len({hit.entry.source for hit in hits}) < 2:
        return hits, []
    groups: dict[tuple[Any, ...], dict[str, list[Hit]]] = {}
    loose: list[tuple[Hit, str]] = []
    for hit in hits:
        values = [dig(hit.entry.data, path) for path in alike_in]
        if None in values:
            loose.append((hit, alike_in[values.index(None)]))
        else:
            groups.setdefault((hit.entry.type, hit.entry.day, *values), {}).setdefault(hit.entry.source, []).append(hit)
    kept: list[Hit] = []
    twins = []
    for by_source in groups.values():
        for index in range(max(len(mine) for mine in by_source.values())):
            same = [mine[index] for mine in by_source.values() if index < len(mine)]
            kept.append(min(same, key=lambda h: (h.fit is not SURE, h.entry.order)))
            if len(same) > 1:
                twins.append((same[0].entry.type, tuple(sorted(h.entry.id for h in same))))
    for hit, path in loose:
        kept.append(Hit(hit.entry, UNCLEAR, hit.text or path) if any(_may_be_twins(hit.entry, k.entry, alike_in) for k in kept) else hit)
    return sorted(kept, key=lambda h: h.entry.order), twins


def _may_be_twins(one: Entry, other: Entry, alike_in: tuple[str, ...]) -> bool:
    """Whether two sources may report the same thing, as far as what they say goes."""
    if one.source == other.source or one.type != other.type or one.day != other.day:
        return False
    pairs = ((dig(one.data, path), dig(other.data, path)) for path in alike_in)
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)
