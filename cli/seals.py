"""`duecare db verify|seal|seals`: whether the record is still what it was.  Imports click; service/ only inside functions."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_BREACHED, complain, moment, plural

if TYPE_CHECKING:
    from service.bootstrap import Service
    from store.sealcheck import Check


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--against", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
    help="Also compare with seals that `duecare db seals` wrote earlier and that were kept elsewhere.",
)  # fmt: skip
def verify(form: str, against: Path | None) -> int:
    """Look whether any sealed line was changed, taken away, put in or moved, and say which.

    Sealed are histories of breaches, the access log, requests for and decisions on waivers, proposals, decisions and versions of
    policies, reports of audits and the signatures under them, legal holds and certificates of removals. A line that a certificate
    names may be gone, or be what the certificate says. Exit code 1: something is not as it was.
    """
    from cli.stored import service
    from service import seals as sealing

    with service() as svc:
        held = None
        if against is not None:
            with against.open(encoding="utf-8", errors="replace") as lines:
                held = sealing.read(lines)
        found = sealing.verify(svc, held)
    if form == "json":
        click.echo(json.dumps(_as_json(found, against is not None), indent=2, ensure_ascii=False))
    else:
        _tell(found, against is not None)
    return EXIT_BREACHED if found.count else 0


@click.command()
def seal() -> int:
    """Seal now what has been added since the last seal; otherwise the scheduler does so every DUECARE_SEAL_SECONDS."""
    from cli.stored import service
    from service import seals as sealing

    with service() as svc:
        sealed = sealing.seal(svc, patience=30.0, rounds=None)
    if sealed is None:
        complain("Others have been writing for 30 seconds without an end; nothing was sealed. Try again.")
        return EXIT_BREACHED
    click.echo(f"Sealed {plural(sealed, 'line')}." if sealed else "Everything is sealed; nothing to do.")
    return 0


@click.command()
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="NUMBER", help="Only seals after this one.")
def seals(after: int) -> int:
    """Write the seals, a JSON object a line, for whoever keeps them where nobody of this installation can change them.

    They hold numbers, times and hashes: nothing of a case, a person or a policy can be read from them.
    """
    from cli.stored import service
    from service import seals as sealing

    with service() as svc:
        for line in sealing.export(svc, after=after):
            click.echo(line)
    return 0


def verified(svc: Service) -> int:
    """Verify and tell, as ``verify`` does; how many findings."""
    from service import seals as sealing

    found = sealing.verify(svc)
    _tell(found, False)
    return found.count


def _tell(found: Check, compared: bool) -> None:
    from store.sealed import WORDS

    for flaw in found.flaws:
        click.echo(flaw.words)
    if found.count > len(found.flaws):
        click.echo(f"... and {plural(found.count - len(found.flaws), 'more finding')}.")
    for kind in WORDS:
        if found.sealed[kind] or found.unsealed[kind]:
            waiting = f", {found.unsealed[kind]:,} without a seal yet" if found.unsealed[kind] else ""
            click.echo(f"{kind}: {plural(found.sealed[kind], 'sealed line')}{waiting}")
        if found.removed[kind]:
            click.echo(f"  of these {found.removed[kind]:,} gone or changed exactly as certificates of removals say")
    if found.last is None:
        click.echo("There is no seal yet: `duecare db seal` makes the first.")
    else:
        click.echo(f"{plural(found.seals, 'seal')}; the last is {found.last.number:,} of {moment(found.last.at)}, {found.last.hash}")
    if compared:
        click.echo(f"{plural(found.held, 'seal')} of the file compared.")
    if found.count:
        click.echo(f"Not as it was: {plural(found.count, 'finding')}.")
    else:
        click.echo("Nothing could be compared yet." if found.last is None else "Everything that was sealed is as it was.")


def _as_json(found: Check, compared: bool) -> dict[str, object]:
    return {
        "intact": not found.count,
        "count": found.count,
        "findings": [asdict(flaw) for flaw in found.flaws],
        "seals": found.seals,
        "last": None if found.last is None else {"number": found.last.number, "at": moment(found.last.at), "hash": found.last.hash},
        "compared": found.held if compared else None,
        "sealed": found.sealed,
        "removed": found.removed,
        "certificates": found.certificates,
        "unsealed": found.unsealed,
    }
