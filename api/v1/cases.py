"""Cases: the list, one of them, its events.  Thin over store.queries; who may see what is decided by the scope handed to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field, field_validator

from api.access import current_access, service
from api.operations import Answer, Operations, Query, Reply
from api.v1 import schemas, shapes
from api.v1.lists import MOST, Paged, Text, WhenText, page, parse_when, scope_of
from service import caseexport, onrecord
from service.judge import stored
from service.retention.earlier import as_json, earlier
from service.whereabouts import Whereabouts
from store.cases import neighbours
from store.errors import QueryError
from store.queries import CaseWhere, casework

operations = Operations(
    "cases", "Cases and what was taken in about them. A key that is limited to teams or offices sees the cases that are theirs now."
)

Several = Annotated[list[Text], Field(default_factory=list, max_length=MOST, description="may be repeated, any of them fits")]


class CaseFilters(Paged):
    """What narrows the list of cases."""

    case: Several
    program: Several
    team: Several
    office: Several
    worker: Several
    with_open_breaches: bool = Field(default=False, description="only cases that have an open breach")
    with_queries: bool = Field(default=False, description="only cases in whose record a person should look at something")
    withdrawn: bool = Field(default=False, description="instead, the cases of which nothing stands since all their events were voided")
    judged: bool = Field(default=True, description="false: instead, the cases that no worker has judged yet")
    sort: (
        Literal["case", "-case", "open_breaches", "-open_breaches", "evaluated_at", "-evaluated_at", "next_check", "-next_check"] | None
    ) = Field(default=None, description="`-` first: descending; without it, by case id")


class EventFilters(Paged):
    """The order of a case's events."""

    sort: Literal["time", "-time", "position", "-position"] | None = Field(
        default=None, description="`time`: as it happened (the order without it); `position`: as it was taken in"
    )


@operations.get(
    "/v1/cases", scope="cases:read", query=CaseFilters, problems=["bad_cursor"], answers={200: Answer("Cases.", schemas.CasePage)}
)
def list_cases(query: CaseFilters) -> Any:
    """List the cases that have been judged.

    A case joins the list with its first judgement, mostly within seconds of its first event. `judged=false` lists those that wait for
    it, or were set aside before it came, the newest first. A case whose events were all voided counts as none: `withdrawn=true` lists
    those.
    """
    if not query.judged:
        return _list_unjudged(query)
    with service().reading() as session:
        found = casework.list_cases(
            session,
            scope=scope_of(current_access()),
            where=CaseWhere(
                case=tuple(query.case),
                program=tuple(query.program),
                team=tuple(query.team),
                office=tuple(query.office),
                worker=tuple(query.worker),
                open_breaches=True if query.with_open_breaches else None,
                with_queries=query.with_queries,
                withdrawn=query.withdrawn,
            ),
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )
    return page([shapes.case_row(item) for item in found.items], found.next_cursor)


def _list_unjudged(query: CaseFilters) -> Any:
    if query.sort is not None:
        raise QueryError("sort", "has no meaning with judged=false: the newest come first")
    if query.with_open_breaches or query.with_queries:
        return page([], None)
    chosen = {"program": query.program, "team": query.team, "office": query.office, "worker": query.worker}
    asked = {name: values for name, values in chosen.items() if values}

    def wanted(_: str, where: Whereabouts) -> bool:
        return all(getattr(where, name) in values for name, values in asked.items())

    svc, access = service(), current_access()
    with svc.reading() as session:
        found = onrecord.unjudged(
            svc, session, access, wanted=wanted if asked else None, cases=query.case, limit=query.limit, cursor=query.cursor
        )
    return page([shapes.unjudged_row(one.waiting.case, one.where, one.waiting) for one in found.items], found.next_cursor)


@operations.get("/v1/cases/{case}", scope="cases:read", answers={200: Answer("The case.", schemas.Case)})
def show_case(case: str) -> Any:
    """Show a case: whose it is, how it stands, and what stands found about it.

    A case is there as soon as its first event was accepted. Until a worker has judged it, `judged` is false, `waiting_since` tells since
    when it waits, nothing stands found, and whose it is comes from its events. To a key that is limited to teams or offices it is there as
    soon as its events say that it is theirs.
    """
    svc, access = service(), current_access()
    with svc.reading() as session:
        found = onrecord.show(svc, session, access, case)
        linked = onrecord.visible(svc, session, access, neighbours(session, [case]).get(case, frozenset()))
        removed = earlier(svc, session, access, case)
    return shapes.case(found, linked) | {"earlier": as_json(removed)}


