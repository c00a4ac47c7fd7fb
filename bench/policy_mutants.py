"""`python -m bench.policy_mutants [POLICY]...`: whether the timelines notice when a policy is changed.

Each mutant is a shipped policy with one thing less or otherwise: a condition, a value of a list, a limit, a flag, a code.  A mutant that
the loader refuses is counted apart; of the others, every one must make a timeline fail, but for those that mean the same (EQUAL).
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.policytests import shipped_tests
from rules.errors import PolicyError
from rules.policy import Policy, load_package, load_shipped, package_of, shipped
from rules.policytest import collect, run_timeline
from rules.timelines import Timeline
from rules.yamlsource import Key, read

WORDS = {"title", "unmet", "guidance", "false_alarm", "cites", "severity", "status", "means", "question", "id", "kind", "unit"}
"""Keys that no verdict hangs on, or without which nothing is a rule."""
ENUMERATIONS = {"compare": ("day", "moment"), "if_none": ("true", "false", "unknown"), "of": ("episode", "attempt")}
EQUAL = {
    ("cfss", "rules C12 warn"): "7 days is what holds where nothing is said",
    ("strengthening_families", "terms qualifying_visit once_per"): "nothing counts these visits: it only makes a data query",
}
"""Mutants that mean the same as what they were made from, and why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A place in the policy and what becomes of it (GONE: nothing)."""

    path: tuple[Key, ...]
    value: Any


GONE = object()


def mutants(node: Any, path: tuple[Key, ...] = (), *, tested: bool = False) -> Iterator[Mutant]:
    """Every mutant of a part of a policy.  ``tested``: it stands in a condition, where texts are codes."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            inside = tested or key in ("where", "that", "itself")
            if key in WORDS and not tested:
                continue
            if len(path) > 1:
                yield Mutant((*path, key), GONE)
            yield from mutants(value, (*path, key), tested=inside)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            if len(node) > 1 and len(path) > 1:
                yield Mutant((*path, index), GONE)
            yield from mutants(value, (*path, index), tested=tested)
    elif isinstance(node, bool):
        yield Mutant(path, not node)
    elif isinstance(node, int):
        yield Mutant(path, node + 1)
        if node:
            yield Mutant(path, node - 1)
    elif isinstance(node, str) and path[-1] in ENUMERATIONS:
        yield from (Mutant(path, other) for other in ENUMERATIONS[str(path[-1])] if other != node)
    elif isinstance(node, str) and tested and not node.startswith("$"):
        yield Mutant(path, "something_else")


def applied(mutant: Mutant, data: Mapping[str, Any]) -> str:
    """The text of the policy with the change (JSON is YAML)."""
    changed: Any = copy.deepcopy(data)
    inner = changed
    for key in mutant.path[:-1]:
        inner = inner[key]
    if mutant.value is GONE:
        del inner[mutant.path[-1]]
    else:
        inner[mutant.path[-1]] = mutant.value
    return json.dumps(changed)


def named(mutant: Mutant, data: Mapping[str, Any]) -> str:
    """A mutant by words: ``rules C12 warn``, with what it became."""
    path: list[Key] = list(mutant.path)
    if path[0] == "rules":
        path[1] = data["rules"][path[1]]["id"]
    return " ".join(map(str, path)) + ("" if mutant.value is GONE else f" = {mutant.value}")


def noticed(policy: Policy, timelines: Sequence[Timeline], about: str) -> bool:
    """Whether a timeline fails; those about the rule are tried first."""
    policies = {name: load_shipped(name) for name in shipped()} | {policy.id: policy}
    for timeline in sorted(timelines, key=lambda one: not any(about in check.expect for check in one.checks)):
        try:
            if run_timeline(timeline, policies.__getitem__).failures:
                return True
        except (PolicyError, TypeError):
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("policies", nargs="*", choices=[[], *shipped()], metavar="POLICY")
    failed = False
    for name in parser.parse_args().policies or list(shipped()):
        path = Path(shipped()[name])
        data = read(path).data
        timelines = [timeline for timeline in collect([shipped_tests()]) if name in timeline.policies]
        files = dict(package_of(load_shipped(name)).files)
        counts: Counter[str] = Counter()
        began = time.monotonic()
        parts = {group: data[group] for group in ("parameters", "terms", "anchors", "collections", "rules") if group in data}
        for mutant in mutants(parts):
            words = named(mutant, data)
            try:
                policy = load_package({**files, path.name: applied(mutant, data)}, path.name)
            except PolicyError:
                counts["refused"] += 1
                continue
            if (name, words) in EQUAL:
                counts["equal"] += 1
            elif noticed(policy, timelines, words.split()[1]):
                counts["noticed"] += 1
            else:
                counts["unnoticed"] += 1
                print(f"{name}: nothing notices {words}", flush=True)
        failed |= counts["unnoticed"] > 0
        told = ", ".join(f"{number} {word}" for word, number in counts.items())
        print(f"{name}: {sum(counts.values())} mutants: {told}; {time.monotonic() - began:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
