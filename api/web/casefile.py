"""The page of a case: judged anew at the two instants that were asked for, with its journey.

Imports rules/, store.queries and service/.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from api.v1.lists import scope_of
from api.web import present, words
from api.web.journey import episodes, journey, recording_limit
from api.web.views import CasePage, JourneyDay, Query, VerdictGroup, VerdictLine
from rules.evaluate import Evaluation, Judged, evaluate
from rules.explain import explained
from rules.model import DataQuery
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound
from service.judge import stored
from service.policies import OUT_OF_SCOPE
from store.ids import finding_id
from store.queries import casework

GROUPS = ("breached", "late", "due_soon", "unknown", "excused", "pending", "unset", "ended", "met", "not_applicable")
OPEN = frozenset({"breached", "late", "due_soon", "unknown", "excused"})


def case_page(svc: Service, access: Access, case: str, *, as_of: dt.date | None, known_at: dt.date | None) -> CasePage:
    """Raises NotFound for a case that is not on record, or that the viewer may not see."""
    now = svc.now()
    with svc.reading() as session:
        detail = casework.case_detail(session, case, scope=scope_of(access))
        if detail is None:
            raise NotFound("there is no such case")
        held = stored(svc, session, case, as_of=as_of or now, known_at=known_at or now)
    links = {breach.id for breach in detail.breaches}
    evaluations: list[Evaluation] = []
    days: list[JourneyDay] = []
    queries: dict[tuple[str, str, tuple[str, ...]], DataQuery] = {}
    lines: dict[str, list[VerdictLine]] = defaultdict(list)
    policies = held.policies
    zone = policies.policies[0].zone
    instants = (now, now)
    groups = policies.groups
    limit = recording_limit(policy.values for policy in policies.policies)

    def address(judged: Judged) -> str:
        name = finding_id(judged.verdict.key)
        return f"/breaches/{name}" if name in links else ""

    for group in groups:
        part = held.file if len(groups) == 1 else group.part_of(held.file)
        if part is None:
            continue
        evaluation = evaluate(group.policies, part, as_of=held.as_of, known_at=held.known_at, waived=held.waived)
        evaluations.append(evaluation)
        judged_here = [one for one in evaluation.details if one.verdict.reason != OUT_OF_SCOPE]
        if judged_here:
            zone = judged_here[0].view.zone
            verdict = judged_here[0].verdict
            instants = (verdict.as_of, verdict.known_at)
        else:
            instants = (zone.last_ms_of(held.as_of), zone.last_ms_of(held.known_at))
        seen = [
            judged
            for judged in evaluation.details
            if judged.verdict.reason != OUT_OF_SCOPE and access.sees(team=judged.verdict.team, office=judged.verdict.office)
        ]
        days += journey(part, group.catalogue, seen, zone=zone, as_of=instants[0], known_at=instants[1], limit=limit, breach=address)
        keys = {judged.verdict.key for judged in seen}
        for told in explained(evaluation):
            if told.verdict.key in keys:
                name = finding_id(told.verdict.key)
                lines[present.group_of(told.verdict)].append(present.verdict_line(told, policies, breach=name if name in links else ""))
        queries.update({(found.code, found.message, found.events): found for found in evaluation.queries})
    summary = detail.summary
    facts = {}
    if summary is not None:
        shown = {
            "Program": words.word("program", summary.program),
            "Team": summary.team or "",
            "Office": words.sentence_case((summary.office or "").replace("_", " ")),
            "Worker": summary.worker or "",
        }
        facts = {name: value for name, value in shown.items() if value}
    return CasePage(
        case=case,
        zone=zone.name,
        as_of=instants[0],
        known_at=instants[1],
        now=as_of is None and known_at is None,
        facts=facts,
        episodes=episodes(evaluations),
        days=sorted(days, key=lambda entry: entry.day),
        groups=[VerdictGroup(name, lines[name], open=name in OPEN) for name in GROUPS if lines[name]],
        queries=[Query(found.code, found.message, found.events) for found in queries.values()],
        events=detail.events,
        quarantined="Somebody who looks after the installation has to look at it: see Status." if detail.quarantined else "",
        waiting=detail.waiting,
    )
