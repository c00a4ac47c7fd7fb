"""What of each request goes into the access log, for JSON and pages alike: one place, so that a route cannot forget it.

``api.actions`` names the action of each route.  What a person reads is written down before it is sent: where that fails, an error is
sent in its place.  Imports Flask, service.accesslog and this package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Flask, Response, g, request, session, template_rendered

from api import problems
from api.access import service
from api.actions import NOT_RECORDED, ROUTES
from service import accesslog
from service.access import Access
from service.accesslog import NotRecorded
from store.accesslog import Entry

_RETRY = "5"
_SIGN_INS = frozenset({"web.sign_in", "web.single_return"})
_ID = re.compile(r"[0-9a-f-]{12,40}", re.ASCII)
_THINGS = ("breach", "waiver", "backtest", "change", "audit", "key", "account", "reject", "source", "policy", "view", "schedule",
           "feed", "notice", "session")  # fmt: skip


def saw(body: Any) -> None:
    """Note what a JSON operation answers: how many items, and of which case."""
    if not isinstance(body, Mapping):
        return
    items = body.get("items")
    counts = body.get("counts")
    if isinstance(items, list):
        note(count=len(items))
    elif isinstance(counts, Mapping) and isinstance(counts.get("accepted"), int):
        note(count=counts["accepted"])
    note(case=body.get("case"), thing=body.get("breach"))


def note(
    *, case: object = None, thing: object = None, count: int | None = None, actor: str | None = None, things: Sequence[str] | None = None
) -> None:
    """Say of the request at hand what only its handler knows; what is None leaves what was said before.

    ``things``: the ids of all that one request changed; each gets a line of its own.
    """
    said = g.setdefault("recorded", {})
    for name, value in (("case", case), ("thing", thing), ("count", count), ("actor", actor)):
        if value is not None and (name == "count" or isinstance(value, str)):
            said[name] = value
    if things is not None:
        said["things"] = list(things)


def install(app: Flask) -> None:
    """Record every request of ``app`` that has a route.  Call it after ``security.install`` and before the blueprints come."""
    app.after_request(_record)
    template_rendered.connect(_drawn, app)


def remember(blueprint: Blueprint) -> None:
    """Have the pages keep who is asking, which signing out forgets.  Call it after their guard is in place."""
    blueprint.before_request(_remember)


def _remember() -> None:
    who: Access | None = g.get("viewer")
    if who is not None:
        note(actor=who.actor)


def _drawn(_: Flask, context: Mapping[str, Any], **__: Any) -> None:
    """What a page shows: the rows of its list, and whose case it is about."""
    for name in ("listing", "page"):
        shown = context.get(name)
        row = getattr(shown, "row", None)
        note(case=getattr(shown, "case", None) or getattr(row, "case", None))
        for rows in ("rows", "lines", "items"):
            found = getattr(shown, rows, None)
            if isinstance(found, list | tuple):
                note(count=len(found))


def _record(response: Response) -> Response:
    endpoint = request.endpoint
    if endpoint is None or endpoint in NOT_RECORDED or request.method == "OPTIONS":
        return response
    reading = request.method in {"GET", "HEAD"} and endpoint != "web.single_return"
    action = ROUTES.get(endpoint, endpoint.removeprefix("web."))
    actor = _actor(response)
    status = response.status_code
    nothing_shown = reading and (action in accesslog.CHANGES or 300 <= status < 400)
    turned_away = status == 503 or (status == 429 and endpoint != "web.sign_in")
    if actor is None or nothing_shown or turned_away:
        return response
    outcome = _outcome(status, reading=reading)
    try:
        accesslog.record(service(), *_entries(action, actor, outcome))
    except NotRecorded:
        if reading and outcome == "done":
            response.close()
            return _withheld()
    return response


def _entries(action: str, actor: str, outcome: str) -> list[Entry]:
    said: dict[str, Any] = g.get("recorded", {})
    given: Mapping[str, str] = request.view_args or {}
    case = given.get("case") or said.get("case") or request.args.get("case")
    thing = said.get("thing") or next((given[name] for name in _THINGS if name in given), None)
    if outcome != "done" and thing is not None and not _ID.fullmatch(thing):
        thing = None  # whatever somebody typed into the address: it may be a name
    entry = Entry(
        at=service().now(),
        actor=actor,
        via="page" if request.blueprint == "web" else "api",
        action=action,
        outcome=outcome,
        case=case[:1024] if case else None,
        thing=thing,
        count=said.get("count") if outcome == "done" else None,
        request_id=g.get("request_id") or None,
    )
    things: list[str] = said.get("things", [])
    return [replace(entry, thing=one, count=None) for one in things if _ID.fullmatch(one)] or [entry]


def _actor(response: Response) -> str | None:
    """Who is asking; None where nobody is known, which opens nothing and therefore leaves no line, except at a failed sign-in."""
    if request.endpoint in _SIGN_INS:
        user = session.get("user") if response.status_code < 400 else None
        return f"user:{user}" if isinstance(user, str) else accesslog.NOBODY
    if request.endpoint == "nudge_source" and response.status_code < 400:
        return f"source:{(request.view_args or {}).get('source')}"
    known: Access | None = g.get("access") or g.get("viewer")
    said: str | None = g.get("recorded", {}).get("actor")
    return known.actor if known is not None else said


def _outcome(status: int, *, reading: bool) -> str:
    if status in {401, 403}:
        return "refused"
    if status == 404:
        return "not_found"
    if status >= 400:
        return "failed" if status >= 500 else "not_done"
    told = [kind for kind, _ in session.get("_flashes", [])] if not reading and status in {302, 303} else []
    return "not_done" if "problem" in told else "done"


def _withheld() -> Response:
    """In place of what nobody would know was read."""
    if request.blueprint == "web":
        from api.web import faults

        page = faults.page(503, lines=("What is read here is written down, and that is not possible now. Try again in a minute.",))
        page.headers["Retry-After"] = _RETRY
        return page
    return problems.answer("unavailable", detail="The access log cannot be written.", headers={"Retry-After": _RETRY})
