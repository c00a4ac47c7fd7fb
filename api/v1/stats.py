"""Counts and rates, each with its denominator.  Thin over store.queries.counts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Operations
from api.v1 import schemas
from api.v1.lists import Narrowing, scope_of
from store.queries import casework, counts
from store.queries.paging import MAX_LIMIT

operations = Operations("statistics", "Figures over what a key may read. Every rate stands beside the count that it is a rate of.")

Group = Literal["policy", "rule", "severity", "team", "office", "worker", "status", "month"]
JUDGED = ("met", "late", "breached", "excused")


class StatsQuery(Narrowing):
    """Which findings are counted, and by what."""

    by: list[Group] = Field(
        default_factory=lambda: list[Group](["policy", "rule"]),
        min_length=1,
        max_length=4,
        description="may be repeated; month: of the due day",
    )


@operations.get("/v1/stats", scope="breaches:read", query=StatsQuery, answers={200: Answer("Counts and rates.", schemas.Stats)})
def show_stats(query: StatsQuery) -> Any:
    """Count verdicts and breaches.

    `judged` is `met + late + breached + excused`: what was due and could be judged. What is pending, unknown or does not apply counts
    in no rate.
    """
    by = list(dict.fromkeys(query.by))
    scope = scope_of(current_access())
    with service().reading() as session:
        where = query.where()
        facets = counts.breach_facets(session, where=where, scope=scope)
        tallies = counts.tallies(session, by=by, where=where, scope=scope)
        cases = casework.count_cases(session, scope=scope)
    return {
        "cases": cases,
        "breaches": {"total": facets.total, "by": {name: _named(values) for name, values in facets.by.items()}},
        "groups": [_group(by, tally) for tally in tallies],
        "truncated": len(tallies) >= MAX_LIMIT,
    }


def _named(values: Any) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in values.items()]


def _group(by: list[Group], tally: counts.Tally) -> dict[str, Any]:
    judged = sum(tally.outcomes.get(outcome, 0) for outcome in JUDGED)
    late = tally.outcomes.get("late", 0)
    return {
        "group": dict(zip(by, tally.group, strict=True)),
        "verdicts": dict(tally.outcomes),
        "judged": judged,
        "met_rate": tally.outcomes.get("met", 0) / judged if judged else None,
        "late_rate": late / judged if judged else None,
        "breached_rate": tally.outcomes.get("breached", 0) / judged if judged else None,
        "mean_days_late": tally.days_late / late if late else None,
        "most_days_late": tally.most_days_late if late else None,
    }
