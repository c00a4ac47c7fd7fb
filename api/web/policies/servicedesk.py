"""The pages about policies over the real product: asks service/ and store.queries, and hands the answers on as views.

No SQL and no decisions here.  What counts cases is narrowed to what the reader may see.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.v1.lists import scope_of
from api.web.policies import present, standing
from api.web.policies.changedesk import ChangeDesk
from api.web.policies.standing import Standing
from api.web.policies.views import Parameter, PolicyPage, PolicyRow, RulePage
from service.access import Access
from service.errors import NotFound
from service.policies.changes import SCOPE, questions
from service.policies.questions import needed_by
from store.queries import Where, counts


class PolicyServiceDesk(ChangeDesk):
    """See ``api.web.policies.desk.PolicyDesk``."""

    def policies(self, access: Access) -> list[PolicyRow]:
        access.require("breaches:read")
        return [self._row(one) for one in standing.standings(self.service)]

    def _row(self, one: Standing) -> PolicyRow:
        last = next(iter(one.active), None)
        by_people = last is not None and last.decided_by != standing.INSTALLATION
        return present.policy_row(
            one.policy,
            changed_at=last.decided_at if last is not None else None,
            changed_by=standing.person(last.decided_name) if last is not None and by_people else "",
            changed=standing.what(self.service, last) if last is not None and by_people else "",
            proposals=len(one.waiting),
            upcoming=sorted({each.effective for each in one.active if each.effective > one.today}),
        )

    def policy(self, access: Access, policy: str) -> PolicyPage:
        access.require("breaches:read")
        one = standing.standing(self.service, policy)
        waiting = self._waiting(access, policy)
        parameters = self._parameters(one, waiting)
        return PolicyPage(
            row=self._row(one),
            groups=present.groups(one.policy),
            unset=[each for each in parameters if not each.value],
            set_=[each for each in parameters if each.value],
            readings=present.readings(one.policy),
            people=one.policy.for_a_person,
            versions=standing.versions(self.service, one),
            changes=[self._line(each) for each in one.changes if each.state != "active"],
            may_propose=access.allows(SCOPE),
        )

    def _parameters(self, one: Standing, waiting: Mapping[str, int]) -> list[Parameter]:
        return [
            present.parameter(
                one.policy,
                name,
                waiting=waiting.get(name, 0) if value is None else None,
                coming=standing.coming(one, name),
            )
            for name, value in one.policy.values.items()
        ]

    def _waiting(self, access: Access, policy: str) -> Mapping[str, int]:
        """How many cases that the reader may see wait for each parameter."""
        return {each.parameter: each.waiting_cases for each in questions(self.service, access) if each.policy == policy}

    def rule(self, access: Access, policy: str, rule: str) -> RulePage:
        access.require("breaches:read")
        one = standing.standing(self.service, policy)
        try:
            chosen = one.policy.rule(rule)
        except KeyError:
            raise NotFound("there is no such rule") from None
        where, scope = Where(policy=(policy,), rule=(rule,)), scope_of(access)
        with self.service.reading() as session:
            verdicts = counts.tallies(session, by=("rule",), where=where, scope=scope)
            breaches = counts.breach_facets(session, where=where, scope=scope).by["condition"]
        names = {name for name, rules in needed_by(one.policy).items() if rule in rules}
        waiting = self._waiting(access, policy) if names & set(one.policy.unset()) else {}
        return present.rule_page(
            one.policy,
            self._row(one),
            chosen,
            figures=verdicts[0].outcomes if verdicts else {},
            breaches={name: count for name, count in breaches.items() if name},
            installed=self.service.installed.policies,
            versions=standing.versions(self.service, one, rule=rule),
            parameters=[each for each in self._parameters(one, waiting) if each.name in names],
            may_propose=access.allows(SCOPE),
        )
