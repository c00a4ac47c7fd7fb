"""How `duecare policy test` tells its results and what the tests reach.  Imports click and rules.*."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.common import complain, plural, policy_files, policy_path

if TYPE_CHECKING:
    from rules.coverage import Coverage, Missing, Reached
    from rules.policy import Policy
    from rules.policytest import Result
    from rules.timelines import Timeline

FORMS = ("text", "json", "junit")


def shipped_tests() -> Path:
    """The folder of the tests that come with the product."""
    import rules

    return Path(rules.__path__[0]) / "policies" / "tests"


def run(timelines: Sequence[Timeline], *, coverage: bool = False, shipped: bool = False) -> tuple[list[Result], list[Reached]]:
    """Runs timelines; with ``coverage``, also what they reach of their policies (``shipped``: of the shipped ones, named or not)."""
    from rules.coverage import Coverage
    from rules.policy import load_policy
    from rules.policytest import run_timeline

    measured = Coverage() if coverage else None
    policy_of = _loader(lambda path: load_policy(path) if measured is None else measured.watch(load_policy(path)), timelines)
    results = [run_timeline(timeline, policy_of, measured) for timeline in timelines]
    if measured is None:
        return results, []
    for name in _shipped() if shipped else ():
        policy_of(name)
    return results, reached(measured, timelines)


def reached(coverage: Coverage, timelines: Sequence[Timeline]) -> list[Reached]:
    """What was reached, each rule that was never unknown looked at for whether it can be."""
    from rules.losses import how_unknown
    from rules.policy import load_policy

    policy_of = _loader(load_policy, timelines)
    ways = {(policy, rule): how_unknown(timelines, policy_of, policy, rule) for policy, rule in coverage.lacking()}
    return coverage.reached(can_be_unknown={key: how for key, how in ways.items() if how})


def _loader(load: Callable[[Path], Policy], timelines: Sequence[Timeline]) -> Callable[[str], Policy]:
    loaded: dict[Path, Policy] = {}
    beside = _beside(timelines)

    def policy_of(name: str) -> Policy:
        path = (beside.get(name) or policy_path(name)).resolve()
        if path not in loaded:
            loaded[path] = load(path)
        return loaded[path]

    return policy_of


def _beside(timelines: Sequence[Timeline]) -> dict[str, Path]:
    """The policies of the packages whose ``tests`` folders the timelines come from, by name: they come before those installed."""
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(Path(timeline.fault((), "", "").file).absolute().parent for timeline in timelines):
        if folder.name == "tests":
            for file in sorted(folder.parent.glob("*.yaml")):
                found.setdefault(file.stem, file)
    return found


def _shipped() -> list[str]:
    from rules.policy import shipped

    return [name for name in policy_files() if name in shipped()]


def report(results: Sequence[Result], *, form: str, covered: Sequence[Reached]) -> None:
    """Prints what failed and a summary, and what the tests reach and what they do not."""
    if form == "junit":
        _junit(results, covered)
    elif form == "json":
        click.echo(json.dumps(as_json(results, covered), indent=2, ensure_ascii=False))
    else:
        for result in results:
            if result.failures:
                place = result.timeline.place()
                click.echo(f"{click.style('FAILED', fg='red')} {result.timeline.name}  ({place})")
                for failure in result.failures:
                    click.echo(f"  {failure}")
        for one in covered:
            _tell(one)
        passed = sum(result.passed for result in results)
        failed = sum(len(result.failures) for result in results)
        complain(f"{plural(len(results), 'timeline')}: {passed:,} passed, {failed:,} failed.")


def below(covered: Sequence[Reached], threshold: float) -> bool:
    """Whether the tests of one of the policies reach less than they must; says so."""
    short = [one for one in covered if one.percent < threshold]
    for one in short:
        complain(f"Error: the tests reach {one.percent:g} % of {one.policy.id}, less than {threshold:g} %.")
    return bool(short)


def _junit(results: Sequence[Result], covered: Sequence[Reached]) -> None:
    from cli.junit import Case, write

    cases = []
    for result in results:
        detail = "\n".join(f"{failure.place}  {failure}" for failure in result.failures)
        failure = f"{plural(len(result.failures), 'expectation')} did not hold" if result.failures else None
        cases.append(Case(result.timeline.place(), result.timeline.name, failure, None, detail))
    for one in covered:
        detail = "\n".join(f"{place}  {_who(missing)} {missing.words}" for place, missing in _placed(one))
        failure = f"{plural(len(one.missing), 'part')} not reached" if one.missing else None
        cases.append(Case(one.policy.path, f"coverage of {one.policy.id}", failure, None, detail))
    write(cases, name="duecare policy test")


def _tell(one: Reached) -> None:
    from rules.coverageparts import demanded
    from rules.model import Line

    click.echo(f"{one.policy.id}: {one.percent:g} % of what its tests should reach ({one.reached} of {one.total})")
    asked = demanded(one.policy)
    for rule in one.policy.rules:
        counts = ", ".join(f"{verdict} {count}" for verdict, count in sorted(one.verdicts.get(rule.id, {}).items()))
        if rule.counted:
            counts = "only counted"
        free = "" if rule.id in asked or rule.status == "enforced" else f" ({rule.status}: not asked for)"
        click.echo(f"  {rule.id}  {rule.kind}: {counts or 'no verdict expected'}{free}")
    lines = sum(one.lines.values(), Counter[str]())
    never = [line.value for line in Line if line not in lines and line is not Line.DISAGREE]
    click.echo(f"  Lines of the decision table: {', '.join(f'{name} {lines[name]}' for name in sorted(lines))}")
    if never:
        click.echo(f"  Lines that no expectation rests on: {', '.join(never)}")
    untold = {rule.id for rule in one.policy.rules if rule.id not in one.verdicts and rule.id in asked}
    folded = 0
    for place, missing in _placed(one):
        if len(missing.path) > 2 and set(missing.rules) <= untold:
            folded += 1
        else:
            click.echo(f"{place}: {_who(missing)} {missing.words}\n    Try {missing.idea}.")
    if folded:
        click.echo(f"And {plural(folded, 'part')} of conditions of rules of which no verdict is expected.")
    click.echo("")


def _who(missing: Missing) -> str:
    shown = ", ".join(missing.rules[:4])
    return shown if len(missing.rules) <= 4 else f"{shown} and {len(missing.rules) - 4} more"


def _placed(one: Reached) -> list[tuple[str, Missing]]:
    from rules.yamlsource import parse, read

    package = one.policy.package
    source = read(one.policy.path) if package is None else parse(package.files[package.main], name=package.main)
    lines = [source.mark(missing.path)[0] for missing in one.missing]
    return [(f"{source.name}:{line}", missing) for line, missing in sorted(zip(lines, one.missing, strict=True), key=lambda pair: pair[0])]


def as_json(results: Sequence[Result], covered: Sequence[Reached]) -> dict[str, Any]:
    """The results as `--format json` gives them."""
    failures = [
        {"timeline": r.timeline.name, "place": f.place, "as_of": f.as_of, "rule": f.rule, "wanted": f.wanted, "got": f.got}
        for r in results
        for f in r.failures
    ]
    return {
        "timelines": len(results),
        "passed": sum(result.passed for result in results),
        "failures": failures,
        "coverage": [
            {
                "policy": one.policy.id,
                "digest": one.policy.digest,
                "percent": one.percent,
                "reached": one.reached,
                "total": one.total,
                "rules": {rule.id: {"kind": rule.kind, "verdicts": dict(one.verdicts.get(rule.id, {}))} for rule in one.policy.rules},
                "lines": {kind: dict(counts) for kind, counts in one.lines.items()},
                "missing": [
                    {"place": place, "rules": list(missing.rules), "missing": missing.words, "idea": missing.idea}
                    for place, missing in _placed(one)
                ],
            }
            for one in covered
        ],
    }
