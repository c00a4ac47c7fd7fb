"""A progress bar on stderr where somebody is looking; silence where nobody is.  Imports rich when it is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, int | None], None]
"""Told how many are done, and how many there are (None: nobody knows yet)."""


@contextmanager
def progress(title: str, *, speed: bool = False) -> Iterator[Advance]:
    """A bar that the block advances; nothing at all where stderr is no terminal.  ``speed``: with how many a second."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    if speed:
        columns.append(TextColumn("{task.fields[speed]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, speed="")

        def advance(done: int, total: int | None) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=done, total=total, speed=f"{done / elapsed:,.0f} a second" if elapsed > 1 else "")

        yield advance


def _silent(_done: int, _total: int | None) -> None:
    """Shows nothing."""
