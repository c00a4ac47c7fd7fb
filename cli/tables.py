"""A plain table for a terminal: aligned columns, tab-separated where the output goes into a pipe.  Imports click only."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Prints the rows under their head; ``empty`` (to stderr) where there are none."""
    if not rows:
        click.echo(empty, err=True)
        return
    if not sys.stdout.isatty():
        for row in [head, *rows]:
            click.echo("\t".join(row))
        return
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    for index, row in enumerate([head, *rows]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if index == 0 else line)
