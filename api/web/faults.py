"""Error pages that help, inside the layout.  Programs get problems (``api.problems``), people get these.

Nothing of what went wrong inside is shown: the reference leads to the log.
"""

from __future__ import annotations

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from api import problems
from api.web import origin, sessions
from api.web.pages import BadAddress, blueprint
from service.errors import Forbidden, Invalid, NotFound, NotPossible, ServiceError, StaleVersion, Unauthorised
from store.errors import CursorError, QueryError, StoreError

_NO_TEXT = frozenset({"csrf_token", "version", "lines", "in", "back", "next", "name", "password", "old", "new", "again", "token"})
"""Fields of forms whose content is no text of somebody's own, or must not be shown again."""
_MOST_KEPT = 20_000
_log = structlog.get_logger("duecare.web")

_PAGES: dict[int, tuple[str, tuple[str, ...]]] = {
    400: ("This address cannot be read", ("Something in it is not understood. Go back and choose from the lists.",)),
    403: ("Your role does not allow this", ("Ask an administrator if it should.",)),
    404: (
        "There is no such page",
        (
            "It does not exist, or it lies outside the teams and offices that you look after.",
            "If you typed the address, look at it again. A case is best found by its id under Cases.",
        ),
    ),
    405: ("This page cannot be opened like that", ("Go back and use the button on the page.",)),
    413: ("That was too much at once", ("Shorten what you wrote and send it again.",)),
    500: ("Sorry, something went wrong here", ("Nothing was changed by what you did last. Try again in a moment.",)),
    503: ("A part of the service cannot be reached", ("Nothing is lost. Try again in a minute.",)),
}


def page(
    code: int, *, lines: tuple[str, ...] = (), heading: str = "", kept: str = "", onward: str = "", onward_words: str = ""
) -> Response:
    """The error page for a status.  ``kept``: what somebody wrote; ``onward``: the address that leads on, with the words for it."""
    g.page = True
    g.failing = code >= 500
    title, advice = _PAGES.get(code, _PAGES[500 if code >= 500 else 400])
    drawn = render_template(
        "web/error.html",
        heading=heading or title,
        lines=lines or advice,
        kept=kept,
        code=code,
        onward=onward,
        onward_words=onward_words,
        request_id=g.get("request_id", "") if code >= 500 else "",
    )
    return make_response(drawn, code)


def _service(error: ServiceError) -> Response:
    if isinstance(error, NotFound):
        return page(404)
    if isinstance(error, (Forbidden, Unauthorised)):
        return page(403)
    if isinstance(error, Invalid):
        return page(400, lines=(*(f"{flaw.field}: {flaw.message}" for flaw in error.flaws), "Go back and choose from the lists."))
    if isinstance(error, StaleVersion):
        return page(
            409, heading="Somebody else changed this meanwhile", lines=("Nothing was overwritten. Open it again and look at what changed.",)
        )
    if isinstance(error, NotPossible):
        return page(409, heading="This is not possible now", lines=(f"{error}."[:1].upper() + f"{error}."[1:],))
    _log.error("page_failed", exc_info=error, endpoint=request.endpoint)
    return page(500)


def _bad_form(_: sessions.BadForm) -> Response:
    """What was sent came with a token that no longer holds.  What somebody wrote is given back to them, and to nobody's log."""
    texts = [text.strip() for name, text in request.form.items() if name not in _NO_TEXT and len(text.split()) > 1]
    kept = "\n\n".join(dict.fromkeys(texts))[:_MOST_KEPT]
    here = _page_of_form()
    lost = (
        ("Nothing was saved. What you wrote is not lost: it stands below, and the form offers it again in this tab.",)
        if kept
        else ("Nothing was saved. Please do it once more.",)
    )
    if sessions.viewer() is not None:
        return page(
            400,
            heading="You have signed in anew since this page was opened",
            lines=lost,
            kept=kept,
            onward=here,
            onward_words="Go back to the page",
        )
    return page(
        400,
        heading="Your session ended while the page was open",
        lines=lost,
        kept=kept,
        onward=url_for("web.sign_in", next=here),
        onward_words="Sign in and go back to the page",
    )


def _page_of_form() -> str:
    """The address of the page that the form stood on: the nearest one above where it was sent to."""
    adapter = current_app.create_url_adapter(request)
    path = request.path
    while adapter is not None and path.strip("/"):
        try:
            endpoint, arguments = adapter.match(path, method="GET")
        except (HTTPException, RequestRedirect):
            path = path.rpartition("/")[0]
            continue
        if endpoint == "web.breach":
            return origin.address(arguments["breach"], request.form.get("in", ""))
        return url_for(endpoint, **arguments) if endpoint.startswith("web.") and endpoint != "web.sign_in" else "/"
    return "/"


def _bad_address(error: BadAddress) -> Response:
    return page(
        400, lines=(f"The address asks for something that the list does not know: {error}.", "Go back and choose from the list's filters.")
    )


def _bad_query(error: StoreError) -> Response:
    if not isinstance(error, QueryError | CursorError):
        return _unexpected(error)
    return page(400, lines=(f"The list cannot be shown like that: {error}.", "Go back and choose from the list's filters."))


def _unexpected(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        if error.code is not None and error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        return page(error.code or 500)
    return page(problems.unexpected(error).status_code)


def _anywhere(error: HTTPException) -> Response:
    """An address that belongs to no page: a person gets a page, a program a problem."""
    return problems.of_http(error) if problems.wants_problem() else page(error.code or 404)


def install(app: Flask) -> None:
    """Handle every error of the pages, and addresses that nobody knows."""
    for code in (404, 405):
        app.register_error_handler(code, _anywhere)


blueprint.register_error_handler(ServiceError, _service)
blueprint.register_error_handler(sessions.BadForm, _bad_form)
blueprint.register_error_handler(BadAddress, _bad_address)
blueprint.register_error_handler(StoreError, _bad_query)
blueprint.register_error_handler(Exception, _unexpected)
