"""The desk over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every question to the store is narrowed to what the viewer may see.
"""

from __future__ import annotations

import datetime as dt

from api.v1.lists import scope_of
from api.web import present, words
from api.web.account.servicedesk import AccountServiceDesk
from api.web.admin.servicedesk import AdminServiceDesk
from api.web.audits.servicedesk import AuditServiceDesk
from api.web.cases.servicedesk import CaseServiceDesk
from api.web.due.servicedesk import DueServiceDesk
from api.web.kept import Kept
from api.web.notices.servicedesk import NoticeServiceDesk
from api.web.policies.servicedesk import PolicyServiceDesk
from api.web.retention.servicedesk import RetentionServiceDesk
from api.web.signon.servicedesk import SignOnServiceDesk
from api.web.sources.servicedesk import SourceServiceDesk
from api.web.statistics.servicedesk import StatisticsServiceDesk
from api.web.today.servicedesk import TodayServiceDesk
from api.web.views import (
    BreachPage,
    BreachRow,
    Choice,
    HeldCase,
    SourceLine,
    StatusPage,
    WaiverLine,
)
from api.web.waivers.servicedesk import WaiverServiceDesk
from api.web.worklist.servicedesk import WorkServiceDesk, where_of
from api.web.worklist.views import WorkFilters
from rules.decide import mode
from service import assigning, onrecord, review, users, worklist
from service.access import Access
from service.bootstrap import Service
from service.demo.loading import banner
from service.errors import NotFound
from service.judge import explain_breach
from service.standing import troubles
from service.statistics import Statistics
from store.breaches import history_of
from store.queries import casework, findings, upkeep

PAGE = 50
DEFAULT_ZONE = "Australia/Darwin"
_REASONS = {**review.REVIEW_REASONS, **review.WAIVER_REASONS}


class ServiceDesk(
    CaseServiceDesk,
    DueServiceDesk,
    PolicyServiceDesk,
    SignOnServiceDesk,
    SourceServiceDesk,
    StatisticsServiceDesk,
    TodayServiceDesk,
    WaiverServiceDesk,
    AccountServiceDesk,
    AdminServiceDesk,
    AuditServiceDesk,
    WorkServiceDesk,
    NoticeServiceDesk,
    RetentionServiceDesk,
):
    """See ``api.web.desk.Desk``."""

    def __init__(self, service: Service) -> None:
        WorkServiceDesk.__init__(self)
        self.service = service
        self.kept = Kept()
        self.rates = Statistics(service)

    # --- the product -------------------------------------------------------------------------------------------------

    def now(self) -> int:
        return self.service.now()

    def banner(self) -> str:
        return banner(self.service)

    def deciders(self) -> str:
        return mode()

    @property
    def zone(self) -> str:
        """The zone of lists, which hold findings of several policies: that of the first policy."""
        policies = self.service.policies.policies
        return policies[0].zone_name if policies else DEFAULT_ZONE

    def today(self) -> dt.date:
        return words.local(self.service.now(), self.zone).date()

    def _names(self) -> dict[str, str]:
        return {f"user:{user.id}": user.name for user in users.listed(self.service)}

    # --- one breach --------------------------------------------------------------------------------------------------

    def breach(self, access: Access, breach: str) -> BreachPage:
        access.require("breaches:read")
        scope, svc = scope_of(access), self.service
        with svc.reading() as session:
            found = findings.find_breach(session, breach, scope=scope)
            if found is None:
                raise NotFound("there is no such breach")
            history = history_of(session, breach)
            waivers = findings.list_waivers(session, breach_id=breach, scope=scope, limit=PAGE).items
            explanation = explain_breach(svc, session, found)
        row = present.breach_row(found, svc.policies, today=self.today())
        names = self._names()
        told = explanation.verdict if explanation is not None else present.verdict_of(found)
        owner = svc.policies.get(row.policy)
        zone = owner.zone_name if owner is not None else self.zone
        return BreachPage(
            row=row,
            clause=present.clause(svc.policies, found),
            zone=zone,
            as_of=svc.now(),
            known_at=svc.now(),
            episode=told.episode,
            outcome=told.verdict.value,
            curable=told.curable,
            contested_why=found.contested or "",
            activated_on=words.iso_day(told.activated_on),
            satisfied_on=words.iso_day(told.satisfied_on),
            steps=present.steps(explanation, svc.policies) if explanation is not None else (),
            would=present.would(explanation, svc.policies) if explanation is not None else "",
            evidence=present.evidence(explanation, svc.policies) if explanation is not None else (),
            history=[present.history_line(line, names, _REASONS) for line in reversed(history)],
            actions=frozenset(review.actions(access, found)),
            reasons=[Choice(code, label) for code, label in review.REVIEW_REASONS.items()],
            waivers=[_waiver(item, access, names, row, zone) for item in waivers],
            assigned=found.assignee or "",
            assignee=names.get(found.assignee, found.assignee) if found.assignee else "",
            people=[Choice(one.actor, one.name) for one in worklist.people(svc, access)] if access.allows(review.SCOPE) else (),
        )

    def review(self, access: Access, breach: str, *, action: str, reason: str, comment: str, version: int) -> None:
        review.review(self.service, access, breach, action=action, version=version, reason_code=reason or None, comment=comment or None)

    def assign(self, access: Access, breach: str, *, to: str, version: int) -> None:
        assigning.assign(self.service, access, breach, version=version, assignee=to or None)

    def neighbours(self, access: Access, breach: str, filters: WorkFilters) -> tuple[str | None, str | None]:
        access.require("breaches:read")
        with self.service.reading() as session:
            where = where_of(self.service, access, filters)
            return findings.neighbours(session, breach, where=where, scope=scope_of(access), sort=filters.sort or None)

    def status(self, access: Access) -> StatusPage:
        access.require("breaches:read")
        scope, now = scope_of(access), self.service.now()
        with self.service.reading() as session:
            sources = upkeep.list_sources(session)
            backlog = upkeep.backlog(session, now)
            held = onrecord.put_aside(self.service, session, access, limit=50)
            cases = casework.count_cases(session, scope=scope)
        return StatusPage(
            as_of=now,
            zone=self.zone,
            sources=[SourceLine(s.source, s.last_event, s.complete_until, s.last_error or "") for s in sources if s.adapter != "demo"],
            held=[HeldCase(one.case, one.since, one.attempts, one.last_error or "") for one in held],
            waiting=backlog.waiting,
            oldest_waiting=backlog.oldest,
            deciders=mode(),
            conflicts=sum(source.conflicts for source in sources),
            rejects=sum(source.rejects for source in sources),
            cases=cases,
            problems=[words.sentence_case(f"{trouble.message}.") for trouble in troubles(self.service) if trouble.code != "one_decider"],
        )


def _waiver(item: findings.Waiver, access: Access, names: dict[str, str], row: BreachRow, zone: str) -> WaiverLine:
    open_to = item.state == "proposed" and access.allows(review.SCOPE)
    return WaiverLine(
        id=item.id,
        state=item.state,
        author=names.get(item.author, item.author),
        reason=_REASONS.get(item.reason_code, item.reason_code),
        comment=item.comment or "",
        approver=names.get(item.approver, item.approver) if item.approver else "",
        ends_on=words.local(item.ends_at - 1, zone).date(),
        may_approve=open_to and item.author != access.actor and access.may_approve(row.severity),
    )
