"""Who is asking, and what they may see: the one place that decides it for JSON and pages alike.

A request carries an API key (``Authorization: Bearer``) or, for reading, the session of a signed-in person, which the pages put
forward through ``session_access``.  Imports Flask, service.access and service.keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import current_app, g, request

from api.problems import ApiProblem
from service import keys
from service.access import Access
from service.errors import Forbidden, Unauthorised

if TYPE_CHECKING:
    from service.bootstrap import Service

__all__ = ["Access", "current_access", "known", "require", "service", "session_access"]

SessionReader = Callable[[], Access | None]


def service() -> Service:
    """The use cases of this application."""
    made: Service = current_app.extensions["duecare"]
    return made


def session_access(reader: SessionReader) -> None:
    """Tell how a signed-in person is known; called once by the pages while the application is made."""
    current_app.extensions["duecare_session"] = reader


def current_access() -> Access:
    """Who is asking.  Raises ApiProblem (401) where nobody is known; a key that is given but wrong never falls back to a session."""
    if "access" not in g:
        g.access = _find()
    found: Access = g.access
    return found


def known() -> Access | None:
    """Who is asking, where that is known; for operations that are open to all but tell more to some."""
    try:
        return current_access()
    except ApiProblem:
        return None


def _find() -> Access:
    given = request.headers.get("Authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorized("Use the Bearer scheme.", "invalid_request")
        try:
            return keys.authenticate(service(), token.strip())
        except Unauthorised:
            raise _unauthorized("The key is unknown, expired or revoked.", "invalid_token") from None
    reader: SessionReader | None = current_app.extensions.get("duecare_session")
    if reader is not None and request.method in {"GET", "HEAD"} and (access := reader()) is not None:
        return access
    raise _unauthorized("This needs an API key.", None)


def _unauthorized(detail: str, error: str | None) -> ApiProblem:
    challenge = 'Bearer realm="duecare"' + (f', error="{error}"' if error else "")
    return ApiProblem("unauthorized", detail=detail, headers={"WWW-Authenticate": challenge})


def require(scope: str | None) -> None:
    """Let the request pass where its caller has ``scope``; None is open to all.  Raises ApiProblem (401, 403)."""
    if scope is None:
        return
    try:
        current_access().require(scope)
    except Forbidden as error:
        challenge = f'Bearer realm="duecare", error="insufficient_scope", scope="{scope}"'
        raise ApiProblem("forbidden", detail=f"{error}.", headers={"WWW-Authenticate": challenge}) from None
