"""`duecare cases ...`: what is held about one case.  Imports click; service/ only inside functions."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cli.common import complain
from cli.recorded import note


@click.group()
def cases() -> None:
    """Take out what is held about a case."""


@cases.command()
@click.argument("case")
@click.option("--format", "form", type=click.Choice(["json", "zip"]), default="json", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to this file, which must not exist.")
def export(case: str, form: str, out: Path | None) -> int:
    """Write everything that is held about CASE: what came in, what was found, what was done and by whom, who has read it.

    It is personal: keep the file as safe as the case itself. The access log says that it was taken out.
    """
    from cli.db import told_of_files
    from cli.stored import service
    from service import caseexport
    from service.access import system

    if form == "zip" and out is None:
        raise click.UsageError("An archive is written to a file: give --out FILE.")
    if out is not None and out.exists():
        raise click.UsageError(f"{out} exists already.")
    with service() as svc:
        access = system("cli")
        made = caseexport.document(svc, access, case) if form == "json" else caseexport.archive(svc, access, case)
        note(case=case)
    if out is None:
        click.echo(made.body.decode(), nl=False)
        return 0
    with told_of_files(), os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(made.body)
    complain(f"{out} holds what is held about the case.")
    return 0
