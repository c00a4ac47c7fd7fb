"""The desk over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every question to the store is narrowed to what the viewer may see.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from api.v1.lists import scope_of
from api.web import present, words
from api.web.cases.servicedesk import CaseServiceDesk
from api.web.policies.servicedesk import PolicyServiceDesk
from api.web.sources.servicedesk import SourceServiceDesk
from api.web.today.servicedesk import TodayServiceDesk
from api.web.views import (
    BreachPage,
    BreachRow,
    Choice,
    DueRow,
    Filters,
    HeldCase,
    Listing,
    SourceLine,
    StatusPage,
    WaiverLine,
)
from rules.clock import Zone
from rules.clock import zone as zone_of
from rules.decide import mode
from service import review, users
from service.access import Access
from service.bootstrap import Service
from service.demo.loading import banner
from service.errors import NotFound
from service.judge import explain_breach
from service.standing import troubles
from store.breaches import history_of
from store.queries import Scope, Where, casework, counts, findings, upkeep

PAGE = 50
MANY = 5_000
"""Findings from which on the counts beside the filters may be some seconds old; the list and its total never are."""
KEPT_SECONDS = 20.0
DEFAULT_ZONE = "Australia/Darwin"
_REASONS = {**review.REVIEW_REASONS, **review.WAIVER_REASONS}
_FACETS = ("condition", "review", "severity", "policy", "rule", "team", "office", "worker")


class ServiceDesk(CaseServiceDesk, PolicyServiceDesk, SourceServiceDesk, TodayServiceDesk):
    """See ``api.web.desk.Desk``."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._kept: dict[tuple[str, Scope], tuple[float, counts.Facets]] = {}

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

    # --- people ------------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> tuple[str, Access]:
        user = users.sign_in(self.service, name=name, password=password)
        return user.id, users.access_of(user)

    def session(self, user: str, began: int) -> Access | None:
        try:
            found = users.get(self.service, user)
        except NotFound:
            return None
        return None if found.disabled or began < found.sessions_after else users.access_of(found)

    def change_password(self, user: str, *, old: str, new: str) -> None:
        users.change_password(self.service, user_id=user, old=old, new=new)

    def _names(self) -> dict[str, str]:
        return {f"user:{user.id}": user.name for user in users.listed(self.service)}

    # --- lists -------------------------------------------------------------------------------------------------------

    def breaches(self, access: Access, filters: Filters) -> Listing[BreachRow]:
        access.require("breaches:read")
        scope, today = scope_of(access), self.today()
        where = _where(filters)
        with self.service.reading() as session:
            page = findings.list_breaches(
                session, where=where, scope=scope, sort=filters.sort or None, limit=PAGE, cursor=filters.cursor or None
            )
            total = findings.count_breaches(session, where=where, scope=scope)
            everything = self._facets("breaches", scope, lambda: counts.breach_facets(session, scope=scope))
            nothing = not everything.total and not casework.count_cases(session)
        return Listing(
            rows=[present.breach_row(item, self.service.policies, today=today) for item in page.items],
            total=total,
            as_of=self.service.now(),
            zone=self.zone,
            next_cursor=page.next_cursor or "",
            choices=self._choices(everything),
            store_is_empty=nothing,
        )

    def due_soon(self, access: Access, filters: Filters) -> Listing[DueRow]:
        access.require("breaches:read")
        scope, today = scope_of(access), self.today()
        base = Where(verdict=("due_soon",), status=("enforced",))
        where = _where(filters, verdict=("due_soon",), status=("enforced",), within=(today, filters.within))
        with self.service.reading() as session:
            page = findings.list_verdicts(
                session, where=where, scope=scope, sort=filters.sort or "due_on", limit=PAGE, cursor=filters.cursor or None
            )
            total = findings.count_verdicts(session, where=where, scope=scope)
            everything = self._facets("due", scope, lambda: counts.verdict_facets(session, where=base, scope=scope))
        choices = self._choices(everything) | {"within": [Choice(str(n), words.count(n, "day")) for n in (7, 14, 28)]}
        return Listing(
            rows=[present.due_row(item.verdict, self.service.policies, today=today) for item in page.items],
            total=total,
            as_of=self.service.now(),
            zone=self.zone,
            next_cursor=page.next_cursor or "",
            choices=choices,
        )

    def _facets(self, name: str, scope: Scope, count: Callable[[], counts.Facets]) -> counts.Facets:
        """What the filters offer.  Counting a large store takes longer than all the rest of a page: it is done now and then."""
        key, now = (name, scope), time.monotonic()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        counted = count()
        if counted.total >= MANY:
            self._kept[key] = (now + KEPT_SECONDS, counted)
            for old in [other for other, (until, _) in list(self._kept.items()) if until <= now]:
                self._kept.pop(old, None)
        return counted

    def _choices(self, facets: counts.Facets) -> dict[str, list[Choice]]:
        by = facets.by
        orders = {"condition": words.CONDITIONS, "review": words.REVIEWS, "severity": words.SEVERITIES}
        made = {name: present.choices(name, by.get(name, {}), order=orders.get(name, ())) for name in _FACETS}
        made["rule"] = present.rule_choices(self.service.policies, by.get("rule", {}))
        made["policy"] = present.policy_choices(self.service.policies, by.get("policy", {}))
        return made

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
            evidence=present.evidence(explanation) if explanation is not None else (),
            history=[present.history_line(line, names, _REASONS) for line in reversed(history)],
            actions=frozenset(review.actions(access, found)),
            reasons=[Choice(code, label) for code, label in review.REVIEW_REASONS.items()],
            waiver_reasons=[Choice(code, label) for code, label in review.WAIVER_REASONS.items()],
            waivers=[_waiver(item, access, names, row, zone) for item in waivers],
        )

    def review(self, access: Access, breach: str, *, action: str, reason: str, comment: str, version: int) -> None:
        review.review(self.service, access, breach, action=action, version=version, reason_code=reason or None, comment=comment or None)

    def ask_waiver(self, access: Access, breach: str, *, reason: str, comment: str, ends_on: dt.date, version: int) -> None:
        zone = self._zone_of(access, breach)
        ends_at = zone.end_of(ends_on.toordinal())
        review.ask_waiver(self.service, access, breach, version=version, reason_code=reason, ends_at=ends_at, comment=comment or None)

    def _zone_of(self, access: Access, breach: str) -> Zone:
        with self.service.reading() as session:
            found = findings.find_breach(session, breach, scope=scope_of(access))
        if found is None:
            raise NotFound("there is no such breach")
        owner = self.service.policies.get(found.key[2])
        return owner.zone if owner is not None else zone_of(self.zone)

    def settle_waiver(self, access: Access, waiver: str, *, approve: bool) -> None:
        review.settle_waiver(self.service, access, waiver, approve=approve)

    def status(self, access: Access) -> StatusPage:
        access.require("breaches:read")
        scope, now = scope_of(access), self.service.now()
        with self.service.reading() as session:
            sources = upkeep.list_sources(session)
            backlog = upkeep.backlog(session, now)
            held = upkeep.list_waiting(session, quarantined=True, scope=scope)
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


def _where(filters: Filters, *, within: tuple[dt.date, str] | None = None, **more: Any) -> Where:
    several: dict[str, Any] = {name: (value,) for name in (*_FACETS, "case") if (value := getattr(filters, name))}
    if within is not None and within[1]:
        several["until"] = (within[0] + dt.timedelta(days=min(int(within[1]), 3660))).isoformat()
    return Where(**several, **more)


def _waiver(item: findings.Waiver, access: Access, names: dict[str, str], row: BreachRow, zone: str) -> WaiverLine:
    open_to = item.state == "proposed" and access.allows(review.SCOPE)
    return WaiverLine(
        id=item.id,
        state=words.word("waiver", item.state),
        author=names.get(item.author, item.author),
        reason=_REASONS.get(item.reason_code, item.reason_code),
        comment=item.comment or "",
        approver=names.get(item.approver, item.approver) if item.approver else "",
        ends_on=words.local(item.ends_at - 1, zone).date(),
        may_approve=open_to and item.author != access.actor and access.may_approve(row.severity),
        may_take_back=open_to and item.author == access.actor,
    )
