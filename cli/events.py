"""`duecare events ...`: events into the store."""

from __future__ import annotations

import click


@click.group()
def events() -> None:
    """Take events in."""
