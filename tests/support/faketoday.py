"""A made-up first page, and made-up statistics."""

from __future__ import annotations

import datetime as dt
from typing import Any

from api.web import words
from api.web.statistics.present import outside_rows, rule_rows, team_rows, timeliness_part, trend_part
from api.web.statistics.views import StatFilters, StatisticsPage, VerdictFilters, VerdictItem, VerdictsPage
from api.web.today.views import FeedLine, Figure, TodayPage
from api.web.views import Choice
from service.access import Access
from service.policies.policyset import PolicySet
from service.rates import Share, Timeliness, gathered, months
from service.statistics import Board, Line, Month

ZONE = "Australia/Adelaide"


def board(counted_at: int = 0) -> Board:
    """Twelve months to 8 April 2026: one without anything judged, one over few, rules and teams of all kinds."""

    def share(met: int, late: int, breached: int) -> Share:
        return gathered(
            [
                ("met", "", met),
                ("late", "", late),
                ("breached", "", breached),
                ("unknown", "source_stale", 1),
                ("not_applicable", "ended_before_due", 2),
            ]
        )

    names = months("2026-04", 12)
    shares = [Share() if n == 3 else share(4, 1, 1) if n == 11 else share(300 + n, 9 - n % 5, n % 4) for n in range(12)]
    total = gathered([piece for one in shares for piece in one._pieces()])
    rules = [
        Line("cfss", "C08", share(90, 5, 5), shares),
        Line("cfss", "C12", share(100, 0, 0), shares),
        Line("cfss", "C99", share(1, 0, 1), [Share()] * 12),
        Line("cfss", "C13", Share({"unknown": 3}), [Share()] * 12),
    ]
    return Board(
        counted_at=counted_at,
        first=dt.date(2025, 5, 1),
        last=dt.date(2026, 4, 8),
        months=[Month(name, name != "2026-04", one) for name, one in zip(names, shares, strict=True)],
        total=total,
        rules=rules,
        teams=[Line("", "north", share(200, 3, 1), shares), Line("", None, share(20, 0, 2), shares)],
        timeliness=Timeliness({-5: 3, -1: 40, 0: 12, 2: 5}),
        outside={
            "none": gathered([("not_applicable", "parameter_unset", 40), ("met", "", 3)]),
            "ahead": gathered([("pending", "", 9), ("due_soon", "", 4)]),
            "earlier": Share(),
        },
    )


class FakeToday:
    """``empty``: nothing was ever taken in, or counted."""

    empty: bool
    clock: int
    seen: list[tuple[str, Any]]

    def _fail(self) -> None:
        raise NotImplementedError

    def home(self, access: Access) -> TodayPage:
        self._fail()
        made, none = board(self.clock), PolicySet(())
        figures = [
            Figure(
                words.word("severity", name), 0 if self.empty else number, f"/breaches?condition=open&review=new&severity={name}", kind=name
            )
            for number, name in enumerate(words.SEVERITIES)
        ]
        mine = [Figure("Assigned to me", 0 if self.empty else 1200, "/breaches?condition=open&assignee=me", "open breaches", "act")]
        feeds = [FeedLine("The case register", "quiet", 0, 1, "/sources/crm"), FeedLine("urn:paper", "pushed", None)]
        if self.empty:
            return TodayPage(self.clock, ZONE, figures, mine, store_is_empty=True)
        return TodayPage(
            as_of=self.clock,
            zone=ZONE,
            new=figures,
            mine=mine,
            due=[Figure("In the next 7 days", 12, "/due-soon?within=7", "to Thu 16 Apr 2026")],
            feeds=feeds,
            trend=trend_part(made, StatFilters()),
            rules=rule_rows(made, StatFilters(), none),
            teams=team_rows(made, StatFilters()),
        )

    def statistics(self, access: Access, filters: StatFilters) -> StatisticsPage:
        self._fail()
        self.seen.append(("statistics", filters))
        if self.empty:
            return StatisticsPage(self.clock, ZONE, None)
        made = board(self.clock)
        return StatisticsPage(
            as_of=self.clock,
            zone=ZONE,
            trend=trend_part(made, filters),
            rules=rule_rows(made, filters, PolicySet(())),
            teams=team_rows(made, filters),
            timeliness=timeliness_part(made.timeliness),
            outside=outside_rows(made, filters),
            choices={
                "team": [Choice("north", "north"), Choice("-", "No team")],
                "rule": [Choice("C08", "C08 A safety plan")],
                "policy": [Choice("cfss", "Child and Family Support System journey")],
                "severity": [Choice(name, words.word("severity", name)) for name in words.SEVERITIES],
            },
        )

    def verdicts(self, access: Access, filters: VerdictFilters) -> VerdictsPage:
        self._fail()
        self.seen.append(("verdicts", filters))
        day = dt.date(2026, 3, 23)
        rows = [
            VerdictItem(
                "FAM-1", "A safety plan was completed 2 days early", "met", "", "C08", "cfss", "critical", day, day, "north", "w-1"
            ),
            VerdictItem(
                "FAM-2", "It cannot be judged", "unknown", "a source has gone quiet", "C12", "cfss", "high", None, None, subject="child 1"
            ),
            VerdictItem("FAM-3", "It was late", "late", "", "C12", "cfss", "high", day, day, breach="b0001"),
        ]
        return VerdictsPage(
            self.clock, ZONE, [] if self.empty else rows, 0 if self.empty else 10_000, not self.empty, "next", {"reason": []}
        )
