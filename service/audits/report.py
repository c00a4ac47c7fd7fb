"""The report of an audit: what it holds, and how its bytes are made.  Pure; imports rules.model and service.audits.shape.

The bytes say what was judged and what came out, and nothing of when or by whom: the same policies, instants, record and scope give the
same bytes.  What is counted is kept by rule, team, office and month, so that a report can be cut to what a reader may see; every sum
and rate is made from the rows that are left.  Sign-offs stand beside a report, not in it.  What it holds stands in service.audits.shape.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from rules.model import Outcome
from service.audits.shape import Group, LeftOut, Report, Results, Row, Verification

__all__ = ["EDGES", "FORMAT", "JUDGED", "OUTCOMES", "SMALL", "Report", "Sees", "cut", "digest_of", "summed", "text_of"]

FORMAT = 1
OUTCOMES = tuple(outcome.value for outcome in Outcome)
JUDGED = ("met", "late", "breached", "excused")
"""What was due and could be judged: the denominator of every rate.  The rest stands beside it, never in it."""
SMALL = 10
"""A rate over fewer obligations than this is marked as small."""
EDGES = (-56, -28, -14, -7, -3, -1, 0, 3, 7, 14, 28, 56)
"""Days after the due day (negative: before it) at which a bin of a distribution ends; one more bin holds what is later."""
Sees = Callable[[str | None, str | None], bool]
"""Whether a reader may see what belongs to this team and office."""


def text_of(report: Mapping[str, Any]) -> str:
    """A report as it is kept: JSON, its keys in order, nothing between them."""
    return json.dumps(report, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a report's bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def summed(head: Mapping[str, Any], results: Results, verification: Verification | None) -> Report:
    """A report with its tables and totals, made from its rows."""
    enforced = [row for row in results["rows"] if row["status"] == "enforced"]
    shadow = [row for row in results["rows"] if row["status"] != "enforced"]
    tables = {name: _table(enforced, name) for name in ("rule", "severity", "team", "office", "month")}
    ended = sum(one["obligations"] for one in results["reasons"] if one["reason"] == "ended_before_due")
    totals = {
        "cases": sum(place["cases"] for place in results["places"]),
        "cases_with_breaches": sum(place["with_breaches"] for place in results["places"]),
        "failed": results["failed"],
        "all": _group(None, enforced),
        "shadow": _group(None, shadow),
        "ended_before_due": ended,
        "differences": None if verification is None else sum(row["obligations"] for row in verification["rows"]),
    }
    made = {
        **head,
        "format": FORMAT,
        "results_digest": digest_of(text_of(results)),
        "results": results,
        "tables": tables,
        "totals": totals,
        "verification": verification,
    }
    return cast("Report", made)


def cut(report: Report, sees: Sees) -> Report:
    """What of a report a limited reader may see, with sums of that alone.

    Cases that could not be judged belong to no team that anybody knows of, so they are left out, their number included.
    """

    def kept(rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if sees(row["team"], row["office"])]

    found = report["results"]
    lists = ("places", "rows", "reasons", "timeliness", "movements", "ended_before_due", "strata", "sample", "queries")
    results = cast("Results", {**found, **{name: kept(cast("dict[str, Any]", found)[name]) for name in lists}})
    results["failures"], results["failed"] = [], 0
    listed = len(results["ended_before_due"])
    results["ended_unlisted"] = sum(one["obligations"] for one in results["reasons"] if one["reason"] == "ended_before_due") - listed
    checked = report["verification"]
    if checked is not None:
        rows, items = kept(checked["rows"]), kept(checked["items"])
        differing = len({one["case"] for one in items})
        unlisted = sum(row["obligations"] for row in rows) - len(items)
        none: LeftOut = {"waiting": 0, "judged_since": 0, "never_judged": 0}
        compared = sum(place["cases"] for place in results["places"])
        checked = {"compared": compared, "differing": differing, "left_out": none, "rows": rows, "items": items, "unlisted": unlisted}
    head = {name: value for name, value in report.items() if name not in ("results", "tables", "totals", "verification")}
    return summed({**head, "limited": True}, results, checked)


def _table(rows: Iterable[Row], by: str) -> list[Group]:
    groups: dict[tuple[str | None, str | None], list[Row]] = {}
    for row in rows:
        value: str | None = cast("dict[str, Any]", row)[by]
        groups.setdefault((row["policy"] if by == "rule" else None, value), []).append(row)
    order = sorted(groups, key=lambda key: [(part is not None, part or "") for part in key])
    return [_group(value, groups[policy, value], policy) for policy, value in order]


def _group(value: str | None, rows: Iterable[Row], policy: str | None = None) -> Group:
    counts = dict.fromkeys(OUTCOMES, 0)
    for row in rows:
        for outcome in OUTCOMES:
            counts[outcome] += cast("dict[str, Any]", row)[outcome]
    judged = sum(counts[outcome] for outcome in JUDGED)
    rates = {f"{name}_rate": round(counts[name] / judged, 4) if judged else None for name in ("met", "late", "breached")}
    return cast("Group", {"value": value, "policy": policy, **counts, "judged": judged, **rates, "small": judged < SMALL})
