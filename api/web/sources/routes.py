"""The routes of the pages about sources.  Each asks the desk and draws.  Imports Flask and this package.

Trying out is a POST, though it stores nothing: it asks the client system, which no link from elsewhere may set off.
"""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for

from api.web import sessions, words
from api.web.pages import blueprint
from api.web.sessions import desk
from api.web.telling import telling
from service.errors import NotPossible


@blueprint.get("/sources")
def sources() -> str:
    return render_template("web/sources/list.html", page=desk().sources(sessions.access()))


@blueprint.get("/sources/<key:source>")
def source(source: str) -> str:
    settled = request.args.get("settled") == "yes"
    page = desk().source(sessions.access(), source, settled=settled, cursor=request.args.get("cursor", ""))
    return render_template("web/sources/source.html", page=page)


@blueprint.post("/sources/<key:source>/pull")
def ask_source(source: str) -> Response:
    with telling("It will be asked within seconds, as soon as a worker is free."):
        desk().ask_now(sessions.access(), source)
    return _back(source)


@blueprint.post("/sources/<key:source>/confirm")
def confirm_source(source: str) -> Response:
    with telling("What is gone will be taken back at the next pull, within seconds."):
        desk().confirm_gone(sessions.access(), source)
    return _back(source)


@blueprint.post("/sources/<key:source>/replay")
def replay_source(source: str) -> Response:
    tried, refused, error = desk().replay(sessions.access(), source)
    flash(f"{words.count(tried, 'record was', 'records were')} tried again; {words.count(refused, 'is', 'are')} refused still.", "done")
    if error:
        flash(f"It ended early: {error}", "problem")
    return _back(source)


@blueprint.post("/sources/<key:source>/rejects/<key:reject>/dismiss")
def dismiss_reject(source: str, reject: str) -> Response:
    desk().dismiss(sessions.access(), source, reject)
    flash("It is set aside, and what the system gave is forgotten.", "done")
    return _back(source)


@blueprint.post("/sources/<key:source>/try")
def try_source(source: str) -> Response | str:
    try:
        page = desk().try_out(sessions.access(), source, values=request.form.get("values") == "yes")
    except NotPossible as error:
        flash(f"It could not be tried: {error}", "problem")
        return _back(source)
    return render_template("web/sources/trial.html", page=page)


def _back(source: str) -> Response:
    return redirect(url_for("web.source", source=source), 303)  # type: ignore[return-value]
