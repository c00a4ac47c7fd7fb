"""`duecare notify ...`: who is told of breaches and audits, whether that works, and what did not arrive."""

from __future__ import annotations

import json
from typing import Any

import click

from cli.common import complain, moment
from cli.recorded import note

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
ONE = click.argument("number", metavar="[NUMBER]", required=False, type=int)
RECEIVER = click.option("--receiver", metavar="NAME", help="All messages of this receiver.")
STATES = {"good": "good", "away": "does not answer", "quiet": "quiet hours", "off": "switched off", "unnamed": "no longer named"}
ALL = click.option("--all", "everything", is_flag=True, help="All messages.")


@click.group()
def notify() -> None:
    """Tell others of breaches and audits: see who is told, try it, and look after what did not arrive.

    Who is told stands in the file that DUECARE_NOTIFY names.
    """


@notify.command("list")
@FORMAT
def list_(form: str) -> int:
    """List who is told, what waits for them and what was given up. Exit 2 where the file has faults."""
    from cli.stored import service
    from cli.tables import table
    from service.notify.config import Webhook
    from service.notify.upkeep import overview

    with service() as svc:
        found = overview(svc, limit=1)
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "by": None if one.receiver is None else "webhook" if isinstance(one.receiver, Webhook) else "e-mail",
            "state": STATES[one.state],
            "waiting": one.standing.waiting,
            "oldest": moment(one.standing.oldest),
            "given_up": one.standing.dead,
            "last_taken": moment(one.standing.last_good),
            "error": one.standing.last_error,
        }
        for one in found.receivers
    ]
    if form == "json":
        faults = [str(fault) for fault in found.faults]
        click.echo(json.dumps({"receivers": rows, "not_passed_on": found.owed, "faults": faults}, indent=2, ensure_ascii=False))
    else:
        heads = ["name", "by", "state", "waiting", "given up", "last taken", "error"]
        shown = [
            [
                one["name"],
                one["by"] or "-",
                one["state"],
                str(one["waiting"]),
                str(one["given_up"]),
                one["last_taken"] or "never",
                one["error"] or "",
            ]
            for one in rows
        ]
        table(heads, shown, empty="Nobody is told: DUECARE_NOTIFY names no file, or nobody stands in it.")
        if found.owed:
            click.echo(f"{found.owed} messages wait to be passed on; the scheduler does that.")
    for fault in found.faults:
        complain(str(fault))
    return 2 if found.faults else 0


@notify.command()
@click.argument("name")
def test(name: str) -> int:
    """Send the receiver NAME a message that says it is a test, now, whatever its quiet hours. Exit 1 where it is not taken.

    A webhook gets one of the type duecare.test; a digest goes out with the numbers of the last day.
    """
    from cli.stored import service
    from service.notify.sending import try_out
    from service.notify.webhook import NotTaken

    with service() as svc:
        note(thing=name)
        try:
            try_out(svc, name)
        except NotTaken as error:
            complain(f"{name} has not taken it: {error}")
            return 1
    click.echo(f"{name} has taken it.")
    return 0


@notify.command()
@FORMAT
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="List at most so many.")
def dead(form: str, limit: int) -> int:
    """List the messages that were given up, the latest first."""
    from cli.stored import service
    from cli.tables import table
    from service.notify.upkeep import overview

    with service() as svc:
        found = overview(svc, limit=limit)
    if form == "json":
        rows = [
            {
                "number": one.id,
                "receiver": one.receiver,
                "id": one.message_id,
                "type": one.topic,
                "written": moment(one.created),
                "given_up": moment(one.ended_at),
                "attempts": one.attempts,
                "error": one.last_error,
            }
            for one in found.dead
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    shown = [
        [str(one.id), one.receiver, one.topic, moment(one.created) or "", str(one.attempts), one.last_error or ""] for one in found.dead
    ]
    table(["number", "receiver", "type", "written", "tries", "error"], shown, empty="Nothing was given up.")
    if found.more:
        click.echo(f"{found.dead_count} in all.")
    return 0


@notify.command()
@ONE
@RECEIVER
@ALL
def retry(number: int | None, receiver: str | None, everything: bool) -> int:
    """Send again what was given up: the message NUMBER, all of a receiver, or all."""
    from cli.stored import service
    from service.notify import upkeep

    _one_of(number, receiver, everything)
    with service() as svc:
        done = upkeep.retry(svc, number=number, receiver=receiver)
        note(thing=str(number) if number is not None else receiver, count=done)
    click.echo(f"{_messages(done)} sent again.")
    return 0


@notify.command()
@ONE
@RECEIVER
@ALL
def dismiss(number: int | None, receiver: str | None, everything: bool) -> int:
    """Take what was given up off the list, for good: the message NUMBER, all of a receiver, or all."""
    from cli.stored import service
    from service.notify import upkeep

    _one_of(number, receiver, everything)
    with service() as svc:
        done = upkeep.dismiss(svc, number=number, receiver=receiver)
        note(thing=str(number) if number is not None else receiver, count=done)
    click.echo(f"{_messages(done)} taken off the list.")
    return 0


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count} messages are"


def _one_of(number: int | None, receiver: str | None, everything: bool) -> None:
    if sum((number is not None, receiver is not None, everything)) != 1:
        raise click.UsageError("give a message's NUMBER, or --receiver NAME, or --all")
