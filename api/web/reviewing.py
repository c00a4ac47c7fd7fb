"""The routes of the reviewers' steps: what was sent is checked, handed on, and the second of two people is told who was first."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for

from api.web import sessions, words
from api.web.pages import blueprint, day_of, named
from api.web.sessions import desk
from service.errors import Invalid, NotPossible, StaleVersion
from service.review import COMMENT_LIMIT

_DONE = {
    "acknowledge": "Acknowledged: {}",
    "uphold": "Upheld: {}",
    "dismiss": "Dismissed: {}",
    "comment": "Comment saved: {}",
}


@blueprint.post("/breaches/<key:breach>/review")
def review(breach: str) -> Response | tuple[str, int]:
    form = request.form
    action, reason, comment = form.get("action", ""), form.get("reason", "").strip(), _text("comment")
    kept = {"action": action, "reason": reason, "comment": comment[:COMMENT_LIMIT]}
    flaws: dict[str, str] = {}
    if action not in _DONE:
        flaws["action"] = "Say what you found"
    if action == "dismiss" and not reason:
        flaws["reason"] = "Give a reason for dismissing it"
    if action == "comment" and not comment:
        flaws["comment"] = "Write a comment"
    if len(comment) > COMMENT_LIMIT:
        flaws["comment"] = f"Keep the comment to {COMMENT_LIMIT:,} characters"
    if flaws:
        return _again(breach, flaws, kept)
    try:
        desk().review(sessions.access(), breach, action=action, reason=reason, comment=comment, version=_version())
    except StaleVersion:
        return _moved(breach, kept if comment or action != "acknowledge" else {})
    except Invalid as error:
        return _again(breach, named(error, {"reason_code": "reason"}), kept)
    except NotPossible as error:
        return _again(breach, {"": words.sentence_case(str(error))}, kept)
    return _done(breach, _DONE[action])


@blueprint.post("/breaches/<key:breach>/waivers")
def ask_waiver(breach: str) -> Response | tuple[str, int]:
    kept = {name: _text(name)[:COMMENT_LIMIT] for name in ("waiver_reason", "waiver_comment", "ends_on")}
    flaws: dict[str, str] = {}
    ends_on = None
    if not kept["waiver_reason"]:
        flaws["waiver_reason"] = "Give a reason for the waiver"
    try:
        ends_on = day_of(kept["ends_on"])
    except ValueError:
        flaws["ends_on"] = "Give the last day of the waiver"
    if flaws or ends_on is None:
        return _again(breach, flaws, kept | {"waiver": "yes"})
    try:
        desk().ask_waiver(
            sessions.access(),
            breach,
            reason=kept["waiver_reason"],
            comment=kept["waiver_comment"],
            ends_on=ends_on,
            version=_version(),
        )
    except StaleVersion:
        return _moved(breach, kept | {"waiver": "yes"})
    except Invalid as error:
        names = {"reason_code": "waiver_reason", "comment": "waiver_comment", "ends_at": "ends_on"}
        return _again(breach, named(error, names), kept | {"waiver": "yes"})
    except NotPossible as error:
        return _again(breach, {"": words.sentence_case(str(error))}, kept | {"waiver": "yes"})
    return _done(breach, "Asked for a waiver: {}")


@blueprint.post("/breaches/<key:breach>/waivers/<key:waiver>")
def settle_waiver(breach: str, waiver: str) -> Response | tuple[str, int]:
    approve = request.form.get("answer") == "approve"
    try:
        desk().settle_waiver(sessions.access(), waiver, approve=approve)
    except StaleVersion:
        return _moved(breach, {})
    except (NotPossible, Invalid) as error:
        return _again(breach, {"": words.sentence_case(str(error))}, {})
    return _done(breach, "Approved the waiver: {}" if approve else "The waiver is not given: {}")


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _version() -> int:
    text = request.form.get("version", "")
    if not text.isdecimal() or len(text) > 18:
        raise sessions.BadForm
    return int(text)


def _again(breach: str, flaws: dict[str, str], kept: dict[str, str]) -> tuple[str, int]:
    page = desk().breach(sessions.access(), breach)
    return render_template("web/breach.html", page=page, flaws=flaws, kept=kept, failed=True), 422


def _moved(breach: str, kept: dict[str, str]) -> tuple[str, int]:
    """The second of two people is told what the first one did; what they wrote stays in the form."""
    page = desk().breach(sessions.access(), breach)
    last = page.history[0] if page.history else None
    told = ""
    if last is not None:
        told = f"The last change: {last.what}{f' by {last.who}' if last.who else ''}, {words.moment(last.at, page.zone)}."
    return render_template("web/breach.html", page=page, kept=kept, moved=told or "It has changed since."), 409


def _short(text: str) -> str:
    """Told once, by way of the session's cookie, which browsers drop when it grows."""
    return text if len(text) <= 400 else f"{text[:399]}\N{HORIZONTAL ELLIPSIS}"


def _done(breach: str, what: str) -> Response:
    row = desk().breach(sessions.access(), breach).row
    flash(_short(what.format(f"{row.sentence} (case {row.case})")), "done")
    back = sessions.local_path(request.form.get("back", ""))
    return redirect(f"{back}#b-{row.id}" if back else url_for("web.breach", breach=breach), 303)  # type: ignore[return-value]
