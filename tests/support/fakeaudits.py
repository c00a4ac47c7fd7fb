"""The made-up audits of the fake desk: one in every state, a report with everything in it, a comparison with every kind of cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from api.web import charts
from api.web.audits.desk import Wish
from api.web.audits.views import AuditPage, AuditRow, AuditsPage, ComparePage, Offered, ScheduleRow, SchedulesPage, SignedLine
from api.web.views import Choice
from rules.model import to_ms
from rules.wording import told_reason
from service.access import Access
from service.audits.compare import Cause, Comparison, Delta, Differing
from service.audits.exports import Export
from service.audits.words import Bar, Told, bin_words
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible
from service.tables import Table
from store.audits import Audit, AuditScope

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
MINUTE, DAY = 60_000, 86_400_000
DIGEST = "5f2c" * 16
LONG = "case/with a slash & <angle> " + "x" * 60

_DONE = AuditRow(
    "au-done", "full", "done", NOW - DAY, NOW - DAY, ZONE, NOW - 40 * MINUTE, "kim", "", 20_000, 20_000, finished=NOW - 30 * MINUTE,
    signed=1,
)  # fmt: skip
ROWS = (
    replace(
        _DONE, id="au-running", kind="incremental", state="running", created=NOW - MINUTE, done=4_200, expected=NOW + 4 * MINUTE,
        per_minute=4_100, finished=None, signed=0,
    ),
    replace(_DONE, id="au-queued", state="queued", created=NOW - 2 * MINUTE, total=0, done=0, finished=None, signed=0),
    _DONE,
    replace(
        _DONE, id="au-night", kind="incremental", as_of=NOW - 2 * DAY, known_at=NOW - 2 * DAY, created=NOW - DAY, schedule="Every night",
        missed=2, scope="team north; office alice_springs; due from Thu 1 Jan; due up to Tue 31 March", signed=0,
    ),
    replace(_DONE, id="au-failed", state="failed", done=1_000, error="version 3f2a of cfss cannot be loaded here", signed=0),
    replace(_DONE, id="au-cancelled", state="cancelled", done=250, signed=0),
)  # fmt: skip
SCHEDULES = (
    ScheduleRow(
        "s-night", "Every night", "30 5 * * *", ZONE, "incremental", "team north", "kim", NOW + DAY, NOW - DAY, "au-night", 2, "",
    ),
    ScheduleRow("s-quarter", "Every quarter", "0 4 1 */3 *", ZONE, "full", "", "robin", None, None, "", 0, "paused by robin"),
)  # fmt: skip
_RATES = ("Judged", "Met", "Late", "Breached", "Excused", "Met rate", "Unknown", "Pending", "Due soon", "Not applicable")
_COUNTS = (1_200, 1_100, 60, 30, 10, 0.917, 14, 210, 33, 120)
_TITLE = "A safety plan by the end of the 3rd visit"
TITLES = {"C08": _TITLE, "C12": "A family snapshot within 6 weeks"}


def _told() -> Told:
    sample = (("FAM-2001", "C08", "plan:1", "breached", "north", "No completed safety plan by the end of the 3rd visit, Mon 23 March"),)
    return Told(
        title="Audit as of Wed 8 April 2026",
        about=("Child and Family Support System journey, version 1 (ab12ab12ab12), in force from Wed 1 January 2020.",),
        findings=(
            "20,000 cases, of which 31 with a rule breached.",
            "1,200 obligations were due and could be judged: 1,100 met (91.7%), 60 late, 30 breached, 10 excused.",
            "20,000 cases compared with what is stored: 3 differences in 2 cases.",
        ),
        bars=tuple(Bar(words, 10 * number) for number, words in enumerate(bin_words())),
        tables=(
            Table("By rule", ("Rule", "", *_RATES), (("C08", _TITLE, *_COUNTS), ("C12", TITLES["C12"], *_COUNTS)), keys=2),
            Table("By team", ("Team", *_RATES), (("north", *_COUNTS), ("none named", 8, 7, 0, 1, 0, "87.5% (of 8)", 0, 0, 0, 0))),
            Table("By month due", ("Month due", *_RATES), tuple((f"2026-{month:02}", *_COUNTS) for month in range(1, 13)) * 2),
            Table("Unknown, by cause", ("Rule", "Cause", "Obligations"), (("C08", told_reason("source_stale"), 14),), keys=2),
            Table(
                "Drawn for a person to look at (1)", ("Case", "Rule", "Obligation", "Verdict", "Team", "Sentence"), sample, keys=6,
            ),
            Table(
                "Stored differently (3)", ("Case", "Rule", "Obligation", "Team", "Difference", "Stored", "Found"),
                ((LONG, "C12", "", "north", "stored with other facts", "met", "breached"),), keys=7, note="2 more are not listed here.",
            ),
        ),
    )  # fmt: skip


def _differing(case: str, before: str, after: str, *causes: Cause) -> Differing:
    words = {"met": "The safety plan was completed on Mon 16 March 2026.", "none": ""}
    told = [words.get(side, "No completed safety plan by the end of the 3rd visit, Mon 23 March.") for side in (before, after)]
    return Differing(case, "", "cfss", "C08", "plan:1", "north", None, before, after, told[0], told[1], causes)


DIFFERING = (
    _differing(
        "FAM-2001", "breached", "met",
        Cause("events", "On record in one of the two alone: safety_plan.updated of Mon 16 March 2026.", ("plan-77-" + "z" * 80,)),
    ),
    _differing("FAM-2002", "met", "breached", Cause("policy", "It is judged by cfss 2 (cd34cd34cd34), and was by cfss 1 (ab12ab12ab12).")),
    _differing(LONG, "none", "breached", Cause("time", "The day moved on from Mon 23 March 2026 to Wed 8 April 2026."),
               Cause("waiver", "A waiver was approved, was found void or ended.")),
)  # fmt: skip


class FakeAudits:
    """``doing``: the state that the audit under way has come to.  ``same``: two audits that do not differ."""

    limited: frozenset[str] | None
    empty: bool

    def __init__(self) -> None:
        self.doing = "running"
        self.same = False
        self.wishes: list[Wish] = []
        self.audit_acts: list[tuple[str, ...]] = []
        self.signed = [SignedLine("robin", NOW - 10 * MINUTE, "Looked at the sample.\nAll as it says.")]
        self.planned = {row.id: row for row in SCHEDULES}

    def _audit_row(self, access: Access, audit: str) -> AuditRow:
        access.require("audits:run")
        found = next((row for row in ROWS if row.id == audit), None)
        if found is None or self.empty:
            raise NotFound("no such audit")
        if audit == "au-running" and self.doing != "running":
            found = replace(found, state=self.doing, done=found.total, per_minute=None, expected=None, finished=NOW)
        if access.teams is not None:
            return replace(found, in_percent=True, done=100 * found.done // max(1, found.total), total=100, per_minute=None)
        return found

    def _offered_audits(self) -> Offered:
        return Offered(
            policies=[Choice("cfss", "Child and Family Support System journey"), Choice("record_quality", "Quality of the record")],
            teams=[Choice("north", "north"), Choice("south", "south")],
            offices=[Choice("alice_springs", "alice_springs")],
            today=dt.date(2026, 4, 9),
            zone=ZONE,
        )

    def audits(self, access: Access) -> AuditsPage:
        access.require("audits:run")
        rows: Sequence[AuditRow] = () if self.empty else [self._audit_row(access, row.id) for row in ROWS]
        return AuditsPage(rows, NOW, ZONE, self._offered_audits(), schedules=0 if self.empty else len(self.planned))

    def start_audit(self, access: Access, wish: Wish) -> str:
        access.require("audits:run")
        if wish.since and wish.until and wish.since > wish.until:
            raise Invalid(Flaw("until", "out_of_range", "the period ends before it begins"))
        self.wishes.append(wish)
        return "au-queued"

    def audit(self, access: Access, audit: str) -> AuditPage:
        row = self._audit_row(access, audit)
        whole = access.teams is None
        if row.state != "done":
            return AuditPage(row, may_cancel=whole and not row.over)
        told = _told()
        signed = [] if audit == "au-night" else self.signed
        return AuditPage(
            row=row,
            told=told,
            chart=charts.bars([(bar.words, bar.count, "late" if place > 6 else "") for place, bar in enumerate(told.bars)]),
            digest=DIGEST,
            limited=not whole,
            signed=signed,
            titles=TITLES,
            others=[Choice("au-night", "Incremental audit as of Tue 7 April 2026, 10:14")],
            forms=("json", "csv", "xlsx", "html"),
            differing=2,
            may_sign=whole and access.name not in {line.name for line in signed},
            may_judge_again=whole,
        )

    def cancel_audit(self, access: Access, audit: str) -> None:
        row = self._audit_row(access, audit)
        if access.teams is not None:
            raise Forbidden("this audit covers more than you may see: ask somebody who sees all of it")
        if row.over:
            raise NotPossible(f"the audit is over already: it is {row.state}")
        self.audit_acts.append(("cancel", audit))
        self.doing = "cancelled"

    def sign_audit(self, access: Access, audit: str, *, digest: str, comment: str) -> None:
        self._audit_row(access, audit)
        if not comment.strip():
            raise Invalid(Flaw("comment", "wrong_length", "say in 1 to 2,000 characters what you have looked at"))
        if digest != DIGEST:
            raise Invalid(Flaw("digest", "wrong_value", "this is not the digest of the report"))
        if access.name in {line.name for line in self.signed}:
            raise NotPossible("you have signed this report off already")
        self.signed.append(SignedLine(access.name, NOW, comment))

    def judge_again(self, access: Access, audit: str) -> int:
        if self._audit_row(access, audit).state != "done":
            raise NotPossible("there is no report: the audit is running")
        self.audit_acts.append(("judge again", audit))
        return 2

    def audit_file(self, access: Access, audit: str, form: str) -> Export:
        self._audit_row(access, audit)
        if form == "pdf":
            raise NotPossible("what makes PDFs is not installed here")
        return Export(f"audit-2026-04-08.{form}", "application/json", b"{}")

    def compare_audits(self, access: Access, before: str, after: str, *, start: str) -> ComparePage:
        rows = [self._audit_row(access, one) for one in (before, after)]
        if before == after:
            raise Invalid(Flaw("with", "wrong_value", "choose another audit than this one"))
        deltas = (Delta("cfss", "C08", "met", 1_099, 1_100), Delta("cfss", "C08", "breached", 1_031, 30))
        cases = 0 if self.same else 41
        found = Comparison(
            _audit(rows[0]),
            _audit(rows[1]),
            () if self.same else deltas,
            None if access.teams is not None else cases,
            () if self.same else DIFFERING[1:] if start else DIFFERING,
            None if self.same or start else "FAM-2002",
        )
        return ComparePage(rows[0], rows[1], found, TITLES)

    def audit_schedules(self, access: Access) -> SchedulesPage:
        access.require("audits:run")
        return SchedulesPage(() if self.empty else list(self.planned.values()), NOW, ZONE, self._offered_audits())

    def add_schedule(self, access: Access, *, name: str, cron: str, zone: str, wish: Wish) -> None:
        access.require("audits:run")
        if len(cron.split()) != 5:
            raise Invalid(Flaw("cron", "wrong_value", "give minute, hour, day, month and weekday, such as 30 2 * * 1-5"))
        if name in {row.name for row in self.planned.values()}:
            raise NotPossible("there is a schedule of this name already")
        self.wishes.append(wish)
        self.planned["s-new"] = replace(SCHEDULES[0], id="s-new", name=name, cron=cron, zone=zone, last_at=None, last_audit="", missed=0)

    def change_schedule(self, access: Access, schedule: str, action: str) -> None:
        access.require("audits:run")
        if schedule not in self.planned:
            raise NotFound("no such schedule")
        if action == "remove":
            del self.planned[schedule]
        elif action == "pause":
            self.planned[schedule] = replace(self.planned[schedule], next_at=None, paused=f"paused by {access.name}")
        elif action == "resume":
            self.planned[schedule] = replace(self.planned[schedule], next_at=NOW + DAY, paused="")
        else:
            raise Invalid(Flaw("action", "wrong_value", "a schedule can be paused, resumed, removed"))


def _audit(row: AuditRow) -> Audit:
    return Audit(row.id, row.kind, row.as_of, row.known_at, 9, 0, 0, ("ab12" * 16,), AuditScope(), 1, 2, row.created, "user:kim", "kim")
