"""`duecare audit schedule`: audits that are made by themselves.  Imports click; service/ only inside functions."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.auditoptions import of_office, of_policy, of_program, of_sample, of_team, scope_of
from cli.common import EXIT_GOOD, complain, moment
from cli.recorded import note


@click.group()
def schedule() -> None:
    """Audits that are made by themselves."""


@schedule.command("add")
@click.argument("name")
@click.argument("cron")
@click.option("--zone", required=True, metavar="ZONE", help="Time zone, such as Australia/Adelaide.")
@click.option("--full", is_flag=True, help="A full verification each time.  [default: incremental]")
@of_policy
@of_program
@of_team
@of_office
@of_sample
def add_schedule(
    name: str, cron: str, zone: str, full: bool, policies: Sequence[str], program: str | None, teams: Sequence[str], offices: Sequence[str],
    sample: int,
) -> int:  # fmt: skip
    """Make an audit at every time that CRON names (minute, hour, day, month, weekday), such as "30 2 * * 1-5"."""
    from cli.stored import service
    from service.access import system
    from service.audits import schedules as auditschedules

    with service() as svc:
        kind = "full" if full else "incremental"
        scope = scope_of(policies, program, teams, offices)
        made = auditschedules.add(svc, system(), name=name, cron=cron, zone=zone, kind=kind, scope=scope, sample=sample)
    click.echo(f"{made.id}\tnext on {moment(made.next_at)}")
    return EXIT_GOOD


@schedule.command("list")
def list_schedules() -> int:
    """List schedules, and when each makes its next audit."""
    from cli.stored import service
    from cli.tables import table
    from service.access import system
    from service.audits import schedules as auditschedules

    with service() as svc:
        rows = [
            (one.id, one.name, one.cron, one.zone, one.kind, moment(one.next_at) or one.paused_because or "paused", one.last_audit or "")
            for one in auditschedules.listing(svc, system())
        ]
    table(("id", "name", "cron", "zone", "kind", "next", "last audit"), rows, empty="There are no schedules.")
    return EXIT_GOOD


@schedule.command("pause")
@click.argument("schedule_id", metavar="SCHEDULE")
def pause_schedule(schedule_id: str) -> int:
    """Make no audits until it is resumed."""
    from cli.stored import service
    from service.access import system
    from service.audits import schedules as auditschedules

    with service() as svc:
        note(thing=schedule_id)
        auditschedules.pause(svc, system(), schedule_id)
    complain("The schedule is paused.")
    return EXIT_GOOD


@schedule.command("resume")
@click.argument("schedule_id", metavar="SCHEDULE")
def resume_schedule(schedule_id: str) -> int:
    """Go on with the next time."""
    from cli.stored import service
    from service.access import system
    from service.audits import schedules as auditschedules

    with service() as svc:
        note(thing=schedule_id)
        found = auditschedules.resume(svc, system(), schedule_id)
    complain(f"The next audit is made on {moment(found.next_at)}.")
    return EXIT_GOOD


@schedule.command("remove")
@click.argument("schedule_id", metavar="SCHEDULE")
def remove_schedule(schedule_id: str) -> int:
    """Forget a schedule; the audits that it made stay."""
    from cli.stored import service
    from service.access import system
    from service.audits import schedules as auditschedules

    with service() as svc:
        note(thing=schedule_id)
        auditschedules.remove(svc, system(), schedule_id)
    complain("The schedule is removed.")
    return EXIT_GOOD
