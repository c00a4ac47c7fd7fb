"""The routes of the work list: the list, steps with several breaches, news of it, and views of it under a name.

A script sends the same forms and asks for the answer alone (``X-Part``); without one, the whole page comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, session, url_for

from api import recorded
from api.web import sessions, words
from api.web.pages import blueprint
from api.web.rendering import label
from api.web.sessions import desk
from api.web.views import Choice
from api.web.worklist import columns
from api.web.worklist.address import address, filters_of, from_text, in_list, to_text
from api.web.worklist.views import Answer, WorkFilters
from service.assigning import MOST
from service.errors import Invalid

_MOST_SEEN = 100
_REMEMBERED = "columns"


@blueprint.get("/breaches")
def breaches() -> Response | str:
    filters = filters_of(request.args)
    if "remember" in request.args:
        session[_REMEMBERED] = list(filters.columns)
        return redirect(address(filters), 303)  # type: ignore[return-value]
    return _page(filters)


def _page(filters: WorkFilters, answer: Answer | None = None) -> str:
    access = sessions.access()
    listing = desk().breaches(access, filters)
    return render_template(
        "web/worklist/list.html",
        filters=filters,
        listing=listing,
        columns=_columns(filters),
        all_columns=columns.COLUMNS.values(),
        sorts=columns.SORTS,
        may_review=access.allows("breaches:review"),
        answer=answer,
        **_tools(filters),
    )


def _tools(filters: WorkFilters) -> dict[str, Any]:
    """What the templates of the list call."""
    return {"listed": in_list(filters), "worklist": address, "worktext": to_text, "worklabel": label, "sort_choices": _orders}


def _orders(sorts: Mapping[str, str], now: str) -> list[Choice]:
    """The orders to choose from, with the present one where the head of a column has turned it round."""
    given = [Choice(value, told) for value, told in sorts.items()]
    return given if now in sorts or now == "-opened_at" else [*given, Choice(now, columns.sort_words(now))]


def _columns(filters: WorkFilters) -> list[columns.Column]:
    """Those in the address; else those that this person chose last."""
    kept = session.get(_REMEMBERED, [])
    chosen = filters.columns or [name for name in kept if name in columns.COLUMNS]
    return columns.shown(chosen)


@blueprint.get("/breaches/news")
def breach_news() -> Response:
    filters = filters_of(request.args)
    since, known = request.args.get("drawn", ""), request.args.get("known", "")
    seen = dict(_versioned(request.args.getlist("seen")[:_MOST_SEEN]))
    if not _number(since) or not _number(known):
        raise sessions.BadForm
    found = desk().breach_news(sessions.access(), filters, since=int(since), known=int(known), seen=seen)
    new = words.count(found.found, "new finding") if found.found else ""
    return jsonify(new=new, changed=list(found.changed))


@blueprint.post("/breaches/steps")
def breach_steps() -> tuple[str, int] | str:
    """A step with the breaches that were chosen, or with the one whose own button was used."""
    form = request.form
    filters = from_text(form.get("list", ""))
    one = form.get("acknowledge", "")
    action = "acknowledge" if one else form.get("action", "")
    answer = _taken(action, _versioned([one] if one else form.getlist("chosen")), form.get("assignee", ""))
    recorded.note(things=answer.changed, count=len(answer.changed))
    if "X-Part" in request.headers:
        drawn = render_template(
            "web/worklist/answer.html", answer=answer, columns=_columns(filters), may_review=True, filters=filters, **_tools(filters)
        )
    else:
        drawn = _page(filters, answer)
    return (drawn, 422) if answer.count < 0 else drawn


def _taken(action: str, chosen: list[tuple[str, int]], assignee: str) -> Answer:
    """What became of the step."""
    access = sessions.access()
    access.require("breaches:review")
    if not chosen:
        return Answer("Nothing was changed: choose breaches with the boxes before them", -1)
    if len(chosen) > MOST:
        return Answer(f"Nothing was changed: choose at most {MOST} breaches at once", -1)
    if action not in {"acknowledge", "assign"}:
        raise sessions.BadForm
    if action == "assign" and not assignee:
        return Answer("Nothing was changed: choose whom to assign it to", -1)
    given = assignee if action == "assign" and assignee != "-" else ""
    try:
        return desk().take_step(access, chosen, action=action, assignee=given)
    except Invalid as error:
        return Answer("Nothing was changed: " + "; ".join(flaw.message for flaw in error.flaws), -1)


@blueprint.get("/breaches/steps")
def breach_steps_again() -> Response:
    """The address that a browser shows after a step, opened again."""
    return redirect(url_for("web.breaches"), 303)  # type: ignore[return-value]


@blueprint.post("/breaches/views")
def save_view() -> Response:
    form = request.form
    filters = from_text(form.get("list", ""))
    try:
        name = desk().save_view(sessions.access(), name=form.get("name", ""), filters=filters, shared=form.get("shared") == "yes")
    except Invalid as error:
        flash("The view was not saved: " + "; ".join(flaw.message for flaw in error.flaws) + ".", "problem")
    else:
        flash(f"Saved the view “{name}”. A search for a case is not part of it.", "done")
    return redirect(address(filters), 303)  # type: ignore[return-value]


@blueprint.post("/breaches/views/<key:view>/remove")
def remove_view(view: str) -> Response:
    name = desk().remove_view(sessions.access(), view)
    flash(f"Removed the view “{name}”.", "done")
    return redirect(address(from_text(request.form.get("list", ""))), 303)  # type: ignore[return-value]


def _versioned(texts: list[str]) -> list[tuple[str, int]]:
    """Ids with the versions that were seen, from ``ID:VERSION``."""
    found = []
    for text in texts:
        breach, _, version = text.rpartition(":")
        if not breach or not _number(version):
            raise sessions.BadForm
        found.append((breach, int(version)))
    return list(dict(found).items())


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
