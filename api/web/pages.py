"""The routes of the pages.  Each reads what was asked, asks the desk, and draws; nothing here decides what a verdict means."""

from __future__ import annotations

import dataclasses
import datetime as dt

from flask import Blueprint, Response, flash, g, redirect, render_template, request, send_from_directory, url_for
from werkzeug.datastructures import MultiDict

from api.web import sessions, words
from api.web.rendering import STATIC
from api.web.sessions import desk
from api.web.views import Filters
from service.errors import Invalid, LockedOut, NotPossible, StaleVersion, Unauthorised
from service.review import COMMENT_LIMIT

blueprint = Blueprint("web", __name__, template_folder="templates")
KEPT_LENGTH = COMMENT_LIMIT


class BadAddress(Exception):
    """The address holds something that no list of ours knows."""


@blueprint.before_request
def _before() -> Response | None:
    g.page = True
    return sessions.guard()


@blueprint.get("/static/<path:filename>", endpoint="static")
def static_file(filename: str) -> Response:
    """A file of ours.  With its content's digest in the address it never changes."""
    response = send_from_directory(STATIC, filename, max_age=31_536_000 if "v" in request.args else 0)
    if "v" in request.args:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


_KNOWN = {"severity": words.SEVERITIES, "condition": words.CONDITIONS, "review": words.REVIEWS}


def _filters(args: MultiDict[str, str]) -> Filters:
    given = {field.name: args.get(field.name, "").strip() for field in dataclasses.fields(Filters)}
    for name, known in _KNOWN.items():
        if given[name] and given[name] not in known:
            raise BadAddress(f"{name} can be {', '.join(known)}")
    if any("\x00" in value or "\N{REPLACEMENT CHARACTER}" in value for value in given.values()):
        raise BadAddress("it holds text that cannot be read")
    if given["within"] and not given["within"].isdecimal():
        raise BadAddress("within is a number of days")
    return Filters(**given)


def _path() -> str:
    return request.full_path.rstrip("?")


# --- reading ---------------------------------------------------------------------------------------------------------


@blueprint.get("/")
def breaches() -> str:
    filters = _filters(request.args)
    access = sessions.access()
    listing = desk().breaches(access, filters)
    return render_template("web/breaches.html", filters=filters, listing=listing, may_review=access.allows("breaches:review"), here=_path())


@blueprint.get("/breaches/<key:breach>")
def breach(breach: str) -> str:
    return render_template("web/breach.html", page=desk().breach(sessions.access(), breach))


@blueprint.get("/due-soon")
def due_soon() -> str:
    filters = _filters(request.args)
    return render_template("web/due_soon.html", filters=filters, listing=desk().due_soon(sessions.access(), filters))


@blueprint.get("/cases")
def cases() -> str:
    filters = _filters(request.args)
    return render_template("web/cases.html", filters=filters, listing=desk().cases(sessions.access(), filters))


@blueprint.get("/cases/<key:case>")
def case(case: str) -> tuple[str, int] | str:
    asked = {name: request.args.get(name, "").strip() for name in ("as_of", "known_at")}
    days: dict[str, dt.date | None] = {"as_of": None, "known_at": None}
    flaws: dict[str, str] = {}
    for name, text in asked.items():
        if text:
            try:
                days[name] = _day(text)
            except ValueError:
                flaws[name] = "Give a day from 1900 to 2199, like 2026-03-23"
    if flaws:
        days = {"as_of": None, "known_at": None}
    page = desk().case(sessions.access(), case, as_of=days["as_of"], known_at=days["known_at"])
    drawn = render_template("web/case.html", page=page, asked=asked, flaws=flaws, failed=bool(flaws))
    return (drawn, 400) if flaws else drawn


def _day(text: str) -> dt.date:
    value = dt.date.fromisoformat(text)
    if not 1900 <= value.year <= 2199:
        raise ValueError(text)
    return value


@blueprint.get("/policies")
def policies() -> str:
    return render_template("web/policies.html", policies=desk().policies())


@blueprint.get("/policies/<key:policy>")
def policy(policy: str) -> str:
    return render_template("web/policy.html", page=desk().policy(policy))


@blueprint.get("/status")
def status() -> str:
    return render_template("web/status.html", page=desk().status(sessions.access()))


@blueprint.get("/help")
def help() -> str:  # noqa: A001 - the endpoint is named as the page is
    return render_template("web/help.html")


