"""Audits: every case in scope judged as of one instant, counted into a report that never changes.  Thin over service.audits.runs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from api.access import current_access, service
from api.operations import Answer, Body, Operations, Query, Reply
from api.v1 import auditshapes as shapes
from api.v1 import schemas
from api.v1.lists import DayText, WhenText, parse_when
from service.audits import runs as audits
from service.audits import schedules as auditschedules
from service.audits import signoffs
from service.audits.compare import compare
from service.audits.exports import MEDIA, export
from service.errors import Flaw, Invalid
from service.judge import When
from store.audits import Audit, AuditScope

operations = Operations(
    "audits",
    "Every case in scope, judged as of one instant and as known at one, counted into a report that never changes. The work is queued "
    "behind the events that come in; ask for the audit until its `state` is `done`, then for its report. An audit covers what the key "
    "that started it may read.",
)

Name = Annotated[str, Field(min_length=1, max_length=200)]
_NO_REPORT = ("not_possible",)


class AuditFilters(Query):
    """Which audits."""

    state: Literal["queued", "running", "done", "failed", "cancelled"] | None = Field(default=None, description="how far they are")
    schedule: Name | None = Field(default=None, description="id of the schedule that made them")
    limit: int = Field(default=50, ge=1, le=200, description="most items")


class ScopeOrder(Body):
    """What is looked at; what is left out limits nothing."""

    program: Name | None = None
    teams: list[Name] | None = Field(default=None, max_length=500)
    offices: list[Name] | None = Field(default=None, max_length=500)
    since: DayText | None = Field(default=None, description="what is due on that day or later, and breaches' histories from then on")
    until: DayText | None = Field(default=None, description="what is due on that day or earlier")


class AuditOrder(Body):
    """What is to be judged, and as of when."""

    as_of: WhenText | None = Field(default=None, description="a day (its end) or an RFC 3339 instant; without it, now")
    known_at: WhenText | None = Field(default=None, description="the same, for what was on record; never later than now")
    kind: Literal["full", "incremental"] = Field(default="full", description="`full` also compares with what is stored")
    policies: list[Name] | None = Field(default=None, max_length=100, description="policy ids; without them, all")
    scope: ScopeOrder = Field(default_factory=ScopeOrder)
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1, description="of the sample; without it, made from all the rest")
    sample: int = Field(default=audits.SAMPLE, ge=0, le=audits.MOST_DRAWN, description="cases drawn of each team and verdict")


class SignOrder(Body):
    """A person's word."""

    digest: str = Field(min_length=64, max_length=64, description="`report_digest` of the report that was read")
    comment: str = Field(min_length=1, max_length=signoffs.LONGEST_COMMENT, description="what was looked at")


class ComparePage(Query):
    """Which of the differing cases."""

    start: str | None = Field(default=None, min_length=1, max_length=1024, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="most cases; each comes with all its differences")


class ScheduleOrder(Body):
    """When to make which audit."""

    name: str = Field(min_length=1, max_length=auditschedules.LONGEST_NAME)
    cron: str = Field(min_length=1, max_length=200, description="minute, hour, day, month, weekday: `30 2 * * 1-5`")
    zone: str = Field(min_length=1, max_length=100, description="time zone, such as `Australia/Adelaide`")
    kind: Literal["full", "incremental"] = "incremental"
    policies: list[Name] | None = Field(default=None, max_length=100)
    scope: ScopeOrder = Field(default_factory=ScopeOrder)
    sample: int = Field(default=audits.SAMPLE, ge=0, le=audits.MOST_DRAWN)


@operations.get("/v1/audits", scope="audits:run", query=AuditFilters, answers={200: Answer("Audits, the newest first.", schemas.AuditList)})
def list_audits(query: AuditFilters) -> Any:
    """List audits."""
    found = audits.listing(service(), current_access(), state=query.state, schedule=query.schedule, limit=query.limit)
    return {"items": [_told(one) for one in found]}


@operations.post(
    "/v1/audits",
    scope="audits:run",
    body=AuditOrder,
    answers={202: Answer("The audit, in the queue.", schemas.Audit, headers={"Location": "where to follow it"})},
)
def start_audit(body: AuditOrder) -> Any:
    """Start an audit."""
    made = audits.start(
        service(),
        current_access(),
        as_of=_when("as_of", body.as_of),
        known_at=_when("known_at", body.known_at),
        kind=body.kind,
        scope=_scope(body.policies, body.scope),
        seed=body.seed,
        sample=body.sample,
    )
    return Reply(_told(made), status=202, headers={"Location": f"/v1/audits/{made.id}"})


@operations.get("/v1/audits/{audit}", scope="audits:run", answers={200: Answer("The audit.", schemas.AuditTold)})
def show_audit(audit: str) -> Any:
    """Show an audit, how far it is, and who has signed it off."""
    svc, access = service(), current_access()
    found = audits.get(svc, access, audit)
    return {**_told(found), "signatures": [shapes.signature(one) for one in signoffs.signatures(svc, access, audit)]}


@operations.get(
    "/v1/audits/{audit}/report.json", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The report.", schemas.AuditReport)}
)
def show_audit_report(audit: str) -> Any:
    """Show the report of a finished audit.

    A key that may read all that the audit covers gets the very bytes that `report_digest` is of; a limited one what it may see of them.
    """
    return _file(audit, "json", inline=True)


@operations.get(
    "/v1/audits/{audit}/report.csv", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The file.", media="text/csv")}
)
def show_audit_csv(audit: str) -> Any:
    """Show the report's counts as a table: a line for each rule, team, office and month."""
    return _file(audit, "csv")


