"""A browser in words: its family and that of its system, and no more of what it says of itself.  Imports nothing."""

from __future__ import annotations

UNKNOWN = "A browser that does not say which"
_BROWSERS = (
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/", "OPT/")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Chrome", ("Chrome/", "CriOS/", "Chromium/", "HeadlessChrome/")),
    ("Safari", ("Safari/",)),
)
"""In this order: many call themselves by the names of those after them as well."""
_SYSTEMS = (
    ("iPhone", ("iPhone",)),
    ("iPad", ("iPad",)),
    ("Android", ("Android",)),
    ("ChromeOS", ("CrOS",)),
    ("Windows", ("Windows",)),
    ("Mac", ("Macintosh",)),
    ("Linux", ("Linux", "X11")),
)


def told(agent: str) -> str:
    """The words for a ``User-Agent``, such as "Firefox on Windows"; ``UNKNOWN`` where neither is known."""
    browser, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    if not browser and not system:
        return UNKNOWN
    return f"{browser or 'A browser'} on {system}" if system else browser


def _first(families: tuple[tuple[str, tuple[str, ...]], ...], agent: str) -> str:
    return next((family for family, marks in families if any(mark in agent for mark in marks)), "")
