"""How the installation stands: figures for /metrics, and what /readyz calls degraded.  Imports store/, rules.decide, service/."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.metrics import Standing
from service.sources.health import Feed, State, feeds
from store import migrations, notices
from store.clock import DatabaseClock
from store.clocksteps import SLACK
from store.errors import SchemaError
from store.models import BreachRow, DirtyRow, HeartbeatRow, OutboxRow, RejectRow, SourceRow, VerdictRow

if TYPE_CHECKING:
    from service.bootstrap import Service

COUNTS_EVERY = 30.0
"""Seconds that counts over whole tables are good for."""
BEHIND = 300_000
"""ms that a case may wait to be judged before the installation counts as degraded."""

UNTOLD = 4 * 86_400
"""Seconds that a message may wait for a receiver, longer than quiet hours and days make it wait."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be.  ``fatal``: the service cannot do its work at all."""

    code: str
    message: str
    fatal: bool = False


class Figures:
    """The store's figures for /metrics.  Counts over whole tables are remembered for a while: scrapes come often, they change slowly.

    ``degraded`` tells the troubles that there are.
    """

    def __init__(self, readers: sessionmaker[Session], now: Callable[[], int], degraded: Callable[[], Sequence[Trouble]] = tuple) -> None:
        self._readers = readers
        self._now = now
        self._degraded = degraded
        self._counted_at: float | None = None
        self._verdicts: dict[tuple[str, str, str], int] = {}
        self._breaches: dict[tuple[str, str], int] = {}

    def __call__(self) -> Standing:
        with self._readers() as session:
            if self._counted_at is None or time.monotonic() - self._counted_at > COUNTS_EVERY:
                self._count(session)
            figures = replace(waiting(session, self._now()), verdicts=self._verdicts, breaches=self._breaches)
        return replace(figures, troubles=Counter(trouble.code for trouble in self._degraded()))

    def _count(self, session: Session) -> None:
        verdicts = select(VerdictRow.policy, VerdictRow.rule, VerdictRow.verdict, func.count())
        rows = session.execute(verdicts.group_by(VerdictRow.policy, VerdictRow.rule, VerdictRow.verdict))
        self._verdicts = {(policy, rule, verdict): count for policy, rule, verdict, count in rows}
        breaches = select(BreachRow.condition, BreachRow.severity, func.count())
        pairs = session.execute(breaches.group_by(BreachRow.condition, BreachRow.severity))
        self._breaches = {(condition, severity): count for condition, severity, count in pairs}
        self._counted_at = time.monotonic()


def waiting(session: Session, now: int) -> Standing:
    """What waits, and how far behind the sources are, at ``now`` (ms)."""
    free = DirtyRow.quarantined.is_(False)
    dirty, oldest = session.execute(select(func.count(), func.min(DirtyRow.since)).where(free)).one()
    quarantined = session.scalar(select(func.count()).select_from(DirtyRow).where(~free)) or 0
    outbox, first = session.execute(select(func.count(), func.min(OutboxRow.created)).where(OutboxRow.sent_at.is_(None))).one()
    receivers = notices.standings(session)
    waits = [since for since in (first, *(one.oldest for one in receivers.values())) if since is not None]
    sources = session.execute(select(HeartbeatRow.source, func.max(HeartbeatRow.complete_until)).group_by(HeartbeatRow.source))
    open_ones = (RejectRow.replayed_at.is_(None), RejectRow.dismissed_at.is_(None))
    rejects = session.execute(select(RejectRow.source, func.count()).where(*open_ones).group_by(RejectRow.source))
    asked = session.execute(select(SourceRow.source, SourceRow.failures, SourceRow.last_good_pull)).all()
    return Standing(
        dirty=dirty,
        dirty_oldest=_age(now, oldest),
        quarantined=quarantined,
        outbox=outbox + sum(one.waiting for one in receivers.values()),
        outbox_oldest=_age(now, min(waits, default=None)),
        notices={name: one.waiting for name, one in receivers.items()},
        notices_oldest={name: _age(now, one.oldest) for name, one in receivers.items()},
        dead={name: one.dead for name, one in receivers.items()},
        sources={source: _age(now, until) for source, until in sources},
        rejects={source: count for source, count in rejects},  # noqa: C416 - rows become pairs
        failures={row.source: row.failures for row in asked},
        good_pulls={row.source: _age(now, row.last_good_pull) for row in asked if row.last_good_pull is not None},
    )


