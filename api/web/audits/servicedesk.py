"""The pages about audits over the real product: asks service/, and hands the answers on as views.  No SQL and no decisions here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from api.v1.lists import scope_of
from api.web import charts, words
from api.web.audits.desk import Wish
from api.web.audits.views import (
    AuditPage,
    AuditRow,
    AuditsPage,
    ComparePage,
    Offered,
    ScheduleRow,
    SchedulesPage,
    SignedLine,
)
from api.web.kept import Kept
from api.web.views import Choice
from service.access import Access
from service.audits import runs as audits
from service.audits import schedules as auditschedules
from service.audits import signoffs
from service.audits.compare import compare
from service.audits.exports import FORMS, Export, export
from service.audits.words import tell
from service.bootstrap import Service
from service.errors import Flaw, Invalid
from store.audits import Audit, AuditScope
from store.auditschedules import Schedule
from store.queries import places

LISTED = 50
COMPARED = 20
"""Cases that a page of a comparison shows."""
_PLACES: tuple[places.Kind, ...] = ("team", "office")
_CHANGES = {"pause": auditschedules.pause, "resume": auditschedules.resume, "remove": auditschedules.remove}


class AuditServiceDesk:
    """See ``api.web.audits.desk.AuditDesk``."""

    service: Service
    kept: Kept

    @property
    def _zone(self) -> str:
        return self.service.policies.policies[0].zone_name

    def _audit_row(self, one: Audit, schedules: dict[str, str] | None = None, signed: int = 0) -> AuditRow:
        told = audits.progress(self.service, one)
        return AuditRow(
            id=one.id,
            kind=one.kind,
            state=one.state,
            as_of=one.as_of,
            known_at=one.known_at,
            zone=self._zone,
            created=one.created,
            created_by=one.created_name,
            scope=scope_words(one.scope),
            done=one.done,
            total=one.total,
            in_percent=one.in_percent,
            finished=one.finished,
            expected=told.expected,
            per_minute=round(told.rate * 60) if told.rate is not None and not one.in_percent else None,
            schedule=(schedules or {}).get(one.schedule or "", "a schedule that is no more" if one.schedule else ""),
            missed=one.missed,
            signed=signed,
            error=one.error or "",
        )

    def _schedules(self, access: Access) -> dict[str, str]:
        return {one.id: one.name for one in auditschedules.listing(self.service, access)}

    def _offered(self, access: Access) -> Offered:
        scope = scope_of(access)

        def named() -> dict[places.Kind, list[places.Place]]:
            with self.service.reading() as session:
                return {kind: places.places(session, kind, scope=scope) for kind in _PLACES}

        found = self.kept.of(("places", scope), named)
        return Offered(
            policies=[Choice(policy.id, policy.title) for policy in self.service.policies.policies],
            teams=[Choice(one.code, one.code) for one in found["team"] if one.code],
            offices=[Choice(one.code, one.code) for one in found["office"] if one.code],
            today=words.local(self.service.now(), self._zone).date(),
            zone=self._zone,
        )

    def audits(self, access: Access) -> AuditsPage:
        found = audits.listing(self.service, access, limit=LISTED + 1)
        schedules, signed = self._schedules(access), signoffs.signed(self.service, access, found)
        return AuditsPage(
            rows=[self._audit_row(one, schedules, signed[one.id]) for one in found[:LISTED]],
            as_of=self.service.now(),
            zone=self._zone,
            offered=self._offered(access),
            more=len(found) > LISTED,
            schedules=len(schedules),
        )

    def start_audit(self, access: Access, wish: Wish) -> str:
        return audits.start(self.service, access, as_of=wish.as_of, known_at=wish.known_at, kind=wish.kind, scope=_scope(wish)).id

    def audit(self, access: Access, audit: str) -> AuditPage:
        one = audits.get(self.service, access, audit)
        row = self._audit_row(one, self._schedules(access))
        whole = audits.sees_all(access, one)
        if one.state != "done":
            return AuditPage(row, may_cancel=whole and not one.over)
        report = audits.report(self.service, access, audit)
        told = tell(report)
        signed = signoffs.signatures(self.service, access, audit)
        checked = report["verification"]
        differing = checked["differing"] if checked is not None else 0
        others = [other for other in audits.listing(self.service, access, state="done", limit=LISTED) if other.id != audit]
        return AuditPage(
            row=row,
            told=told,
            chart=charts.bars([(bar.words, bar.count, _bar_kind(place, len(told.bars))) for place, bar in enumerate(told.bars)]),
            digest=one.report_digest or "",
            limited=report["limited"],
            titles=_titles((rule["rule"], rule["title"]) for policy in report["policies"] for rule in policy["rules"]),
            signed=[SignedLine(line.name, line.at, line.comment) for line in signed],
            others=[Choice(other.id, self._called(other)) for other in others],
            forms=[form for form in FORMS if form != "pdf" or find_spec("weasyprint") is not None],
            differing=differing,
            may_sign=whole and access.actor.startswith("user:") and access.actor not in {line.by for line in signed},
            may_judge_again=whole and differing > 0,
        )

    def _called(self, one: Audit) -> str:
        as_of = words.moment(one.as_of, self._zone)
        limited = scope_words(one.scope)
        return f"{words.word('audit_kind', one.kind)} as of {as_of}{f', {limited}' if limited else ''}"

    def cancel_audit(self, access: Access, audit: str) -> None:
        audits.cancel(self.service, access, audit)

    def sign_audit(self, access: Access, audit: str, *, digest: str, comment: str) -> None:
        signoffs.sign(self.service, access, audit, digest=digest, comment=comment)

    def judge_again(self, access: Access, audit: str) -> int:
        return audits.judge_again(self.service, access, audit)

    def audit_file(self, access: Access, audit: str, form: str) -> Export:
        return export(self.service, access, audit, form)

    def compare_audits(self, access: Access, before: str, after: str, *, start: str) -> ComparePage:
        if before == after:
            raise Invalid(Flaw("with", "wrong_value", "choose another audit than this one"))
        found = compare(self.service, access, before, after, start=start or None, limit=COMPARED)
        titles = _titles((rule.id, rule.title) for policy in self.service.policies.policies for rule in policy.rules)
        return ComparePage(self._audit_row(found.before), self._audit_row(found.after), found, titles)

    def audit_schedules(self, access: Access) -> SchedulesPage:
        rows = [_schedule(one) for one in auditschedules.listing(self.service, access)]
        return SchedulesPage(rows, self.service.now(), self._zone, self._offered(access))

    def add_schedule(self, access: Access, *, name: str, cron: str, zone: str, wish: Wish) -> None:
        auditschedules.add(self.service, access, name=name, cron=cron, zone=zone, kind=wish.kind, scope=_scope(wish))

    def change_schedule(self, access: Access, schedule: str, action: str) -> None:
        change = _CHANGES.get(action)
        if change is None:
            raise Invalid(Flaw("action", "wrong_value", f"a schedule can be {', '.join(_CHANGES)}d"))
        change(self.service, access, schedule)


def scope_words(scope: AuditScope) -> str:
    """What an audit is limited to, in words; empty: nothing."""
    limits = (("policy", scope.policies), ("team", scope.teams), ("office", scope.offices))
    parts = [f"{name} {_several(values)}" for name, values in limits if values is not None]
    if scope.program is not None:
        parts.append(f"program {scope.program}")
    if scope.since is not None:
        parts.append(f"due from {words.short_day(dt.date.fromisoformat(scope.since))}")
    if scope.until is not None:
        parts.append(f"due up to {words.short_day(dt.date.fromisoformat(scope.until))}")
    return "; ".join(parts)


def _titles(rules: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What rules are called; where two policies have one of the same id, both."""
    found: dict[str, dict[str, None]] = {}
    for rule, title in rules:
        found.setdefault(rule, {})[title] = None
    return {rule: " / ".join(titles) for rule, titles in found.items()}


def _several(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"


def _scope(wish: Wish) -> AuditScope:
    return AuditScope(
        policies=wish.policies or None,
        teams=wish.teams or None,
        offices=wish.offices or None,
        since=wish.since.isoformat() if wish.since else None,
        until=wish.until.isoformat() if wish.until else None,
    )


def _bar_kind(place: int, bins: int) -> str:
    """Bins after the one that ends on the due day hold what was late."""
    return "late" if place > bins // 2 else ""


def _schedule(one: Schedule) -> ScheduleRow:
    return ScheduleRow(
        id=one.id,
        name=one.name,
        cron=one.cron,
        zone=one.zone,
        kind=one.kind,
        scope=scope_words(one.scope),
        created_by=one.created_name,
        next_at=one.next_at,
        last_at=one.last_at,
        last_audit=one.last_audit or "",
        missed=one.missed,
        paused=one.paused_because or "",
    )