# --- review ----------------------------------------------------------------------------------------------------------

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
    kept = {"action": action, "reason": reason, "comment": comment[:KEPT_LENGTH]}
    flaws: dict[str, str] = {}
    if action not in _DONE:
        flaws["action"] = "Say what you found"
    if action == "dismiss" and not reason:
        flaws["reason"] = "Give a reason for dismissing it"
    if action == "comment" and not comment:
        flaws["comment"] = "Write a comment"
    if len(comment) > KEPT_LENGTH:
        flaws["comment"] = f"Keep the comment to {KEPT_LENGTH:,} characters"
    if flaws:
        return _again(breach, flaws, kept)
    try:
        desk().review(sessions.access(), breach, action=action, reason=reason, comment=comment, version=_version())
    except StaleVersion:
        return _moved(breach, kept if comment or action != "acknowledge" else {})
    except Invalid as error:
        return _again(breach, _named(error, {"reason_code": "reason"}), kept)
    except NotPossible as error:
        return _again(breach, {"": words.sentence_case(str(error))}, kept)
    return _done(breach, _DONE[action])


@blueprint.post("/breaches/<key:breach>/waivers")
def ask_waiver(breach: str) -> Response | tuple[str, int]:
    kept = {name: _text(name)[:KEPT_LENGTH] for name in ("waiver_reason", "waiver_comment", "ends_on")}
    flaws: dict[str, str] = {}
    ends_on = None
    if not kept["waiver_reason"]:
        flaws["waiver_reason"] = "Give a reason for the waiver"
    try:
        ends_on = _day(kept["ends_on"])
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
        return _again(breach, _named(error, names), kept | {"waiver": "yes"})
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


def _named(error: Invalid, names: dict[str, str]) -> dict[str, str]:
    return {names.get(flaw.field, flaw.field): words.sentence_case(flaw.message) for flaw in error.flaws}


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


def _done(breach: str, what: str) -> Response:
    row = desk().breach(sessions.access(), breach).row
    flash(what.format(f"{row.sentence} (case {row.case})"), "done")
    back = sessions.local_path(request.form.get("back", ""))
    return redirect(f"{back}#b-{row.id}" if back else url_for("web.breach", breach=breach), 303)  # type: ignore[return-value]


# --- signing in ------------------------------------------------------------------------------------------------------


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response | tuple[str, int] | str:
    onward = sessions.local_path(request.values.get("next", ""))
    if request.method == "GET":
        if sessions.viewer() is not None:
            return redirect(onward or url_for("web.breaches"), 303)  # type: ignore[return-value]
        return render_template("web/sign_in.html", next=onward, name="")
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    flaws: dict[str, str] = {}
    code = 422
    if not name:
        flaws["name"] = "Give your user name"
    if not password:
        flaws["password"] = "Give your password"  # noqa: S105 - words about one
    if not flaws:
        try:
            user, _ = desk().sign_in(name, password)
        except LockedOut as error:
            flaws["password"] = f"Too many wrong passwords. Try again in {words.count(max(1, -(-error.retry_after // 60)), 'minute')}"
            code = 429
        except Unauthorised:
            flaws["password"] = "The user name or the password is not right"  # noqa: S105 - words about one
            code = 401
        else:
            sessions.begin(user)
            return redirect(onward or url_for("web.breaches"), 303)  # type: ignore[return-value]
    return render_template("web/sign_in.html", next=onward, name=name[:200], flaws=flaws, failed=True), code


@blueprint.post("/sign-out")
def sign_out() -> Response:
    sessions.end()
    flash("You have signed out.", "done")
    return redirect(url_for("web.sign_in"), 303)  # type: ignore[return-value]


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Response | tuple[str, int] | str:
    if request.method == "GET":
        return render_template("web/password.html")
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    flaws: dict[str, str] = {}
    if not old:
        flaws["old"] = "Give the password that you have now"
    if not new:
        flaws["new"] = "Give a new password"
    elif new == old:
        flaws["new"] = "Choose a password that is not the old one"
    if new != again:
        flaws["again"] = "The two new passwords are not the same"
    if not flaws:
        user = sessions.user()
        try:
            desk().change_password(user, old=old, new=new)
        except LockedOut:
            flaws["old"] = "Too many wrong passwords. Try again later"
        except Unauthorised:
            flaws["old"] = "This is not your present password"
        except Invalid as error:
            flaws = _named(error, {"password": "new"})
        else:
            sessions.begin(user)
            flash("Your password has been changed.", "done")
            return redirect(url_for("web.breaches"), 303)  # type: ignore[return-value]
    return render_template("web/password.html", flaws=flaws, failed=True), 422
