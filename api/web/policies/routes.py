"""The routes that show policies, proposals and backtests.  Each asks the desk and draws.  Imports Flask and this package."""

from __future__ import annotations

from flask import Response, render_template

from api.web import sessions
from api.web.pages import blueprint
from api.web.sessions import desk
from service.backtests.words import CHANGES
from service.errors import NotFound

_FORMS = {"json": "application/json", "html": "text/html; charset=utf-8"}


@blueprint.get("/policies")
def policies() -> str:
    access = sessions.access()
    return render_template("web/policies/list.html", policies=desk().policies(access), waiting=desk().changes(access))


@blueprint.get("/policies/<key:policy>")
def policy(policy: str) -> str:
    return render_template("web/policies/policy.html", page=desk().policy(sessions.access(), policy))


@blueprint.get("/policies/<key:policy>/rules/<key:rule>")
def rule(policy: str, rule: str) -> str:
    return render_template("web/policies/rule.html", page=desk().rule(sessions.access(), policy, rule))


@blueprint.get("/policy-changes/<key:change>")
def change(change: str) -> str:
    return render_template("web/policies/change.html", page=desk().change(sessions.access(), change))


@blueprint.get("/backtests/<key:backtest>")
def backtest(backtest: str) -> str:
    page = desk().backtest(sessions.access(), backtest)
    return render_template("web/policies/backtest.html", page=page, change_words=CHANGES)


@blueprint.get("/backtests/<key:backtest>/report.<form>")
def backtest_report(backtest: str, form: str) -> Response:
    """The report as a file: as it is kept, or as a page to keep; cut to what the reader may see."""
    if form not in _FORMS:
        raise NotFound("there is no such form of a report")
    text = desk().backtest_report(sessions.access(), backtest, form=form)
    named = "".join(char if char.isascii() and char.isalnum() else "-" for char in backtest)[:64]
    filed = {"Content-Disposition": f'attachment; filename="backtest-{named}.{form}"'}
    return Response(text, content_type=_FORMS[form], headers=filed)
