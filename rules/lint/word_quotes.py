"""Curly quotes from a word processor around a value: they are part of the text and quote nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.lint.base import WARNING, Check, Path, Subject

_CURLY = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, text in _texts(subject.policy.raw, ()):
        if len(text) > 1 and text[0] in _CURLY and text[-1] in _CURLY:
            yield path, f"the quotes around {text[:60]} are part of the text: only straight ones quote (\" or ')"


def _texts(data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _texts(value, (*path, index))


CHECK = Check("L132", WARNING, "A value stands in curly quotes, which quote nothing.", run, "Write straight quotes, or none.")
