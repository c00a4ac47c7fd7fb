"""The made-up families, and the offices, teams and workers that walk beside them.  Imports the standard library only.

Identifiers and codes only: not even a made-up name stands in an event.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

CFSS = "cfss"
STRENGTHENING = "strengthening_families"
ZONES = {CFSS: ZoneInfo("Australia/Adelaide"), STRENGTHENING: ZoneInfo("Australia/Darwin")}
TEAMS = {
    CFSS: (("adelaide", "north"), ("adelaide", "south"), ("port_augusta", "far_north"), ("mount_gambier", "limestone")),
    STRENGTHENING: (("darwin", "harbour"), ("palmerston", "rural"), ("alice_springs", "centre"), ("katherine", "big_rivers")),
}
WORKERS_A_TEAM = 5


@dataclass(frozen=True, slots=True)
class Family:
    """One household, who works with it, and how its story goes."""

    number: int
    program: str
    office: str
    team: str
    worker: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    begins: dt.date
    """The day of the referral."""
    lasts: int
    """Days from the referral to the closure that is planned."""
    ending: str
    """The closure reason."""
    flaw: str = ""
    """What goes wrong, by the name that `service.demo.flaws` gives it; empty: nothing on purpose."""
    turn: str = ""
    """What else happens, by the names in `service.demo.flaws`; none of it is wrong."""

    @property
    def case(self) -> str:
        return f"demo-{self.number:04d}"

    @property
    def zone(self) -> ZoneInfo:
        return ZONES[self.program]

    @property
    def leader(self) -> str:
        return f"demo-lead-{self.team}"

    @property
    def manager(self) -> str:
        return f"demo-manager-{self.office}"

    @property
    def practitioner(self) -> dict[str, str]:
        """The worker as the performer of an event."""
        return {"id": self.worker, "role": "practitioner"}

    @property
    def household(self) -> list[dict[str, Any]]:
        """Members as household.recorded lists them."""
        return [{"person": p, "role": "parent"} for p in self.parents] + [{"person": c, "role": "child"} for c in self.children]

    @property
    def taking_part(self) -> list[dict[str, str]]:
        """The first parent and the first child as participants."""
        return [{"person": self.parents[0], "role": "parent"}, {"person": self.children[0], "role": "child"}]


def grown(member: Family) -> Family:
    """The same family with seven children."""
    return replace(member, children=tuple(f"{member.case}-c{i}" for i in range(1, 8)))


def family(number: int, *, rng: random.Random, program: str, until: dt.date, span: int) -> Family:
    """One family whose referral came at some day of the ``span`` days before ``until``."""
    office, team = rng.choice(TEAMS[program])
    parents = tuple(f"demo-{number:04d}-p{i}" for i in range(1, rng.choices((1, 2), (6, 4))[0] + 1))
    children = tuple(f"demo-{number:04d}-c{i}" for i in range(1, rng.choices((1, 2, 3, 4), (35, 35, 20, 10))[0] + 1))
    good = "safety_achieved" if program == STRENGTHENING else "other"
    ending = rng.choices((good, "moved", "disengaged", "withdrew"), (82, 7, 6, 5))[0]
    return Family(
        number=number,
        program=program,
        office=office,
        team=team,
        worker=f"demo-worker-{team}-{rng.randrange(1, WORKERS_A_TEAM + 1)}",
        parents=parents,
        children=children,
        begins=until - dt.timedelta(days=rng.randrange(2, span)),
        lasts=rng.randrange(170, 420) if ending == good else rng.randrange(75, 300),
        ending=ending,
    )
