"""What is stored of a case, held against what judging it anew has found.  Pure; imports rules.model and service.reconcile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rules.model import Verdict
from service.reconcile import condition_of, opens, snapshot
from store.ids import Key


def differences(
    stored: Mapping[Key, Verdict], found: Sequence[Verdict], conditions: Mapping[Key, str], *, within: Callable[[Verdict], bool]
) -> list[dict[str, Any]]:
    """Every obligation whose stored verdict, or breach, is not what was found, in order of what they are about.

    ``conditions``: of the breaches on record.  ``within``: whether a verdict lies in the scope.
    """
    judged = {verdict.key: verdict for verdict in found}
    differing = []
    for key in sorted(stored.keys() | judged.keys() | conditions.keys()):
        before, after = stored.get(key), judged.get(key)
        owner = after or before
        if owner is None or not within(owner):
            continue
        kind, old, new = _difference(before, after, conditions.get(key))
        if kind is not None:
            names = ("case", "episode", "policy", "rule", "obligation")
            about = dict(zip(names, key, strict=True))
            differing.append({**about, "team": owner.team, "office": owner.office, "kind": kind, "stored": old, "found": new})
    return differing


def _difference(before: Verdict | None, after: Verdict | None, condition: str | None) -> tuple[str | None, Any, Any]:
    if before is None:
        return "missing", None, _facts(after)
    if after is None:
        return "surplus", _facts(before), None
    old, new = snapshot(before), snapshot(after)
    if old != new:
        names = [name for name in new if old[name] != new[name]]
        return "different", {name: old[name] for name in names}, {name: new[name] for name in names}
    expected = str(condition_of(after)) if condition is not None or opens(after) else None
    if condition != expected:
        return "breach", {"condition": condition}, {"condition": expected}
    return None, None, None


def _facts(verdict: Verdict | None) -> dict[str, Any] | None:
    return None if verdict is None else snapshot(verdict)
