"""The routes of one's own account.  Imports Flask and this package."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, url_for

from api.web import sessions
from api.web.pages import blueprint
from api.web.sessions import desk
from service.errors import NotFound


@blueprint.get("/account")
def own_account() -> str:
    return render_template("web/account/account.html", page=desk().own_account(sessions.user(), sessions.current().id))


@blueprint.post("/account/sessions/<key:session>/end")
def end_session(session: str) -> Response:
    try:
        desk().end_session(sessions.user(), session)
    except NotFound:
        flash("You have no such session any more.", "problem")
    else:
        flash("That session is over.", "done")
    return redirect(url_for("web.own_account"), 303)  # type: ignore[return-value]


@blueprint.post("/account/sessions/end")
def end_other_sessions() -> Response:
    sessions.end_others()
    flash("You are signed in here only.", "done")
    return redirect(url_for("web.own_account"), 303)  # type: ignore[return-value]
