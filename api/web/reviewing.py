"""The routes of the reviewers' steps: what was sent is checked, handed on, and the second of two people is told who was first."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, flash, redirect, render_template, request

from api.web import origin, sessions, words
from api.web.pages import blueprint, named
from api.web.sessions import desk
from api.web.views import BreachPage, HistoryLine
from service.errors import Invalid, NotPossible, StaleVersion
from service.review import COMMENT_LIMIT

_DONE = {
    "acknowledge": "Acknowledged: {}",
    "uphold": "Upheld: {}",
    "dismiss": "Dismissed: {}",
    "comment": "Comment saved: {}",
}


@blueprint.get("/breaches/<key:breach>")
def breach(breach: str) -> str:
    return _drawn(desk().breach(sessions.access(), breach), request.args.get("in", ""))


@blueprint.post("/breaches/<key:breach>/review")
def review(breach: str) -> Response | tuple[str, int]:
    form = request.form
    action, reason, comment = form.get("action", ""), form.get("reason", "").strip(), text_of("comment")
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
    version = version_of()
    if flaws:
        return _again(breach, flaws, kept)
    try:
        desk().review(sessions.access(), breach, action=action, reason=reason, comment=comment, version=version)
    except StaleVersion:
        return _moved(breach, kept if comment or action != "acknowledge" else {})
    except Invalid as error:
        return _again(breach, named(error, {"reason_code": "reason"}), kept)
    except NotPossible as error:
        return _again(breach, {"": words.sentence_case(str(error))}, kept)
    return _done(breach, _DONE[action])


@blueprint.post("/breaches/<key:breach>/assign")
def assign(breach: str) -> Response | tuple[str, int]:
    to = sessions.access().actor if request.form.get("me") else request.form.get("to", "")
    try:
        desk().assign(sessions.access(), breach, to=to, version=version_of())
    except StaleVersion:
        return _moved(breach, {"to": to})
    except Invalid as error:
        return _again(breach, named(error, {"assignee": "to"}), {"to": to})
    except NotPossible as error:
        return _again(breach, {"to": words.sentence_case(str(error))}, {"to": to})
    return _done(breach, "Assigned: {}" if to else "Assigned to nobody: {}")


def text_of(name: str) -> str:
    """A field of the form, as text with plain line ends."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def version_of() -> int:
    """The version of what the form was drawn from.  Raises BadForm."""
    text = request.form.get("version", "")
    if not text.isdecimal() or len(text) > 18:
        raise sessions.BadForm
    return int(text)


def flash_saved(text: str) -> None:
    """Say on the next page that what was sent is saved, so that the browser's copy of it can go.

    Told by way of the session's cookie, which browsers drop when it grows.
    """
    flash(text if len(text) <= 400 else f"{text[:399]}\N{HORIZONTAL ELLIPSIS}", "saved")


def _drawn(page: BreachPage, came_from: str, **more: object) -> str:
    """The page of a breach, with the ones before and after it in the list that the reader came from."""
    return render_template("web/breach.html", page=page, around=origin.around(page.row.id, came_from), **more)


def _again(breach: str, flaws: dict[str, str], kept: dict[str, str]) -> tuple[str, int]:
    page = desk().breach(sessions.access(), breach)
    return _drawn(page, request.form.get("in", ""), flaws=flaws, kept=kept, failed=True), 422


def _moved(breach: str, kept: dict[str, str]) -> tuple[str, int]:
    """The second of two people is told what the first one did; what they wrote stays in the form."""
    page = desk().breach(sessions.access(), breach)
    since = changed_since(page.history)
    by_people = any(line.who for line in since)
    return _drawn(page, request.form.get("in", ""), kept=kept, moved=since, moved_by_people=by_people), 409


def changed_since(history: Sequence[HistoryLine]) -> list[HistoryLine]:
    """The lines that came after those which the form's page showed, the newest first; at least the last one."""
    shown = request.form.get("lines", "")
    known = int(shown) if shown.isdecimal() and len(shown) < 10 else len(history)
    return list(history[: max(1, len(history) - known)])


def _done(breach: str, what: str) -> Response:
    row = desk().breach(sessions.access(), breach).row
    flash_saved(what.format(f"{row.sentence} (case {row.case})"))
    return redirect(origin.address(breach, request.form.get("in", "")), 303)  # type: ignore[return-value]
