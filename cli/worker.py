"""`duecare worker`: the processes of an installation with Redis."""

from __future__ import annotations

import click


@click.command()
@click.option("--processes", type=click.IntRange(1, 512), help="How many workers.  [default: one a core]")
@click.option("--scheduler", is_flag=True, help="Be the scheduler instead: it finds what no hint told, and what time has made due.")
def worker(processes: int | None, scheduler: bool) -> int:
    """Judge cases as hints come in by way of REDIS_URL.

    One worker is one process; one that dies is started again. Run as many machines of them as you like, and one scheduler or more.
    """
    from cli.stored import service, told

    if scheduler and processes is not None:
        raise click.UsageError("--processes is about workers; a scheduler is one process.")
    with service():
        pass  # tells now, and in words, what would otherwise end each worker anew: settings, database, tables
    with told():
        from workers.process import run_scheduler, run_workers

        return run_scheduler() if scheduler else run_workers(processes)
