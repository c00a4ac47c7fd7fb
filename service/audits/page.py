"""The report of an audit as one HTML file to keep, send or print: no script, nothing fetched.  Pure; imports service.audits.words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from service.audits.words import Bar, Told
from service.tables import STYLE, html
from store.audits import Signature

_MORE = """
figure { margin: 1.5rem 0 } figcaption { font-weight: bold; font-size: 1.2rem } svg { max-width: 100%; height: auto }
@page { size: A4 landscape; margin: 15mm }
@media print { body { max-width: none; margin: 0; font-size: 10px } .wide { overflow: visible } tr, figure { break-inside: avoid } }
"""
_WIDTH, _ROW, _LABEL, _LONGEST = 720, 24, 200, 440


def as_html(told: Told, *, digest: str = "", signed: Sequence[tuple[Signature, str]] = ()) -> str:
    """The whole report.  ``digest``: of the report's own bytes, so that the file can be matched with it.  ``signed``: each signature
    with the words of when it was given."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(told.title)}</title><style>{STYLE}{_MORE}</style></head><body><main>",
        f"<h1>{escape(told.title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in told.findings),
        "<h2>What was judged</h2>",
        *(f"<p>{escape(line)}</p>" for line in told.about),
        "<h2>What came out</h2>",
        *picture(told.bars),
        *(line for table in told.tables for line in html(table)),
        *_signatures(signed),
        *([f'<p class="quiet">Report <code>{escape(digest)}</code></p>'] if digest else []),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def picture(bars: Sequence[Bar]) -> Iterable[str]:
    """The distribution as bars, each with its words and number beside it, so that no colour has to be told apart."""
    most = max((bar.count for bar in bars), default=0)
    if not most:
        return
    height = _ROW * len(bars)
    label = "How many days early or late obligations were met: " + "; ".join(f"{bar.words} {bar.count:,}" for bar in bars if bar.count)
    yield "<figure><figcaption>How early or late it was done</figcaption>"
    yield f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    for number, bar in enumerate(bars):
        top, length = number * _ROW, max(1, bar.count * _LONGEST // most) if bar.count else 0
        text = f'y="{top + 17}" font-family="sans-serif" font-size="14" fill="#0b0c0c"'
        yield f'<text x="{_LABEL - 8}" text-anchor="end" {text}>{escape(bar.words)}</text>'
        yield f'<rect x="{_LABEL}" y="{top + 3}" width="{length}" height="{_ROW - 6}" fill="#1d70b8"/>'
        yield f'<text x="{_LABEL + length + 6}" {text}>{bar.count:,}</text>'
    yield "</svg></figure>"


def _signatures(signed: Sequence[tuple[Signature, str]]) -> Iterable[str]:
    if not signed:
        yield '<h2>Signed off</h2><p class="quiet">Nobody has signed this report off yet.</p>'
        return
    yield "<h2>Signed off</h2><dl>"
    for one, when in signed:
        yield f"<dt>{escape(one.name)}, {escape(when)}</dt><dd>{escape(one.comment)}</dd>"
    yield "</dl>"
