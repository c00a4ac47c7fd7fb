"""The routes of the pages about audits.  Each reads what was asked, asks the desk, and draws.  Imports Flask and this package."""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, redirect, render_template, request, url_for

from api.web import sessions, words
from api.web.audits.desk import Wish
from api.web.pages import blueprint, day_of, named
from api.web.sessions import desk
from api.web.telling import telling
from service.errors import Flaw, Invalid, NotPossible

_DAYS = ("as_of", "known_at", "since", "until")
_SCHEDULE_DONE = {
    "pause": "It is paused.",
    "resume": "It goes on with the next time.",
    "remove": "It is removed; the audits that it made stay.",
}


@blueprint.get("/audits")
def audits() -> str:
    return render_template("web/audits/list.html", page=desk().audits(sessions.access()), flaws={}, kept={})


@blueprint.post("/audits")
def start_audit() -> Response | tuple[str, int]:
    access = sessions.access()
    try:
        audit = desk().start_audit(access, _wish())
    except Invalid as error:
        page = desk().audits(access)
        return render_template("web/audits/list.html", page=page, flaws=named(error, {}), kept=_kept(), failed=True), 422
    return redirect(url_for("web.audit", audit=audit), 303)  # type: ignore[return-value]


@blueprint.get("/audits/<key:audit>")
def audit(audit: str) -> str:
    return render_template("web/audits/audit.html", page=desk().audit(sessions.access(), audit), flaws={}, kept={})


@blueprint.post("/audits/<key:audit>/cancel")
def cancel_audit(audit: str) -> Response:
    with telling("The audit is cancelled. Nothing was changed by it."):
        desk().cancel_audit(sessions.access(), audit)
    return _to(audit)


@blueprint.post("/audits/<key:audit>/sign")
def sign_audit(audit: str) -> Response | tuple[str, int]:
    access = sessions.access()
    try:
        with telling("You have signed the report off."):
            desk().sign_audit(access, audit, digest=request.form.get("digest", ""), comment=request.form.get("comment", ""))
    except Invalid as error:
        page = desk().audit(access, audit)
        return render_template("web/audits/audit.html", page=page, flaws=named(error, {}), kept=_kept(), failed=True), 422
    return _to(audit)


@blueprint.post("/audits/<key:audit>/judge-again")
def judge_again(audit: str) -> Response:
    try:
        cases = desk().judge_again(sessions.access(), audit)
    except NotPossible as error:
        flash(f"{words.sentence_case(str(error))}.", "problem")
    else:
        flash(f"{words.count(cases, 'case')} will be judged again within moments.", "done")
    return _to(audit)


@blueprint.get("/audits/<key:audit>/report.<form>")
def audit_file(audit: str, form: str) -> Response:
    """The report as a file, cut to what the reader may see."""
    made = desk().audit_file(sessions.access(), audit, form)
    return Response(made.body, content_type=made.media, headers={"Content-Disposition": f'attachment; filename="{made.name}"'})


@blueprint.get("/audits/<key:audit>/compare")
def compare_audits(audit: str) -> str:
    other = request.args.get("with", "").strip()
    page = desk().compare_audits(sessions.access(), other, audit, start=request.args.get("start", ""))
    return render_template("web/audits/compare.html", page=page)


@blueprint.get("/audit-schedules")
def audit_schedules() -> str:
    return render_template("web/audits/schedules.html", page=desk().audit_schedules(sessions.access()), flaws={}, kept={})


@blueprint.post("/audit-schedules")
def add_schedule() -> Response | tuple[str, int]:
    access = sessions.access()
    given = {name: request.form.get(name, "").strip() for name in ("name", "cron", "zone")}
    try:
        desk().add_schedule(access, **given, wish=_wish())
    except (Invalid, NotPossible) as error:
        flaws = named(error, {}) if isinstance(error, Invalid) else {"name": f"{words.sentence_case(str(error))}"}
        page = desk().audit_schedules(access)
        return render_template("web/audits/schedules.html", page=page, flaws=flaws, kept=_kept(), failed=True), 422
    flash("From now on it is made by itself.", "done")
    return redirect(url_for("web.audit_schedules"), 303)  # type: ignore[return-value]


@blueprint.post("/audit-schedules/<key:schedule>")
def change_schedule(schedule: str) -> Response:
    action = request.form.get("action", "")
    with telling(_SCHEDULE_DONE.get(action, "")):
        desk().change_schedule(sessions.access(), schedule, action)
    return redirect(url_for("web.audit_schedules"), 303)  # type: ignore[return-value]


def _wish() -> Wish:
    """What the form asks for.  Raises Invalid with every day that is none."""
    days: dict[str, dt.date | None] = dict.fromkeys(_DAYS)
    flaws = []
    for name in _DAYS:
        if text := request.form.get(name, "").strip():
            try:
                days[name] = day_of(text)
            except ValueError:
                flaws.append(Flaw(name, "wrong_value", "give a day from 1900 to 2199, like 2026-03-23"))
    if flaws:
        raise Invalid(*flaws)
    return Wish(
        kind=request.form.get("kind", "full"),
        policies=_several("policies"),
        teams=_several("teams"),
        offices=_several("offices"),
        **days,
    )


def _several(name: str) -> tuple[str, ...]:
    return tuple(value for value in request.form.getlist(name) if value)


def _kept() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in request.form}


def _to(audit: str) -> Response:
    return redirect(url_for("web.audit", audit=audit), 303)  # type: ignore[return-value]
