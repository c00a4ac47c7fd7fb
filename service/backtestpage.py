"""The report of a backtest as one HTML file to keep or send: no script, nothing fetched.  Pure; imports service.backtestwords."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from service.backtestwords import CHANGES, Examples, Table, Told

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #0b0c0c; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }
h1 { font-size: 1.8rem } h2 { font-size: 1.3rem; margin-top: 2rem } h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem }
.wide { overflow-x: auto; margin-top: 1.5rem } table { border-collapse: collapse }
caption { text-align: left; font-weight: bold; font-size: 1.2rem }
th, td { border-bottom: 1px solid #b1b4b6; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
td.n, th.n { text-align: right } dl { margin: .25rem 0 1rem } dt { font-weight: bold } dd { margin: 0 0 0 1.5rem }
.quiet { color: #505a5f } code { overflow-wrap: anywhere }
""".strip()

NUMBER = '<td class="n">'


def as_html(told: Told, *, digest: str = "") -> str:
    """The whole report; ``digest`` (of the report's own bytes) stands at its end, so that the file can be matched with it."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(told.title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(told.title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in told.findings),
        "<h2>What was compared</h2>",
        *(f"<p>{escape(line)}</p>" for line in told.about),
        *(line for table in told.tables for line in _table(table)),
        *(["<h2>Examples</h2>"] if told.examples else []),
        *(line for examples in told.examples for line in _examples(examples)),
        *(_failures(told) if told.failures else []),
        *([f'<p class="quiet">Report <code>{escape(digest)}</code></p>'] if digest else []),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(table: Table) -> Iterable[str]:
    yield f'<div class="wide"><table><caption>{escape(table.title)}</caption><thead><tr>'
    for column, head in enumerate(table.head):
        tag = "td" if not head else 'th scope="col"' if column < table.keys else 'th scope="col" class="n"'
        yield f"<{tag}>{escape(head)}</{tag[:2]}>"
    yield "</tr></thead><tbody>"
    for row in table.rows:
        cells = (f"{'<td>' if column < table.keys else NUMBER}{escape(cell)}</td>" for column, cell in enumerate(row) if column)
        yield f'<tr><th scope="row">{escape(row[0])}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></div>"


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
