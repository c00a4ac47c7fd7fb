"""The routes of signing in and out, and of one's own password."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, session, url_for

from api.web import sessions
from api.web.pages import blueprint, named
from api.web.sessions import desk
from api.web.signon import routes as single
from service.errors import Invalid, LockedOut, NotPossible, Unauthorised

NOT_RIGHT = (
    "The user name or the password is not right. After five mistakes in a row an account is locked, for a minute at first and then "
    "for longer: wait before you try again, or ask an administrator"
)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response | tuple[str, int] | str:
    onward = sessions.local_path(request.values.get("next", ""))
    if request.method == "GET":
        if sessions.viewer() is not None:
            return redirect(onward or url_for("web.today"), 303)  # type: ignore[return-value]
        left, offered = session.pop("left", False), desk().single_sign_on()
        own = offered != "only" or "emergency" in request.args
        return render_template("web/sign_in.html", next=onward, name="", ended=sessions.ended(), left=left, single=offered, own=own)
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
        except (LockedOut, Unauthorised):  # answered alike: else whoever tries names would learn which of them have an account
            flaws["password"] = NOT_RIGHT
            code = 401
        else:
            sessions.begin(user)
            return redirect(onward or url_for("web.today"), 303)  # type: ignore[return-value]
    offered = desk().single_sign_on()
    return render_template("web/sign_in.html", next=onward, name=name[:200], flaws=flaws, failed=True, single=offered, own=True), code


@blueprint.post("/sign-out")
def sign_out() -> Response:
    elsewhere = bool(session.get("single"))
    sessions.end()
    if elsewhere and (leaving := single.sign_out()) is not None:
        return leaving
    session["left"] = True
    flash("You have signed out here. Where you are signed in elsewhere, you still are.", "done")
    return redirect(url_for("web.sign_in"), 303)  # type: ignore[return-value]


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Response | tuple[str, int] | str:
    if session.get("single"):
        raise NotPossible("you sign in with your organisation's account: its password is changed there")
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
            flaws["old"] = "Too many wrong passwords. Try again later, or ask an administrator"
        except Unauthorised:
            flaws["old"] = "This is not your present password"
        except Invalid as error:
            flaws = named(error, {"password": "new"})
        else:
            sessions.begin(user)
            flash("Your password has been changed.", "done")
            return redirect(url_for("web.today"), 303)  # type: ignore[return-value]
    return render_template("web/password.html", flaws=flaws, failed=True), 422
