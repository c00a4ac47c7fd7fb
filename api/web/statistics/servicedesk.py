"""The pages of statistics over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  Every question to the store is narrowed to what the viewer may see.
"""

from __future__ import annotations

import datetime as dt

from api.v1.lists import scope_of
from api.web import present, words
from api.web.kept import Kept
from api.web.statistics.present import NOBODY, cause_words, outside_rows, rule_rows, team_rows, timeliness_part, trend_part
from api.web.statistics.views import StatFilters, StatisticsPage, VerdictFilters, VerdictItem, VerdictsPage
from api.web.views import Choice
from rules.model import Outcome, Verdict
from service.access import Access
from service.bootstrap import Service
from service.statistics import Board, Statistics
from store.queries import Where, findings
from store.queries.rates import count_up_to
from store.queries.worklist import versions_of

SCOPE = "breaches:read"
PAGE = 50
COUNTED = 10_000
"""How far the verdicts of a list are counted."""


class StatisticsServiceDesk:
    """See ``api.web.statistics.desk.StatisticsDesk``."""

    service: Service
    kept: Kept
    rates: Statistics

    @property
    def zone(self) -> str:
        raise NotImplementedError

    def today(self) -> dt.date:
        raise NotImplementedError

    def statistics(self, access: Access, filters: StatFilters) -> StatisticsPage:
        access.require(SCOPE)
        scope = scope_of(access)
        board = self.rates.board(scope, stat_where(filters))
        if board is None:
            return StatisticsPage(self.service.now(), self.zone, None)
        whole = board if not filters.chosen() else self.rates.board(scope)
        return StatisticsPage(
            as_of=self.service.now(),
            zone=self.zone,
            trend=trend_part(board, filters),
            rules=rule_rows(board, filters, self.service.policies),
            teams=team_rows(board, filters),
            timeliness=timeliness_part(board.timeliness),
            outside=outside_rows(board, filters),
            choices=self._stat_choices(whole or board),
        )

    def verdicts(self, access: Access, filters: VerdictFilters) -> VerdictsPage:
        access.require(SCOPE)
        scope, today = scope_of(access), self.today()
        where = verdict_where(filters)
        with self.service.reading() as session:
            page = findings.list_verdicts(
                session, where=where, scope=scope, sort=filters.sort or "-due_on", limit=PAGE, cursor=filters.cursor or None
            )
            counted = self.kept.of(("verdicts", where, scope), lambda: count_up_to(session, COUNTED + 1, where=where, scope=scope))
            breaches = versions_of(session, [one.id for one in page.items], scope=scope)
        return VerdictsPage(
            as_of=self.service.now(),
            zone=self.zone,
            rows=[self._verdict_item(one.verdict, one.id if one.id in breaches else "", today) for one in page.items],
            total=min(counted, COUNTED),
            more=counted > COUNTED,
            next_cursor=page.next_cursor or "",
            choices=self._verdict_choices(filters),
        )

    def _verdict_item(self, verdict: Verdict, breach: str, today: dt.date) -> VerdictItem:
        return VerdictItem(
            case=verdict.case,
            sentence=present.finding(verdict, self.service.policies, today=today),
            outcome=verdict.verdict.value,
            reason=cause_words("missing")
            if (verdict.reason or "").startswith("missing")
            else cause_words(verdict.reason or "")
            if verdict.reason
            else "",
            rule=verdict.rule,
            policy=verdict.policy,
            severity=verdict.severity,
            due_on=words.iso_day(verdict.due_on),
            satisfied_on=words.iso_day(verdict.satisfied_on),
            team=verdict.team or "",
            worker=verdict.worker or "",
            subject=present.subject(verdict.obligation),
            breach=breach,
        )

    def _stat_choices(self, board: Board) -> dict[str, list[Choice]]:
        policies = self.service.policies
        rules = {line.name: line.share.total for line in board.rules}
        return {
            "policy": [Choice(one.value, one.label) for one in present.policy_choices(policies, {line.policy: 1 for line in board.rules})],
            "rule": [Choice(one.value, one.label) for one in present.rule_choices(policies, rules)],
            "team": [Choice(line.name or NOBODY, line.name or "No team") for line in board.teams],
            "severity": [Choice(name, words.word("severity", name)) for name in words.SEVERITIES],
        }

    def _verdict_choices(self, filters: VerdictFilters) -> dict[str, list[Choice]]:
        policies = self.service.policies.policies
        made = {
            "verdict": [Choice(one.value, words.word("outcome", one.value)) for one in Outcome],
            "severity": [Choice(name, words.word("severity", name)) for name in words.SEVERITIES],
            "policy": [Choice(one.id, one.title) for one in policies],
            "rule": [Choice(rule.id, f"{rule.id} {rule.title}") for one in policies for rule in one.rules],
        }
        return made | ({"reason": [Choice(filters.reason, cause_words(filters.reason))]} if filters.reason else {})


def stat_where(filters: StatFilters) -> Where:
    """As the store takes it."""
    return Where(**{name: (value,) for name, value in filters.chosen().items()})  # type: ignore[arg-type]


def verdict_where(filters: VerdictFilters) -> Where:
    """As the store takes it: of enforced rules only, which are those that rates are made of."""
    several = {name: (value,) for name, value in filters.chosen().items() if name not in {"since", "until"}}
    return Where(**several, status=("enforced",), since=filters.since or None, until=filters.until or None)  # type: ignore[arg-type]
