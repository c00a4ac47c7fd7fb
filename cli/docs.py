"""`duecare docs`: the reference pages, written from the code that they describe."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import click

from cli.common import complain, plural

FOLDER = Path("docs") / "reference"
NOTICE = "<!-- Written by `./dev docs` from the code. Change the code, not this page. -->\n\n"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a page is not as the code is.")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder to write to.  [default: docs/reference]")
def docs(check: bool, folder: Path | None) -> int:
    """Write the reference: the policy language, rules, events, checks and tests, sources, settings, measurements, commands."""
    folder = folder or _checkout() / FOLDER
    stale = 0
    for name, page in pages().items():
        file, text = folder / name, NOTICE + page()
        old = file.read_text("utf-8") if file.exists() else None
        if old == text:
            continue
        stale += 1
        if check:
            complain(f"{file} is not as the code is:")
            diff = difflib.unified_diff((old or "").splitlines(), text.splitlines(), "page", "code", lineterm="", n=0)
            complain("\n".join(f"  {line}" for line in list(diff)[2:12]))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            click.echo(f"Wrote {file}")
    if check and stale:
        complain(f"{plural(stale, 'page')} to be written anew: ./dev docs")
    return int(check and stale > 0)


def pages() -> dict[str, Callable[[], str]]:
    """Every generated page by its file name."""
    from cli import kindpages, reference, rulepages, sourcepages

    return {
        "cli.md": reference.cli_page,
        "settings.md": reference.settings_page,
        "events.md": reference.events_page,
        "kinds.md": kindpages.kinds_page,
        "conditions.md": kindpages.conditions_page,
        "verdicts.md": kindpages.verdicts_page,
        "rules.md": rulepages.rules_page,
        "policy-tests.md": rulepages.tests_page,
        "lint.md": reference.lint_page,
        "sources.md": sourcepages.sources_page,
        "metrics.md": sourcepages.metrics_page,
    }


def _checkout() -> Path:
    here = Path(__file__).resolve().parent.parent
    if not (here / "pyproject.toml").is_file():
        raise click.UsageError("This is no checkout of duecare: say with --to where the pages go.")
    return here
