"""The order of severities, for sorting; an unknown one sorts last.  Imports nothing."""

from __future__ import annotations

SEVERITIES = ("critical", "high", "medium", "low", "advisory")


def rank(severity: str) -> int:
    """0 for the most severe."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
