"""What gunicorn serves: ``gunicorn api.wsgi:app``, made from the environment in each of its processes, after the fork.

It serves HTTP only: workers and scheduler are processes of their own (see Procfile), or everything is one process (``duecare serve``).
"""

from __future__ import annotations

import gc

from flask import Flask

from api.app import create_app
from service import logs
from service.bootstrap import build
from service.settings import load


def make() -> Flask:
    """The application that the environment describes.  Raises SettingsError and PolicyError.

    What has been made stays until the process ends: the garbage collector need not look at it again and again.
    """
    settings = load()
    logs.configure(settings)
    if settings.embedded:
        logs.get("wsgi").warning(
            "no_queue", advice="REDIS_URL is not set: nothing that this process takes in is judged by it; use `duecare serve`"
        )
    made = create_app(build(settings), rate=settings.rate_limit)
    gc.collect()
    gc.freeze()
    return made


app = make()
