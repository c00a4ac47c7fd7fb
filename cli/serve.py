"""`duecare serve`: the whole product in one process, or the web alone where REDIS_URL names a queue."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING

import click

from cli.common import complain

if TYPE_CHECKING:
    from service.bootstrap import Service

THREADS = 8
PATIENCE = 25.0
"""Seconds that ending in order may take; whatever is not done by then is taken up again at the next start."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every one of this machine.")
@click.option("--port", default=8321, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--demo", is_flag=True, help="Load a made-up population of cases first, once.")
def serve(host: str, port: int, demo: bool) -> int:
    """Serve the pages and the HTTP interface.

    Without REDIS_URL this is all of duecare: it prepares the database, makes the administrator at the first start (and prints
    the one-time password), and judges cases in this process. With REDIS_URL it serves the web only; workers and scheduler are
    processes of their own (see `duecare worker`).
    """
    from cli.stored import service

    listening = _listen(host, port)
    with service(schema=False, logging=True) as svc, ExitStack() as stack:
        stack.enter_context(listening)
        if svc.settings.embedded:
            _prepare(svc)
        else:
            from store.migrations import require

            require(svc.engine)
        if demo:
            from cli.demo import load_with_progress

            load_with_progress(svc)
        if svc.settings.embedded:
            from workers.embedded import Embedded

            stack.enter_context(Embedded(svc))
        _run(svc, listening, host)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Takes the port before anything else is done, so that two servers on one port never share a database by accident."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise click.UsageError(f"Cannot listen on {host}:{port}: {error.strerror or error}. Another --port may be free.") from error
    return listening


def _prepare(svc: Service) -> None:
    from service.users import first_administrator
    from store.migrations import upgrade

    upgrade(svc.engine)
    password = first_administrator(svc)
    if password is not None:
        click.echo("An administrator has been made. This is shown once; the password is changed at the first sign-in.")
        click.echo("  name:      admin")
        click.echo(f"  password:  {password}")


def _run(svc: Service, listening: socket.socket, host: str) -> None:
    from waitress.server import create_server  # type: ignore[import-untyped]

    from api.app import create_app

    server = create_server(
        create_app(svc, rate=svc.settings.rate_limit),
        sockets=[listening],
        threads=THREADS,
        ident="",
        clear_untrusted_proxy_headers=True,
        max_request_body_size=svc.settings.body_limit + 1024 * 1024,  # the application itself refuses at the limit, with a problem
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104 (to print)
    click.echo(f"duecare serves on http://{shown}:{listening.getsockname()[1]}/ (Ctrl+C ends it)")
    sys.stdout.flush()
    gc.collect()
    gc.freeze()  # what has been made stays: nothing need be looked at again for each page
    _until_told(server.run)
    server.close()


def _until_told(run: Callable[[], None]) -> None:
    """Runs until SIGTERM or Ctrl+C; both end it in order, the workers after the server, and within ``PATIENCE`` in any case."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        last = threading.Timer(PATIENCE, os._exit, (0,))  # as harmless as any other sudden end
        last.daemon = True
        last.start()
        raise SystemExit

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        run()
    except SystemExit:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if os.environ.get("DUECARE_LOG_LEVEL") == "debug":
        complain("Ending.")
