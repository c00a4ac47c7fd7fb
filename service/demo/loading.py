"""Puts the made-up population into a store, through the ordinary ingest.  Imports service/, store.models and rules/.

A row among the sources marks the store, so that pages can say that what they show is made up.  It also remembers which
population it is: a load that was interrupted goes on where it was, with the same families.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.bootstrap import Service
from service.demo.population import DEFAULT_FAMILIES, DEFAULT_SEED, population
from service.errors import NotPossible
from service.ingest import ingest
from store.models import EventRow, SourceRow

MARK = "urn:demo:population"
PREFIX = "urn:demo:"
BATCH = 1_000
BANNER = "The families, workers and events shown here are made up."


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: 0 events where everything had been loaded before."""

    families: int
    events: int


def _silent(_done: int, _total: int | None) -> None:
    """Shows nothing."""


def banner(svc: Service) -> str:
    """What pages say above everything else where the store holds made-up cases; empty where it does not."""
    with svc.reading() as session:
        return BANNER if session.get(SourceRow, MARK) is not None else ""


def load(
    svc: Service,
    *,
    seed: int = DEFAULT_SEED,
    families: int = DEFAULT_FAMILIES,
    progress: Callable[[int, int | None], None] = _silent,
) -> Loaded:
    """Loads the population up to now, once.  Raises NotPossible in a store that holds cases which are not made up."""
    plan = _claim(svc, {"seed": seed, "families": families, "until": svc.now(), "loaded": False})
    if plan["loaded"]:
        return Loaded(plan["families"], 0)
    until = dt.datetime.fromtimestamp(plan["until"] / 1000, dt.UTC)
    events = list(population(until=until, seed=plan["seed"], families=plan["families"]))
    for start in range(0, len(events), BATCH):
        ingest(svc, events[start : start + BATCH], via="demo")
        progress(min(start + BATCH, len(events)), len(events))
    with svc.writing() as session:
        row = session.get_one(SourceRow, MARK)
        row.cursor = {**plan, "loaded": True}
    return Loaded(plan["families"], len(events))


def _claim(svc: Service, plan: dict[str, Any]) -> dict[str, Any]:
    with svc.writing() as session:
        row = session.get(SourceRow, MARK)
        if row is None:
            if _holds_real_events(session):
                raise NotPossible("the store holds cases that are not made up: load the demo into an empty one (another DUECARE_HOME)")
            row = SourceRow(source=MARK, adapter="demo", cursor=plan)
            session.add(row)
        return dict(row.cursor or plan)


def _holds_real_events(session: Session) -> bool:
    real = select(EventRow.position).where(~EventRow.source.startswith(PREFIX)).limit(1)
    return session.scalar(real) is not None
