"""Versions of one policy that do not follow one another: the same day, the same name, or a rule that is simply gone."""

from __future__ import annotations

from collections.abc import Iterator

from rules.clock import iso
from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    same = [other for other in subject.others if other.id == policy.id and other.digest != policy.digest]
    for other in same:
        where = f"{other.path or 'the version in force'}"
        if other.effective == policy.effective:
            yield ("effective",), f"{where} is effective from {iso(policy.effective)} too: of two versions one must come first"
        if other.version == policy.version:
            yield ("version",), f"{where} calls itself version {policy.version!r} too, and says something else"
        elif _later(policy.version, other.version) and policy.effective < other.effective:
            yield ("effective",), f"version {policy.version} would begin on {iso(policy.effective)}, before version {other.version}"
    before = max((o for o in same if o.effective < policy.effective), key=lambda o: o.effective, default=None)
    if before is not None:
        gone = [rule.id for rule in before.rules if rule.status != "retired" and rule.id not in {r.id for r in policy.rules}]
        if gone:
            yield ("rules",), f"version {before.version} has {', '.join(gone)}, and this one does not: keep a rule as `status: retired`"


def _later(one: str, other: str) -> bool:
    try:
        return tuple(map(int, one.split("."))) > tuple(map(int, other.split(".")))
    except ValueError:
        return False


CHECK = Check(
    "L125",
    WARNING,
    "Versions of one policy have the same effective day or name, come in the wrong order, or drop a rule without retiring it.",
    run,
    "Give each version a name and an effective day of its own, in order.",
)