@operations.get(
    "/v1/audits/{audit}/report.xlsx", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The file.", media=MEDIA["xlsx"])}
)
def show_audit_workbook(audit: str) -> Any:
    """Show the report as a workbook, a sheet for each table."""
    return _file(audit, "xlsx")


@operations.get(
    "/v1/audits/{audit}/report.html", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The page.", media="text/html")}
)
def show_audit_page(audit: str) -> Any:
    """Show the report as one page to keep, with who has signed it off."""
    return _file(audit, "html")


@operations.get(
    "/v1/audits/{audit}/report.pdf", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The file.", media="application/pdf")}
)
def show_audit_pdf(audit: str) -> Any:
    """Show the report as a PDF.

    Only where the extra `pdf` is installed; else `not_possible` says so.
    """
    return _file(audit, "pdf")


@operations.get(
    "/v1/audits/{audit}/compare/{other}",
    scope="audits:run",
    query=ComparePage,
    problems=_NO_REPORT,
    answers={200: Answer("What differs, and why.", schemas.AuditComparison)},
)
def compare_audits(audit: str, other: str, query: ComparePage) -> Any:
    """Compare two finished audits, the earlier one first.

    Each difference names the events, the waivers, the passing of time or the change of a policy that made it.
    """
    svc, access = service(), current_access()
    found = compare(svc, access, audit, other, start=query.start, limit=query.limit)
    return shapes.comparison(found, audits.progress(svc, found.before), audits.progress(svc, found.after))


@operations.post("/v1/audits/{audit}/cancel", scope="audits:run", problems=_NO_REPORT, answers={200: Answer("The audit.", schemas.Audit)})
def cancel_audit(audit: str) -> Any:
    """Stop an audit that is under way."""
    return _told(audits.cancel(service(), current_access(), audit))


@operations.post(
    "/v1/audits/{audit}/sign",
    scope="audits:run",
    body=SignOrder,
    problems=_NO_REPORT,
    answers={200: Answer("The sign-off.", schemas.AuditSignature)},
)
def sign_audit(audit: str, body: SignOrder) -> Any:
    """Sign a report off.

    For people, under accounts of their own: a key is refused.
    """
    return shapes.signature(signoffs.sign(service(), current_access(), audit, digest=body.digest, comment=body.comment))


@operations.post(
    "/v1/audits/{audit}/judge-again",
    scope="audits:run",
    problems=_NO_REPORT,
    answers={202: Answer("They wait to be judged.", schemas.AuditJudgedAgain)},
)
def judge_audited_again(audit: str) -> Any:
    """Have the cases judged again whose stored findings a full audit found to differ."""
    return Reply({"cases": audits.judge_again(service(), current_access(), audit)}, status=202)


@operations.get("/v1/audit-schedules", scope="audits:run", answers={200: Answer("Schedules, by name.", schemas.AuditScheduleList)})
def list_audit_schedules() -> Any:
    """List the schedules by which audits are made."""
    return {"items": [shapes.schedule(one) for one in auditschedules.listing(service(), current_access())]}


@operations.post(
    "/v1/audit-schedules",
    scope="audits:run",
    body=ScheduleOrder,
    problems=_NO_REPORT,
    answers={201: Answer("The schedule.", schemas.AuditSchedule)},
)
def add_audit_schedule(body: ScheduleOrder) -> Any:
    """Have audits made by a schedule.

    Each time is fired once, however many machines run. What came while nothing was running is caught up with, once, and said.
    """
    made = auditschedules.add(
        service(),
        current_access(),
        name=body.name,
        cron=body.cron,
        zone=body.zone,
        kind=body.kind,
        scope=_scope(body.policies, body.scope),
        sample=body.sample,
    )
    return Reply(shapes.schedule(made), status=201)


@operations.post(
    "/v1/audit-schedules/{schedule}/pause", scope="audits:run", answers={200: Answer("The schedule, paused.", schemas.AuditSchedule)}
)
def pause_audit_schedule(schedule: str) -> Any:
    """Make no audits by a schedule until it is resumed."""
    return shapes.schedule(auditschedules.pause(service(), current_access(), schedule))


@operations.post("/v1/audit-schedules/{schedule}/resume", scope="audits:run", answers={200: Answer("The schedule.", schemas.AuditSchedule)})
def resume_audit_schedule(schedule: str) -> Any:
    """Go on with a schedule that was paused, from its next time on."""
    return shapes.schedule(auditschedules.resume(service(), current_access(), schedule))


@operations.post("/v1/audit-schedules/{schedule}/remove", scope="audits:run", answers={204: Answer("It is gone.")})
def remove_audit_schedule(schedule: str) -> Any:
    """Remove a schedule; the audits that it made stay."""
    auditschedules.remove(service(), current_access(), schedule)
    return Reply("", status=204)


def _told(found: Audit) -> dict[str, Any]:
    return shapes.audit(found, audits.progress(service(), found))


def _file(audit: str, form: str, *, inline: bool = False) -> Reply:
    made = export(service(), current_access(), audit, form)
    response = Response(made.body, content_type=made.media)
    if not inline:
        response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return Reply(response)


def _scope(policies: list[str] | None, order: ScopeOrder) -> AuditScope:
    def several(values: list[str] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(values)

    return AuditScope(
        policies=several(policies),
        program=order.program,
        teams=several(order.teams),
        offices=several(order.offices),
        since=_day("scope.since", order.since),
        until=_day("scope.until", order.until),
    )


def _day(field: str, text: str | None) -> str | None:
    try:
        return None if text is None else dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid(Flaw(field, "wrong_value", "there is no such day")) from None


def _when(field: str, text: str | None) -> When | None:
    try:
        return None if text is None else parse_when(text)
    except ValueError as error:
        raise Invalid(Flaw(field, "wrong_value", str(error))) from None
