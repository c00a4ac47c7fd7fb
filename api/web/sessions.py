"""Who is signed in, and that a form was sent from our own page.  Imports Flask and this package's desk; decides nothing about cases.

The session is a signed cookie that holds the user's id, when it began and when it was used last, and the form token.  It is made
anew at sign-in and at a change of the password.  Every page needs it, except signing in.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface

from api.web.desk import Desk
from service.access import Access

IDLE = 4 * 3_600_000
"""ms without a request after which a session is over."""
LONGEST = 14 * 3_600_000
"""ms after which a session is over in any case."""
SLACK = 60_000
"""ms by which the clocks of two machines may differ."""
OPEN_TO_ALL = frozenset({"web.sign_in", "web.single_sign_on", "web.single_return", "web.static", "web.calendar"})
UNASKED = frozenset({"web.breach_news"})
"""Asked by a page that lies open, not by a person: such a request does not keep a session alive."""
FOR_A_NEW_PASSWORD = frozenset({"web.password", "web.sign_out"})


class BadForm(Exception):
    """A form without our token: sent from elsewhere, or from a page of a session that is over."""


class Cookies(SecureCookieSessionInterface):
    """The cookie is Secure whenever the request came by https, whatever the settings say."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or super().get_cookie_secure(app)


def desk() -> Desk:
    """What the pages of this application ask."""
    found: Desk = current_app.extensions["duecare_desk"]
    return found


def begin(user: str, *, single: bool = False) -> None:
    """A new session, with a new token, for somebody whose password was right; ``single``: whom the provider has vouched for."""
    session.clear()
    now = desk().now()
    session["user"] = user
    session["began"] = session["seen"] = now
    if single:
        session["single"] = True
    token()
    g.pop("viewer", None)


def end() -> None:
    """Sign out."""
    session.clear()
    g.pop("viewer", None)


def viewer() -> Access | None:
    """Who is signed in."""
    if "viewer" not in g:
        g.viewer = _find()
    found: Access | None = g.viewer
    return found


def lasts() -> tuple[int, int]:
    """How long (ms) the session of the viewer lasts if nothing more is asked for, and how long at most."""
    now = desk().now()
    most = max(0, int(session["began"]) + LONGEST - now)
    return min(most, max(0, int(session["seen"]) + IDLE - now)), most


def ended() -> bool:
    """Whether somebody was signed in with this browser whose session is over, without having signed out."""
    return "user" in session and viewer() is None


def _find() -> Access | None:
    user, began, seen = session.get("user"), session.get("began"), session.get("seen")
    if not isinstance(user, str) or not isinstance(began, int) or not isinstance(seen, int):
        return None
    now = desk().now()
    if now - seen > IDLE or now - began > LONGEST or max(began, seen) > now + SLACK:
        return None  # the last: begun while the clock was ahead, it would last too long
    found = desk().session(user, began)
    if found is not None and now - seen > 60_000 and request.endpoint not in UNASKED:
        session["seen"] = now
    return found


def access() -> Access:
    """Who is signed in, on a page that ``guard`` has let pass."""
    found = viewer()
    assert found is not None
    return found


def user() -> str:
    """The id of who is signed in, on a page that ``guard`` has let pass."""
    return str(session["user"])


def token() -> str:
    """The form token of this session."""
    if "token" not in session:
        session["token"] = secrets.token_urlsafe(24)
    return str(session["token"])


def guard() -> Response | None:
    """Before every page: signed in, own password chosen, and forms sent with our token."""
    if request.endpoint == "web.static":
        return None
    who = viewer()
    if who is None and request.endpoint not in OPEN_TO_ALL:
        if request.method in {"GET", "HEAD"}:
            here = request.full_path.rstrip("?")
            return redirect(url_for("web.sign_in", next=None if here == "/" else here), 303)  # type: ignore[return-value]
        raise BadForm
    if request.method == "POST":
        expected = session.get("token")
        given = request.form.get("csrf_token", "")
        if not isinstance(expected, str) or not hmac.compare_digest(expected.encode(), given.encode()):
            raise BadForm
    if who is not None and who.must_change and request.endpoint not in FOR_A_NEW_PASSWORD:
        return redirect(url_for("web.password"), 303)  # type: ignore[return-value]
    return None


def local_path(text: str) -> str:
    """``text`` if it is a path of this site, else an empty text: nobody is sent elsewhere after signing in."""
    parts = urlsplit(text)
    usable = text.startswith("/") and not text.startswith("//") and "\\" not in text and not parts.scheme and not parts.netloc
    return text if usable and text.isprintable() else ""
