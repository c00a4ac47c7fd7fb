"""The way of a command into service/: settings read, schema looked at, and every failure turned into a sentence.

Imports click; service/ and store/ only inside functions, so that commands which need no database never load them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from service.bootstrap import Service
    from service.settings import Settings


class Refused(click.ClickException):
    """What was asked cannot be done: wrong arguments, settings, or state."""

    exit_code = 2


class Unavailable(click.ClickException):
    """The database or the queue does not answer."""

    exit_code = 3


@contextmanager
def service(*, schema: bool = True, logging: bool = False) -> Iterator[Service]:
    """The service that the environment describes.  ``schema``: refuse a database whose tables are not those of this program.

    The access log gets a line, where the command is one of those that leave one.

    ``logging``: log as the settings say, as processes that stay do; a command that comes and goes says what there is to say itself.
    """
    from cli.recorded import recording
    from service import logs
    from service.bootstrap import build

    with told():
        chosen = settings()
        quiet = not logging and chosen.log_level != "debug"
        logs.configure(chosen.model_copy(update={"log_level": "error"}) if quiet else chosen)
        made = build(chosen)
        try:
            if schema:
                from store.migrations import require

                require(made.engine)
            with recording(made, schema=schema):
                yield made
        finally:
            made.close()


@contextmanager
def told() -> Iterator[None]:
    """Turns the errors of service/ and store/ into the command line's own."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from service.errors import ServiceError
    from store.errors import StoreError

    try:
        yield
    except (ServiceError, StoreError) as error:
        raise Refused(str(error)) from error
    except DBAPIError as error:
        # The driver's own first line; the statement and its parameters, which SQLAlchemy adds, may hold case data.
        first = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
        raise Unavailable(f"The database does not do its work: {first}") from error
    except SQLAlchemyError as error:
        raise Unavailable(f"The database does not do its work: {type(error).__name__}") from error


def settings() -> Settings:
    """The settings; those that cannot be used are told one by one."""
    from service.errors import SettingsError
    from service.settings import load

    try:
        return load()
    except SettingsError as error:
        raise Refused(str(error)) from error
