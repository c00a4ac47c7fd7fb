"""The routes of the pages.  Each reads what was asked, asks the desk, and draws; nothing here decides what a verdict means."""

from __future__ import annotations

import dataclasses
import datetime as dt

from flask import Blueprint, Response, g, render_template, request, send_from_directory
from werkzeug.datastructures import MultiDict

from api.web import needs, sessions, words
from api.web.rendering import STATIC
from api.web.sessions import desk
from api.web.views import Filters
from service.errors import Invalid

blueprint = Blueprint("web", __name__, template_folder="templates")


class BadAddress(Exception):
    """The address holds something that no list of ours knows."""


@blueprint.before_request
def _before() -> Response | None:
    g.page = True
    turned = sessions.guard()
    if turned is None:
        needs.check()
        if any("\x00" in text for given in (request.args, request.form) for texts in given.listvalues() for text in texts):
            raise BadAddress("it holds text that cannot be read")
    return turned


@blueprint.get("/static/<path:filename>", endpoint="static")
def static_file(filename: str) -> Response:
    """A file of ours.  With its content's digest in the address it never changes."""
    response = send_from_directory(STATIC, filename, max_age=31_536_000 if "v" in request.args else 0)
    if "v" in request.args:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


_KNOWN = {"severity": words.SEVERITIES, "condition": words.CONDITIONS, "review": words.REVIEWS}


def filters_of(args: MultiDict[str, str]) -> Filters:
    """What a list is narrowed to by its address.  Raises BadAddress."""
    given = {field.name: args.get(field.name, "").strip() for field in dataclasses.fields(Filters)}
    for name, known in _KNOWN.items():
        if given[name] and given[name] not in known:
            raise BadAddress(f"{name} can be {', '.join(known)}")
    if any("\x00" in value or "\N{REPLACEMENT CHARACTER}" in value for value in given.values()):
        raise BadAddress("it holds text that cannot be read")
    if given["within"] and not given["within"].isdecimal():
        raise BadAddress("within is a number of days")
    return Filters(**given)


# --- reading ---------------------------------------------------------------------------------------------------------


def day_of(text: str) -> dt.date:
    """A day of ISO text, within the years that events may have.  Raises ValueError."""
    value = dt.date.fromisoformat(text)
    if not 1900 <= value.year <= 2199:
        raise ValueError(text)
    return value


@blueprint.get("/status")
def status() -> str:
    return render_template("web/status.html", page=desk().status(sessions.access()))


@blueprint.get("/help")
def help() -> str:  # noqa: A001 - the endpoint is named as the page is
    return render_template("web/help.html")


def named(error: Invalid, names: dict[str, str]) -> dict[str, str]:
    """What is wrong with each field of a form; ``names`` gives the form's name of a field where it differs."""
    return {names.get(flaw.field, flaw.field): words.sentence_case(flaw.message) for flaw in error.flaws}
