"""The made-up policies of the fake desk: proposals in every state, backtests under way and done, answers that are refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.web.policies.views import (
    BacktestPage,
    ChangeLine,
    ChangePage,
    Difference,
    Expectation,
    Figure,
    Parameter,
    PolicyPage,
    PolicyRow,
    Reading,
    RuleGroup,
    RuleLine,
    RulePage,
    Running,
    Shown,
    Step,
    VersionLine,
)
from rules.model import to_ms
from service.access import Access
from service.backtests.words import Example, Examples, Told
from service.errors import Flaw, Forbidden, Invalid, NotFound, NotPossible, StaleVersion
from service.tables import Table

ZONE = "Australia/Adelaide"
NOW = to_ms(dt.datetime(2026, 4, 9, 0, 44, tzinfo=dt.UTC))
DIGEST = "ab12" * 16
TITLE = "A safety plan by the end of the 3rd visit"
QUESTION = 'What does "regularly" mean for meetings with the family: at most how many days between two visits?'
OWNERS = frozenset({"policy_owner", "manager", "administrator"})


def parameter(name: str = "family_contact_days", value: str = "") -> Parameter:
    rules = (("C18", "The practitioner meets the family regularly"), ("C03", TITLE))
    return Parameter(name, value, QUESTION, "days", rules, waiting=None if value else 38)


def policy_row() -> PolicyRow:
    return PolicyRow(
        "cfss",
        "Child and Family Support System journey",
        "2026-1",
        DIGEST,
        dt.date(2020, 1, 1),
        ZONE,
        28,
        2,
        changed_at=NOW - 86_400_000,
        changed_by="robin",
        changed="child_contact_days = 28 days (was not set)",
        proposals=2,
        upcoming=(dt.date(2026, 5, 1),),
    )


def versions() -> tuple[VersionLine, ...]:
    return (
        VersionLine(
            "cd34" * 16, "2026-1", dt.date(2026, 5, 1), "upcoming", NOW - 3_600_000, "kim", "robin", "From the new agreement.", "ch-active",
            open_cases=True, changes=("C12: due within 8 weeks instead of 6: later, fewer breaches",),
        ),
        VersionLine(
            DIGEST, "2026-1", dt.date(2026, 4, 8), "in_force", NOW - 86_400_000, "kim", "robin", "Agreed with the department.", "ch-old",
            changes=tuple(f"C{n:02d}: severity high instead of medium" for n in range(1, 15)),
        ),
        VersionLine("ef56" * 16, "1", dt.date(2020, 1, 1), "past", None),
    )  # fmt: skip


def rule(number: int) -> RulePage:
    story = Shown(
        "Three visits and no plan",
        "closure_grace_days = 7",
        (
            Step("Mon 2 Mar 2026, 09:00", "Service connected", "program cfss"),
            Step("Wed 11 Mar 2026, 10:00", "Visit held", "status held, mode in person, seen mia", "Fri 20 Mar 2026"),
        ),
        (
            Expectation("Tue 10 Mar 2026", ("pending",)),
            Expectation("Thu 19 Mar 2026", ("breached",), "due Wed 18 Mar 2026"),
        ),
        ("pending", "breached"),
    )
    return RulePage(
        policy=policy_row(),
        id=f"C{number:02d}",
        title=TITLE,
        unmet="No completed safety plan by the end of the 3rd visit",
        guidance="By then the family has a plan that it made itself.",
        citation="CFSS practice guide, step 3",
        severity="critical" if number % 2 else "low",
        status="enforced" if number % 5 else "shadow",
        kinds=("nth_occurrence",),
        aloud=("It begins when the service is connected.", "It asks for a safety plan that is completed or final, by the 3rd visit."),
        meanings=("By a completed safety plan is meant a safety plan that is completed or final.",),
        false_alarm="A plan that was made on paper and not recorded yet. Ask the practitioner before you uphold it.",
        parameters=(parameter(), parameter("child_contact_days", "28 days")) if number % 3 == 0 else (),
        readings=(Reading("From which day do the weeks count?", "From the first qualifying visit."),),
        people=("Whether listening was good.",) if number != 1 else (),
        tests=(story, replace(story, name="A plan on the very day", outcomes=("met",), parameters="")) if number != 2 else (),
        figures=(Figure("met", 812), Figure("breached", 17, f"/breaches?condition=open&rule=C{number:02d}")) if number != 4 else (),
        versions=versions()[1:] if number != 2 else (),
        before=f"C{number - 1:02d}" if number > 1 else "",
        after=f"C{number + 1:02d}" if number < 28 else "",
        may_propose=True,
    )


def change(name: str = "ch-1") -> ChangePage:
    return ChangePage(
        id=name,
        policy="cfss",
        policy_title=policy_row().title,
        zone=ZONE,
        what="family_contact_days = 14 days (was not set)",
        state="proposed",
        kind="Change of numbers",
        effective=dt.date(2026, 5, 1),
        open_cases=True,
        reason="The department reads \u201cregularly\u201d as every two weeks.\nSee the minutes of March.",
        proposed_by="kim",
        proposed_at=NOW - 7_200_000,
        version=3,
        digest="cd34" * 16,
        values=(("family_contact_days", "", "14 days"),),
        differences=(
            Difference("C18", TITLE, "the parameter family_contact_days", "not set", "14 days", "can breach from now on"),
            Difference("", "", "whose days count", "Adelaide", "Darwin", "days begin and end at another moment"),
            Difference("C12", TITLE, "the title", "A snapshot", "A family snapshot", "text only: no verdict changes", False),
        ),
    )


def running(state: str, name: str = "bt-1") -> Running:
    done = {"queued": 0, "running": 4_200}.get(state, 20_000)
    findings = ("Breaches, open or mended late: 17 now, 44 with the new version; 31 gained, 4 lost.",) if state == "done" else ()
    return Running(name, state, done, 0 if state == "queued" else 20_000, "kim", NOW - 60_000, "the database was away", findings)


def report(state: str) -> BacktestPage:
    heads = ("Breaches gained", "Breaches lost", "Other due days")
    example = Example("FAM-2003", "1", "interval:2", "north, alice", "It is not due yet.", "Not done within 14 days, by Mon 23 March 2026.")
    told = Told(
        title="Backtest of cfss 2",
        about=("Child and Family Support System journey, version 2, taken as in force throughout.", "Only what you may see is counted."),
        findings=tuple(running("done").findings),
        tables=(
            Table("By rule", ("Rule", "", *heads), (("C18", TITLE, "31", "4", "12"), ("C12", "A family snapshot", "0", "0", "1")), keys=2),
            Table("By team", ("Team", "Office", *heads), (("north", "alice", "20", "1", "6"), ("no team", "no office", "11", "3", "6")), 2),
        ),
        examples=(Examples("C18", TITLE, "gained", "A breach, open or mended late, where there was none.", 31, (example,) * 3),),
        failures=(("FAM-13", "RecursionError at rules.view:1"),),
    )
    return BacktestPage(
        running=running(state),
        policy="cfss",
        policy_title=policy_row().title,
        zone=ZONE,
        change="ch-1",
        candidate="cd34" * 16,
        since=dt.date(2025, 1, 1),
        as_of=NOW,
        told=told if state == "done" else None,
        digest="9f" * 32,
        may_cancel=state in {"queued", "running"},
    )


class FakePolicies:
    """``api.web.policies.desk.PolicyDesk`` in memory.  ``trial`` is the state of the backtest of ch-1; empty: none was made."""

    seen: list[tuple[str, Any]]

    def __init__(self) -> None:
        self.trial = ""
        self.kept = {name: change(name) for name in ("ch-1", "ch-active", "ch-old", "ch-text")}
        settled: dict[str, Any] = {"state": "active", "decided_by": "robin", "decided_at": NOW - 86_400_000, "comment": "Looks right."}
        self.kept["ch-active"] = replace(self.kept["ch-active"], **settled)
        self.kept["ch-old"] = replace(self.kept["ch-old"], **{**settled, "state": "rejected"}, what="Version 0.9, from Wed 1 April 2026")
        text: dict[str, Any] = {
            "kind": "Another text",
            "what": "Version 2, from Fri 1 May 2026",
            "proposed_by": "robin",
            "open_cases": False,
        }
        text |= {"values": (), "differences": (), "reason": "", "enforces": (("C27", "A new rule"),)}
        self.kept["ch-text"] = replace(self.kept["ch-text"], **text)

    def policies(self, access: Access) -> list[PolicyRow]:
        return [policy_row()]

    def policy(self, access: Access, policy: str) -> PolicyPage:
        if policy != "cfss":
            raise NotFound
        lines = [RuleLine(one.id, one.title, one.severity, one.status, bool(one.parameters)) for one in map(rule, range(1, 29))]
        return PolicyPage(
            policy_row(),
            (RuleGroup("Step 2, Referral is made", lines[:3]), RuleGroup("Step 3, Family is connected to service", lines[3:])),
            (parameter(), replace(parameter("household_days"), waiting=0)),
            (parameter("closure_grace_days", "0 days"),),
            (Reading("From which day do the weeks count?", "From the first qualifying visit."),),
            ("Whether listening was good.",),
            versions(),
            [self._line(one) for one in self.kept],
            may_propose=bool(access.roles & OWNERS),
        )

    def rule(self, access: Access, policy: str, rule: str) -> RulePage:
        made = globals()["rule"]
        if policy != "cfss" or not rule[1:].isdecimal() or not 1 <= int(rule[1:]) <= 28:
            raise NotFound
        return replace(made(int(rule[1:])), may_propose=bool(access.roles & OWNERS))

    def changes(self, access: Access) -> list[ChangeLine]:
        return [self._line(name) for name, one in self.kept.items() if one.state == "proposed"]

    def _line(self, name: str) -> ChangeLine:
        one = self.kept[name]
        return ChangeLine(one.id, one.what, one.state, one.effective, one.proposed_by, one.proposed_at, one.decided_by, one.decided_at)

    def change(self, access: Access, change: str) -> ChangePage:
        if change not in self.kept:
            raise NotFound
        one, owner, own = self.kept[change], bool(access.roles & OWNERS), self.kept[change].proposed_by == access.name
        if one.state != "proposed":
            return one
        why = ["You proposed it: another person approves it."] if own else []
        if one.enforces and self.trial != "done":
            why.append("C27 would be enforced from then on: that needs a finished backtest of exactly this proposal.")
        return replace(
            one,
            backtest=running(self.trial) if self.trial else None,
            may_backtest=owner and self.trial not in {"queued", "running"},
            may_approve=owner and not why,
            may_reject=owner and not own,
            may_withdraw=own,
            why_not=why if owner else ["Your role reads policies, it does not change them."],
        )

    def propose_values(
        self, access: Access, policy: str, *, values: Mapping[str, int | None], effective: dt.date, open_cases: bool, reason: str
    ) -> str:
        self._may(access)
        if values.get("household_days") == 13:
            raise Invalid(Flaw("household_days", "wrong_value", "thirteen is not taken"))
        if reason == "impossible":
            raise NotPossible("a proposal with these values waits already")
        self.seen.append(("propose_values", (policy, dict(values), effective, open_cases, reason)))
        self.kept["ch-new"] = replace(change("ch-new"), proposed_by=access.name)
        return "ch-new"

    def propose_files(
        self,
        access: Access,
        policy: str,
        *,
        files: Mapping[str, str],
        effective: dt.date | None,
        open_cases: bool | None,
        reason: str,
    ) -> str:
        self._may(access)
        name, text = next(iter(files.items()))
        if "wrong" in text:
            raise Invalid(
                Flaw(f"{name}:12:5", "P001", "rules.0.when.frist: is not known here; did you mean 'first'?"),
                Flaw(f"{name}:40:3", "L003", "no event is called visit.heldd"),
            )
        self.seen.append(("propose_files", (policy, dict(files), effective, open_cases, reason)))
        self.kept["ch-new"] = replace(self.kept["ch-text"], id="ch-new", proposed_by=access.name)
        return "ch-new"

    def _may(self, access: Access) -> None:
        if not access.roles & OWNERS:
            raise Forbidden("this needs the scope policies:write")

    def decide(self, access: Access, change: str, *, answer: str, comment: str, version: int) -> None:
        self._may(access)
        one = self.change(access, change)
        if version != one.version:
            raise StaleVersion(one.version)
        if answer == "approve" and one.why_not:
            raise NotPossible(one.why_not[0].rstrip("."))
        self.seen.append(("decide", (change, answer, comment)))
        state = {"approve": "active", "reject": "rejected", "withdraw": "withdrawn"}[answer]
        self.kept[change] = replace(
            self.kept[change], state=state, decided_by=access.name, decided_at=NOW, comment=comment, version=version + 1
        )

    def start_backtest(self, access: Access, change: str, *, since: dt.date | None) -> str:
        self._may(access)
        if self.trial == "queued":
            raise NotPossible("one is under way already")
        self.trial = "queued"
        self.seen.append(("start_backtest", (change, since)))
        return "bt-1"

    def cancel_backtest(self, access: Access, backtest: str) -> None:
        self._may(access)
        if self.trial not in {"queued", "running"}:
            raise NotPossible("it is over already")
        self.trial = "cancelled"

    def backtest(self, access: Access, backtest: str) -> BacktestPage:
        made = {"bt-1": self.trial, "bt-running": "running", "bt-done": "done", "bt-failed": "failed", "bt-same": "done"}.get(backtest)
        if not made:
            raise NotFound
        page = report(made)
        page = replace(page, running=replace(page.running, id=backtest), may_cancel=page.may_cancel and bool(access.roles & OWNERS))
        nothing = None if page.told is None else replace(page.told, tables=(), examples=(), failures=())
        return replace(page, told=nothing) if backtest == "bt-same" else page

    def backtest_report(self, access: Access, backtest: str, *, form: str) -> str:
        if self.backtest(access, backtest).running.state != "done":
            raise NotPossible("there is no report while the backtest is under way")
        return json.dumps({"format": 1, "rules": []}) if form == "json" else "<!doctype html><title>Backtest</title>"
