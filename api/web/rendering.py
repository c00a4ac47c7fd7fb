"""What the templates can call, and the files beside them.  Imports Flask, this package's words and views, and rules.model for instants."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for

from api.web import sessions, words
from api.web.menu import menu
from api.web.views import Choice, Filters
from rules.model import rfc3339
from service.tables import told
from service.websessions import IDLE, LONGEST

STATIC = Path(__file__).parent / "static"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file of ours, with its content's digest: it may be kept for ever."""
    return url_for("web.static", filename=name, v=_digest(name))


def link(endpoint: str, filters: Filters, **changes: str) -> str:
    """The address of a list with these filters and changes."""
    values = {**dataclasses.asdict(filters), "cursor": "", **changes}
    return url_for(endpoint, **{name: value for name, value in values.items() if value})


def label(choices: dict[str, list[Choice]], name: str, value: str) -> str:
    """The words for a chosen filter value."""
    return next((choice.label for choice in choices.get(name, ()) if choice.value == value), value)


def limits(access: Any) -> str:
    """Which teams and offices somebody is limited to, in words; empty: none."""
    parts = [
        f"only what belongs to {words.count(len(names), one)} ({', '.join(sorted(names))})"
        for names, one in ((access.teams, "team"), (access.offices, "office"))
        if names is not None
    ]
    return " and ".join(parts)


def _context() -> dict[str, Any]:
    """For every page of ours: who is signed in, the banner, and whether both deciders judge."""
    if not g.get("page", False):
        return {}
    if g.get("failing", False):
        # What has failed may be the store: a page that says so asks it nothing more.
        return {"viewer": g.get("viewer"), "scope": "", "banner": "", "deciders": "both", "flaws": {}, "kept": {}}
    who = sessions.viewer()
    return {
        "viewer": who,
        "scope": limits(who) if who else "",
        "banner": sessions.desk().banner(),
        "deciders": sessions.desk().deciders() if who else "both",
        "flaws": {},
        "kept": {},
    }


def install(app: Flask) -> None:
    """Give the templates of ``app`` their words."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset,
        link=link,
        menu=menu,
        label=label,
        choice=Choice,
        cleared={field.name: "" for field in dataclasses.fields(Filters) if field.name != "sort"},
        csrf_token=sessions.token,
        session_lasts=sessions.lasts,
        session_idle=IDLE,
        session_longest=LONGEST,
        word=words.word,
        day=words.day,
        short_day=words.short_day,
        moment=words.moment,
        short_moment=words.short_moment,
        place=words.place,
        count=words.count,
        span=words.span,
        sentence_case=words.sentence_case,
        rfc3339=rfc3339,
        told_cell=told,
    )
    app.context_processor(_context)
