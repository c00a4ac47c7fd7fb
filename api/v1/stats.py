"""Counts and rates, each with its denominator.  Thin over store.queries and service.rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Operations
from api.v1 import schemas
from api.v1.lists import Narrowing, scope_of
from service import rates
from store.queries import casework, counts
from store.queries import rates as stored
from store.queries.paging import MAX_LIMIT

operations = Operations("statistics", "Figures over what a key may read. Every rate stands beside the count that it is a rate of.")

RuleStatus = Literal["draft", "shadow", "enforced", "retired"]
Group = Literal["policy", "rule", "severity", "team", "office", "worker", "status", "month"]


class StatsQuery(Narrowing):
    """Which findings are counted, and by what."""

    by: list[Group] = Field(
        default_factory=lambda: list[Group](["policy", "rule"]),
        min_length=1,
        max_length=4,
        description="may be repeated; month: of the due day",
    )
    status: list[RuleStatus] = Field(default_factory=list, max_length=4, description="of the rule; may be repeated")
    timeliness: bool = Field(default=False, description="also how early or late things were done")


@operations.get("/v1/stats", scope="breaches:read", query=StatsQuery, answers={200: Answer("Counts and rates.", schemas.Stats)})
def show_stats(query: StatsQuery) -> Any:
    """Count verdicts and breaches.

    `judged` is `met + late + breached + excused`: what was due and could be judged. What is pending, unknown or does not apply counts
    in no rate, and stands beside it in `verdicts`; `small` marks rates over fewer than 10. With `by=month`, the trend. With
    `timeliness`, how early or late things were done, over all groups together.
    """
    by = list(dict.fromkeys(query.by))
    scope = scope_of(current_access())
    with service().reading() as session:
        facets = counts.all_breaches(session, where=query.where(), scope=scope)
        where = query.where(status=tuple(query.status))
        tallies = counts.tallies(session, by=by, where=where, scope=scope)
        cases = casework.count_cases(session, scope=scope)
        days = stored.days_from_due(session, where=where, scope=scope) if query.timeliness else None
    return {
        "cases": cases,
        "breaches": {"total": facets.total, "by": {name: _named(values) for name, values in facets.by.items()}},
        "groups": [_group(by, tally) for tally in tallies],
        "truncated": len(tallies) >= MAX_LIMIT,
    } | ({} if days is None else {"timeliness": _timeliness(days)})


def _named(values: Any) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in values.items()]


def _timeliness(days: Mapping[int, int]) -> dict[str, Any]:
    found = rates.timeliness(days)
    return {
        "total": found.total,
        "small": found.small,
        "by": [{"done": words, "count": number} for _, words, number in found.rows()],
        "median_days": rates.quantile(days, 0.5),
        "p90_days": rates.quantile(days, 0.9),
    }


def _group(by: list[Group], tally: counts.Tally) -> dict[str, Any]:
    share = rates.Share(tally.outcomes)
    judged = share.judged
    late = tally.outcomes.get("late", 0)
    return {
        "group": dict(zip(by, tally.group, strict=True)),
        "verdicts": dict(tally.outcomes),
        "judged": judged,
        "small": share.small,
        "met_rate": share.rate,
        "late_rate": share.share("late"),
        "breached_rate": share.share("breached"),
        "mean_days_late": tally.days_late / late if late else None,
        "most_days_late": tally.most_days_late if late else None,
    }
