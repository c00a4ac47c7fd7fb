"""What goes into the deciders and what comes out; shared by both, so it holds no judgement.  Imports rules.model only."""

from __future__ import annotations

from collections.abc import Sequence

from rules.model import Candidate, Decision, Duty, Line

Item = tuple[Duty, Sequence[Candidate]]
"""An obligation and everything that was looked at as its fulfilment."""

_KEPT = 32
_DECISIONS = {line: tuple(Decision(line, index) for index in range(-1, _KEPT)) for line in Line}


def decision(line: Line, candidate: int = -1) -> Decision:
    """``Decision(line, candidate)``, made once for the small indexes that nearly all cases have: comparing is then comparing identities."""
    if candidate < _KEPT:
        return _DECISIONS[line][candidate + 1]
    return Decision(line, candidate)
