"""The report of a backtest: one document whose bytes say what was compared and nothing of when or by whom.  Pure; imports rules/.

``document`` makes it from the tally of all cases, ``text_of`` its bytes, ``cut`` what of it a reader limited to teams or offices
may see.  Sums are made from the rows that are left, so a cut report adds up by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rules.clock import iso
from rules.comparison import Change
from rules.model import rfc3339
from rules.policy import Policy
from service.backtests.tally import Tally

FORMAT = 1
_BREACHES = ("breached", "late")
Sees = Callable[[str | None, str | None], bool]
"""Whether a reader may see what belongs to this team and office."""


def document(
    *, candidate: Policy, base: Sequence[Policy], as_of: int, known_at: int, position: int, since: str | None, tally: Tally
) -> dict[str, Any]:
    """The whole report.  The same versions, instants, position and record give the same document."""
    found = tally.as_dict()
    whole = {
        "format": FORMAT,
        "policy": candidate.id,
        "title": candidate.title,
        "candidate": _version(candidate),
        "base": [_version(policy) for policy in base],
        "as_of": rfc3339(as_of),
        "as_of_on": iso(candidate.zone.day_of(as_of)),
        "known_at": rfc3339(known_at),
        "known_on": iso(candidate.zone.day_of(known_at)),
        "position": position,
        "since": since,
        "limited": False,
        "rules": _rules(candidate, base),
        "places": [dict(zip(("team", "office", "judged", "unchanged"), row, strict=True)) for row in found["cases"]],
        "rows": [dict(zip(("rule", "team", "office", "change", "obligations", "cases"), row, strict=True)) for row in found["rows"]],
        "transitions": [
            dict(zip(("rule", "team", "office", "before", "after", "obligations"), row, strict=True)) for row in found["transitions"]
        ],
        "samples": found["samples"],
        "failures": [{"case": case, "why": why} for case, why in found["failures"]],
        "failed": found["failed"],
    }
    return whole | {"totals": _totals(whole)}


def text_of(report: Mapping[str, Any]) -> str:
    """The report as it is kept: JSON, its keys in order, nothing between them."""
    return json.dumps(report, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """SHA-256 (hex) of a report's bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def cut(report: Mapping[str, Any], sees: Sees) -> dict[str, Any]:
    """What of a report a limited reader may see, with sums of that alone.

    Cases that could not be judged belong to no team that anybody knows of, so they are left out, their number included.
    """

    def kept(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if sees(row["team"], row["office"])]

    lists = {name: kept(report[name]) for name in ("places", "rows", "transitions", "samples")}
    less = {**report, **lists, "failures": [], "failed": 0, "limited": True}
    return less | {"totals": _totals(less)}


def _totals(report: Mapping[str, Any]) -> dict[str, Any]:
    """Sums over all rules and places that the report holds."""
    judged = sum(row["judged"] for row in report["places"])
    unchanged = sum(row["unchanged"] for row in report["places"])
    changes: Counter[str] = Counter()
    for row in report["rows"]:
        changes[row["change"]] += row["obligations"]
    compared = sum(row["obligations"] for row in report["transitions"])
    return {
        "cases": {"judged": judged, "unchanged": unchanged, "changed": judged - unchanged, "failed": report["failed"]},
        "obligations": {
            "compared": compared,
            "same": compared - changes.total(),
            **{change.value: changes[change.value] for change in Change},
        },
        "breaches": {
            side: sum(row["obligations"] for row in report["transitions"] if row[side] in _BREACHES) for side in ("before", "after")
        },
    }


def _version(policy: Policy) -> dict[str, Any]:
    return {"version": policy.version, "digest": policy.digest, "effective": iso(policy.effective), "parameters": dict(policy.values)}


def _rules(candidate: Policy, base: Sequence[Policy]) -> list[dict[str, Any]]:
    """The rules of both sides in the candidate's order, then those that it has no longer; ``before`` and ``after`` are statuses."""
    old = {rule.id: rule for policy in base for rule in policy.rules}
    new = {rule.id: rule for rule in candidate.rules}
    return [
        {
            "rule": name,
            "title": (new.get(name) or old[name]).title,
            "severity": (new.get(name) or old[name]).severity,
            "before": old[name].status if name in old else None,
            "after": new[name].status if name in new else None,
        }
        for name in [*new, *(name for name in old if name not in new)]
    ]
