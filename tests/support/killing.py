"""Pulls in processes of their own that are killed (SIGKILL) after a while, in the middle of whatever they are at.

A helper process, which has everything loaded and no threads, forks for each pull: two hundred of them take a minute.  It is told
what to do by lines of JSON.  ``python -m tests.support.killing`` is that process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from sqlalchemy import update

from service.bootstrap import build
from service.settings import Settings
from service.sources import pull as pulling
from store.engine import make_engine
from store.migrations import upgrade
from store.models import SourceRow
from tests.support.service_kit import KEY, Clock, Kit, shipped

ROOT = Path(__file__).resolve().parents[2]
BEGUN, ENDED = b"!", b"."
CSV = "id,family,held\n1,F1,2026-03-02 10:00"
MAPPING = """
mapping: warm
version: "1"
source: urn:test:warm
format: {zone: UTC}
case: family
id: {template: "visit-{id}"}
type: {constant: visit.held}
time: held
data: {status: {constant: held}, mode: {constant: in_person}}
"""


@dataclass(frozen=True)
class Order:
    """What to pull from where: an adapter's settings and its mapping, as in a source's file, into the ``store``.

    ``now``: what the clock says (local time in Adelaide).  ``environment`` is added to the process's own; ``patches`` are values by
    the dotted names under which they are found.
    """

    store: str
    home: str
    now: str
    adapter: str
    settings: dict[str, Any]
    mapping: str
    environment: dict[str, str] = field(default_factory=dict)
    patches: dict[str, Any] = field(default_factory=dict)


class Killer:
    """The helper process, seen from a test."""

    def __init__(self, folder: Path) -> None:
        self._empty = folder / "empty.sqlite3"
        engine = make_engine(f"sqlite:///{self._empty}")
        upgrade(engine)
        engine.dispose()
        command = [sys.executable, "-m", "tests.support.killing", str(self._empty)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(120)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def store(self, path: Path) -> str:
        """The address of a store at ``path``, an empty one where there is none."""
        if not path.exists():
            shutil.copy(self._empty, path)
        return f"sqlite:///{path}"

    def pull(self, order: Order) -> float:
        """To its end; how many seconds that took.  Fails where it does not end well."""
        said = self._do(order, None)
        assert said["ended"], said["why"]
        return float(said["took"])

    def pull_and_kill(self, order: Order, after: float) -> float | None:
        """Killed when it has been at it for so many seconds; how many it took where it was through by then.  Fails where it failed."""
        said = self._do(order, after)
        assert said["killed"] or said["ended"], said["why"]
        _at_the_source(order, lease_until=0)  # as if two minutes had gone by
        return None if said["killed"] else float(said["took"])

    def forget(self, order: Order) -> None:
        """The next pull reads from the beginning."""
        _at_the_source(order, cursor=None)

    def _do(self, order: Order, after: float | None) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"order": asdict(order), "after": after}) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


def _at_the_source(order: Order, **values: Any) -> None:
    engine = make_engine(order.store)
    with engine.begin() as connection:
        connection.execute(update(SourceRow).values(**values))
    engine.dispose()


def main() -> None:
    """What the helper process does until it is told no more."""
    with (
        tempfile.TemporaryDirectory() as name
    ):  # everything that is loaded or made ready when it is first used is so before there is a child
        _warm(Path(name), Path(sys.argv[1]))
    gc.freeze()
    for line in sys.stdin:
        given = json.loads(line)
        sys.stdout.write(json.dumps(_forked(Order(**given["order"]), given["after"])) + "\n")
        sys.stdout.flush()


def _warm(folder: Path, empty: Path) -> None:
    shutil.copy(empty, folder / "store.sqlite3")
    (folder / "visits.csv").write_text(f"{CSV}\n")
    settings = {"folder": str(folder), "settle": 0}
    with Path(os.devnull).open("wb") as nobody:
        _pull(Order(f"sqlite:///{folder / 'store.sqlite3'}", str(folder), "2026-06-01 12:00", "files", settings, MAPPING), nobody.fileno())


def _forked(order: Order, after: float | None) -> dict[str, Any]:
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        _in_child(order, told)
    os.close(told)
    said = os.read(ready, 1)
    began = time.monotonic()
    if said == BEGUN and after is not None:
        select.select([ready], [], [], after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    while part := os.read(ready, 65_536):
        said += part
    took = time.monotonic() - began
    os.close(ready)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and not said.endswith(ENDED)
    why = said.removeprefix(BEGUN).decode(errors="replace")
    return {"killed": killed, "ended": said == BEGUN + ENDED, "took": took, "why": why}


def _in_child(order: Order, told: int) -> None:
    """Pulls, says so, and is no more."""
    try:
        os.environ.update(order.environment)
        for name, value in order.patches.items():
            module, _, attribute = name.rpartition(".")
            setattr(importlib.import_module(module), attribute, value)
        _pull(order, told)
        os.write(told, ENDED)
    except BaseException:  # noqa: BLE001 - whatever it was, it is told, and nothing of the parent goes on here
        os.write(told, traceback.format_exc().encode())
    finally:
        os._exit(0)


def _pull(order: Order, told: int) -> None:
    from tests.adapters.contract import configured

    with opened(order) as kit:
        source = configured(kit, Path(order.home), order.adapter, order.settings, order.mapping)
        os.write(told, BEGUN)
        done = pulling.pull(kit.svc, source)
    assert (done.error, done.busy) == (None, False), done


@contextlib.contextmanager
def opened(order: Order) -> Iterator[Kit]:
    """A service on an order's store."""
    clock = Clock(order.now)
    svc = build(Settings(home=Path(order.home), database_url=order.store, secret_key=KEY), now=clock, policies=shipped())
    try:
        yield Kit(svc, clock)
    finally:
        svc.close()


if __name__ == "__main__":
    main()
