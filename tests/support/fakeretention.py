"""The made-up retention of the fake desk: rules, holds that stand and were lifted, a removal under way and a certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.web.retention.views import HoldLine, JourneyLine, PlanPage, RemovalLine, RetentionPage, RuleLine
from rules.model import to_ms
from service.access import Access
from service.errors import NotFound

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
DAY = 86_400_000
RULES = (RuleLine("cfss", 7, "Removed; only counts stay"), RuleLine("", 25, "Verdicts stay under made-up ids"))
HOLDS = (
    HoldLine("h2", "FAM-2007", True, "The coroner has asked for <everything>.", "Kay Keeper", NOW - DAY),
    HoldLine("h1", "d" * 64, False, "", "Kay Keeper", NOW - 900 * DAY, NOW - 400 * DAY, "Lee Lifter", ""),
)
ROWS = (("access_log", 0, 12), ("breach", 14, 0), ("event", 412, 0), ("verdict", 78, 3))
REMOVALS = (
    RemovalLine("000002", False, NOW - 60_000, None, "Kay Keeper", 3, 2, 40, "b" * 64, ROWS[:2], (), RULES, 90_412),
    RemovalLine("000001", True, NOW - 9 * DAY, NOW - 9 * DAY + 5_000, "Kay Keeper", 12, 9, 1_204, "a" * 64, ROWS,
                (("there is a legal hold on a case of it", 1),), RULES, 88_001, 41, "c" * 64),
)  # fmt: skip
GOING = (JourneyLine(("FAM-2001", "FAM-2002"), dt.date(2018, 5, 10), dt.date(2025, 5, 11), RULES[0].way, ""),)
STAYING = (JourneyLine(("FAM-2007",), dt.date(2018, 5, 10), dt.date(2025, 5, 11), RULES[0].way, "there is a legal hold on a case of it"),)


class FakeRetention:
    """Part of the fake desk."""

    def retention_page(self, access: Access) -> RetentionPage:
        access.require("users:admin")
        return RetentionPage(NOW, ZONE, RULES, ["Lines of the access log are kept for 7 years."], "", HOLDS, 1, REMOVALS)

    def retention_plan(self, access: Access) -> PlanPage:
        access.require("users:admin")
        return PlanPage(NOW, ZONE, 2, 1, False, 1_204, 3, GOING, [(STAYING[0].why, 1)], STAYING)

    def start_removal(self, access: Access) -> str:
        access.require("users:admin")
        return "000002"

    def removal(self, access: Access, removal: str) -> RemovalLine:
        access.require("users:admin")
        for one in REMOVALS:
            if one.id == removal:
                return one
        raise NotFound("no such removal")

    def removal_file(self, access: Access, removal: str) -> dict[str, Any]:
        return asdict(self.removal(access, removal))

    def set_hold(self, access: Access, *, case: str, reason: str) -> None:
        access.require("users:admin")
        if not case or not reason:
            raise NotFound("no such case")

    def lift_hold(self, access: Access, hold: str, *, reason: str) -> str:
        access.require("users:admin")
        for one in HOLDS:
            if one.id == hold and reason:
                return one.case
        raise NotFound("no such legal hold")

    def case_holds(self, access: Access, case: str) -> Sequence[HoldLine]:
        access.require("cases:read")
        return [one for one in HOLDS if one.case == case]

    def may_hold(self, access: Access) -> bool:
        return access.allows("users:admin") and access.teams is None
