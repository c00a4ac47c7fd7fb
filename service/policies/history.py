"""What was in force of a policy, since when, and by whose decision.  Imports store/ and service/."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from service.bootstrap import Service
from service.policies.record import PolicyChange, changes


@dataclass(frozen=True, slots=True)
class InForce:
    """One version that was activated.  ``before``: the digest of the one that it followed.

    ``state``: ``in_force`` today, ``upcoming``, ``past``, or ``replaced`` by one that was decided later for the same day.
    ``until``: the first day on which a later version judges what begins; None: none does.
    """

    change: PolicyChange
    state: str
    until: dt.date | None

    @property
    def digest(self) -> str:
        return self.change.digest

    @property
    def before(self) -> str | None:
        return self.change.base_digest


def history_of(svc: Service, policy: str) -> list[InForce]:
    """Every version of a policy that was activated, the newest first; empty for a policy that never was in force."""
    active = sorted(changes(svc, policy=policy, state="active"), key=lambda one: (one.effective, one.decided_at or 0, one.id))
    line = [one for one in svc.policies.policies if one.id == policy]
    if not active or not line:
        return []
    today = dt.date.fromordinal(line[-1].zone.day_of(svc.now()))
    holds = {one.effective: one for one in active}
    days = sorted(holds)
    told = []
    for one in active:
        until = next((day for day in days if day > one.effective), None)
        if holds[one.effective] is not one:
            state = "replaced"
        elif one.effective > today:
            state = "upcoming"
        else:
            state = "past" if until is not None and until <= today else "in_force"
        told.append(InForce(one, state, until))
    return told[::-1]