@operations.get(
    "/v1/cases/{case}/export.json",
    scope="cases:export",
    answers={200: Answer("Everything that is held about the case.", schemas.CaseExport)},
)
def export_case(case: str) -> Any:
    """Take out everything that is held about a case.

    Personal, and more than the case's page shows: refused records and who has read the case are part of it. A key that is limited to
    teams or offices cannot do this. The same is written to the access log as any reading is.
    """
    return caseexport.export(service(), current_access(), case)


@operations.get(
    "/v1/cases/{case}/export.zip",
    scope="cases:export",
    answers={200: Answer("The same as files, with a page that says what each holds.", media="application/zip")},
)
def export_case_files(case: str) -> Any:
    """Take out everything that is held about a case, as an archive of files."""
    made = caseexport.archive(service(), current_access(), case)
    answer = Response(made.body, content_type=made.media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return Reply(answer)


class AsAt(Query):
    """The two instants that a judgement takes.  A day means its last local instant."""

    as_of: WhenText | None = Field(default=None, description="judge as the world stood then; a day or an RFC 3339 instant; now without it")
    known_at: WhenText | None = Field(default=None, description="use only what had been recorded by then; the same; now without it")
    rule: Text | None = Field(default=None, description="only this rule")
    explain: bool = Field(default=False, description="tell each verdict in words, too")

    @field_validator("as_of", "known_at")
    @classmethod
    def _usable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_when(value)
        return value


@operations.get(
    "/v1/cases/{case}/verdicts",
    scope="cases:read",
    query=AsAt,
    problems=["not_possible"],
    answers={200: Answer("The case as judged at these instants.", schemas.Judgement)},
)
def judge_case(case: str, query: AsAt) -> Any:
    """Judge a case at any instant.

    The case is judged anew, by the policies in use now, and nothing is stored. The same events, `as_of` and `known_at` give the same
    verdicts, for ever. No worker need have judged it before. A case that was set aside, since judging it failed, is not judged here either.
    """
    svc, access = service(), current_access()
    now = svc.now()
    as_of = now if query.as_of is None else parse_when(query.as_of)
    known_at = now if query.known_at is None else parse_when(query.known_at)
    with svc.reading() as session:
        onrecord.show(svc, session, access, case).must_be_judgeable()
        file = stored(svc, session, case, as_of=as_of, known_at=known_at)
    judged = file.judge()
    verdicts = [v for v in judged.verdicts if access.sees(team=v.team, office=v.office) and query.rule in (None, v.rule)]
    body: dict[str, Any] = {
        "case": case,
        "as_of": shapes.when(as_of),
        "known_at": shapes.when(known_at),
        "merged_into": judged.merged_into,
        "verdicts": [shapes.verdict(v) for v in verdicts],
        "queries": [shapes.query(found) for found in judged.queries],
    }
    if query.explain:
        told = [one for one in file.explain(rule=query.rule) if access.sees(team=one.verdict.team, office=one.verdict.office)]
        body["explanations"] = [one.as_dict() for one in told]
    return body


@operations.get(
    "/v1/cases/{case}/events",
    scope="cases:read",
    query=EventFilters,
    problems=["bad_cursor"],
    answers={200: Answer("Events as they were taken in.", schemas.EventPage)},
)
def list_case_events(case: str, query: EventFilters) -> Any:
    """List a case's events, as they were taken in.

    Voids and corrections are events of their own; `spoken_of` of an event has the ids of those that speak about it.
    """
    svc, access = service(), current_access()
    with svc.reading() as session:
        onrecord.require(svc, session, access, case)
        found = casework.list_events(session, case, sort=query.sort, limit=query.limit, cursor=query.cursor)
    return page([shapes.stored_event(item) for item in found.items], found.next_cursor)
