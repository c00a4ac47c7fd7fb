"""Whether the processes of an installation, on however many machines, are set up alike.  Imports store/, service.settings, redis.

Each process leaves in Redis, for a minute and a half, prints of what has to be the same everywhere: a print tells that two differ, and
nothing of what they are.  Redis may lose them: they are left again.  Without Redis there is one process, and nothing to compare.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.logs import get
from store import migrations

if TYPE_CHECKING:
    from service.bootstrap import Service

EVERY = 20.0
"""Seconds between two looks."""
GONE = 90_000
"""ms after which a process that has left nothing counts as ended."""
_KEY = "duecare:processes"
_TIMEOUT = 0.5

TRAITS = {
    "program": "the version of duecare",
    "secret": "DUECARE_SECRET_KEY",
    "policies": "the files of policies",
    "sources": "what DUECARE_SOURCES names",
    "notify": "what DUECARE_NOTIFY names",
    "retention": "what DUECARE_RETENTION names",
    "settling": "DUECARE_SETTLE_HOURS or DUECARE_DEADLINE_SETTLE_HOURS",
}
"""What has to be the same on every machine, in words."""

_log = get("company")


class Company:
    """What this process knows of the others.  Safe to use from several threads; never raises for a Redis that is away."""

    def __init__(self, url: str, *, name: str | None = None) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._client = redis.Redis.from_url(url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0))
        self._away = redis.RedisError
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._differences: list[str] = []

    def differences(self, svc: Service, *, patience: float = EVERY) -> list[str]:
        """How other machines are set up otherwise than this process, a sentence each; anew unless one has looked within ``patience`` s."""
        with self._lock:
            if self._looked is None or time.monotonic() - self._looked >= patience:
                self._looked = time.monotonic()
                found = self._look(svc)
                if found and found != self._differences:
                    _log.warning("machines_differ", differences=found)
                self._differences = found
            return self._differences

    def _look(self, svc: Service) -> list[str]:
        mine, now = traits(svc), svc.now()
        try:
            self._client.hset(_KEY, self._name, json.dumps({"at": now, **mine}))
            left: Any = self._client.hgetall(_KEY)
            others = {name.decode(): json.loads(told) for name, told in left.items()}
            ended = [name for name, told in others.items() if now - told["at"] > GONE]
            if ended:
                self._client.hdel(_KEY, *ended)
        except (self._away, ValueError, KeyError, TypeError):
            return []
        unlike: dict[str, set[str]] = {}
        here = self._name.rpartition(":")[0]
        for name in others.keys() - set(ended):
            machine = name.rpartition(":")[0] or name
            unlike.setdefault(machine, set()).update(trait for trait in TRAITS if others[name].get(trait) != mine[trait])
        return [self._said(machine, found, here) for machine, found in sorted(unlike.items()) if found]

    @staticmethod
    def _said(machine: str, found: set[str], here: str) -> str:
        where = "in another process of this machine" if machine == here else f"on machine {machine}"
        what = ", ".join(words for trait, words in TRAITS.items() if trait in found)
        return f"{where} {what} {'differs' if len(found) == 1 else 'differ'} from here"


def traits(svc: Service) -> dict[str, str]:
    """The prints of what has to be the same everywhere."""
    from service.backups import program  # which needs the service that this module is part of

    settings = svc.settings
    secret = b"" if settings.secret_key is None else settings.secret
    return {
        "program": f"{program()} {migrations.head()}",
        "secret": hmac.new(secret, b"duecare company", hashlib.sha256).hexdigest()[:16],
        "policies": _print(*sorted(policy.digest.encode() for policy in svc.installed.policies)),
        "sources": _print(*_contents(settings.sources)),
        "notify": _print(*_contents(settings.notify)),
        "retention": _print(*_contents(settings.retention)),
        "settling": f"{settings.settle_hours} {settings.deadline_settle_hours}",
    }


def keep_company(svc: Service, stop: threading.Event) -> None:
    """For processes that nobody asks how they stand: look, and log what differs, until told to stop."""
    while svc.company is not None:
        svc.company.differences(svc)
        if stop.wait(EVERY):
            return
    stop.wait()


def _contents(path: Path | None) -> Iterator[bytes]:
    """The file, or the YAML files of the folder, by name; what cannot be read is as if it were empty (others tell of that)."""
    if path is None:
        return
    for file in sorted(path.glob("*.y*ml")) if path.is_dir() else [path]:
        yield file.name.encode() if path.is_dir() else b""
        try:
            yield file.read_bytes()
        except OSError:
            yield b""


def _print(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
