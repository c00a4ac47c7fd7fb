"""`duecare demo ...`: a made-up population to look around in."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING

import click

from cli.common import WHEN, plural

if TYPE_CHECKING:
    from service.bootstrap import Service

_FAMILIES = click.IntRange(1, 20_000)


@click.group()
def demo() -> None:
    """Make up some hundreds of families' cases, with every kind of breach. All ids begin with demo-."""


@demo.command()
@click.option("--until", type=WHEN, help="The day (or instant) up to which the story goes.  [default: now]")
@click.option("--seed", type=int, help="Another seed tells other stories.")
@click.option("--families", type=_FAMILIES, help="How many families.")
def generate(until: int | dt.date | None, seed: int | None, families: int | None) -> int:
    """Print the population as JSON Lines of CloudEvents, for `duecare check` or `duecare events import`.

    The same seed, number and end give the same bytes.
    """
    from service.demo import DEFAULT_FAMILIES, DEFAULT_SEED, population

    made = population(
        until=_instant(until), seed=DEFAULT_SEED if seed is None else seed, families=DEFAULT_FAMILIES if families is None else families
    )
    for event in made:
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    return 0


@demo.command()
@click.option("--seed", type=int, help="Another seed tells other stories.")
@click.option("--families", type=_FAMILIES, help="How many families.")
def load(seed: int | None, families: int | None) -> int:
    """Put the population into the store, once, through the ordinary way in. Refused where the store holds real cases."""
    from cli.stored import service

    with service() as svc:
        load_with_progress(svc, seed=seed, families=families)
    return 0


def load_with_progress(svc: Service, *, seed: int | None = None, families: int | None = None) -> None:
    """Loads the population with a progress bar, or says that it is there already."""
    from cli.progress import progress
    from service.demo import DEFAULT_FAMILIES, DEFAULT_SEED
    from service.demo.loading import load as load_population

    with progress("Loading made-up cases") as advance:
        loaded = load_population(
            svc,
            seed=DEFAULT_SEED if seed is None else seed,
            families=DEFAULT_FAMILIES if families is None else families,
            progress=advance,
        )
    if loaded.events:
        click.echo(f"Loaded {plural(loaded.events, 'event')} of {plural(loaded.families, 'made-up family', 'made-up families')}.", err=True)
    else:
        click.echo("The made-up population is loaded already.", err=True)


def _instant(until: int | dt.date | None) -> dt.datetime:
    if until is None:
        return dt.datetime.now(dt.UTC)
    if isinstance(until, int):
        return dt.datetime.fromtimestamp(until / 1000, dt.UTC)
    from zoneinfo import ZoneInfo

    return dt.datetime.combine(until, dt.time(23, 59), ZoneInfo("Australia/Adelaide"))
