"""The report of a backtest as one HTML file to keep or send: no script, nothing fetched.

Pure; imports service.backtests.words and service.tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from service.backtests.words import CHANGES, Examples, Told
from service.tables import STYLE, html


def as_html(told: Told, *, digest: str = "") -> str:
    """The whole report; ``digest`` (of the report's own bytes) stands at its end, so that the file can be matched with it."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(told.title)}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>{escape(told.title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in told.findings),
        "<h2>What was compared</h2>",
        *(f"<p>{escape(line)}</p>" for line in told.about),
        *(line for table in told.tables for line in html(table)),
        *(["<h2>Examples</h2>"] if told.examples else []),
        *(line for examples in told.examples for line in _examples(examples)),
        *(_failures(told) if told.failures else []),
        *([f'<p class="quiet">Report <code>{escape(digest)}</code></p>'] if digest else []),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _examples(examples: Examples) -> Iterable[str]:
    head = f"{examples.rule} {examples.title}: {CHANGES[examples.change]} ({examples.count:,})"
    yield f'<h3>{escape(head)}</h3><p class="quiet">{escape(examples.meaning)}</p><dl>'
    for one in examples.shown:
        place = f" ({one.place})" if one.place else ""
        yield f"<dt>Case {escape(one.case)}, episode {escape(one.episode)}, {escape(one.obligation)}{escape(place)}</dt>"
        yield f"<dd>Now: {escape(one.before)}</dd><dd>With the new version: {escape(one.after)}</dd>"
    yield "</dl>"


def _failures(told: Told) -> Iterable[str]:
    yield "<h2>Cases that could not be judged</h2><dl>"
    for case, why in told.failures:
        yield f"<dt>{escape(case)}</dt><dd><code>{escape(why)}</code></dd>"
    yield "</dl>"
