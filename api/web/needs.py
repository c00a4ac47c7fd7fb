"""Who may use which page: the scope that each route needs, in one table, asked before the route does anything.

What lies outside a viewer's teams, and what takes a role as well, service/ decides with the thing at hand.  Imports service.errors,
service.access and this package's sessions.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from api.web import sessions
from service.errors import Forbidden

SIGNED_IN = ""
"""Whoever has signed in; and the few pages that need no sign-in, which ``sessions`` knows."""
_READ = "breaches:read"
_REVIEW = "breaches:review"
_POLICIES = "policies:write"
_AUDITS = "audits:run"
_SOURCES = "sources:admin"
_USERS = "users:admin"

NEEDS: Mapping[str, str | tuple[str, str]] = {
    "static": SIGNED_IN,
    "sign_in": SIGNED_IN,
    "sign_out": SIGNED_IN,
    "single_sign_on": SIGNED_IN,
    "single_return": SIGNED_IN,
    "password": SIGNED_IN,
    "own_account": SIGNED_IN,
    "end_session": SIGNED_IN,
    "end_other_sessions": SIGNED_IN,
    "calendar": SIGNED_IN,
    "today": SIGNED_IN,
    "help": SIGNED_IN,
    "status": _READ,
    "breaches": _READ,
    "breaches_csv": _READ,
    "breaches_xlsx": _READ,
    "breach_news": _READ,
    "breach_steps": _REVIEW,
    "breach_steps_again": _READ,
    "save_view": _READ,
    "remove_view": _READ,
    "breach": _READ,
    "assign": _REVIEW,
    "review": _REVIEW,
    "ask_waiver": _REVIEW,
    "send_ask_waiver": _REVIEW,
    "waivers": _READ,
    "waiver": _READ,
    "settle_waiver": _REVIEW,
    "statistics": _READ,
    "verdicts": _READ,
    "due_soon": _READ,
    "due_month": _READ,
    "due_teams": _READ,
    "due_sheet": _READ,
    "due_calendars": _READ,
    "make_calendar": _READ,
    "revoke_calendar": _READ,
    "cases": "cases:read",
    "case": "cases:read",
    "export_case": "cases:export",
    "policies": _READ,
    "policy": _READ,
    "rule": _READ,
    "parameter": (_READ, _POLICIES),
    "propose": (_READ, _POLICIES),
    "change": _READ,
    "answer_change": _POLICIES,
    "start_backtest": _POLICIES,
    "backtest": _POLICIES,
    "backtest_report": _POLICIES,
    "cancel_backtest": _POLICIES,
    "audits": _AUDITS,
    "start_audit": _AUDITS,
    "audit": _AUDITS,
    "cancel_audit": _AUDITS,
    "sign_audit": _AUDITS,
    "judge_again": _AUDITS,
    "audit_file": _AUDITS,
    "compare_audits": _AUDITS,
    "audit_schedules": _AUDITS,
    "add_schedule": _AUDITS,
    "change_schedule": _AUDITS,
    "sources": _SOURCES,
    "source": _SOURCES,
    "ask_source": _SOURCES,
    "replay_source": _SOURCES,
    "confirm_source": _SOURCES,
    "dismiss_reject": _SOURCES,
    "try_source": _SOURCES,
    "administration": _USERS,
    "accounts": _USERS,
    "account": _USERS,
    "new_account": _USERS,
    "change_account": _USERS,
    "lock_account": _USERS,
    "unlock_account": _USERS,
    "reset_account": _USERS,
    "roles": _USERS,
    "teams": _USERS,
    "api_keys": _USERS,
    "api_key": _USERS,
    "new_key": _USERS,
    "rotate_key": _USERS,
    "revoke_key": _USERS,
    "signing": _USERS,
    "access_log": _USERS,
    "export_access_log": _USERS,
    "retention": _USERS,
    "retention_plan": _USERS,
    "start_removal": _USERS,
    "removal": _USERS,
    "removal_file": _USERS,
    "set_hold": _USERS,
    "lift_hold": _USERS,
    "notices": _USERS,
    "retry_notice": _USERS,
    "dismiss_notice": _USERS,
}
"""Scope by Flask's name of the route (less ``web.``); of two, the first is for looking and the second for sending the form."""


def check() -> None:
    """Raises Forbidden unless the viewer may use the page that was asked for.  A route that nobody has put into the table is closed."""
    endpoint = (request.endpoint or "").removeprefix("web.")
    needed = NEEDS.get(endpoint)
    if needed is None:
        raise Forbidden(f"api.web.needs does not say who may use {endpoint}")
    scope = needed if isinstance(needed, str) else needed[request.method == "POST"]
    if scope:
        sessions.access().require(scope)
