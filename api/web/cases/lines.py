"""From what the core and the store know of cases to what their pages show.  Imports rules/, store/ and this package's words and views."""

from __future__ import annotations

import datetime as dt

from api.web import words
from api.web.cases.views import CaseRow, VerdictLine
from api.web.present import evidence, finding, steps, subject, would
from rules.evaluate import Judged
from rules.explain import Explanation
from rules.model import Outcome, Verdict
from service.onrecord import Unjudged
from service.policies.policyset import PolicySet
from store.queries import CaseSummary


def office(code: str) -> str:
    """The name of a place, from its code: ``Port Augusta``."""
    return code.replace("_", " ").title() if code == code.lower() else code


def case_row(summary: CaseSummary) -> CaseRow:
    """A case in the list."""
    return CaseRow(
        case=summary.case,
        program=summary.program or "",
        team=summary.team or "",
        office=office(summary.office or ""),
        worker=summary.worker or "",
        open_breaches=summary.open_breaches,
        queries=len(summary.queries or ()),
        evaluated_at=summary.evaluated_at,
        quarantined=summary.quarantined,
        waiting=summary.waiting,
        since=summary.waiting_since,
        error=summary.error or "",
    )


def fresh_row(one: Unjudged) -> CaseRow:
    """A case that was never judged, in the list of these."""
    return CaseRow(
        case=one.waiting.case,
        program=one.where.program or "",
        team=one.where.team or "",
        office=office(one.where.office or ""),
        worker=one.where.worker or "",
        quarantined=one.waiting.quarantined,
        waiting=True,
        since=one.waiting.since,
        error=one.waiting.last_error or "",
    )


def verdict_line(explanation: Explanation, policies: PolicySet, *, breach: str) -> VerdictLine:
    """A verdict on the page of a case.  ``breach``: the id of its breach, where there is one."""
    verdict = explanation.verdict
    return VerdictLine(
        rule=verdict.rule,
        title=explanation.title,
        policy=verdict.policy,
        outcome=verdict.verdict.value,
        sentence=explanation.sentence.rstrip("."),
        severity=verdict.severity,
        subject=subject(verdict.obligation),
        due_on=words.iso_day(verdict.due_on),
        days_late=verdict.days_late,
        steps=steps(explanation, policies),
        would=would(explanation, policies),
        evidence=evidence(explanation, policies),
        breach=breach,
        shadow=verdict.status == "shadow",
    )


def short_line(judged: Judged, policies: PolicySet, *, breach: str) -> VerdictLine:
    """The same without the reasons, which take time to tell: for one of very many."""
    verdict = judged.verdict
    return VerdictLine(
        rule=verdict.rule,
        title=judged.rule.title,
        policy=verdict.policy,
        outcome=verdict.verdict.value,
        sentence=finding(verdict, policies, today=dt.date.fromordinal(judged.view.today)),
        severity=verdict.severity,
        subject=subject(verdict.obligation),
        due_on=words.iso_day(verdict.due_on),
        days_late=verdict.days_late,
        breach=breach,
        shadow=verdict.status == "shadow",
        short=True,
    )


def group_of(verdict: Verdict) -> str:
    """The heading under which a case's page lists it."""
    if verdict.verdict is Outcome.NOT_APPLICABLE:
        return {"parameter_unset": "unset", "ended_before_due": "ended"}.get(verdict.reason or "", "not_applicable")
    return verdict.verdict.value
