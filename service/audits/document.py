"""The report of an audit, made from the tally of all its cases.  Pure; imports rules/ and service.audits.report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rules.clock import iso
from rules.model import Verdict, rfc3339
from rules.policy import Policy
from service.audits.report import EDGES, OUTCOMES, Report, summed
from service.audits.shape import Results, Verification
from service.audits.tally import ENDED_BEFORE_DUE, MOVES, Key, Tally, in_order
from store.audits import Audit

_DRAWN = ("case", "episode", "policy", "rule", "obligation", "verdict", "reason", "status", "due_on", "satisfied_on", "days_late")
_ENDED = ("case", "episode", "policy", "rule", "obligation", "due_on", "team", "office")


def document(*, audit: Audit, policies: Sequence[Policy], tally: Tally, sample: Sequence[tuple[Verdict, str]]) -> Report:
    """The whole report.  ``policies``: the versions that judged.  ``sample``: what was drawn, each with its sentence."""
    zone = policies[0].zone
    scope = audit.scope
    head = {
        "kind": audit.kind,
        "as_of": rfc3339(audit.as_of),
        "as_of_on": iso(zone.day_of(audit.as_of)),
        "known_at": rfc3339(audit.known_at),
        "known_on": iso(zone.day_of(audit.known_at)),
        "zone": policies[0].zone_name,
        "position": audit.position,
        "heartbeat": audit.heartbeat,
        "lines": audit.lines,
        "seed": audit.seed,
        "sample_size": audit.sample,
        "edges": list(EDGES),
        "scope": {
            "policies": _listed(scope.policies),
            "program": scope.program,
            "teams": _listed(scope.teams),
            "offices": _listed(scope.offices),
            "since": scope.since,
            "until": scope.until,
        },
        "policies": [_policy(policy) for policy in policies],
        "limited": False,
    }
    return summed(head, _results(tally, sample), _verification(tally) if audit.kind == "full" else None)


def _results(tally: Tally, sample: Sequence[tuple[Verdict, str]]) -> Results:
    drawn = Counter((verdict.team, verdict.office, verdict.verdict.value) for verdict, _ in sample)
    ended = sum(counts[0] for key, counts in tally.reasons.items() if key[-1] == ENDED_BEFORE_DUE)
    made: Mapping[str, Any] = {
        "places": _rows(tally.places, ("team", "office"), ("cases", "with_breaches")),
        "rows": _rows(tally.rows, ("policy", "rule", "severity", "status", "team", "office", "month"), OUTCOMES),
        "reasons": _rows(tally.reasons, ("policy", "rule", "status", "team", "office", "verdict", "reason"), ("obligations",)),
        "timeliness": [
            {
                **dict(zip(("policy", "rule", "status", "team", "office", "what"), key, strict=True)),
                **dict(zip(("obligations", "days", "longest"), counts, strict=False)),
                "bins": counts[3:],
            }
            for key, counts in in_order(tally.timeliness)
        ],
        "movements": _rows(tally.movements, ("policy", "rule", "severity", "team", "office"), (*MOVES, "waived")),
        "ended_before_due": [dict(zip(_ENDED, one, strict=True)) for one in tally.ended],
        "ended_unlisted": ended - len(tally.ended),
        "strata": [
            {"team": team, "office": office, "verdict": verdict, "cases": counts[0], "drawn": drawn[team, office, str(verdict)]}
            for (team, office, verdict), counts in in_order(tally.strata)
        ],
        "sample": [_sample(verdict, words) for verdict, words in sorted(sample, key=_by_stratum)],
        "queries": _rows(tally.queries, ("team", "office", "code"), ("count",)),
        "failures": [{"case": case, "why": why} for case, why in tally.failures],
        "failed": tally.failed,
    }
    return cast("Results", made)


def _verification(tally: Tally) -> Verification:
    compared, differing, *left_out = tally.compared
    found = sum(counts[0] for counts in tally.differences.values())
    made: Mapping[str, Any] = {
        "compared": compared,
        "differing": differing,
        "left_out": dict(zip(("waiting", "judged_since", "never_judged"), left_out, strict=True)),
        "rows": _rows(tally.differences, ("policy", "rule", "team", "office", "kind"), ("obligations",)),
        "items": tally.items,
        "unlisted": found - len(tally.items),
    }
    return cast("Verification", made)


def _rows(counts: Mapping[Key, Sequence[int]], names: Sequence[str], values: Sequence[str]) -> list[dict[str, Any]]:
    return [{**dict(zip(names, key, strict=True)), **dict(zip(values, numbers, strict=True))} for key, numbers in in_order(counts)]


def _by_stratum(one: tuple[Verdict, str]) -> tuple[Any, ...]:
    verdict = one[0]
    return (verdict.team or "", verdict.office or "", OUTCOMES.index(verdict.verdict.value), verdict.key)


def _sample(verdict: Verdict, words: str) -> dict[str, Any]:
    facts = verdict.as_dict()
    return {**{name: facts[name] for name in _DRAWN}, "team": verdict.team, "office": verdict.office, "sentence": words}


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "policy": policy.id,
        "title": policy.title,
        "version": policy.version,
        "digest": policy.digest,
        "effective": iso(policy.effective),
        "zone": policy.zone_name,
        "parameters": dict(policy.values),
        "rules": [
            {
                "rule": rule.id,
                "title": rule.title,
                "severity": rule.severity,
                "status": rule.status,
                "citation": f"{policy.documents.get(rule.citation.document, rule.citation.document)}, {rule.citation.at}",
            }
            for rule in policy.rules
        ],
    }


def _listed(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
