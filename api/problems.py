"""The one place where errors become answers: RFC 9457 problems (application/problem+json).

Every error of the product that a caller can do something about has a stable ``code`` here; everything else is a plain
"internal_error" without a word of what went wrong inside (that is in the log, under the request id).  Imports Flask, werkzeug and the
error hierarchies of service/, store/ and rules/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, NotRequired

import structlog
from flask import Flask, Response, current_app, g, request
from pydantic import Field, ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from typing_extensions import TypedDict
from werkzeug.exceptions import HTTPException

from service import errors as service_errors
from store import errors as store_errors
from store.engine import is_trouble

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("duecare.api")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status, its title, and what a caller can do about it (shown on the documentation page)."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be read", "Look at `errors`; send the request again once it is mended."),
    "bad_parameter": Kind(
        400, "A query parameter is not usable", "`errors` names each parameter. Unknown ones are refused, never ignored."
    ),
    "malformed_json": Kind(400, "The body is not JSON", "Send UTF-8 JSON without NaN, Infinity or repeated names in an object."),
    "bad_cursor": Kind(
        400, "The cursor is not usable", "A cursor only continues the very list that gave it. Start again without a cursor."
    ),
    "unauthorized": Kind(401, "No valid key", "Send `Authorization: Bearer KEY` with a key that is neither expired nor revoked."),
    "forbidden": Kind(403, "Not allowed", "`detail` names the scope or the role that it needs."),
    "not_found": Kind(
        404, "There is no such thing here", "It does not exist, or it lies outside the teams and offices that the key may read."
    ),
    "method_not_allowed": Kind(405, "The method is not allowed here", "See the `Allow` header."),
    "conflict": Kind(
        409, "Another content was taken in before under this source and id", "The first content is kept. Give a changed event a new id."
    ),
    "not_possible": Kind(409, "The present state does not allow it", "Read the resource again: somebody or something has changed it."),
    "stale_version": Kind(
        412, "Somebody else has changed it", "Read it again, look at what changed, and send the new version in `If-Match`."
    ),
    "too_large": Kind(413, "The request is too large", "`detail` names the limit. Send less at once."),
    "unsupported_media_type": Kind(415, "The media type is not taken here", "See `detail` for the media types that are."),
    "unprocessable": Kind(422, "The content is refused", "`errors` has a JSON pointer for each fault."),
    "version_required": Kind(428, "If-Match is missing", "Send the version that you read (its `ETag`) in `If-Match`."),
    "too_many_requests": Kind(429, "Too many requests", "Wait for as many seconds as `Retry-After` says."),
    "overloaded": Kind(
        429,
        "Too much waits to be judged",
        "Nothing of the request was taken in. Send the same again after as many seconds as `Retry-After` says.",
    ),
    "internal_error": Kind(500, "The service failed", "Tell the operator the `request_id`. The same events may safely be sent again."),
    "unavailable": Kind(503, "A part of the service cannot be reached", "Try again later: nothing that was accepted is lost."),
    "busy": Kind(
        503,
        "More is asked than can be answered now",
        "Nothing of the request was done. Send the same again after as many seconds as `Retry-After` says.",
    ),
}


class Flaw(TypedDict):
    """One fault of a request: where it is, and what is wrong there."""

    pointer: NotRequired[Annotated[str, Field(description="RFC 6901 JSON pointer into the body")]]
    parameter: NotRequired[Annotated[str, Field(description="name of the query or path parameter")]]
    header: NotRequired[Annotated[str, Field(description="name of the header")]]
    code: Annotated[str, Field(description="stable code, e.g. `missing`")]
    message: Annotated[str, Field(description="in plain words")]


class Problem(TypedDict):
    """RFC 9457 problem details."""

    type: Annotated[
        str,
        Field(
            description="where the kind of problem is documented, relative to this service", json_schema_extra={"format": "uri-reference"}
        ),
    ]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    code: Annotated[str, Field(description="the kind of problem: stable, for programs")]
    detail: NotRequired[Annotated[str, Field(description="what was wrong this time")]]
    errors: NotRequired[list[Flaw]]
    request_id: Annotated[str, Field(description="also in the `X-Request-ID` header and in the service's log")]


@dataclass
class ApiProblem(Exception):
    """Raise it anywhere below a view: it becomes the answer.  ``code`` is a key of ``KINDS``."""

    code: str
    detail: str = ""
    errors: Sequence[Flaw] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.code, self.detail)

    def response(self) -> Response:
        """The answer that this problem is."""
        return answer(self.code, detail=self.detail, errors=self.errors, headers=self.headers)


def answer(
    code: str, *, detail: str = "", errors: Sequence[Flaw] = (), headers: Mapping[str, str] | None = None, status: int | None = None
) -> Response:
    """A problem as a response.  ``status`` overrides that of the kind, for codes that werkzeug raises and no kind covers."""
    kind = KINDS[code]
    body: dict[str, Any] = {"type": f"/docs#problem-{code}", "title": kind.title, "status": status or kind.status, "code": code}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = list(errors)
    body["request_id"] = g.get("request_id", "")
    response = Response(json.dumps(body, ensure_ascii=True) + "\n", status=status or kind.status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def pointer(location: Sequence[int | str]) -> str:
    """RFC 6901 pointer of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def printable(text: str, limit: int = 80) -> str:
    """Text that a caller sent, safe to hand back: shortened, and without control characters or lone surrogates."""
    clean = "".join(
        char if char.isprintable() and not 0xD800 <= ord(char) <= 0xDFFF else "\N{REPLACEMENT CHARACTER}" for char in text[: limit + 1]
    )
    return clean if len(clean) <= limit else clean[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


_CODES = {"missing": "missing", "extra_forbidden": "unknown"}


def flaws_of_body(error: ValidationError) -> list[Flaw]:
    """Pydantic's findings about a body, each with its pointer."""
    return [
        Flaw(pointer=printable(pointer(e["loc"]), 200), code=_CODES.get(e["type"], e["type"]), message=e["msg"])
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def flaws_of_query(error: ValidationError) -> list[Flaw]:
    """Pydantic's findings about query parameters, each with the parameter's name."""
    return [
        Flaw(
            parameter=printable(str(e["loc"][0])) if e["loc"] else "",
            code=_CODES.get(e["type"], e["type"]),
            message="there is no such parameter here" if e["type"] == "extra_forbidden" else e["msg"].removeprefix("Value error, "),
        )
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    ]


_OF_STATUS = {kind.status: code for code, kind in reversed(list(KINDS.items()))}


def wants_problem() -> bool:
    """Whether the caller is a program: all of /v1, and whoever does not ask for HTML."""
    if request.path.startswith("/v1/") or request.path in {"/livez", "/readyz", "/metrics", "/openapi.json"}:
        return True
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html"


def of_http(error: HTTPException) -> Response:
    """A werkzeug error (404, 405, 413 ...) as a problem.  Redirects pass through as they are."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    code = _OF_STATUS.get(status, "internal_error" if status >= 500 else "bad_request")
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After", "WWW-Authenticate"}}
    detail = f"A request may have {current_app.config['BODY_LIMIT']:,} bytes." if code == "too_large" else ""
    return answer(code, detail=detail, status=status, headers=headers)


def of_service(error: service_errors.ServiceError) -> Response:
    """What a use case refused, as a problem.  ``code`` of the error is the code of the problem."""
    if isinstance(error, service_errors.Invalid):
        flaws = [Flaw(pointer="/" + flaw.field, code=flaw.code, message=flaw.message) for flaw in error.flaws]
        return answer("unprocessable", detail=str(error), errors=flaws)
    if isinstance(error, service_errors.StaleVersion):
        return answer("stale_version", detail=str(error), headers={"ETag": f'"{error.current}"'})
    if isinstance(error, service_errors.LockedOut):
        return answer("too_many_requests", headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, service_errors.Overloaded):
        return answer("overloaded", detail=f"{error}.", headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, service_errors.NotFound) or error.code not in KINDS or KINDS[error.code].status >= 500:
        return answer("not_found") if isinstance(error, service_errors.NotFound) else unexpected(error)
    return answer(error.code, detail=str(error))


def of_store(error: store_errors.StoreError) -> Response:
    """What the store refused, as a problem."""
    if isinstance(error, store_errors.CursorError):
        return answer(
            "bad_cursor", errors=[Flaw(parameter="cursor", code="wrong_value", message="it belongs to another list, or was altered")]
        )
    if isinstance(error, store_errors.QueryError):
        return answer("bad_parameter", detail=str(error), errors=[Flaw(parameter=error.field, code="wrong_value", message=error.message)])
    if isinstance(error, store_errors.StaleVersion):
        return answer("stale_version")
    if isinstance(error, store_errors.Unstorable):
        return answer("unprocessable", detail=str(error))
    return unexpected(error)


def unexpected(error: Exception) -> Response:
    """Log it, and tell nothing of it."""
    _log.error("request_failed", exc_info=error, method=request.method, endpoint=request.endpoint)
    if is_trouble(error) or isinstance(error, PoolTimeout | OperationalError):
        return answer("unavailable", headers={"Retry-After": "5"})
    return answer("internal_error")


def install(app: Flask) -> None:
    """Make every error of ``app`` a problem; pages register their own handlers on their blueprint."""

    def on_problem(error: ApiProblem) -> Response:
        return error.response()

    app.register_error_handler(ApiProblem, on_problem)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(service_errors.ServiceError, of_service)
    app.register_error_handler(store_errors.StoreError, of_store)
    app.register_error_handler(Exception, unexpected)
