"""The menu of the pages: what there is, in the order of a day's work, less what the viewer may not see.  Imports Flask and service.access.

An entry whose page an installation does not have is left out, so that a page can be added or taken away in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app

from service.access import Access


@dataclass(frozen=True, slots=True)
class Entry:
    """``section``: what a template calls itself; ``endpoint``: where it leads; ``scopes``: any of them is enough."""

    section: str
    endpoint: str
    words: str
    scopes: frozenset[str] = frozenset()


_READ = frozenset({"breaches:read"})
ENTRIES: Sequence[Entry] = (
    Entry("today", "web.today", "Today", _READ),
    Entry("breaches", "web.breaches", "Breaches", _READ),
    Entry("due_soon", "web.due_soon", "Due soon", _READ),
    Entry("cases", "web.cases", "Cases", frozenset({"cases:read"})),
    Entry("waivers", "web.waivers", "Waivers", _READ),
    Entry("audits", "web.audits", "Audits", frozenset({"audits:run"})),
    Entry("policies", "web.policies", "Policies", _READ),
    Entry("sources", "web.sources", "Sources", frozenset({"sources:admin"})),
    Entry("administration", "web.administration", "Administration", frozenset({"users:admin"})),
    Entry("help", "web.help", "Help"),
)


def menu(viewer: Access) -> list[Entry]:
    """The entries that ``viewer`` can open."""
    there = current_app.view_functions
    return [entry for entry in ENTRIES if entry.endpoint in there and (not entry.scopes or any(map(viewer.allows, entry.scopes)))]
