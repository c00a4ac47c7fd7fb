"""Which versions of policies judge: now, and as it was known at an earlier instant.  Imports store/ and service/.

The store decides.  A process remembers what it has read and asks for two numbers, the epoch, whether anything has been activated
since.  Before the installation's files have been registered, and for policies that the store does not know, the files hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.policies.book import loaded
from service.policies.policyset import PolicySet, of_policies
from store.policychanges import Activated, Epoch, activated, epoch

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from rules.policy import Policy

SETS_KEPT = 16
"""How many sets of earlier instants are remembered."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read last."""

    epoch: Epoch
    activated: tuple[Activated, ...]
    now: PolicySet


class InForce:
    """One process's memory of the versions in force.  Safe to use from several threads."""

    def __init__(self, installed: PolicySet, sessions: sessionmaker[Session], readers: sessionmaker[Session]) -> None:
        self.installed = installed
        self.versions: dict[str, Policy] = {policy.digest: policy for policy in installed.policies}
        self._sessions, self._readers = sessions, readers
        self._known: _Known | None = None
        self._sets: dict[tuple[str, ...], PolicySet] = {}
        self._looked = 0.0
        self._lock = threading.Lock()

    def refresh(self, *, patience: float = 0.0) -> bool:
        """Look whether other versions have come into force; whether they have.

        ``patience``: not if one has looked within so many seconds.  Without it, what is being activated at this moment is waited for:
        whoever has claimed a case and then refreshes judges by a set at least as new as the claim.
        """
        if patience and self._known is not None and time.monotonic() - self._looked < patience:
            return False
        # A reader of PostgreSQL sees one instant from its first query on; waiting for another one's commit takes a plain transaction.
        waits = not patience and self._sessions.kw["bind"].dialect.name == "postgresql"
        with self._lock, self._sessions.begin() if waits else self._readers() as session:
            self._looked = time.monotonic()
            present = epoch(session, settled=waits)
            if self._known is not None and self._known.epoch == present:
                return False
            found = tuple(activated(session))
            changed = self._known is not None
            self._sets.clear()
            self._known = _Known(present, found, self._set(session, found, found))
            return changed

    def now(self) -> PolicySet:
        """The versions in force, those included that take effect on a later day."""
        if self._known is None:
            self.refresh(patience=1.0)
        known = self._known
        return known.now if known is not None else self.installed

    def known(self) -> PolicySet:
        """The same without asking the store: what was read last, else what the files hold."""
        return self._known.now if self._known is not None else self.installed

    def at(self, known_at: int) -> PolicySet:
        """The versions that were in force as it was known at an instant (ms)."""
        self.refresh(patience=1.0)
        known = self._known
        if known is None:
            return self.installed
        then = tuple(one for one in known.activated if one.known is None or one.known <= known_at)
        if then == known.activated:
            return known.now
        key = tuple(one.change for one in then)
        found = self._sets.get(key)
        if found is None:
            with self._lock, self._readers() as session:
                found = self._set(session, then, known.activated)
                while len(self._sets) >= SETS_KEPT:
                    del self._sets[next(iter(self._sets))]
                self._sets[key] = found
        return found

    def _set(self, session: Session, then: Iterable[Activated], ever: Iterable[Activated]) -> PolicySet:
        """Policies in the order in which they first came into force, the versions of each in the order of their days."""
        by_day: dict[str, dict[str, str]] = {one.policy: {} for one in ever}
        for one in then:  # of two that take effect on one day, the one that was decided later holds
            by_day[one.policy][one.effective] = one.digest
        digests = [by_day[policy][day] for policy in by_day for day in sorted(by_day[policy])]
        versions = loaded(session, digests, self.versions)
        return of_policies([*versions.values(), *(policy for policy in self.installed.policies if policy.id not in by_day)])
