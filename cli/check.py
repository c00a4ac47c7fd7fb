"""`duecare check`: judges events from files, without a server or a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_BREACHED, EXIT_FAILED, EXIT_GOOD, EXIT_USAGE, WHEN, complain, load_policies, now_ms

if TYPE_CHECKING:
    from cli.writers import Judged
    from rules.model import CaseFile
    from rules.policy import Policy


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--policy", "policies", multiple=True, metavar="NAME_OR_FILE", help="Judge by this policy (again for more). Default: the shipped ones."
)
@click.option("--mapping", metavar="FILE", help="How the columns of a CSV, XLSX or XES file become events.")
@click.option("--param", "parameters", multiple=True, metavar="POLICY.NAME=VALUE", help="Set a policy parameter for this run.")
@click.option("--as-of", required=True, type=WHEN, help="Judge as the world stood then: a date (its last moment) or an instant.")
@click.option("--known-at", type=WHEN, help="Use only what had been recorded by then.  [default: now]")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Text: also list what is met, pending or not applicable.")
def check(
    files: Sequence[str],
    policies: Sequence[str],
    mapping: str | None,
    parameters: Sequence[str],
    as_of: int | dt.date,
    known_at: int | dt.date | None,
    form: str,
    everything: bool,
) -> int:
    """Judge the events in FILE... (.jsonl CloudEvents, .csv, .xlsx, .xes, .xes.gz) and list what each rule says.

    \b
    Exit code 0: nothing is breached.
              1: something is breached.
              2: wrong usage, or input was refused (each on stderr; the rest is judged).
              3: duecare itself failed.

    \b
    duecare check --as-of 2026-03-24 events.jsonl
    duecare check --policy cfss --param cfss.family_contact_days=21 --as-of 2026-03-24T17:00:00+10:30 events.jsonl
    """
    chosen = load_policies(policies, parameters)
    from cli.inputs import read_input
    from cli.writers import writer_for

    now = now_ms()
    known_at = now if known_at is None else known_at
    given = read_input(files, chosen[0], mapping=mapping, received=now, known_at=known_at)
    for refusal in given.refusals:
        complain(str(refusal))
    run = _Run(chosen, as_of, known_at)
    breached = writer_for(form, everything=everything, policies=chosen, refused=len(given.refusals))(run.judge(given.cases))
    if run.failed:
        return EXIT_FAILED
    if given.refusals:
        return EXIT_USAGE
    return EXIT_BREACHED if breached else EXIT_GOOD


class _Run:
    """Judges one case after another; a case on which the engine fails is told on stderr and does not stop the rest."""

    def __init__(self, policies: Sequence[Policy], as_of: int | dt.date, known_at: int | dt.date) -> None:
        self.policies = policies
        self.as_of = as_of
        self.known_at = known_at
        self.failed = False

    def judge(self, cases: Sequence[CaseFile]) -> Iterator[Judged]:
        from cli.writers import Judged
        from rules.errors import EngineError
        from rules.evaluate import evaluate

        for file in cases:
            try:
                evaluation = evaluate(self.policies, file, as_of=self.as_of, known_at=self.known_at)
            except EngineError as error:
                complain(f"Error: case {file.case}: {error}")
                self.failed = True
                continue
            yield Judged(file=file, evaluation=evaluation, as_of=self.as_of, known_at=self.known_at)
