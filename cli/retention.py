"""`duecare retention ...`: what may be removed, removing it, and the certificates.  Imports click; service/ only inside functions."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any

import click

from cli.common import EXIT_BREACHED, complain, moment, plural
from cli.recorded import note

if TYPE_CHECKING:
    from service.access import Access
    from service.retention.plan import Journey, Plan
    from store.removals import Removal

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group()
def retention() -> None:
    """Remove what the rules of retention no longer let you keep.

    DUECARE_RETENTION names the file with the rules. Without it nothing is ever removed.
    """


@retention.command()
@FORMAT
@click.option("--cases", is_flag=True, help="Name each case, and those that are kept with the reason.")
def plan(form: str, cases: bool) -> int:
    """Tell what `run` would remove now, and what it would keep and why. Changes nothing."""
    from cli.stored import service
    from service.retention import plan as planning
    from service.retention.rules import load

    with service() as svc:
        found = planning.look(svc, load(svc.settings.retention))
    if form == "json":
        click.echo(json.dumps(_plan_json(found), indent=2, ensure_ascii=False))
        return 0
    ways = {"purge": "only counts stay", "pseudonymise": "verdicts stay under made-up ids"}
    click.echo(f"To be removed: {plural(found.cases, 'case')} in {plural(found.journeys, 'journey')}.")
    for mode, number in sorted(found.modes.items()):
        click.echo(f"  {mode}: {plural(number, 'case')} ({ways[mode]})")
    if found.log_lines:
        click.echo(f"  {plural(found.log_lines, 'line')} of the access log that are old enough")
    if found.refused:
        click.echo(f"  {plural(found.refused, 'refused record')} about unknown cases that are old enough")
    for reason, number in sorted(found.kept.items()):
        click.echo(f"Kept: {plural(number, 'journey')}, because {planning.REASONS[reason]}.")
    if cases:
        for one in found.going:
            click.echo(f"remove  {', '.join(one.cases)}  closed {one.closed}, due {one.due}, {one.mode}")
        for one in found.kept_ones:
            click.echo(f"keep    {', '.join(one.cases)}  {planning.REASONS[one.kept or 'open']}")
    return 0


@retention.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--former-key-lost", "key_lost", is_flag=True, help="Go on although cases were removed under a secret key that is lost.")
@FORMAT
def run(yes: bool, key_lost: bool, form: str) -> int:
    """Remove what the rules let go, and write the certificate. What was interrupted is taken up where it was left.

    Exit code 1: it waits for an audit or backtest that is not finished; run it again afterwards.

    A case that was removed is known, when it is sent again, by a hash made with the secret key. Where that is lost, such a case is
    taken in like any other, and `run --former-key-lost` removes it anew. Without the option `run` refuses, since another secret key
    may have been set by mistake.
    """
    from cli.stored import service
    from service import evaluate
    from service.retention import plan as planning
    from service.retention import work
    from service.retention.rules import load

    with service() as svc:
        if not yes:
            found = planning.look(svc, load(svc.settings.retention))
            lines = f" and {plural(found.log_lines, 'line')} of the access log" if found.log_lines else ""
            records = f" and {plural(found.refused, 'refused record')}" if found.refused else ""
            click.confirm(f"Remove {plural(found.cases, 'case')}{lines}{records}? There is no way back but a backup.", abort=True, err=True)
        begun = work.start(svc, _me(), key_lost=key_lost)
        while svc.settings.embedded and evaluate.drain(svc):
            pass  # without a server running, nobody else judges what waits
        note(thing=begun.id)
        progress = work.work(svc, begun.id)
    if progress.waits is not None:
        waits = {"another": "another process is at it"}.get(progress.waits, f"an {progress.waits} is not finished")
        complain(f"Removal {begun.id} is not done: {waits}. Run this again later.")
        return EXIT_BREACHED
    _tell(progress.removal, form)
    return 0


@retention.command()
@FORMAT
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many at most.")
def certificates(form: str, limit: int) -> int:
    """List the removals, the newest first."""
    from cli.stored import service
    from service.retention import certificates as issued

    with service() as svc:
        found = issued.listed(svc, _me(), limit=limit)
    if form == "json":
        click.echo(json.dumps([issued.summary(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        click.echo("Nothing was removed so far.")
    for one in found:
        click.echo(f"{one.id}  {moment(one.created)}  {one.state:<7}  {plural(one.cases, 'case')}  by {one.created_name}  {one.digest}")
    return 0


@retention.command()
@click.argument("certificate")
@FORMAT
def show(certificate: str, form: str) -> int:
    """Show a certificate. As JSON it names every sealed line that went or was changed: keep that where nobody here can change it."""
    from cli.stored import service
    from service.retention import certificates as issued

    with service() as svc:
        found = issued.document(svc, _me(), certificate) if form == "json" else issued.one(svc, _me(), certificate)
    if isinstance(found, dict):
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _tell(found, form)
    return 0


def _me() -> Access:
    """The person at the terminal, as the certificate names them."""
    from dataclasses import replace

    from service.access import system

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return replace(system("cli"), name=f"{name} (command line)")


def _tell(found: Removal, form: str) -> None:
    from service.retention import certificates as issued
    from service.retention.plan import REASONS

    if form == "json":
        click.echo(json.dumps(issued.summary(found), indent=2, ensure_ascii=False))
        return
    click.echo(f"Certificate {found.id}: {found.state}")
    click.echo(f"By {found.created_name}, begun {moment(found.created)}, finished {moment(found.finished) or 'not yet'}")
    click.echo(f"Removed {plural(found.cases, 'case')} in {plural(found.journeys, 'journey')}, up to event position {found.position:,}.")
    for table, counts in found.counts.items():
        said = [f"{number:,} {what}" for what, number in counts.items() if number]
        click.echo(f"  {table}: {', '.join(said)}")
    for reason, number in found.kept.items():
        click.echo(f"Kept: {plural(number, 'journey')}, because {REASONS.get(reason, reason)}.")
    seal = "no seal yet" if found.seal is None else f"seal {found.seal:,}"
    click.echo(f"{plural(found.lines, 'sealed line')} named; rules {found.rules_digest}; {seal}")
    click.echo(f"Digest {found.digest}")


def _plan_json(found: Plan) -> dict[str, Any]:
    def one(journey: Journey) -> dict[str, Any]:
        return {
            "cases": list(journey.cases),
            "kept": journey.kept,
            "closed": None if journey.closed is None else journey.closed.isoformat(),
            "due": None if journey.due is None else journey.due.isoformat(),
            "mode": journey.mode,
            "program": journey.program,
        }

    return {
        "rules": found.rules.as_json(),
        "cases": found.cases,
        "journeys": found.journeys,
        "modes": dict(found.modes),
        "kept": dict(found.kept),
        "access_log_lines": found.log_lines,
        "refused_records": found.refused,
        "remove": [one(journey) for journey in found.going],
        "keep": [one(journey) for journey in found.kept_ones],
    }
