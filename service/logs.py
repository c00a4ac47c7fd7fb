"""Logs for operators: one structured line an occurrence, with ids and codes only.  Imports structlog and the standard library.

No name, no narrative, no attribute of an event and no secret may reach a log: callers pass ids, counts and codes, and
what libraries log through ``logging`` is rendered by the same renderer.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.settings import Settings

_QUIET = ("alembic", "dramatiq", "sqlalchemy.engine", "urllib3", "httpx", "waitress.queue", "flask-limiter")


def _error_type_only(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Database errors carry the row in their message: keep the error's type and where it arose, drop its text."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["at"] = where(error)
    return event


def where(error: BaseException) -> str:
    """The innermost frames of ``error``, as module:line, without a word of data."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame
        frames.append(f"{code.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(frames[-4:])


def configure(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Set up logging for this process; safe to call again."""
    out = stream or sys.stderr
    console = settings.log_format == "console" or (settings.log_format == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _error_type_only,
    ]
    renderer: Processor = structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module of ours."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"duecare.{name}")
    return logger


def _until_configured() -> None:
    """structlog's own default prints tracebacks with all local variables, which hold case data: nothing may ever run with it."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            _error_type_only,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


if not structlog.is_configured():
    _until_configured()
