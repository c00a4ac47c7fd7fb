"""What stands in the way of approving a change of a policy, in words and before anybody tries.  Imports service/ and store/.

``service.policies.changes.approve`` decides; this tells beforehand what it would say, so that a person knows what to do next.
"""

from __future__ import annotations

from service.access import Access
from service.backtests import runs as backtest
from service.bootstrap import Service
from service.policies.book import version
from service.policies.changes import SCOPE, PolicyChange
from service.policies.succession import newest, newly_enforced
from store.models import INSTALLATION


def begins_to_enforce(svc: Service, change: PolicyChange) -> list[str]:
    """The rules that the change would let accuse and that cannot accuse now."""
    with svc.reading() as session:
        base = newest(session, svc.versions, change.policy)
    return newly_enforced(version(svc, change.digest), base)


def obstacles(svc: Service, access: Access, change: PolicyChange) -> list[str]:
    """Why this caller cannot approve the change now, a sentence each; empty: nothing is in the way."""
    if change.state != "proposed":
        return []
    if not (access.allows(SCOPE) and access.may_decide_policies()):
        return ["It takes a policy owner, a manager or an administrator."]
    wanted = version(svc, change.digest)
    with svc.reading() as session:
        base = newest(session, svc.versions, change.policy)
        tried = backtest.passed(session, change.digest) is not None
    found = []
    if change.proposed_by == access.actor:
        found.append("You proposed it: another person has to approve it.")
    if change.base_digest != (None if base is None else base.digest):
        found.append("Another version has come into force since it was proposed: it has to be proposed anew.")
    elif change.proposed_by != INSTALLATION and wanted.effective < wanted.zone.day_of(svc.now()):
        found.append("Its first day has passed: it has to be proposed anew with a later one.")
    rules = newly_enforced(wanted, base)
    if rules and not tried:
        which = f"Rule {rules[0]} would be" if len(rules) == 1 else f"Rules {', '.join(rules)} would be"
        found.append(f"{which} enforced from then on and could not accuse before: try it on the stored cases first, to the end.")
    return found
