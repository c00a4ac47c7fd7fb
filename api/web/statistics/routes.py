"""The routes of statistics and of the verdicts behind them.  Imports Flask and this package."""

from __future__ import annotations

from dataclasses import fields

from flask import render_template, request

from api.web import sessions, words
from api.web.pages import BadAddress, blueprint, day_of
from api.web.sessions import desk
from api.web.statistics.views import StatFilters, VerdictFilters
from rules.model import Outcome


@blueprint.get("/statistics")
def statistics() -> str:
    filters = StatFilters(**_given([one.name for one in fields(StatFilters)]))
    return render_template("web/statistics/statistics.html", filters=filters, page=desk().statistics(sessions.access(), filters))


@blueprint.get("/verdicts")
def verdicts() -> str:
    given = _given([one.name for one in fields(VerdictFilters) if one.name not in {"since", "until"}])
    if given["verdict"] and given["verdict"] not in {outcome.value for outcome in Outcome}:
        raise BadAddress(f"verdict can be {', '.join(Outcome)}")
    days = {name: _day(request.args.get(asked, "").strip(), asked) for name, asked in (("since", "from"), ("until", "to"))}
    filters = VerdictFilters(**given, **days)
    return render_template("web/statistics/verdicts.html", filters=filters, page=desk().verdicts(sessions.access(), filters))


def _given(names: list[str]) -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in names}
    if any("\x00" in value or "\N{REPLACEMENT CHARACTER}" in value for value in given.values()):
        raise BadAddress("it holds text that cannot be read")
    if given["severity"] and given["severity"] not in words.SEVERITIES:
        raise BadAddress(f"severity can be {', '.join(words.SEVERITIES)}")
    return given


def _day(text: str, name: str) -> str:
    try:
        return day_of(text).isoformat() if text else ""
    except ValueError:
        raise BadAddress(f"{name} is a day like 2026-03-23") from None
