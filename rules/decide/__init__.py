"""Obligations and their evidence in, lines of the decision table out; by two deciders that must agree."""

from __future__ import annotations

from rules.decide.both import Deciders, Disagreement, Observer, decide, mode
from rules.decide.items import Item

__all__ = ["Deciders", "Disagreement", "Item", "Observer", "decide", "mode"]
