"""`duecare events ...`: events from files into the store, the next portion read while one is stored."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_GOOD, EXIT_USAGE, complain
from cli.recorded import note

if TYPE_CHECKING:
    from rules.envelope import Parsed
    from service.bootstrap import Service
    from service.ingest import IngestReport

    Batch = Sequence[tuple[str, Parsed]]

BATCH = 1_000


@click.group()
def events() -> None:
    """Take events in from files."""


@events.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--mapping", metavar="FILE", help="How the columns of a CSV, XLSX or XES file become events.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def import_(files: Sequence[str], mapping: str | None, form: str) -> int:
    """Take the events in FILE... into the store (.jsonl CloudEvents, .csv, .xlsx, .xes, .xes.gz).

    Doing it again changes nothing: an event that is there already is passed over. The cases are judged by the running
    workers, or at the next `duecare serve`.

    \b
    Exit code 0: everything was taken in, or had been before.
              2: something was refused (each on stderr with file and line); the rest was taken in.
    """
    from cli.progress import progress
    from cli.stored import service

    taken = _Taken()
    with service() as svc, progress("Taking events in") as advance:
        results = _results(svc, files, mapping, taken)
        batches = iter(lambda: list(islice(results, BATCH)), [])
        for batch, report in _stored(svc, batches):
            taken.note(batch, report)
            advance(taken.counts.total(), None)
        note(count=taken.totals().get("accepted", 0))
    if form == "json":
        click.echo(json.dumps(taken.totals()))
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in taken.totals().items() if count) or "no events")
    return EXIT_USAGE if taken.refused else EXIT_GOOD


def _stored(svc: Service, batches: Iterable[Batch]) -> Iterator[tuple[Batch, IngestReport]]:
    """Each batch with what has become of it.  One is stored while the next is read: the database needs as long as the reading."""
    from service.ingest import ingest

    gc.freeze()  # the policies stay until the end: nothing is gained by looking at them again and again
    before: tuple[Batch, Future[IngestReport]] | None = None
    with ThreadPoolExecutor(1, "storing") as storing:
        for batch in batches:
            if before is not None:
                yield before[0], before[1].result()
            before = batch, storing.submit(ingest, svc, [parsed for _, parsed in batch], via="file")
        if before is not None:
            yield before[0], before[1].result()


class _Taken:
    """What has become of the events so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.unread = 0

    @property
    def refused(self) -> bool:
        return bool(self.unread or self.counts["conflict"] or self.counts["rejected"])

    def totals(self) -> dict[str, int]:
        return {
            "accepted": self.counts["accepted"],
            "duplicate": self.counts["duplicate"],
            "conflict": self.counts["conflict"],
            "refused": self.counts["rejected"] + self.unread,
        }

    def note(self, batch: Batch, report: IngestReport) -> None:
        """Count what has become of a batch, and say what was refused."""
        self.counts.update(report.counts)
        for (file, parsed), result in zip(batch, report.results, strict=True):
            place = f"{file}:{parsed.line}" if parsed.line else file
            if result.status == "conflict":
                complain(f"{place}: /id event {result.id!r} of {result.source} is stored with other content; the first is kept [conflict]")
            for problem in result.problems:
                complain(f"{place}: {problem.pointer} {problem.message} [{problem.code}]")


def _results(svc: Service, files: Iterable[str], mapping: str | None, taken: _Taken) -> Iterator[tuple[str, Parsed]]:
    from adapters.base import Reject
    from adapters.files import read_events
    from adapters.mapping import Mapping

    catalogue = svc.policies.all_types
    chosen = None if mapping is None else Mapping.load(mapping, catalogue)
    for file in files:
        places = set()
        for result in read_events(file, catalogue, chosen, received=svc.now()):
            if isinstance(result, Reject):
                places.add(result.line)
                complain(str(result))
            else:
                yield file, result
        taken.unread += len(places)
