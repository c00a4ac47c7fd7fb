"""`duecare policy lint`: everything that is wrong with policies, at once.  Imports click; the core only inside functions."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_GOOD, complain, now_ms, plural, policy_files, policy_path

if TYPE_CHECKING:
    from rules.lint import Finding


@click.command()
@click.argument("policies", nargs=-1, metavar="[NAME_OR_FILE_OR_FOLDER]...")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--explain", "code", metavar="CODE", help="Say what a code means and what to do, and check nothing.")
def lint(policies: Sequence[str], strict: bool, form: str, code: str | None) -> int:
    """Look for faults in policies: file:line:col CODE message. Default: every shipped policy and those of DUECARE_POLICIES.

    Catalogue, calendars and tests of each policy are looked at too. `github` writes workflow commands, which code hosts show
    beside the lines.

    Exit code 0: nothing wrong; 1: an error (or a warning, with --strict).
    """
    from rules.lint import ERROR, WARNING, lint_files

    if code is not None:
        return _explain(code)
    paths = _paths(policies)
    findings = lint_files(paths, today=dt.datetime.fromtimestamp(now_ms() / 1000, dt.UTC).date().toordinal())
    _show(findings, form)
    if form == "text":
        counts = Counter(finding.severity for finding in findings)
        told = ", ".join(plural(counts[severity], severity) for severity in counts) or "nothing to say"
        complain(f"{plural(len(paths), 'policy', 'policies')}: {told}.")
    bad = {ERROR, WARNING} if strict else {ERROR}
    return int(any(finding.severity in bad for finding in findings))


def _paths(given: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for name in given or sorted(policy_files()):
        folder = Path(name)
        if name not in policy_files() and folder.is_dir():
            inside = [file for file in sorted(folder.glob("*.yaml")) if file.name != "catalogue.yaml"]
            if not inside:
                raise click.UsageError(f"There is no policy in the folder {name!r}: no *.yaml beside catalogue.yaml.")
            found += inside
        else:
            found.append(policy_path(name))
    return list(dict.fromkeys(found))


def _show(findings: Sequence[Finding], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2, ensure_ascii=False))
    for finding in findings if form != "json" else ():
        click.echo(finding.as_command() if form == "github" else str(finding))


def _explain(code: str) -> int:
    from difflib import get_close_matches

    from rules.lint import REFUSALS, checks

    known = {check.code: check for check in checks()}
    name = code.upper() if code.upper() in known or code.upper() in REFUSALS else code.lower()
    if name in known:
        check = known[name]
        click.echo(f"{check.code} ({check.severity}): {check.about}\n{check.mend}".rstrip())
    elif name in REFUSALS:
        click.echo(f"{name} (error, told on loading): {REFUSALS[name]}")
    else:
        near = get_close_matches(name, [*known, *REFUSALS], 1)
        raise click.UsageError(f"There is no code {code!r}." + (f" Did you mean {near[0]}?" if near else ""))
    return EXIT_GOOD
