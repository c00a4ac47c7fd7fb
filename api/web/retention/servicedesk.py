"""The pages about retention over the real product: asks service.retention and service.legalholds, and hands the answers on as views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.web.retention.views import HoldLine, JourneyLine, PlanPage, RemovalLine, RetentionPage, RuleLine
from service import legalholds
from service.access import Access
from service.bootstrap import Service
from service.errors import NotPossible
from service.retention import certificates, plan, rules, work
from service.retention.access import administers, may_administer
from service.retention.plan import REASONS, Journey
from store.legalholds import LegalHold
from store.removals import Removal

SHOWN = 50
LOOKED_AT = 1_000
WAYS = {"purge": "Removed; only counts stay", "pseudonymise": "Verdicts stay under made-up ids"}


class RetentionServiceDesk:
    """See ``api.web.retention.desk.RetentionDesk``."""

    service: Service

    @property
    def zone(self) -> str:
        """Where the office is."""
        raise NotImplementedError

    def retention_page(self, access: Access) -> RetentionPage:
        administers(access)
        fault, told, others = "", list[RuleLine](), list[str]()
        try:
            found = rules.load(self.service.settings.retention)
        except NotPossible as error:
            fault = str(error)
        else:
            told, others = _rules(found.as_json()), _others(found.as_json())
        holds = legalholds.listed(self.service, access, limit=SHOWN)
        return RetentionPage(
            self.service.now(),
            self.zone,
            told,
            others,
            fault,
            [_hold(one) for one in holds],
            legalholds.count(self.service, access),
            [_removal(one) for one in certificates.listed(self.service, access, limit=SHOWN)],
        )

    def retention_plan(self, access: Access) -> PlanPage:
        administers(access)
        found = plan.look(self.service, rules.load(self.service.settings.retention), most=LOOKED_AT)
        return PlanPage(
            self.service.now(),
            self.zone,
            found.cases,
            found.journeys,
            found.whole,
            found.log_lines,
            found.refused,
            _journeys(found.going),
            [(REASONS[code], number) for code, number in sorted(found.kept.items())],
            _journeys(found.kept_ones),
        )

    def start_removal(self, access: Access) -> str:
        return work.start(self.service, access).id

    def removal(self, access: Access, removal: str) -> RemovalLine:
        return _removal(certificates.one(self.service, access, removal))

    def removal_file(self, access: Access, removal: str) -> dict[str, Any]:
        return certificates.document(self.service, access, removal)

    def set_hold(self, access: Access, *, case: str, reason: str) -> None:
        legalholds.put(self.service, access, case=case, reason=reason)

    def lift_hold(self, access: Access, hold: str, *, reason: str) -> str:
        return legalholds.lift(self.service, access, hold, reason=reason).case

    def case_holds(self, access: Access, case: str) -> Sequence[HoldLine]:
        access.require("cases:read")
        return [_hold(one) for one in legalholds.of_case(self.service, case)]

    def may_hold(self, access: Access) -> bool:
        return may_administer(access)


def _hold(one: LegalHold) -> HoldLine:
    gone = len(one.case) == 64 and not one.reason
    return HoldLine(
        one.id, one.case, not gone, one.reason, one.set_name, one.set_at, one.lifted_at, one.lifted_name or "", one.lift_reason or ""
    )


def _removal(one: Removal) -> RemovalLine:
    return RemovalLine(
        one.id,
        one.state == "done",
        one.created,
        one.finished,
        one.created_name,
        one.cases,
        one.journeys,
        one.lines,
        one.digest,
        [(table, counts.get("removed", 0), counts.get("changed", 0)) for table, counts in one.counts.items()],
        [(REASONS.get(code, code), number) for code, number in one.kept.items()],
        _rules(one.rules),
        one.position,
        one.seal,
        one.mac,
    )


def _rules(found: Mapping[str, Any]) -> list[RuleLine]:
    return [RuleLine("" if one["program"] == rules.ANY else one["program"], one["years"], WAYS[one["mode"]]) for one in found["rules"]]


def _others(found: Mapping[str, Any]) -> list[str]:
    told = []
    if found["settled_breaches"] == "go":
        told.append("A breach that can no longer be mended keeps no case once a person has upheld or dismissed it.")
    for name, words in (
        ("access_log", "Lines of the access log are"),
        ("refused_records", "Refused records about unknown cases are"),
        ("audit_details", "What audits found case by case is"),
    ):
        if found[name] is not None:
            years = found[name]["years"]
            told.append(f"{words} kept for {years} {'year' if years == 1 else 'years'}.")
    return told


def _journeys(found: Iterable[Journey]) -> list[JourneyLine]:
    return [
        JourneyLine(
            one.cases,
            one.closed,
            one.due,
            WAYS.get(one.mode or "", ""),
            REASONS.get(one.kept or "", ""),
        )
        for one in list(found)[:SHOWN]
    ]
