"""How `duecare policy test` tells its results.  Imports click and rules.*."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import complain, plural

if TYPE_CHECKING:
    from rules.policy import Policy
    from rules.policytest import Result


def shipped_tests() -> Path:
    """The folder of the tests that come with the product."""
    import rules

    return Path(rules.__path__[0]) / "policies" / "tests"


def report(results: Sequence[Result], *, form: str, policies: Sequence[Policy]) -> None:
    """Prints what failed and a summary; with ``policies``, which verdicts of which of their rules were expected."""
    if form == "junit":
        _junit(results)
    else:
        for result in results:
            if result.failures:
                place = result.timeline.place()
                click.echo(f"{click.style('FAILED', fg='red')} {result.timeline.name}  ({place})")
                for failure in result.failures:
                    click.echo(f"  {failure}")
        passed = sum(result.passed for result in results)
        failed = sum(len(result.failures) for result in results)
        complain(f"{plural(len(results), 'timeline')}: {passed:,} passed, {failed:,} failed.")
    for policy in policies:
        _coverage(policy, results)


def _junit(results: Sequence[Result]) -> None:
    from cli.junit import Case, write

    cases = []
    for result in results:
        detail = "\n".join(f"{failure.place}  {failure}" for failure in result.failures)
        failure = f"{plural(len(result.failures), 'expectation')} did not hold" if result.failures else None
        cases.append(Case(result.timeline.place(), result.timeline.name, failure, None, detail))
    write(cases, name="duecare policy test")


def _coverage(policy: Policy, results: Sequence[Result]) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for result in results:
        for (policy_id, rule_id, verdict), count in result.seen.items():
            if policy_id == policy.id:
                seen[rule_id, verdict] += count
    complain(f"\n{policy.id}: verdicts that the tests expect")
    for rule in policy.rules:
        counts = {verdict: count for (seen_rule, verdict), count in sorted(seen.items()) if seen_rule == rule.id}
        shown = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
        complain(f"  {rule.id}  {shown or click.style('none', fg='red')}")
