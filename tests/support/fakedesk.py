"""A desk with made-up answers, to draw every page without a store: `python -m tests.support.fakedesk` serves it for looking around."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from flask import Flask

from api import problems, security, web
from api.web import words
from api.web.views import (
    BreachPage,
    BreachRow,
    Choice,
    Clause,
    Evidence,
    HeldCase,
    HistoryLine,
    SourceLine,
    StatusPage,
)
from api.web.worklist.views import WorkFilters
from rules.model import to_ms
from service.access import ROLES, Access
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from tests.support.fakeaccount import FakeAccount
from tests.support.fakeadmin import FakeAdmin
from tests.support.fakeaudits import FakeAudits
from tests.support.fakecases import FakeCases
from tests.support.fakedue import FakeDue
from tests.support.fakenotices import FakeNotices
from tests.support.fakepolicies import FakePolicies
from tests.support.fakeretention import FakeRetention
from tests.support.fakesignon import FakeSignOn
from tests.support.fakesources import FakeSources
from tests.support.faketoday import FakeToday
from tests.support.fakewaivers import FakeWaivers
from tests.support.fakeworklist import FakeWork

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
PASSWORD = "a made-up pass phrase"
LONG = "case/with a slash & <angle> " + "x" * 60

_SENTENCES = (
    ("C08", "critical", "No completed safety plan by the end of the 3rd visit, Mon 23 March; recorded 7 days after"),
    ("C12", "high", "No family snapshot within 6 weeks, by Fri 27 February; nothing recorded yet"),
    ("S22", "critical", "The closure on Tue 3 March was not approved by a team leader or manager"),
    ("S24", "medium", "The closure was approved by the person who asked for it"),
    ("C05", "high", "Child P-1182-2 was not seen by the 3rd visit, Mon 23 March"),
    ("X01", "low", "A visit held on Mon 2 March was recorded 16 days later, on Wed 18 March"),
)


def row(number: int) -> BreachRow:
    rule, severity, sentence = _SENTENCES[number % len(_SENTENCES)]
    return BreachRow(
        id=f"b{number:04d}",
        case=LONG if number == 7 else f"FAM-{2000 + number}",
        sentence=sentence,
        rule=rule,
        policy="cfss" if rule[0] == "C" else "strengthening_families" if rule[0] == "S" else "record_quality",
        severity=severity,
        condition=words.CONDITIONS[(0, 0, 0, 1, 0, 2, 0)[number % 7]],
        review=words.REVIEWS[(0, 0, 1, 0, 2, 3)[number % 6]],
        version=3,
        due_on=None if number % 6 == 3 else dt.date(2026, 3, 23) - dt.timedelta(days=number),
        days_late=None if number % 6 == 3 else 7 + number,
        team=("north", "south", "")[number % 3],
        office="alice_springs" if number % 3 else "",
        worker=f"w-{number % 5}" if number % 4 else "",
        contested=number == 4,
        subject="child P-1182-2" if rule == "C05" else "",
    )


class FakeDesk(
    FakeCases,
    FakeDue,
    FakePolicies,
    FakeSignOn,
    FakeSources,
    FakeToday,
    FakeAdmin,
    FakeAudits,
    FakeWaivers,
    FakeAccount,
    FakeWork,
    FakeNotices,
    FakeRetention,
):
    """Everything in memory; ``moved`` makes the next review find a newer version."""

    def __init__(self) -> None:
        super().__init__()
        FakeAccount.__init__(self)
        FakeSources.__init__(self)
        FakeAdmin.__init__(self)
        FakeAudits.__init__(self)
        FakeNotices.__init__(self)
        self.rows = {item.id: item for item in map(row, range(60))}
        self.limited: frozenset[str] | None = None
        self.roles = frozenset({"reviewer"})
        self.must_change = False
        self.password = PASSWORD
        self.demo = "Every family on these pages is invented."
        self.mode = "both"
        self.empty = False
        self.failing: Exception | None = None
        self.seen: list[tuple[str, Any]] = []
        self.clock = NOW
        self.assigned: dict[str, str] = {}
        FakeWork.__init__(self)
        FakeWaivers.__init__(self)

    def _access(self, user: str) -> Access:
        scopes = frozenset[str]().union(*(ROLES[role] for role in self.roles))
        return Access(actor=f"user:{user}", name=user, scopes=scopes, roles=self.roles, teams=self.limited, must_change=self.must_change)

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing

    def now(self) -> int:
        return self.clock

    def banner(self) -> str:
        return self.demo

    def deciders(self) -> str:
        return self.mode

    def breach(self, access: Access, breach: str) -> BreachPage:
        self._fail()
        if breach not in self.rows:
            raise NotFound
        item = self.rows[breach]
        may = access.allows("breaches:review")
        new = item.review == "new"
        actions = ({"uphold", "dismiss", "comment", "waive"} | ({"acknowledge"} if new else set())) if may else set()
        return BreachPage(
            row=item,
            clause=Clause(
                "cfss",
                "Child and Family Support System journey",
                item.rule,
                "A safety plan by the end of the 3rd visit",
                "By the day of the third qualifying visit, the family and the practitioner have completed the safety plan together.",
                "CFSS practice guide, step 3, heading \u201cSafety planning\u201d",
                item.severity,
            ),
            zone=ZONE,
            as_of=NOW,
            known_at=NOW,
            contested_why="the plan's date was moved to an earlier day after the breach was announced" if item.contested else "",
            activated_on=dt.date(2026, 2, 2),
            satisfied_on=dt.date(2026, 3, 30),
            steps=(
                "Visits that count: Mon 2 February, Mon 2 March, Mon 23 March 2026. The 3rd one is Mon 23 March 2026.",
                "A completed safety plan was due by the end of that day.",
                "The first one was completed on Mon 30 March 2026: 7 days after.",
            ),
            would="It would have been met with a safety plan that is completed or final, by Mon 23 March 2026.",
            evidence=(
                Evidence("visit-3311", "Visit held", "Mon 23 March 2026, 10:15", "Tue 24 March 2026", "yes"),
                Evidence(
                    "visit-3290",
                    "Visit held",
                    "Thu 12 March 2026, 14:00",
                    "Thu 12 March 2026",
                    "no",
                    "it was attempted, not held",
                ),
                Evidence(
                    "plan-77-" + "z" * 80,
                    "Safety plan updated",
                    "Mon 30 March 2026",
                    "Mon 30 March 2026",
                    "unclear",
                    "it reached completed here",
                ),
            ),
            history=(
                *(
                    [HistoryLine(NOW, f"Review: {words.word('review', item.review)}", "robin", comment="Looked at it.\nSecond line.")]
                    if not new
                    else []
                ),
                HistoryLine(NOW - 86_400_000, "Opened", "", NOW - 86_400_000, "ab12" * 16, ("visit-3311",)),
            ),
            actions=frozenset(actions),
            reasons=(Choice("record_wrong", "The record is wrong"), Choice("not_applicable", "It does not apply to this family")),
            waivers=self.waivers_of(access),
            assigned=self.assigned.get(breach, ""),
            assignee=self.assigned.get(breach, "").removeprefix("user:"),
            people=(Choice("user:kim", "kim"), Choice("user:robin", "robin")) if may else (),
        )

    def review(self, access: Access, breach: str, *, action: str, reason: str, comment: str, version: int) -> None:
        self._fail()
        if not access.allows("breaches:review"):
            raise Forbidden
        item = self.rows[breach]
        if version != item.version:
            raise StaleVersion(item.version)
        if comment == "impossible":
            raise NotPossible("a dismissed breach cannot be acknowledged")
        self.seen.append(("review", (breach, action, reason, comment)))
        state = {"acknowledge": "acknowledged", "uphold": "upheld", "dismiss": "dismissed"}.get(action, item.review)
        self.rows[breach] = replace(item, review=state, version=version + 1)

    def assign(self, access: Access, breach: str, *, to: str, version: int) -> None:
        item = self.rows[breach]
        if version != item.version:
            raise StaleVersion(item.version)
        if to not in {"", "user:kim", "user:robin"}:
            raise Invalid(Flaw("assignee", "unknown", "choose somebody who reviews breaches"))
        self.seen.append(("assign", (breach, to)))
        self.assigned[breach] = to
        self.rows[breach] = replace(item, version=version + 1)

    def neighbours(self, access: Access, breach: str, filters: WorkFilters) -> tuple[str | None, str | None]:
        rows = [item.row.id for item in self.breaches(access, replace(filters, cursor="")).rows]
        place = rows.index(breach) if breach in rows else -1
        after = rows[place + 1 : place + 2]
        return (rows[place - 1] if place > 0 else None), (after[0] if after else None)

    def status(self, access: Access) -> StatusPage:
        self._fail()
        held = () if self.empty else (HeldCase("FAM-2003", NOW, 3, "killed its worker three times"),)
        sources = (
            () if self.empty else (SourceLine("crm", NOW, NOW - 60_000), SourceLine("paper", NOW - 900_000_000, None, "quiet for 10 days"))
        )
        return StatusPage(
            NOW, ZONE, sources, held, 3, NOW - 4000, self.mode, 1, 7, 412, () if self.empty else ("One source has gone quiet.",)
        )


def app(desk: FakeDesk) -> Flask:
    """An application with the pages alone."""
    made = Flask("api", static_folder=None)
    security.install(made, body_limit=1_000_000)
    problems.install(made)
    web.install(made, desk, secret_key="only for tests, never anywhere else")
    made.config["TESTING"] = False
    return made


if __name__ == "__main__":
    from waitress import serve  # type: ignore[import-untyped]

    serve(app(FakeDesk()), host="127.0.0.1", port=8765, threads=4)
