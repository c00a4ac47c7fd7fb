"""Backtests over the real product: started, followed, read, cancelled.  Imports service/ and this package."""

from __future__ import annotations

import datetime as dt

from api.web.policies.views import BacktestPage, Running
from service.access import Access
from service.backtests import runs as backtests
from service.backtests.page import as_html
from service.backtests.runs import Backtest
from service.backtests.words import tell
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.policies import changes as policychanges
from service.policies.book import version


class BacktestDesk:
    """The part of ``api.web.policies.desk.PolicyDesk`` that is about backtests."""

    service: Service

    def start_backtest(self, access: Access, change: str, *, since: dt.date | None) -> str:
        one = policychanges.change(self.service, change)
        if one.state != "proposed":
            raise NotPossible("the proposal has been answered already")
        last = backtests.latest(self.service, access, one.digest)
        if last is not None and not last.over:
            raise NotPossible("a backtest of this proposal is under way already")
        return backtests.start(self.service, access, candidate=one.digest, since=since).id

    def cancel_backtest(self, access: Access, backtest: str) -> None:
        backtests.cancel(self.service, access, backtest)

    def trial(self, access: Access, change: policychanges.PolicyChange) -> Running | None:
        """The backtest of a proposal: the one that its approval rested on, else the newest."""
        if not access.allows(backtests.SCOPE):
            return None
        if change.backtest is not None:
            return self._running(access, backtests.get(self.service, access, change.backtest))
        last = backtests.latest(self.service, access, change.digest)
        return self._running(access, last) if last is not None else None

    def _running(self, access: Access, one: Backtest) -> Running:
        told = tell(backtests.report(self.service, access, one.id)) if one.state == "done" else None
        return Running(
            id=one.id,
            state=one.state,
            done=one.done,
            total=one.total,
            created_by=one.created_name,
            created=one.created,
            error=one.error or "",
            findings=told.findings if told is not None else (),
        )

    def backtest(self, access: Access, backtest: str) -> BacktestPage:
        one = backtests.get(self.service, access, backtest)
        policy = version(self.service, one.candidate)
        tried = [each.id for each in policychanges.changes(self.service, policy=one.policy) if each.digest == one.candidate]
        return BacktestPage(
            running=self._running(access, one),
            policy=one.policy if self.service.policies.get(one.policy) is not None else "",
            policy_title=policy.title,
            zone=policy.zone_name,
            change=tried[0] if tried else "",
            candidate=one.candidate,
            since=dt.date.fromisoformat(one.since) if one.since else None,
            as_of=one.as_of,
            told=tell(backtests.report(self.service, access, one.id)) if one.state == "done" else None,
            digest=one.report_digest or "",
            may_cancel=not one.over,
        )

    def backtest_report(self, access: Access, backtest: str, *, form: str) -> str:
        if form == "json":
            return backtests.report_text(self.service, access, backtest)
        if form != "html":
            raise NotFound("there is no such form of a report")
        digest = backtests.get(self.service, access, backtest).report_digest or ""
        return as_html(tell(backtests.report(self.service, access, backtest)), digest=digest)
