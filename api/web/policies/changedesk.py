"""Proposals over the real product: listed, shown with what they mean, made, and answered.  Imports service/ and this package.

No decisions here: who may do what, and when, is for service.policies.changes to say.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from api.web.policies import present, standing
from api.web.policies.backtestdesk import BacktestDesk
from api.web.policies.views import ChangeLine, ChangePage
from service.access import Access
from service.policies import changes as policychanges
from service.policies.answers import begins_to_enforce, obstacles
from service.policies.book import version
from service.policies.changes import SCOPE, PolicyChange

KINDS = {"parameters": "Change of numbers", "version": "Another text", "installed": "Another text, from the installation's files"}


class ChangeDesk(BacktestDesk):
    """The part of ``api.web.policies.desk.PolicyDesk`` that is about proposals."""

    def changes(self, access: Access) -> list[ChangeLine]:
        access.require("breaches:read")
        return [self._line(one) for one in policychanges.changes(self.service, state="proposed")]

    def _line(self, one: PolicyChange) -> ChangeLine:
        return ChangeLine(
            id=one.id,
            what=standing.what(self.service, one),
            state=one.state,
            effective=one.effective,
            proposed_by=standing.person(one.proposed_name),
            proposed_at=one.proposed_at,
            decided_by=standing.person(one.decided_name),
            decided_at=one.decided_at,
        )

    def change(self, access: Access, change: str) -> ChangePage:
        access.require("breaches:read")
        one = policychanges.change(self.service, change)
        wanted, old = version(self.service, one.digest), standing.before(self.service, one)
        waits = one.state == "proposed"
        own = one.proposed_by == access.actor
        decides = waits and access.allows(SCOPE) and access.may_decide_policies()
        why_not = obstacles(self.service, access, one)
        running = self.trial(access, one)
        titles = {rule.id: rule.title for rule in wanted.rules}
        return ChangePage(
            id=one.id,
            policy=one.policy,
            policy_title=wanted.title,
            zone=wanted.zone_name,
            what=standing.what(self.service, one),
            state=one.state,
            kind=KINDS[one.kind],
            effective=one.effective,
            open_cases=one.applies_to_open,
            reason=one.reason,
            proposed_by=standing.person(one.proposed_name),
            proposed_at=one.proposed_at,
            version=one.row_version,
            digest=one.digest,
            decided_by=standing.person(one.decided_name),
            decided_at=one.decided_at,
            comment=one.comment or "",
            values=[
                (
                    name,
                    present.value_words(old, name, old.values.get(name)) if old is not None else "",
                    present.value_words(wanted, name, wanted.values.get(name)),
                )
                for name in one.values
            ],
            differences=standing.difference_views(old, wanted),
            enforces=[(name, titles[name]) for name in begins_to_enforce(self.service, one)] if waits else [],
            backtest=running,
            in_force=self.service.policies.get(one.policy) is not None,
            sees_backtests=access.allows(SCOPE),
            may_backtest=waits and access.allows(SCOPE) and (running is None or running.over),
            may_approve=decides and not why_not,
            may_reject=decides and not own,
            may_withdraw=waits and own and access.allows(SCOPE),
            why_not=why_not,
        )

    def propose_values(
        self, access: Access, policy: str, *, values: Mapping[str, int | None], effective: dt.date, open_cases: bool, reason: str
    ) -> str:
        return policychanges.propose_parameters(
            self.service, access, policy, values, effective=effective, applies_to_open=open_cases, reason=reason
        ).id

    def propose_files(
        self,
        access: Access,
        policy: str,
        *,
        files: Mapping[str, str],
        effective: dt.date | None,
        open_cases: bool | None,
        reason: str,
    ) -> str:
        main = next(iter(files))
        placed = {name if name == main else _place(name, files[main]): text for name, text in files.items()}
        made = policychanges.propose_version(
            self.service, access, placed, main, policy=policy, effective=effective, applies_to_open=open_cases, reason=reason
        )
        return made.id

    def decide(self, access: Access, change: str, *, answer: str, comment: str, version: int) -> None:
        steps = {"approve": policychanges.approve, "reject": policychanges.reject, "withdraw": policychanges.withdraw}
        steps[answer](self.service, access, change, version=version, comment=comment)


def _place(name: str, policy: str) -> str:
    """Where a file that was sent without its folder stands in its package: calendars have a folder of their own."""
    stem = name.rpartition(".")[0] or name
    return f"calendars/{name}" if re.search(rf"\bcalendar:\s*[\"']?{re.escape(stem)}\b", policy) else name
