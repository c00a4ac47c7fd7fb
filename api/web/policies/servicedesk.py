"""The pages about policies over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  What counts cases is narrowed to what the reader may see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from api.v1.lists import scope_of
from api.web.policies import present
from api.web.policies.views import BacktestPage, ChangeLine, ChangePage, PolicyPage, PolicyRow, RulePage
from rules.policy import Policy
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound
from store.queries import Where, counts

SCOPE = "policies:write"


class PolicyServiceDesk:
    """See ``api.web.policies.desk.PolicyDesk``."""

    service: Service

    def policies(self, access: Access) -> list[PolicyRow]:
        access.require("breaches:read")
        return [present.policy_row(policy) for policy in sorted(self.service.policies.policies, key=lambda policy: policy.id)]

    def _policy(self, access: Access, policy: str) -> Policy:
        access.require("breaches:read")
        found = self.service.policies.get(policy)
        if found is None:
            raise NotFound("there is no such policy")
        return found

    def policy(self, access: Access, policy: str) -> PolicyPage:
        found = self._policy(access, policy)
        return PolicyPage(
            row=present.policy_row(found),
            groups=present.groups(found),
            unset=[present.parameter(found, name, waiting=0) for name in found.unset()],
            set_=[present.parameter(found, name) for name, value in found.values.items() if value is not None],
            readings=present.readings(found),
            people=found.for_a_person,
        )

    def rule(self, access: Access, policy: str, rule: str) -> RulePage:
        found = self._policy(access, policy)
        try:
            chosen = found.rule(rule)
        except KeyError:
            raise NotFound("there is no such rule") from None
        where, scope = Where(policy=(policy,), rule=(rule,)), scope_of(access)
        with self.service.reading() as session:
            verdicts = counts.tallies(session, by=("rule",), where=where, scope=scope)
            breaches = counts.breach_facets(session, where=where, scope=scope).by["condition"]
        return present.rule_page(
            found,
            present.policy_row(found),
            chosen,
            figures=verdicts[0].outcomes if verdicts else {},
            breaches={name: count for name, count in breaches.items() if name},
        )

    def changes(self, access: Access) -> list[ChangeLine]:
        return []

    def change(self, access: Access, change: str) -> ChangePage:
        raise NotFound("there is no such proposal")

    def propose_values(
        self, access: Access, policy: str, *, values: Mapping[str, int | None], effective: dt.date, open_cases: bool, reason: str
    ) -> str:
        raise NotFound

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
        raise NotFound

    def decide(self, access: Access, change: str, *, answer: str, comment: str, version: int) -> None:
        raise NotFound

    def start_backtest(self, access: Access, change: str, *, since: dt.date | None) -> str:
        raise NotFound

    def cancel_backtest(self, access: Access, backtest: str) -> None:
        raise NotFound

    def backtest(self, access: Access, backtest: str) -> BacktestPage:
        raise NotFound

    def backtest_report(self, access: Access, backtest: str, *, form: str) -> str:
        raise NotFound
