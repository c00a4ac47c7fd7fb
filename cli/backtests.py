"""`duecare policy backtest` and `backtests`: what a version of a policy would have said of the stored cases.

Imports click; service/ and rules/ only inside functions.  The command does the work itself, chunk by chunk, so it needs no worker;
workers that are there help.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_FAILED, EXIT_GOOD, WHEN, complain, load_policies, moment, plural, policy_files
from cli.recorded import note

if TYPE_CHECKING:
    from service.backtests.runs import Backtest
    from service.bootstrap import Service

SLICE = 0.5
"""Seconds of work between two looks at the progress."""
PAUSE = 0.2
"""Seconds to wait for workers who have what is left."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_form = click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file.")


@click.command()
@click.argument("new")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only what began on this day or later.")
@click.option("--as-of", type=WHEN, help="Judge as of this day or instant.  [default: now]")
@click.option("--known-at", type=WHEN, help="With what was known then, against the versions in force by then.  [default: now]")
@click.option("--param", "parameters", multiple=True, metavar="POLICY.NAME=VALUE", help="Set a parameter of NEW.")
@_form
@_out
def backtest(
    new: str,
    since: dt.datetime | None,
    as_of: int | dt.date | None,
    known_at: int | dt.date | None,
    parameters: Sequence[str],
    form: str,
    out: Path | None,
) -> int:
    """Judge all stored cases by NEW and by what is in force, and report what would be different. Changes nothing.

    NEW is a policy's name or file, a proposed change (its id), or the digest of a version on record.

    Exit code 0: the report is made; 2: wrong usage; 3: it could not be made.
    """
    from cli.stored import service
    from service.access import system
    from service.backtests import runs as backtests

    with service() as svc:
        candidate = _candidate(svc, new, parameters)
        day = since.date() if since is not None else None
        made = backtests.start(svc, system(), candidate=candidate, since=day, as_of=as_of, known_at=known_at)
        note(thing=made.id)
        done = _work(svc, made)
        if done.state != "done":
            complain(f"Error: the backtest is {done.state}{f': {done.error}' if done.error else ''}.")
            return EXIT_FAILED
        _show(svc, done.id, form, out)
        complain(f"Backtest {done.id} of {plural(done.total, 'case')}; its report is kept as {done.report_digest}.")
    return EXIT_GOOD


@click.command()
@click.argument("backtest", required=False)
@click.option("--policy", metavar="ID", help="Only those of this policy.")
@_form
@_out
def backtests(backtest: str | None, policy: str | None, form: str, out: Path | None) -> int:
    """List the backtests on record, or show the report of the one called BACKTEST."""
    from cli.stored import service
    from cli.tables import table
    from service.access import system
    from service.backtests import runs as kept

    with service() as svc:
        if backtest is not None:
            _show(svc, backtest, form, out)
            return EXIT_GOOD
        rows = [
            (one.id, one.policy, one.candidate[:12], one.state, f"{one.done} of {one.total}", moment(one.created) or "", one.created_name)
            for one in kept.listing(svc, system(), policy=policy)
        ]
    table(("id", "policy", "version", "state", "cases", "started", "by"), rows, empty="There are no backtests.")
    return EXIT_GOOD


def _candidate(svc: Service, new: str, parameters: Sequence[str]) -> str:
    """The digest of the version to try, kept on record."""
    from service.policies import book as policybook

    if new in policy_files() or Path(new).is_file():
        (policy,) = load_policies([new], parameters)
        with svc.writing() as session:
            return policybook.keep(session, policy, now=svc.now())
    if _DIGEST.fullmatch(new):
        policy = policybook.version(svc, new)
    elif (found := _proposed(svc, new)) is not None:
        policy = policybook.version(svc, found)
    else:
        (policy,) = load_policies([new], parameters)
    if parameters:
        raise click.UsageError("--param goes with a policy's name or file; a version on record has its parameters.")
    return policy.digest


def _proposed(svc: Service, change: str) -> str | None:
    """The digest of a proposed change, by its id or the beginning of it."""
    from cli.policychanges import SHORTEST_ID
    from service.policies.changes import changes

    found = [one for one in changes(svc) if one.id.startswith(change)] if len(change) >= SHORTEST_ID else []
    return found[0].digest if len(found) == 1 else None


def _work(svc: Service, made: Backtest) -> Backtest:
    """Work until the backtest is over, whoever ends it.  Ctrl-C cancels it."""
    from cli.progress import progress
    from service.access import system
    from service.backtests import runs as backtests
    from service.backtests.work import work

    before = -1
    with progress("Judging cases") as advance:
        try:
            while not work(svc, made.id, budget=SLICE, give_way=False):
                done = backtests.get(svc, system(), made.id).done
                advance(done, made.total)
                if done == before:
                    time.sleep(PAUSE)
                before = done
        except KeyboardInterrupt:
            backtests.cancel(svc, system(), made.id)
            raise
    return backtests.get(svc, system(), made.id)


def _show(svc: Service, backtest: str, form: str, out: Path | None) -> None:
    from service.access import system
    from service.backtests import runs as backtests
    from service.backtests.page import as_html
    from service.backtests.words import as_text, tell

    told = backtests.get(svc, system(), backtest)
    writers: dict[str, Callable[[], str]] = {
        "json": lambda: backtests.report_text(svc, system(), backtest) + "\n",
        "html": lambda: as_html(tell(backtests.report(svc, system(), backtest)), digest=told.report_digest or ""),
        "text": lambda: as_text(tell(backtests.report(svc, system(), backtest))),
    }
    text = writers[form]()
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
