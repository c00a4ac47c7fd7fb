"""Nudges: a client system says that something has changed there, and is asked soon.  Thin over service.sources.pull.

What a nudge says is not read: it may come twice, late, forged or not at all, and the records are the truth.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import request

from api.access import current_access, service
from api.operations import Answer, Operations, Reply
from api.problems import ApiProblem
from api.security import body
from api.signed import require_signature
from api.v1 import schemas
from service import keys
from service.access import Access
from service.errors import Forbidden, NotFound, Unauthorised
from service.sources.definitions import Configured
from service.sources.pull import nudge

operations = Operations("webhooks", "Client systems say that something has changed there; they are then asked for it.")
SCOPES = ("events:write", "sources:admin")


@operations.post(
    "/v1/webhooks/{source}",
    scope=None,
    raw_bodies={"application/json": {"description": "anything: it is not looked at"}},
    headers={
        "x-api-key": (
            False,
            "an API key, for systems that cannot send `Authorization: Bearer`; or Basic, with the key as password",
        ),
        "webhook-id": (False, "Standard Webhooks: instead of a key, where the source's file names a secret"),
        "webhook-timestamp": (False, "Standard Webhooks"),
        "webhook-signature": (False, "Standard Webhooks"),
    },
    problems=["unauthorized", "forbidden", "not_found", "not_possible", "unavailable"],
    answers={202: Answer("It is asked soon. Several nudges until then are one.", schemas.Nudged)},
)
def nudge_source(source: str) -> Any:
    """Say that a client system has news.

    Needs a signature where the source's file names a secret for it, else an API key with the scope `events:write` or `sources:admin`.
    The body is not looked at.
    """
    found = _known(source)
    if found is not None and found.signed is not None:
        try:
            require_signature(found, body())
        except ApiProblem as error:
            if error.code != "unauthorized":
                raise
            raise _stranger() from None
    elif not any(_caller().allows(scope) for scope in SCOPES):
        raise Forbidden(f"this needs the scope {SCOPES[0]} or {SCOPES[1]}")
    if found is None:
        raise NotFound("there is no such source")
    if not found.asked:
        raise ApiProblem("not_possible", detail="This source is not switched on.")
    nudge(service(), found)
    return Reply({"source": found.name}, status=202)


def _known(source: str) -> Configured | None:
    try:
        return service().feeds.current().get(source)
    except NotFound:
        return None


def _caller() -> Access:
    """Who sends a key, in any of the ways in which systems can.  Raises ApiProblem (401)."""
    given = request.headers.get("x-api-key") or _basic(request.headers.get("Authorization", ""))
    try:
        return keys.authenticate(service(), given.strip()) if given else current_access()
    except (Unauthorised, ApiProblem):
        raise _stranger() from None


def _stranger() -> ApiProblem:
    """The same for a key and for a signature that are missing or wrong: nobody learns by it which sources there are."""
    detail = "This needs a good signature, where the source's file names a secret for it, else an API key."
    return ApiProblem("unauthorized", detail=detail, headers={"WWW-Authenticate": 'Bearer realm="duecare", Signature realm="duecare"'})


def _basic(given: str) -> str | None:
    """The password of Basic credentials (RFC 7617)."""
    scheme, _, value = given.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
