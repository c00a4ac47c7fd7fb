"""`duecare adapters rejects|replay|dismiss|confirm`: what waits for a person.  Thin over service.sources."""

from __future__ import annotations

import json

import click

from cli.common import EXIT_BREACHED, EXIT_GOOD, EXIT_USAGE, complain, moment, plural
from cli.recorded import note

FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.command()
@click.argument("name")
@FORM
def rejects(name: str, form: str) -> int:
    """List the records of a source that could not be taken in, with why."""
    from cli.stored import service
    from store.sources import open_rejects

    with service() as svc:
        note(thing=name)
        source = svc.feeds.get(name)
        with svc.reading() as session:
            rows = [
                {"id": row.id, "kind": row.kind, "ref": row.ref, "since": moment(row.received), "problems": row.problems}
                for row in open_rejects(session, source.uri)
            ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
    else:
        for row in rows:
            click.echo(f"{row['id']}  {row['kind']} {row['ref']}, since {row['since']}")
            for problem in row["problems"]:
                click.echo(f"    {problem['pointer']} {problem['message']} [{problem['code']}]")
        click.echo(f"{plural(len(rows), 'record')} on the reject list.")
    return EXIT_GOOD


@click.command()
@click.argument("name")
@FORM
def replay(name: str, form: str) -> int:
    """Try the records of a source's reject list again, after the mapping was mended.

    Exit code 0: all were taken in; 1: some are refused still.
    """
    from cli.stored import service
    from service.sources.rejects import replay

    with service() as svc:
        note(thing=name)
        done = replay(svc, svc.feeds.get(name))
    return tell(done.counts, done.error, form)


@click.command()
@click.argument("name")
@click.argument("reject", type=int)
def dismiss(name: str, reject: int) -> int:
    """Set a record of the reject list aside for good: it is not about a case."""
    from cli.stored import service
    from service.sources.rejects import dismiss

    with service() as svc:
        note(thing=name)
        done = dismiss(svc, svc.feeds.get(name), reject, by="system")
    if not done:
        complain(f"There is no open reject {reject} of {name}.")
    return EXIT_GOOD if done else EXIT_USAGE


@click.command()
@click.argument("name")
def confirm(name: str) -> int:
    """Say that the records of a source that a sweep did not find are gone indeed. They are taken back at its next pull.

    Exit code 0: done; 2: nothing waits to be confirmed.
    """
    from cli.stored import service
    from service.errors import NotPossible
    from service.sources.sweeps import confirm

    with service() as svc:
        note(thing=name)
        try:
            gone = confirm(svc, svc.feeds.get(name), by="system")
        except NotPossible as error:
            complain(f"{name}: {error}.")
            return EXIT_USAGE
    click.echo(f"{', '.join(f'{count:,} {kind}' for kind, count in sorted(gone.items()))} will be taken back at the next pull.")
    return EXIT_GOOD


def tell(counts: dict[str, int], error: str | None, form: str) -> int:
    """Tell what became of records; the exit code."""
    names = ("records", "unchanged", "accepted", "duplicate", "conflict", "refused")
    if form == "json":
        click.echo(json.dumps({name: counts.get(name, 0) for name in names} | {"error": error}))
    else:
        click.echo(", ".join(f"{counts.get(name, 0):,} {name}" for name in names if counts.get(name) or name == "records"))
        if error is not None:
            complain(f"It ended early: {error}")
    return EXIT_BREACHED if error is not None or counts.get("refused") else EXIT_GOOD
