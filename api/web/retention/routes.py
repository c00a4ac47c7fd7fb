"""The routes of the pages about retention, and of legal holds on the page of a case.  Imports Flask and this package."""

from __future__ import annotations

import json

from flask import Response, flash, redirect, render_template, request, url_for

from api.web import sessions
from api.web.pages import blueprint
from api.web.sessions import desk


@blueprint.get("/administration/retention")
def retention() -> str:
    return render_template("web/retention/overview.html", page=desk().retention_page(sessions.access()))


@blueprint.get("/administration/retention/plan")
def retention_plan() -> str:
    return render_template("web/retention/plan.html", page=desk().retention_plan(sessions.access()))


@blueprint.post("/administration/retention/removals")
def start_removal() -> Response:
    made = desk().start_removal(sessions.access())
    flash("The removal has begun. This page tells how far it is.", "done")
    return redirect(url_for("web.removal", removal=made), 303)  # type: ignore[return-value]


@blueprint.get("/administration/retention/removals/<key:removal>")
def removal(removal: str) -> str:
    page = desk().retention_page(sessions.access())
    return render_template("web/retention/certificate.html", page=page, one=desk().removal(sessions.access(), removal))


@blueprint.get("/administration/retention/removals/<key:removal>/certificate.json")
def removal_file(removal: str) -> Response:
    body = json.dumps(desk().removal_file(sessions.access(), removal), ensure_ascii=False, indent=2)
    name = f'attachment; filename="removal-{removal}.json"'
    return Response(body + "\n", content_type="application/json", headers={"Content-Disposition": name})


@blueprint.post("/administration/legal-holds")
def set_hold() -> Response:
    case = request.form.get("case", "").strip()
    desk().set_hold(sessions.access(), case=case, reason=request.form.get("reason", ""))
    flash("The legal hold is set: nothing of this case, or of those that hang together with it, is removed.", "done")
    return redirect(url_for("web.case", case=case) if request.form.get("from") == "case" else url_for("web.retention"), 303)  # type: ignore[return-value]


@blueprint.post("/administration/legal-holds/<key:hold>/lift")
def lift_hold(hold: str) -> Response:
    case = desk().lift_hold(sessions.access(), hold, reason=request.form.get("reason", ""))
    flash("The legal hold is lifted. That it was there, and who lifted it, stays on record.", "done")
    return redirect(url_for("web.case", case=case) if request.form.get("from") == "case" else url_for("web.retention"), 303)  # type: ignore[return-value]
