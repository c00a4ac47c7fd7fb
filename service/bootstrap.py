"""Puts the parts of a process together once, from its settings.  Everything else takes the ``Service`` as its first argument.

Imports store/, rules/ and service/; what runs workers or serves HTTP stands above and asks for a ``Service`` here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from rules.errors import PolicyError
from rules.policy import Policy
from service.company import Company
from service.errors import NotPossible, SettingsError
from service.hints import Hints, NoHints, producer
from service.logs import get
from service.metrics import Metrics
from service.notify.config import Directory
from service.policies.inforce import InForce
from service.policies.policyset import PolicySet, load
from service.pressure import Gate
from service.settings import Settings
from service.sources.definitions import Feeds
from store.clock import DatabaseClock
from store.engine import make_engine, reader_factory, session_factory

if TYPE_CHECKING:
    from service.oidc import Provider

LOOK_EVERY = 1.0
"""Seconds for which what serves requests trusts what it knows of the versions in force."""

_log = get("bootstrap")


def wall_clock() -> int:
    """Now on this machine, in ms since 1970; with PostgreSQL the product goes by the database's clock.  Tests give another to ``build``."""
    return time.time_ns() // 1_000_000


@dataclass
class Service:
    """What the use cases need.  ``now()`` gives ms; ``hints`` may be exchanged once, by whoever runs the workers in this process."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    readers: sessionmaker[Session]
    in_force: InForce
    metrics: Metrics
    now: Callable[[], int]
    feeds: Feeds
    gate: Gate
    receivers: Directory
    hints: Hints = field(default_factory=NoHints)
    heard: dict[str, int] = field(default_factory=dict)
    """When this process last noted that it had heard of a source (ms)."""
    provider: Provider | None = None
    """Where people sign in with their organisation's account; None: here only."""
    company: Company | None = None
    """The installation's other processes; None where there is no queue and so are none."""

    @property
    def policies(self) -> PolicySet:
        """The versions of policies that are in force, as this process knows them: see ``refresh``."""
        return self.in_force.now()

    @property
    def installed(self) -> PolicySet:
        """What the files of this installation hold; in force is what the store says."""
        return self.in_force.installed

    @property
    def versions(self) -> dict[str, Policy]:
        """The versions that this process has loaded, by digest."""
        return self.in_force.versions

    def policies_at(self, known_at: int) -> PolicySet:
        """The versions that were in force as it was known at an instant (ms)."""
        return self.in_force.at(known_at)

    def refresh(self, *, patience: float = 0.0) -> bool:
        """Look whether other versions have come into force, unless one has looked within ``patience`` seconds; whether they have."""
        return self.in_force.refresh(patience=patience)

    def keep_up(self) -> None:
        """Look at most once a second; a store that is away is left to whoever needs it.  What serves requests calls this with each.

        A version that this program cannot read, for it came with a newer one, leaves it at what it knew.
        """
        try:
            self.refresh(patience=LOOK_EVERY)
        except (SQLAlchemyError, PolicyError, NotPossible) as error:
            _log.warning("versions_not_looked_up", exc_info=error)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; committed at the end, rolled back on any error."""
        with self.sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads, all of it as of one instant."""
        with self.readers() as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def build(settings: Settings, *, now: Callable[[], int] = wall_clock, policies: PolicySet | None = None) -> Service:
    """The service that ``settings`` describe.  Connects to nothing yet.  ``policies``: in place of what the files hold.

    Raises rules.errors.PolicyError for policies that cannot be used, SettingsError and store.errors.UnsupportedDatabase.
    """
    from service.standing import Figures, troubles

    if settings.database_url is None:
        settings.prepare_home()
    engine = make_engine(settings.database, pool_size=settings.database_pool)
    if now is wall_clock and engine.dialect.name == "postgresql":
        now = DatabaseClock(settings.database, wall_clock)
    sessions, readers = session_factory(engine), reader_factory(engine)
    metrics = Metrics(Figures(readers, now, lambda: troubles(service)))
    in_force = InForce(policies if policies is not None else load(settings.policies), sessions, readers)
    service = Service(
        settings=settings,
        engine=engine,
        sessions=sessions,
        readers=readers,
        in_force=in_force,
        metrics=metrics,
        now=now,
        feeds=Feeds(settings.sources, lambda: in_force.known().all_types),
        gate=Gate(readers, now, limit=settings.waiting_limit),
        receivers=Directory(settings.notify),
        provider=_provider(settings, now),
    )
    if settings.redis is not None:
        service.hints = producer(settings.redis, metrics)
        service.company = Company(settings.redis)
    return service


def _provider(settings: Settings, now: Callable[[], int]) -> Provider | None:
    if settings.oidc_issuer is None:
        if settings.oidc_only:
            raise SettingsError("OIDC_ONLY is set, but OIDC_ISSUER is not: nobody could sign in")
        return None
    from service.oidc import Provider

    return Provider(settings, now)
