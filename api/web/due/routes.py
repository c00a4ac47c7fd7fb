"""The routes of what is due, and of calendars that people subscribe to.  Imports Flask and this package.

The address of a calendar is open to whoever holds its token, without a session: programs that show calendars cannot sign in.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

from flask import Response, flash, redirect, render_template, request, url_for

from api import recorded
from api.web import sessions, words
from api.web.due.views import UNDATED, DueFilters
from api.web.pages import BadAddress, blueprint, day_of
from api.web.sessions import desk
from service.errors import Invalid, NotPossible

_PRINTED = 28


def due_filters() -> DueFilters:
    """What the address of this request asks for.  Raises BadAddress."""
    given = {field.name: request.args.get(field.name, "").strip() for field in dataclasses.fields(DueFilters)}
    if any("\x00" in value or "\N{REPLACEMENT CHARACTER}" in value for value in given.values()):
        raise BadAddress("it holds text that cannot be read")
    if given["severity"] and given["severity"] not in words.SEVERITIES:
        raise BadAddress(f"severity can be {', '.join(words.SEVERITIES)}")
    if (
        given["within"]
        and given["within"] != UNDATED
        and not (given["within"].isascii() and given["within"].isdigit() and len(given["within"]) < 5)
    ):
        raise BadAddress(f"within is a number of days, or {UNDATED}")
    if given["on"]:
        try:
            given["on"] = day_of(given["on"]).isoformat()
        except ValueError:
            raise BadAddress("on is a day like 2026-03-23") from None
    return DueFilters(**given)


@blueprint.get("/due-soon")
def due_soon() -> str:
    filters = due_filters()
    return render_template("web/due/list.html", filters=filters, listing=desk().due_soon(sessions.access(), filters))


@blueprint.get("/due-soon/month")
def due_month() -> str:
    filters = due_filters()
    page = desk().due_month(sessions.access(), filters, request.args.get("month", "").strip())
    return render_template("web/due/month.html", filters=filters, page=page)


@blueprint.get("/due-soon/teams")
def due_teams() -> str:
    filters = due_filters()
    return render_template("web/due/teams.html", filters=filters, page=desk().due_owners(sessions.access(), filters))


@blueprint.get("/due-soon/sheet")
def due_sheet() -> str:
    filters = due_filters()
    if not filters.within and not filters.on:
        filters = dataclasses.replace(filters, within=str(_PRINTED))
    return render_template("web/due/sheet.html", filters=filters, page=desk().due_sheet(sessions.access(), filters))


@blueprint.get("/due-soon/calendars")
def due_calendars() -> str:
    return render_template("web/due/calendars.html", page=desk().calendars(sessions.access()), address="")


@blueprint.post("/due-soon/calendars")
def make_calendar() -> Response | str:
    access = sessions.access()
    try:
        token = desk().make_calendar(access, team=request.form.get("team", "").strip())
    except (Invalid, NotPossible) as error:
        flash(f"No calendar was made: {error}.", "problem")
        return redirect(url_for("web.due_calendars"), 303)  # type: ignore[return-value]
    address = url_for("web.calendar", token=token, _external=True)
    return render_template("web/due/calendars.html", page=desk().calendars(access), address=address)


@blueprint.post("/due-soon/calendars/<key:feed>/revoke")
def revoke_calendar(feed: str) -> Response:
    desk().revoke_calendar(sessions.access(), feed)
    flash("The calendar's address is of no use any more.", "done")
    return redirect(url_for("web.due_calendars"), 303)  # type: ignore[return-value]


@blueprint.get("/calendars/<key:token>.ics")
def calendar(token: str) -> Response:
    found = desk().calendar(token, address_of=lambda case: url_for("web.case", case=case, _external=True))
    recorded.note(actor=found.feed.maker, thing=found.feed.id, count=found.entries)
    response = Response(found.text, content_type="text/calendar; charset=utf-8")
    response.set_etag(hashlib.sha256(found.text.encode()).hexdigest()[:32])
    response.cache_control.private = True
    response.cache_control.max_age = int(dt.timedelta(minutes=15).total_seconds())
    response.headers["Content-Disposition"] = 'inline; filename="due.ics"'
    response.headers["X-Robots-Tag"] = "noindex"
    return response.make_conditional(request)  # type: ignore[return-value]
