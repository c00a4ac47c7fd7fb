"""Who is signed in, and that a form was sent from our own page.  Imports Flask and this package's desk; decides nothing about cases.

The session is a row of the store, named with its secret by a signed cookie, which holds the form token and, for processes of the version
before, the user's id and when it began and was used last as well.  It is made anew at sign-in and at a change of the password.  Every
page needs it, except signing in.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface

from api.web.account import devices
from api.web.desk import Desk
from service.access import Access
from service.errors import NotFound
from service.websessions import IDLE, SEEN_EVERY, Begun, Cookie, SignedIn

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
    """A new session, with a new token, for somebody whose password was right; ``single``: whom the provider has vouched for.

    Whoever was signed in with this browser before is so no longer.
    """
    before = _signed_in()
    begun = desk().begin_session(user, how="single" if single else "password", device=_device())
    if before is not None:
        _let_go(before)
    session.clear()
    _hold(user, begun)
    if single:
        session["single"] = True
    token()


def end() -> None:
    """Sign out with this browser, and with every copy of its cookie."""
    found = _signed_in()
    if found is not None:
        _let_go(found)
    session.clear()
    _forget()


def end_others() -> None:
    """Only this session of the viewer's goes on, with a new cookie.  What lies open in its pages can still be sent."""
    who = user()
    _hold(who, desk().end_other_sessions(who, current().id))


def viewer() -> Access | None:
    """Who is signed in."""
    if "viewer" not in g:
        found = _signed_in()
        g.viewer = found.access if found is not None else None
    who: Access | None = g.viewer
    return who


def current() -> SignedIn:
    """The session of who is signed in, on a page that ``guard`` has let pass."""
    found = _signed_in()
    assert found is not None
    return found


def lasts() -> tuple[int, int]:
    """How long (ms) the session of the viewer lasts if nothing more is asked for, and how long at most."""
    found, now = current(), desk().now()
    most = max(0, found.ends - now)
    return min(most, max(0, found.seen + IDLE - now)), most


def ended() -> bool:
    """Whether somebody was signed in with this browser whose session is over, without having signed out."""
    return "user" in session and viewer() is None


def _signed_in() -> SignedIn | None:
    if "signed_in" not in g:
        g.signed_in = _find()
    found: SignedIn | None = g.signed_in
    return found


def _find() -> SignedIn | None:
    user, began, seen, key = (session.get(name) for name in ("user", "began", "seen", "session"))
    if not isinstance(user, str) or not isinstance(began, int) or not isinstance(seen, int) or not isinstance(key, str | None):
        return None
    cookie = Cookie(user, key, began, seen, token=str(session.get("token", "")), single=bool(session.get("single")))
    found = desk().session(cookie, device=_device())
    if found is None:
        return None
    if found.key is not None and found.key != key:
        session["session"] = found.key
    now = desk().now()
    if now - found.seen > SEEN_EVERY and request.endpoint not in UNASKED:
        session["seen"] = now
        desk().keep_session(found.id)
        found = replace(found, seen=now)
    return found


def _hold(user: str, begun: Begun) -> None:
    """From now on the cookie holds this session."""
    session["user"], session["session"] = user, begun.key
    session["began"] = session["seen"] = begun.began
    _forget()


def _let_go(found: SignedIn) -> None:
    """End it, unless that has been done meanwhile."""
    with suppress(NotFound):
        desk().end_session(found.access.actor.removeprefix("user:"), found.id)


def _forget() -> None:
    for name in ("viewer", "signed_in"):
        g.pop(name, None)


def _device() -> str:
    return devices.told(request.headers.get("User-Agent", ""))


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
