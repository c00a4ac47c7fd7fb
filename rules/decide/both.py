"""Both deciders on every obligation: what they do not agree on is shown as neither breach nor compliance.

Imports the two deciders and rules.model.  Nothing is logged here: a disagreement is handed to the caller's observer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rules.decide import ruleset, table
from rules.decide.items import Item, decision
from rules.errors import EngineError
from rules.model import Decision, Line

Deciders = Literal["both", "table"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The deciders did not say the same of the obligation at ``index``; ``ruleset`` is None where it gave no answer.

    ``settled``: asked again for this obligation alone, they agreed, and that answer was used.
    """

    index: int
    table: Decision
    ruleset: Decision | None
    settled: bool
    error: str = ""


Observer = Callable[[Disagreement], None]
_local = threading.local()


def mode() -> Deciders:
    """Which deciders judge here: both, or the table alone where durable-rules cannot be had (Python 3.13 and later)."""
    return "both" if ruleset.engine() is not None else "table"


def decide(
    items: Sequence[Item],
    now: int,
    *,
    deciders: Deciders | None = None,
    on_disagreement: Observer | None = None,
) -> list[Decision]:
    """The line that holds for each obligation at ``now`` (ms), by both deciders (``deciders`` None: by what ``mode()`` says).

    Where they differ, and where the ruleset fails, the obligations concerned are asked again singly; one on which they still do
    not agree gets ``Line.DISAGREE``.  ``on_disagreement`` is told of each.  Raises EngineError where both are demanded and
    durable-rules is not there.
    """
    wanted = table.decide(items, now)
    if not items or (deciders or mode()) == "table":
        return wanted
    if ruleset.engine() is None:
        raise EngineError("both deciders are demanded, and durable-rules is not available")
    try:
        found: Sequence[Decision | None] = _ruleset().decide(items, now)
    except EngineError as fault:
        found, error = [None] * len(items), str(fault)
    else:
        if found == wanted:
            return wanted
        error = ""
    return [
        said if said == other else _again(index, items[index], now, said, other, error, on_disagreement)
        for index, (said, other) in enumerate(zip(wanted, found, strict=True))
    ]


def _again(
    index: int, item: Item, now: int, said: Decision, other: Decision | None, error: str, on_disagreement: Observer | None
) -> Decision:
    try:
        again: Decision | None = _ruleset().decide([item], now)[0]
    except EngineError as fault:
        again, error = None, str(fault)
    settled = again == said
    if on_disagreement is not None:
        on_disagreement(Disagreement(index, said, other if settled else again, settled, error))
    return said if settled else decision(Line.DISAGREE)


def _ruleset() -> ruleset.Ruleset:
    """This thread's engine.  One that came over a fork is left alone, not closed: it is its maker's."""
    mine: ruleset.Ruleset | None = getattr(_local, "ruleset", None)
    if mine is None or not mine.mine:
        mine = _local.ruleset = ruleset.Ruleset()
    return mine
