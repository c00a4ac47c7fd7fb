"""Made-up answers about cases, for drawing their pages without a store; part of tests.support.fakedesk."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from api.web.cases.views import (
    CaseFilters,
    CaseList,
    CasePage,
    CaseRow,
    CourseLine,
    DueLine,
    EpisodeLine,
    JourneyDay,
    JourneyItem,
    Lane,
    Period,
    PersonLine,
    Picture,
    Query,
    Shape,
    Tick,
    VerdictGroup,
    VerdictLine,
)
from api.web.views import Choice
from rules.model import to_ms
from service.access import Access
from service.caseexport import Export
from service.errors import NotFound

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
_CHILD = "P-1182-2"


def picture(show: str) -> Picture:
    """A small picture with a shape of every kind."""
    course = Lane(
        "Course of the case",
        56,
        (Shape("bar", "open", 2, 10, 80, 18, title="Episode 1"), Shape("mark", "turn", 60, 19, sign="moved")),
        kind="course",
    )
    visit = Shape(
        "mark", "counts", 30, 17, sign="contact", text="3", title="Visit held (3rd that counts), Mon 23 Mar 2026", href="#d-2026-03-23"
    )
    late = Shape(
        "mark", "counts late", 20, 17, sign="contact", text="2", title="Visit held (2nd that counts), Mon 2 Mar 2026", href="#d-2026-03-02"
    )
    window = Shape("bar", "window breached", 10, 9, 30, 12, title="C08", href="/breaches/b0000")
    due = Lane(
        "A safety plan by the end of the 3rd visit",
        34,
        (window, Shape("mark", "breached", 30, 15, sign="breached", href="/breaches/b0000")),
        "C08",
        "due",
    )
    ticks = (Tick(0, "Feb 2026", True), Tick(25, "Mar"), Tick(60, "Apr"))
    periods = (Period("", "The whole case", not show), Period("year", "The last 12 months", show == "year"))
    return Picture(
        dt.date(2026, 2, 1),
        dt.date(2026, 5, 1),
        560,
        ticks,
        (course, Lane("Visit held", 34, (visit, late), kind="contact"), due),
        80,
        70,
        periods,
    )


class FakeCases:
    """See ``api.web.cases.desk.CaseDesk``."""

    seen: list[tuple[str, Any]]
    empty: bool

    def case(
        self: Any, access: Access, case: str, *, as_of: dt.date | None, known_at: dt.date | None, show: str = "", rule: str = ""
    ) -> CasePage:
        self._fail()
        self.seen.append(("case", (case, as_of, known_at)))
        if case.startswith("NO"):
            raise NotFound
        page = self.breach(access, "b0000")
        breached = VerdictLine(
            "C08",
            page.clause.title,
            "cfss",
            "breached",
            page.row.sentence,
            "critical",
            due_on=page.row.due_on,
            days_late=7,
            steps=page.steps,
            would=page.would,
            evidence=page.evidence,
            breach="b0000",
        )
        met = [
            VerdictLine(
                f"C{n:02d}",
                "Another requirement",
                "cfss",
                "met",
                f"Requirement {n} was met on Mon 2 March 2026",
                "low",
                f"person {_CHILD}" if n % 2 else "",
            )
            for n in range(9, 15)
        ]
        soon = replace(breached, outcome="due_soon", rule="C14", sentence="An assessment is due by Tue 14 April 2026", breach="")
        unclear = replace(
            breached,
            outcome="unknown",
            rule="C13",
            sentence="Whether the practitioner made the snapshot cannot be judged",
            breach="",
            steps=(),
            would="",
            evidence=(),
        )
        late = NOW if as_of is None else to_ms(dt.datetime.combine(as_of, dt.time(14, 29, 59), dt.UTC))
        bare = case == "BARE"
        return CasePage(
            case=case,
            zone=ZONE,
            as_of=late,
            known_at=NOW,
            now=as_of is None and known_at is None,
            day=as_of or dt.date(2026, 4, 9),
            known_day=known_at or dt.date(2026, 4, 9),
            facts={"Program": "Child and Family Support System", "Team": "north", "Office": "alice_springs", "Worker": "w-3"},
            episodes=() if bare else (EpisodeLine("1", "cfss", dt.date(2026, 1, 28)),),
            picture=None if bare else picture(show),
            days=() if bare else _DAYS,
            groups=()
            if bare
            else (
                VerdictGroup("breached", (breached,)),
                VerdictGroup("due_soon", (soon,)),
                VerdictGroup("unknown", (unclear,)),
                VerdictGroup("met", met, open=False),
            ),
            due=() if bare else (DueLine("C08", page.clause.title, "", "breached", *_DUE, None, "7 days overdue", "/breaches/b0000"),),
            course=()
            if bare
            else (CourseLine(dt.date(2026, 2, 2), "Episode 1 begins"), CourseLine(dt.date(2026, 3, 9), "The clock rests")),
            people=() if bare else (PersonLine(_CHILD, "child", ((dt.date(2026, 2, 2), None),), (dt.date(2026, 3, 2),)),),
            queries=(
                Query("same_visit_twice", "Two sources report the same visit on Mon 2 March 2026; it counts once.", ("visit-3251", "v-9")),
            ),
            events=31,
            unjudgeable="It failed three times." if case == "STUCK" else "",
            waiting=NOW if case == "STUCK" else None,
            merged_into="FAM-2001" if case == "MERGED" else "",
            merged=("FAM-1999",) if case == "FAM-2001" else (),
            linked=("FAM-2002",),
            before=dt.date(2026, 3, 23),
            after=dt.date(2026, 4, 14),
        )

    def case_export(self: Any, access: Access, case: str, form: str) -> Export:
        self._fail()
        self.seen.append(("case_export", (case, form)))
        return Export(f"case.{form}", "application/json", b"{}")

    def cases(self: Any, access: Access, filters: CaseFilters) -> CaseList:
        self._fail()
        self.seen.append(("cases", filters))
        rows = [
            CaseRow(
                f"FAM-{2000 + n}",
                ("cfss", "strengthening_families")[n % 2],
                "north",
                "",
                f"w-{n % 5}",
                n % 4,
                n % 2,
                NOW if n else None,
                n == 3,
                n == 4,
            )
            for n in range(0 if self.empty else 40)
        ]
        everything = len(rows)
        rows = [item for item in rows if item.case.startswith(filters.case)]
        choices = {
            "program": [Choice("cfss", "Child and Family Support System", 20)],
            "team": [Choice("north", "north", 40)],
            "office": [],
            "worker": [Choice(f"w-{n}", f"w-{n}", 8) for n in range(5)],
        }
        return CaseList(rows[:25], len(rows), everything, NOW, ZONE, "25" if len(rows) > 25 and not filters.cursor else "", choices)


_DUE = (dt.date(2026, 2, 2), dt.date(2026, 3, 2), dt.date(2026, 3, 23))
_LATE = JourneyItem(
    "late_record",
    "Visit held",
    "in person; saw 2 people",
    "10:15 am",
    "recorded Wed 18 March 2026, 16 days later",
    "visit-3251",
    "crm",
    ordinal="2nd that counts",
    case="FAM-1999",
)
_DAYS = (
    JourneyDay(dt.date(2026, 2, 2), (JourneyItem("event", "Service connected", time="9:00 am", event="svc-1", source="crm"),)),
    JourneyDay(
        dt.date(2026, 3, 2), (_LATE, JourneyItem("void", "Visit held", "attempted", "1:00 pm", "voided by corr-1", "visit-3252", "crm"))
    ),
    JourneyDay(
        dt.date(2026, 3, 23), (JourneyItem("due", "A safety plan by the end of the 3rd visit", outcome="breached", href="/breaches/b0000"),)
    ),
    JourneyDay(dt.date(2026, 4, 14), (JourneyItem("soon", "An assessment within 6 to 8 weeks", outcome="due_soon"),)),
)
