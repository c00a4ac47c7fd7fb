"""Telling on the next page what came of a step that leads to no page of its own.  Imports Flask, service.errors and the pages' words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import flash

from api.web import words
from service.errors import NotPossible


@contextmanager
def telling(done: str) -> Iterator[None]:
    """``with telling("It is done."): step()`` tells this, or why the step was not possible.  Other errors pass."""
    try:
        yield
    except NotPossible as error:
        flash(f"{words.sentence_case(str(error))}.", "problem")
    else:
        flash(done, "done")
