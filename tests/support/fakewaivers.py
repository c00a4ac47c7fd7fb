"""Made-up waivers: three that wait, one of them asked for by whoever looks, one in force, and one of each kind that is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from api.web.views import BreachRow, Choice, Listing, WaiverLine
from api.web.waivers.views import AskPage, WaiverFilters, WaiverItem, WaiversPage
from service.access import Access
from service.errors import Forbidden, NotFound, NotPossible, StaleVersion

ZONE = "Australia/Adelaide"
STATES = {"waiting": ("proposed",), "standing": ("approved",), "past": ("refused", "void", "ended")}


class FakeWaivers:
    """``settled``: what somebody else has made of a waiver meanwhile."""

    rows: dict[str, BreachRow]
    clock: int
    empty: bool
    seen: list[tuple[str, Any]]

    def __init__(self) -> None:
        self.settled: dict[str, str] = {}

    def _waivers(self, access: Access) -> list[WaiverItem]:
        breaches = list(self.rows.values())
        asked = [("wv1", "proposed", "robin"), ("wv2", "proposed", "kim"), ("wv3", "approved", "kim")]
        asked += [("wv4", "refused", "robin"), ("wv5", "void", "kim"), ("wv6", "ended", "robin"), ("wv7", "refused", "kim")]
        made = []
        for number, (name, first, author) in enumerate(asked):
            state = self.settled.get(name, first)
            own, waits = access.actor == f"user:{author}", state == "proposed"
            may = access.allows("breaches:review")
            settled_by = "" if waits or name == "wv7" else "lee"
            made.append(
                WaiverItem(
                    id=name,
                    state=state,
                    breach=breaches[number],
                    zone=ZONE,
                    author=author,
                    reason="It was not safe",
                    created=self.clock - 86_400_000 * (number + 1),
                    ends_on=dt.date(2026, 5, 1),
                    comment="See the supervision note.\nSecond line.",
                    approver=settled_by,
                    decided_at=None if waits else self.clock - 3_600_000,
                    over_at=self.clock - 60_000 if state in {"void", "ended"} else None,
                    answer="" if waits else "Agreed with the team.",
                    may_answer=waits and not own and may,
                    may_take_back=waits and own,
                    barrier="You asked for it, so it takes another person to approve it: a manager" if waits and own else "",
                )
            )
        return [] if self.empty else made

    def waivers_of(self, access: Access) -> list[WaiverLine]:
        """As the page of a breach shows them."""
        return [
            WaiverLine(one.id, one.state, one.author, one.reason, one.comment, ends_on=one.ends_on, may_approve=one.may_answer)
            for one in self._waivers(access)[:1]
        ]

    def waivers(self, access: Access, filters: WaiverFilters) -> WaiversPage:
        everything = self._waivers(access)
        shown = [one for one in everything if filters.show == "all" or one.state in STATES[filters.show]]
        mine = [one for one in everything if one.may_answer]
        rows = mine if filters.mine else shown
        counts = {show: sum(one.state in states for one in everything) for show, states in STATES.items()}
        more = "2" if len(rows) > 3 and not filters.cursor else ""
        return WaiversPage(Listing(rows, len(rows), self.clock, ZONE, more), counts | {"all": len(everything)}, len(mine), bool(mine))

    def waiver(self, access: Access, waiver: str) -> WaiverItem:
        found = next((one for one in self._waivers(access) if one.id == waiver), None)
        if found is None:
            raise NotFound
        return found

    def asking(self, access: Access, breach: str) -> AskPage:
        if not access.allows("breaches:review"):
            raise Forbidden
        if breach not in self.rows:
            raise NotFound
        row = self.rows[breach]
        barrier = "" if row.condition in {"open", "excused"} else "Only a breach that is open or excused can be waived"
        return AskPage(row, ZONE, dt.date(2026, 4, 9), (Choice("unsafe", "It was not safe"),), "a manager", barrier)

    def ask_waiver(self, access: Access, breach: str, *, reason: str, comment: str, ends_on: dt.date, version: int) -> None:
        if version != self.rows[breach].version:
            raise StaleVersion(self.rows[breach].version)
        self.seen.append(("ask_waiver", (breach, reason, comment, ends_on)))

    def settle_waiver(self, access: Access, waiver: str, *, approve: bool, comment: str) -> None:
        found = self.waiver(access, waiver)
        if found.state != "proposed":
            raise NotPossible(f"the waiver is {found.state} already")
        if approve and found.may_take_back:
            raise Forbidden
        self.seen.append(("settle_waiver", (waiver, approve, comment)))
        self.settled[waiver] = "approved" if approve else "refused"
