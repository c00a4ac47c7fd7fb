"""The way to the provider of single sign-on, back from it, and out of it again.

What has to be known when a browser comes back travels in a cookie of its own, encrypted, for ten minutes and one return; so does the
token for signing out, which only the address for signing out is sent.  Neither is in the session.  Imports Flask and this package.
"""

from __future__ import annotations

from flask import Response, current_app, make_response, redirect, render_template, request, url_for

from api.web import faults, sessions
from api.web.pages import blueprint
from api.web.sessions import desk
from service.errors import NotFound, NotLetIn, ProviderAway, SignOnFailed
from service.logs import get
from service.signonsettings import RETURN_PATH
from service.websessions import LONGEST

UNDERWAY = "duecare_sign_in"
"""The cookie of a sign-in on its way."""
LEAVING = "duecare_sign_out"
"""The cookie with the token for signing out at the provider."""
PATIENCE = 600
"""Seconds from going to the provider to coming back."""
LONGEST_NEXT = 1_500
"""Characters of an address to come back to; a longer one would make the cookie one that browsers do not keep."""
MOST = 3_800
"""Characters of a cookie that every browser keeps; a longer token is not kept, and the provider asks who signs out."""

_log = get("sign_on")


@blueprint.get("/sign-in/single-sign-on")
def single_sign_on() -> Response:
    """Off to the provider."""
    from service.cipher import closed

    onward = sessions.local_path(request.args.get("next", "")[: LONGEST_NEXT + 1])
    if len(onward) > LONGEST_NEXT:
        onward = ""
    if not desk().single_sign_on():
        raise NotFound
    if sessions.viewer() is not None:
        return redirect(onward or url_for("web.today"), 303)  # type: ignore[return-value]
    back = desk().return_address() or url_for("web.single_return", _external=True)
    try:
        started = desk().start_sign_on(back=back, again="again" in request.args)
    except ProviderAway:
        return _away()
    kept = {"state": started.state, "nonce": started.nonce, "verifier": started.verifier}
    response: Response = redirect(started.address, 303)  # type: ignore[assignment]
    _keep(response, UNDERWAY, closed(_secret(), UNDERWAY, {**kept, "back": back, "next": onward, "at": desk().now()}), PATIENCE, "sign_in")
    return response


@blueprint.get(RETURN_PATH)
def single_return() -> Response:
    """Back from the provider: into a new session, or to a page that says why not."""
    if not desk().single_sign_on():
        raise NotFound
    try:
        response = _returned()
    except ProviderAway:
        response = _away()
    except NotLetIn as error:
        response = _not_let_in(error)
    except SignOnFailed as error:
        _log.warning("sign_on_failed", reason=error.reason)
        response = _failed(error.reason)
    response.delete_cookie(UNDERWAY, path=_path("sign_in"))
    return response


def _returned() -> Response:
    from service.cipher import closed, opened

    kept = opened(_secret(), UNDERWAY, request.cookies.get(UNDERWAY, ""))
    if kept is None or not 0 <= desk().now() - kept["at"] <= PATIENCE * 1000:
        raise SignOnFailed("late")
    user, token = desk().finish_sign_on(
        request.args.to_dict(), state=kept["state"], nonce=kept["nonce"], verifier=kept["verifier"], back=kept["back"]
    )
    sessions.begin(user, single=True)
    response: Response = redirect(sessions.local_path(kept["next"]) or url_for("web.today"), 303)  # type: ignore[assignment]
    hidden = closed(_secret(), LEAVING, {"token": token})
    if len(hidden) <= MOST:
        _keep(response, LEAVING, hidden, LONGEST // 1000, "sign_out")
    return response


def sign_out() -> Response | None:
    """The page that goes on to the provider to sign out there; None where there is nothing to do.  The session here is over already."""
    from service.cipher import opened

    kept = opened(_secret(), LEAVING, request.cookies.get(LEAVING, ""))
    configured = desk().return_address()
    back = configured.removesuffix(RETURN_PATH) + url_for("web.sign_in") if configured else url_for("web.sign_in", _external=True)
    address = desk().end_sign_on(back=back, token=kept["token"] if kept else None)
    if address is None:
        return None
    response = make_response(render_template("web/signon/leaving.html", onward=address))
    response.delete_cookie(LEAVING, path=_path("sign_out"))
    return response


def _failed(reason: str) -> Response:
    lines = {
        "cancelled": ("You did not sign in at your organisation, or it did not let you.",),
        "late": ("It took too long, or was begun in another browser or twice at once. Nothing is lost: begin once more.",),
        "expired": ("The clocks of your organisation's sign-in and of this service differ. If it happens again, tell the operators.",),
    }.get(reason, ("What came back from your organisation's sign-in could not be believed, so nobody was let in.", "Begin once more."))
    return faults.page(
        401, heading="You are not signed in", lines=lines, onward=url_for("web.sign_in"), onward_words="Back to the sign-in page"
    )


def _not_let_in(error: NotLetIn) -> Response:
    if error.why == "off":
        lines: tuple[str, ...] = ("Your account here has been switched off. An administrator of this service can switch it on again.",)
    else:
        lines = (
            f"Your organisation knows you as {error.name}, but none of your groups there has access to this service.",
            "Nothing is wrong with your account or your password. Ask whoever looks after accounts to add you to the right group.",
        )
    return faults.page(
        403,
        heading="You have no access here yet",
        lines=lines,
        onward=url_for("web.single_sign_on", again="yes"),
        onward_words="Sign in with another account",
    )


def _away() -> Response:
    lines = (
        "Your organisation's sign-in cannot be reached, so that nobody new can be let in. Whoever is signed in stays so.",
        "Try again soon.",
    )
    response = faults.page(
        503, heading="Signing in is not possible now", lines=lines, onward=url_for("web.sign_in"), onward_words="Try again"
    )
    response.headers["Retry-After"] = "10"
    return response


def _keep(response: Response, name: str, value: str, seconds: int, where: str) -> None:
    response.set_cookie(name, value, max_age=seconds, path=_path(where), secure=request.is_secure, httponly=True, samesite="Lax")


def _path(where: str) -> str:
    return url_for(f"web.{where}")


def _secret() -> bytes:
    key = current_app.secret_key
    assert key is not None
    return key.encode() if isinstance(key, str) else key