def troubles(svc: Service) -> list[Trouble]:
    """What is degraded now; empty where all is well."""
    from rules.decide import mode

    found: list[Trouble] = []
    if mode() != "both":
        found.append(Trouble("one_decider", "the table decides alone: the second decider is not installed"))
    if not svc.hints.reachable:
        found.append(Trouble("queue_unreachable", "hints do not reach the queue; the sweeper finds the cases, later"))
    if isinstance(svc.now, DatabaseClock) and abs(svc.now.apart) > SLACK:
        seconds, way = abs(svc.now.apart) // 1000, "ahead of" if svc.now.apart > 0 else "behind"
        found.append(Trouble("clock", f"this machine's clock is {seconds} s {way} the database's, which is the one that counts"))
    try:
        if svc.company is not None and svc.hints.reachable:
            found.extend(Trouble("machines_differ", difference) for difference in svc.company.differences(svc))
        with svc.reading() as session:
            found.extend(_newer_tables(session))
            now_standing = waiting(session, svc.now())
            standing_feeds = feeds(svc, session)
    except SQLAlchemyError:
        return [*found, Trouble("database_unreachable", "the database cannot be reached", fatal=True)]
    if now_standing.quarantined:
        held = now_standing.quarantined
        found.append(Trouble("quarantine", f"{held} {'case is' if held == 1 else 'cases are'} set aside because judging failed"))
    if now_standing.dirty_oldest * 1000 > BEHIND:
        found.append(Trouble("behind", f"a case has waited {int(now_standing.dirty_oldest)} s to be judged"))
    found.extend(trouble for feed in standing_feeds if (trouble := _trouble_with(feed)) is not None)
    if faults := len(svc.feeds.current().faults):
        found.append(Trouble("source_faults", f"{faults} {'fault' if faults == 1 else 'faults'} in the files of DUECARE_SOURCES"))
    return [*found, *_untold(svc, now_standing)]


def _newer_tables(session: Session) -> list[Trouble]:
    """Whether a newer version has upgraded the tables, which this process does not mind for a while."""
    try:
        newer = migrations.newer_on(session.connection())
    except SchemaError as error:
        return [Trouble("newer_tables", str(error))]
    if newer is None:
        return []
    return [Trouble("newer_tables", f"the tables are at revision {newer}, this process is of {migrations.head()}: start the newer version")]


def _untold(svc: Service, now: Standing) -> list[Trouble]:
    """What is wrong with telling others."""
    found = []
    if faults := len(svc.receivers.current().faults):
        said = f"{faults} {'fault' if faults == 1 else 'faults'} in the file of DUECARE_NOTIFY: nobody is told"
        found.append(Trouble("notify_faults", said))
    if dead := int(sum(now.dead.values())):
        found.append(Trouble("dead_notices", f"{dead} {'message was' if dead == 1 else 'messages were'} not taken and given up"))
    late = [name for name, age in sorted(now.notices_oldest.items()) if age > UNTOLD]
    found.extend(Trouble("late_notices", f"messages for {name} have waited {int(now.notices_oldest[name] / 3600)} hours") for name in late)
    return found


def _trouble_with(feed: Feed) -> Trouble | None:
    name = feed.name or feed.stored.source
    if feed.state is State.QUIET:
        return Trouble("stale_source", f"source {name} has gone quiet")
    if feed.state is State.FAILING:
        return Trouble("failing_source", f"source {name} cannot be read: {feed.stored.last_error}")
    return None


def _age(now: int, since: int | None) -> float:
    return max(0, now - since) / 1000 if since is not None else 0.0
