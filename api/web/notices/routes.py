"""The routes of the page about messages to others.  Imports Flask and this package."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, render_template, request, url_for

from api.web import sessions
from api.web.pages import blueprint
from api.web.sessions import desk

LARGEST = 2**62


@blueprint.get("/administration/notifications")
def notices() -> str:
    page = desk().notices_page(sessions.access(), after=_number(request.args.get("cursor", "")))
    return render_template("web/notices/list.html", page=page)


@blueprint.post("/administration/notifications/<key:notice>/retry")
def retry_notice(notice: str) -> Response:
    done = desk().retry_notices(sessions.access(), number=None if notice == "all" else _one(notice))
    flash("The message is sent again." if done == 1 else f"{done:,} messages are sent again.", "done")
    return redirect(url_for("web.notices"), 303)  # type: ignore[return-value]


@blueprint.post("/administration/notifications/<key:notice>/dismiss")
def dismiss_notice(notice: str) -> Response:
    desk().dismiss_notice(sessions.access(), number=_one(notice))
    flash("The message is off the list.", "done")
    return redirect(url_for("web.notices"), 303)  # type: ignore[return-value]


def _one(notice: str) -> int:
    number = _number(notice)
    if number is None:
        abort(404)
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < LARGEST else None
