"""What every answer carries and every request must keep to: security headers, a strict CSP, body limits, request ids, path keys.

Imports Flask and werkzeug only.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_to_bytes

import structlog
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter, ValidationError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    Wsgi = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def nonce() -> str:
    """The CSP nonce of this answer: the only inline script and style that a browser will run carries it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _policy() -> str:
    source = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    return (
        f"default-src 'none'; script-src {source}; style-src {source}; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def _before() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _after(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    html = response.mimetype == "text/html"
    headers.setdefault("Content-Security-Policy", _policy() if html else "default-src 'none'; frame-ancestors 'none'")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static" and not (request.endpoint or "").endswith(".static"):
        headers.setdefault("Cache-Control", "no-store")
    return response


def _teardown(_: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")


def body() -> bytes:
    """The bytes of the request's body.  Raises RequestEntityTooLarge where they are more than the limit, whether announced or chunked.

    A chunked body announces no length: werkzeug then reads as far as its limit and stops, as if the body ended there.  So its
    limit is a byte more than ours.
    """
    raw = request.get_data()
    if len(raw) > current_app.config["BODY_LIMIT"]:
        raise RequestEntityTooLarge
    return raw


class KeyConverter(BaseConverter):
    """``<key:case>``: one path segment that may be any text, e.g. ``a%2Fb`` for the case ``a/b``.

    Works with ``PathKeys``, which hands segments on with their slashes and percent signs still encoded.
    """

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        try:
            found = unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise ValidationError from None
        if "\x00" in found:  # no id holds it, and PostgreSQL takes no text that does
            raise ValidationError
        return found

    def to_url(self, value: Any) -> str:
        return quote(str(value), safe="")


class PathKeys:
    """WSGI middleware: an encoded slash or percent sign in the path stays encoded, so that it never splits a segment.

    WSGI hands the path on decoded, where ``a%2Fb`` and ``a/b`` are the same.  Both servers that we run keep the raw target
    (``RAW_URI`` or ``REQUEST_URI``), and from that the difference can be told.
    """

    def __init__(self, wsgi: Wsgi) -> None:
        self.wsgi = wsgi

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        path = raw.partition("?")[0].partition("#")[0]
        if "%2f" in path.lower() or "%25" in path:
            if "://" in path:
                path = "/" + path.partition("://")[2].partition("/")[2]
            script = environ.get("SCRIPT_NAME", "")
            if script and path.startswith(script):
                path = path[len(script) :]
            kept = re.sub("%(2[fF]|25)", r"%25\1", path)
            environ["PATH_INFO"] = unquote_to_bytes(kept).decode("latin-1")
        return self.wsgi(environ, start_response)


def install(app: Flask, *, body_limit: int) -> None:
    """Put limits, headers, request ids and path keys around every route of ``app``.  ``body_limit`` is in bytes."""
    app.config["BODY_LIMIT"] = body_limit
    app.config["MAX_CONTENT_LENGTH"] = body_limit + 1  # what is longer is cut there without a word; see body()
    app.config.setdefault("SESSION_COOKIE_HTTPONLY", True)
    app.config.setdefault("SESSION_COOKIE_SAMESITE", "Lax")
    app.url_map.converters["key"] = KeyConverter
    app.url_map.merge_slashes = False
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_teardown)
    app.jinja_env.globals["csp_nonce"] = nonce
    app.wsgi_app = PathKeys(app.wsgi_app)  # type: ignore[method-assign]
