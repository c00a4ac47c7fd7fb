"""How the installation stands: figures for /metrics, and what /readyz calls degraded.  Imports store/, rules.decide, service/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from service.metrics import Standing
from store.models import BreachRow, DirtyRow, HeartbeatRow, OutboxRow, VerdictRow

if TYPE_CHECKING:
    from service.bootstrap import Service

BEHIND = 300_000
"""ms that a case may wait to be judged before the installation counts as degraded."""
SOURCE_QUIET = 86_400_000
"""ms after which a source that gives heartbeats counts as quiet."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be.  ``fatal``: the service cannot do its work at all."""

    code: str
    message: str
    fatal: bool = False


def standing(readers: sessionmaker[Session], now: int) -> Standing:
    """The store's figures at ``now`` (ms)."""
    with readers() as session:
        waiting = DirtyRow.quarantined.is_(False)
        dirty, oldest = session.execute(select(func.count(), func.min(DirtyRow.since)).where(waiting)).one()
        quarantined = session.scalar(select(func.count()).select_from(DirtyRow).where(~waiting)) or 0
        outbox, first = session.execute(select(func.count(), func.min(OutboxRow.created)).where(OutboxRow.sent_at.is_(None))).one()
        verdicts = session.execute(
            select(VerdictRow.policy, VerdictRow.rule, VerdictRow.verdict, func.count()).group_by(
                VerdictRow.policy, VerdictRow.rule, VerdictRow.verdict
            )
        )
        breaches = session.execute(
            select(BreachRow.condition, BreachRow.severity, func.count()).group_by(BreachRow.condition, BreachRow.severity)
        )
        sources = session.execute(select(HeartbeatRow.source, func.max(HeartbeatRow.complete_until)).group_by(HeartbeatRow.source))
        return Standing(
            dirty=dirty,
            dirty_oldest=_age(now, oldest),
            quarantined=quarantined,
            outbox=outbox,
            outbox_oldest=_age(now, first),
            verdicts={(policy, rule, verdict): count for policy, rule, verdict, count in verdicts},
            breaches={(condition, severity): count for condition, severity, count in breaches},
            sources={source: _age(now, until) for source, until in sources},
        )


def troubles(svc: Service) -> list[Trouble]:
    """What is degraded now; empty where all is well."""
    from rules.decide import mode

    found: list[Trouble] = []
    if mode() != "both":
        found.append(Trouble("one_decider", "the table decides alone: the second decider is not installed"))
    if not svc.hints.reachable:
        found.append(Trouble("queue_unreachable", "hints do not reach the queue; the sweeper finds the cases, later"))
    try:
        now_standing = standing(svc.readers, svc.now())
    except SQLAlchemyError:
        return [*found, Trouble("database_unreachable", "the database cannot be reached", fatal=True)]
    if now_standing.quarantined:
        found.append(Trouble("quarantine", f"{now_standing.quarantined} cases are set aside because judging them failed"))
    if now_standing.dirty_oldest * 1000 > BEHIND:
        found.append(Trouble("behind", f"a case has waited {int(now_standing.dirty_oldest)} s to be judged"))
    quiet = sorted(source for source, age in now_standing.sources.items() if age * 1000 > SOURCE_QUIET)
    found.extend(Trouble("stale_source", f"source {source} has gone quiet") for source in quiet)
    return found


def _age(now: int, since: int | None) -> float:
    return max(0, now - since) / 1000 if since is not None else 0.0
