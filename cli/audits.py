"""`duecare audit`: every stored case judged as of one instant, counted into a report that never changes.

Imports click; service/ and rules/ only inside functions.  `audit run` does the work itself, chunk by chunk, so it needs no worker; workers
that are there help.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.auditoptions import of_office, of_policy, of_program, of_sample, of_team, scope_of
from cli.auditschedules import schedule
from cli.common import EXIT_FAILED, EXIT_GOOD, WHEN, complain, moment, plural
from cli.recorded import note

if TYPE_CHECKING:
    from service.bootstrap import Service
    from store.audits import Audit

SLICE = 0.5
"""Seconds of work between two looks at the progress."""
PAUSE = 0.2
"""Seconds to wait for workers who have what is left."""
_FORMS = ("text", "json", "csv", "xlsx", "html", "pdf")
_DAY = click.DateTime(["%Y-%m-%d"])
_form = click.option("--format", "form", type=click.Choice(_FORMS), default="text", show_default=True)
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file.")
_kind = click.option("--incremental", is_flag=True, help="Take what is stored where nothing has happened since it was judged.")


@click.group()
def audit() -> None:
    """Audits: every case judged as of one instant, counted into a report that can be defended."""


audit.add_command(schedule)


@audit.command()
@click.option("--as-of", type=WHEN, help="Judge as of this day or instant.  [default: now]")
@click.option("--known-at", type=WHEN, help="With what was on record then.  [default: now]")
@_kind
@of_policy
@of_program
@of_team
@of_office
@click.option("--from", "since", type=_DAY, metavar="DATE", help="Only what is due on this day or later.")
@click.option("--to", "until", type=_DAY, metavar="DATE", help="Only what is due on this day or earlier.")
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), help="Of the sample.  [default: made from all the rest]")
@of_sample
@_form
@_out
def run(
    as_of: int | dt.date | None,
    known_at: int | dt.date | None,
    incremental: bool,
    policies: Sequence[str],
    program: str | None,
    teams: Sequence[str],
    offices: Sequence[str],
    since: dt.datetime | None,
    until: dt.datetime | None,
    seed: int | None,
    sample: int,
    form: str,
    out: Path | None,
) -> int:
    """Make an audit now and show its report.

    Without --incremental every case is judged anew and compared with what is stored: a full verification.

    Exit code 0: the report is made; 2: wrong usage; 3: it could not be made.
    """
    _needs_file(form, out)
    from cli.stored import service
    from service.access import system
    from service.audits import runs as audits

    with service() as svc:
        kind = "incremental" if incremental else "full"
        scope = scope_of(policies, program, teams, offices, since, until)
        made = audits.start(svc, system(), as_of=as_of, known_at=known_at, kind=kind, scope=scope, seed=seed, sample=sample)
        note(thing=made.id)
        done = _work(svc, made)
        if done.state != "done":
            complain(f"Error: the audit is {done.state}{f': {done.error}' if done.error else ''}.")
            return EXIT_FAILED
        _show(svc, done.id, form, out)
        complain(f"Audit {done.id} of {plural(done.total, 'case')}; its report is kept as {done.report_digest}.")
    return EXIT_GOOD


@audit.command("list")
@click.option("--state", type=click.Choice(["queued", "running", "done", "failed", "cancelled"]), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="At most so many.")
def list_audits(state: str | None, limit: int) -> int:
    """List audits, the newest first."""
    from cli.stored import service
    from cli.tables import table
    from service.access import system
    from service.audits import runs as audits

    with service() as svc:
        rows = [
            (
                one.id,
                one.kind,
                moment(one.as_of) or "",
                one.state,
                f"{one.done} of {one.total}",
                moment(one.created) or "",
                one.created_name,
            )
            for one in audits.listing(svc, system(), state=state, limit=limit)
        ]
    table(("id", "kind", "as of", "state", "cases", "started", "by"), rows, empty="There are no audits.")
    return EXIT_GOOD


@audit.command()
@click.argument("audit_id", metavar="AUDIT")
def show(audit_id: str) -> int:
    """Show an audit: how far it is, and who has signed it off."""
    from cli.stored import service
    from service.access import system
    from service.audits import runs as audits
    from service.audits import signoffs

    with service() as svc:
        note(thing=audit_id)
        found = audits.get(svc, system(), audit_id)
        how = audits.progress(svc, found)
        signed = signoffs.signatures(svc, system(), audit_id)
    click.echo(f"{found.kind} audit {found.id}, {found.state}: {found.done:,} of {plural(found.total, 'case')}")
    click.echo(f"as of {moment(found.as_of)}, known at {moment(found.known_at)}, events up to number {found.position:,}")
    if how.rate is not None:
        click.echo(f"{how.rate:.1f} cases a second; expected to end {moment(how.expected)}")
    if found.missed:
        click.echo(f"stands in for {plural(found.missed, 'earlier time')} of its schedule, as nothing was running then")
    if found.report_digest:
        click.echo(f"report {found.report_digest}")
    if found.error:
        click.echo(f"failed: {found.error}")
    for one in signed:
        click.echo(f"signed off by {one.name} on {moment(one.at)}: {one.comment}")
    return EXIT_GOOD


@audit.command()
@click.argument("audit_id", metavar="AUDIT")
@_form
@_out
def report(audit_id: str, form: str, out: Path | None) -> int:
    """Show the report of an audit."""
    _needs_file(form, out)
    from cli.stored import service

    with service() as svc:
        note(thing=audit_id)
        _show(svc, audit_id, form, out)
    return EXIT_GOOD


@audit.command()
@click.argument("audit_id", metavar="AUDIT")
def resume(audit_id: str) -> int:
    """Work on an audit that was left unfinished, until it is over."""
    from cli.stored import service
    from service.access import system
    from service.audits import runs as audits

    with service() as svc:
        note(thing=audit_id)
        done = _work(svc, audits.get(svc, system(), audit_id))
    complain(f"The audit is {done.state}{f': {done.error}' if done.error else ''}.")
    return EXIT_GOOD if done.state == "done" else EXIT_FAILED


@audit.command()
@click.argument("audit_id", metavar="AUDIT")
def cancel(audit_id: str) -> int:
    """Stop an audit that is under way."""
    from cli.stored import service
    from service.access import system
    from service.audits import runs as audits

    with service() as svc:
        note(thing=audit_id)
        audits.cancel(svc, system(), audit_id)
    complain("The audit is cancelled.")
    return EXIT_GOOD


@audit.command("judge-again")
@click.argument("audit_id", metavar="AUDIT")
def judge_again(audit_id: str) -> int:
    """Have the cases judged again whose stored findings a full audit found to differ."""
    from cli.stored import service
    from service.access import system
    from service.audits import runs as audits

    with service() as svc:
        note(thing=audit_id)
        count = audits.judge_again(svc, system(), audit_id)
    complain(f"{plural(count, 'case')} will be judged again.")
    return EXIT_GOOD


@audit.command()
@click.argument("before")
@click.argument("after")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Cases that are told in detail.")
@click.option("--start", metavar="CASE", help="Go on after this case.")
def compare(before: str, after: str, limit: int, start: str | None) -> int:
    """Compare two audits and name the events and changes of policies behind each difference."""
    from cli.stored import service
    from cli.tables import table
    from service.access import system
    from service.audits.compare import compare as compared

    with service() as svc:
        told = compared(svc, system(), before, after, start=start, limit=limit)
    rows = [(one.rule, one.verdict, f"{one.before:,}", f"{one.after:,}") for one in told.deltas]
    table(("rule", "verdict", "before", "after"), rows, empty="The counts do not differ.")
    click.echo(f"\n{plural(told.cases or 0, 'case')} with a difference.")
    for one in told.differing:
        click.echo(f"\ncase {one.case}, episode {one.episode}, {one.rule}, {one.obligation}: {one.before} -> {one.after}")
        for side, words in (("before", one.before_words), ("after", one.after_words)):
            click.echo(f"  {side}: {words or 'nothing is asked.'}")
        for cause in one.causes:
            click.echo(f"  because: {cause.words}")
    if told.next is not None:
        complain(f"More: --start {told.next}")
    return EXIT_GOOD


def _work(svc: Service, made: Audit) -> Audit:
    """Work until the audit is over, whoever ends it.  Ctrl-C cancels it."""
    from cli.progress import progress
    from service.access import system
    from service.audits import runs as audits
    from service.audits.work import work

    before = -1
    with progress("Judging cases", speed=True) as advance, _cancelled(svc, made.id):
        while not work(svc, made.id, budget=SLICE, give_way=False):
            done = audits.get(svc, system(), made.id).done
            advance(done, made.total)
            if done == before:
                time.sleep(PAUSE)
            before = done
    return audits.get(svc, system(), made.id)


@contextmanager
def _cancelled(svc: Service, audit_id: str) -> Iterator[None]:
    from service.access import system
    from service.audits import runs as audits

    try:
        yield
    except KeyboardInterrupt:
        audits.cancel(svc, system(), audit_id)
        raise


def _needs_file(form: str, out: Path | None) -> None:
    if form in ("xlsx", "pdf") and out is None and sys.stdout.isatty():
        raise click.UsageError(f"a {form} file is not for a terminal: give --out FILE.")


def _show(svc: Service, audit_id: str, form: str, out: Path | None) -> None:
    from service.access import system
    from service.audits import runs as audits
    from service.audits.exports import export
    from service.audits.words import as_text, tell

    if form == "text":
        body = as_text(tell(audits.report(svc, system(), audit_id))).encode()
    else:
        body = export(svc, system(), audit_id, form).body
        if form == "json" and out is None:
            body += b"\n"
    if out is None:
        if form in ("xlsx", "pdf"):
            sys.stdout.buffer.write(body)
        else:
            click.echo(body.decode(), nl=False)
    else:
        out.write_bytes(body)
