"""Which action each route is, for the access log: Flask's name of a route, and a code of ``service.accesslog``.  Imports nothing.

A route that stands in neither table is recorded under its own name; the tests ask for a decision on each.  Where an action is a
change, the page that only shows its form leaves no line.
"""

from __future__ import annotations

from collections.abc import Mapping

NOT_RECORDED = frozenset(
    {
        "livez", "readyz", "metrics", "openapi_json", "reference.docs", "web.static", "web.help", "web.status",
        "list_policies", "show_policy", "show_policy_version", "list_policy_changes", "show_policy_change", "show_stats",
        "list_sources", "web.policies", "web.policy", "web.rule", "web.change", "web.sources", "web.administration",
    }
)  # fmt: skip
"""Routes that show nothing of a case or a person and change nothing."""

ROUTES: Mapping[str, str] = {
    "web.today": "today.read",
    "web.breaches": "breaches.list",
    "list_breaches": "breaches.list",
    "web.breach": "breach.read",
    "show_breach": "breach.read",
    "list_verdicts": "verdicts.list",
    "web.due_soon": "due.list",
    "list_due_soon": "due.list",
    "web.cases": "cases.list",
    "list_cases": "cases.list",
    "web.case": "case.read",
    "show_case": "case.read",
    "list_case_events": "case.events",
    "judge_case": "case.judge",
    "web.review": "breach.review",
    "review_breach": "breach.review",
    "web.ask_waiver": "waiver.ask",
    "ask_waiver": "waiver.ask",
    "web.settle_waiver": "waiver.settle",
    "approve_waiver": "waiver.settle",
    "refuse_waiver": "waiver.settle",
    "web.parameter": "policy.propose",
    "web.propose": "policy.propose",
    "propose_policy_change": "policy.propose",
    "web.answer_change": "policy.decide",
    "approve_policy_change": "policy.decide",
    "reject_policy_change": "policy.decide",
    "withdraw_policy_change": "policy.decide",
    "list_backtests": "backtests.list",
    "show_backtest": "backtest.read",
    "web.backtest": "backtest.read",
    "show_backtest_report": "backtest.export",
    "web.backtest_report": "backtest.export",
    "web.start_backtest": "backtest.start",
    "start_backtest": "backtest.start",
    "web.cancel_backtest": "backtest.cancel",
    "cancel_backtest": "backtest.cancel",
    "post_events": "events.send",
    "nudge_source": "source.pull",
    "web.source": "source.read",
    "list_rejects": "source.read",
    "web.ask_source": "source.pull",
    "pull_source": "source.pull",
    "web.replay_source": "source.replay",
    "replay_rejects": "source.replay",
    "web.dismiss_reject": "source.dismiss",
    "dismiss_reject": "source.dismiss",
    "web.try_source": "source.try",
    "list_conflicts": "conflicts.list",
    "list_quarantine": "quarantine.list",
    "retry_quarantined": "quarantine.retry",
    "web.sign_in": "session.begin",
    "web.sign_out": "session.end",
    "web.password": "password.change",
    "web.accounts": "accounts.list",
    "web.account": "account.read",
    "web.new_account": "account.make",
    "web.change_account": "account.change",
    "web.lock_account": "account.lock",
    "web.unlock_account": "account.unlock",
    "web.reset_account": "account.reset",
    "web.roles": "roles.read",
    "web.teams": "teams.list",
    "web.api_keys": "keys.list",
    "web.api_key": "key.read",
    "web.new_key": "key.make",
    "web.rotate_key": "key.rotate",
    "web.revoke_key": "key.revoke",
    "web.signing": "signing.read",
    "web.access_log": "log.read",
    "web.export_access_log": "log.export",
}
