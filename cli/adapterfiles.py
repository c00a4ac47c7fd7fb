"""`duecare adapters lint` and `schema`: the files of sources, checked and described.  Imports click; the rest only inside functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_BREACHED, EXIT_GOOD, complain, plural

if TYPE_CHECKING:
    from rules.catalogue import Catalogue
    from rules.errors import Fault


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE_OR_FOLDER]...", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def lint(files: Sequence[Path], form: str) -> int:
    """Look for faults in files of sources: file:line:col CODE message. Default: DUECARE_SOURCES.

    The mapping is looked at too. Nothing is asked of a client system, and no database is needed. `github` writes workflow commands.

    Exit code 0: nothing wrong; 1: a fault; 2: there is nothing to look at.
    """
    from cli.stored import settings, told
    from service.policies.policyset import load as load_policies
    from service.sources.definitions import load

    with told():
        chosen = settings()
        where = files or ((chosen.sources,) if chosen.sources is not None else ())
        if not where:
            raise click.UsageError("Name a file or a folder, or set DUECARE_SOURCES.")
        catalogue: Catalogue = load_policies(chosen.policies).all_types
    found = [load(path, catalogue) for path in where]
    faults = sorted((fault for one in found for fault in one.faults), key=lambda fault: (fault.file, fault.line, fault.col))
    if form == "json":
        click.echo(json.dumps([_as_dict(fault) for fault in faults], indent=2, ensure_ascii=False))
    for fault in faults if form != "json" else ():
        click.echo(_as_command(fault) if form == "github" else str(fault))
    if form == "text":
        complain(f"{plural(sum(len(one.items) for one in found), 'source')} can be used; {plural(len(faults), 'fault')}.")
    return EXIT_BREACHED if faults else EXIT_GOOD


@click.command()
def schema() -> int:
    """Print the JSON Schema of a source's file, for editors: every setting of every kind of client system."""
    from service.sources.schema import source_schema

    click.echo(json.dumps(source_schema(), indent=2, ensure_ascii=False))
    return EXIT_GOOD


def _as_dict(fault: Fault) -> dict[str, object]:
    return {"file": fault.file, "line": fault.line, "col": fault.col, "code": fault.code, "message": fault.message}


def _as_command(fault: Fault) -> str:
    text = f"{fault.message} [{fault.code}]".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error file={fault.file},line={max(fault.line, 1)},col={max(fault.col, 1)}::{text}"
