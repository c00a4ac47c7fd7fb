"""`duecare adapters ...`: connecting client systems, trying mappings out, asking by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from cli.adapterfiles import lint, schema
from cli.common import EXIT_BREACHED, EXIT_GOOD, EXIT_USAGE, complain, moment, plural
from cli.recorded import note
from cli.rejects import FORM, confirm, dismiss, rejects, replay, tell

if TYPE_CHECKING:
    from adapters.interpret import Interpreted
    from service.bootstrap import Service


@click.group()
def adapters() -> None:
    """Connect client systems that are asked for their records (see DUECARE_SOURCES)."""


for _command in (lint, schema, rejects, replay, dismiss, confirm):
    adapters.add_command(_command)


@adapters.command("list")
@FORM
def list_(form: str) -> int:
    """List the sources of this installation and the kinds of client system that can be connected.

    Exit code 0: all files of DUECARE_SOURCES can be used; 2: some have faults (each on stderr with its place).
    """
    from adapters.base import kinds
    from adapters.ready import ready
    from cli.stored import service

    with service(schema=False) as svc:
        found = svc.feeds.current()
        rows = [
            {
                "source": one.name,
                "uri": one.uri,
                "adapter": one.kind.name,
                "every_seconds": one.every,
                "enabled": one.enabled,
                "file": one.path,
            }
            for one in found.items.values()
        ]
        if form == "json":
            known = [{"adapter": kind.name, "about": kind.about} for kind in kinds().values()]
            click.echo(json.dumps({"sources": rows, "kinds": known, "mappings": sorted(ready())}, indent=2))
        else:
            click.echo("Sources" if rows else "No source is configured: name a YAML file or a folder of them in DUECARE_SOURCES.")
            for row in rows:
                state = "" if row["enabled"] else " (not switched on)"
                click.echo(f"  {row['source']}: {row['adapter']}, every {row['every_seconds']} s, {row['uri']}{state}")
            click.echo("Kinds of client system")
            for kind in kinds().values():
                click.echo(f"  {kind.name}: {kind.about}")
            click.echo(f"Mappings that come with duecare: {', '.join(sorted(ready())) or 'none'}")
        for fault in found.faults:
            complain(str(fault))
        return EXIT_USAGE if found.faults else EXIT_GOOD


@adapters.command()
@click.argument("name")
@FORM
def check(name: str, form: str) -> int:
    """Ask a source whether it can be reached, as whom, and what may be read. Reads no record.

    Exit code 0: it can; 1: something is wrong with it; 2: its file has faults.
    """
    from adapters.base import AdapterError, Connection
    from cli.stored import service

    with service(schema=False) as svc:
        source = svc.feeds.get(name)
        try:
            adapter = source.adapter()
            try:
                found = adapter.check()
            finally:
                adapter.close()
        except AdapterError as error:
            found = Connection(problems=[str(error)])
    if form == "json":
        click.echo(json.dumps({"identity": found.identity, "readable": dict(found.readable), "problems": list(found.problems)}, indent=2))
        return EXIT_GOOD if found.ok else EXIT_BREACHED
    if found.identity is not None:
        click.echo(f"Connected as {found.identity}.")
    for kind, words in found.readable.items():
        click.echo(f"  {kind}: {words}")
    for problem in found.problems:
        complain(f"  {problem}")
    return EXIT_GOOD if found.ok else EXIT_BREACHED


@adapters.command()
@click.argument("url")
def sample(url: str) -> int:
    """Make a sample client database at URL (sqlite:///FILE or postgresql://...): tables like an agency's, a dozen made-up families.

    Refused where the database has such tables. Exit code 0: made; 2: refused; 3: the database cannot be reached.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.sample import FAMILIES, SampleRefused, make
    from cli.stored import Refused, Unavailable
    from store.engine import make_engine
    from store.errors import UnsupportedDatabase

    try:
        engine = make_engine(url)
        try:
            made = make(engine)
        finally:
            engine.dispose()
    except (SampleRefused, UnsupportedDatabase) as error:
        raise Refused(str(error)) from None
    except SQLAlchemyError as error:
        raise Unavailable(f"the database cannot be written: {type(error).__name__}") from None
    for table, rows in made.items():
        click.echo(f"  {table}: {plural(rows, 'row')}")
    click.echo(f"{FAMILIES} made-up families. Nothing in them is true.")
    return EXIT_GOOD


@adapters.command("try")
@click.argument("name")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many records to look at.")
@click.option("--kind", metavar="KIND", help="Only records of this kind.")
@click.option("--values/--no-values", default=False, help="Show the records' own fields as well, which may name people.")
@FORM
def try_(name: str, limit: int, kind: str | None, values: bool, form: str) -> int:
    """Show the first records of a source and what the mapping makes of each. Stores nothing.

    Exit code 0: every record could be read; 1: some were refused (each with why); 2: the source's file has faults.
    """
    from cli.stored import service
    from service.sources.trial import trial

    with service(schema=False) as svc:
        note(thing=name)
        source = svc.feeds.get(name)
        found = list(trial(svc, source, limit=limit, kind=kind))
    if form == "json":
        click.echo(json.dumps([_as_dict(one, values=values) for one in found], indent=2, default=str))
    else:
        for one in found:
            _show(one, values=values)
        refused = sum(bool(one.problems) for one in found)
        made = sum(len(one.events) for one in found)
        click.echo(f"{plural(len(found), 'record')}: {plural(made, 'event')}; {refused} refused.")
    return EXIT_BREACHED if any(one.problems for one in found) else EXIT_GOOD


def _as_dict(found: Interpreted, *, values: bool) -> dict[str, object]:
    shown: dict[str, object] = {"kind": found.record.kind, "ref": found.record.ref, "gone": found.record.gone}
    if values:
        shown["fields"] = dict(found.record.fields)
    shown["events"] = [{**made.given, "dropped": list(made.parsed.dropped)} for made in found.events]
    shown["problems"] = [{"pointer": p.pointer, "code": p.code, "message": p.message} for p in found.problems]
    shown["unread"] = list(found.unread)
    return shown


def _show(found: Interpreted, *, values: bool) -> None:
    record = found.record
    click.echo(f"{record.kind} {record.ref}{' (deleted)' if record.gone else ''}")
    if values:
        for field, value in sorted(record.fields.items()):
            click.echo(f"    {field}: {json.dumps(value, default=str, ensure_ascii=False)[:100]}")
    for made in found.events:
        event = made.parsed.event
        assert event is not None
        known = moment(event.recorded) if event.recorded_given else "when it is read"
        click.echo(f"  -> {event.type} {event.id}, case {event.case}, {moment(event.time)}, recorded {known}")
        for path, value in event.data.items():
            click.echo(f"       {path}: {json.dumps(value, ensure_ascii=False)}")
        if made.parsed.dropped:
            click.echo(f"       left out, since the catalogue does not know them: {', '.join(made.parsed.dropped)}")
    for problem in found.problems:
        click.echo(f"  refused: {problem.pointer} {problem.message} [{problem.code}]")
    if not found.events and not found.problems:
        click.echo("  -> no event")
    if found.unread:
        click.echo(f"  not read (privacy): {', '.join(found.unread)}")


@adapters.command()
@click.argument("name")
@click.option("--from-start", is_flag=True, help="Read everything again; what is known already changes nothing.")
@click.option("--judge", is_flag=True, help="Then judge what has changed, and say how many breaches are open by rule.")
@FORM
def pull(name: str, from_start: bool, judge: bool, form: str) -> int:
    """Ask a source for all that is new, now, whatever its schedule says.

    Exit code 0: done; 1: it ended early, or records were refused; 2: its file has faults, or somebody else is asking it.
    """
    from cli.progress import progress
    from cli.stored import service
    from service.sources.pull import forget, pull

    with service() as svc:
        note(thing=name)
        source = svc.feeds.get(name)
        if from_start:
            forget(svc, source)
        with progress(f"Asking {name}") as advance:
            done = pull(svc, source, told=lambda so_far: advance(so_far.counts["records"], None))
        if done.busy:
            complain(f"Another process is asking {name} now.")
            return EXIT_USAGE
        code = tell(done.counts, done.error, form)
        if judge:
            _judge(svc)
        return code


def _judge(svc: Service) -> None:
    """Judges every case that waits, and lists the open breaches by rule."""
    from service import evaluate
    from store.queries.counts import breach_facets
    from store.queries.narrow import Where

    cases = 0
    while more := evaluate.drain(svc):
        cases += more
    with svc.reading() as session:
        found = breach_facets(session, where=Where(condition=("open",)))
    click.echo(f"{plural(cases, 'case')} judged, {plural(found.total, 'breach', 'breaches')} open.")
    for rule, count in found.by["rule"].items():
        click.echo(f"  {rule}: {count}")
