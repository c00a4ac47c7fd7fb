"""What gunicorn serves: ``gunicorn api.wsgi:app``, made from the environment in each of its processes, after the fork.

It serves HTTP only: workers and scheduler are processes of their own (see Procfile), or everything is one process (``duecare serve``).
"""

from __future__ import annotations

import gc

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from service import logs
from service.bootstrap import build
from service.settings import load
from store.migrations import require


def make() -> Flask:
    """The application that the environment describes.  Raises SettingsError, PolicyError, and SchemaError for tables that will not do.

    A database that is away keeps nobody from starting: it may come back, and /readyz tells.
    What has been made stays until the process ends: the garbage collector need not look at it again and again.
    """
    settings = load()
    logs.configure(settings)
    if settings.embedded:
        logs.get("wsgi").warning(
            "no_queue", advice="REDIS_URL is not set: nothing that this process takes in is judged by it; use `duecare serve`"
        )
    service = build(settings)
    try:
        require(service.engine)
    except SQLAlchemyError as error:
        logs.get("wsgi").warning("tables_not_looked_at", exc_info=error)
    made = create_app(service, rate=settings.rate_limit)
    gc.collect()
    gc.freeze()
    return made


app = make()
