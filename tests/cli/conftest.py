"""Running the command line: in this process where nothing outside it is touched, else as the command that people type."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTEST_CURRENT_TEST")


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def duecare(capsys) -> Callable[..., Done]:
    """Runs a command in this process."""

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call


@pytest.fixture
def command(tmp_path, monkeypatch, duecare) -> Iterator[Callable[..., Done]]:
    """Runs a command in this process, with a home folder of its own and nothing else in its environment."""
    handlers = logging.getLogger().handlers[:]

    def call(*arguments: object, **environment: str) -> Done:
        with monkeypatch.context() as patch:
            for name in os.environ:
                if name not in KEPT:
                    patch.delenv(name)
            for name, value in clean_environment(tmp_path, **environment).items():
                patch.setenv(name, value)
            return duecare(*arguments)

    level = logging.getLogger().level
    yield call
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Just what a process needs."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": str(home), "DUECARE_HOME": str(home / "duecare"), **more}


def event(identity: str, kind: str, at: str, *, subject: str = "case-1", source: str = "urn:test", **data: Any) -> dict[str, Any]:
    """A CloudEvent that was recorded when it happened."""
    return {
        "specversion": "1.0",
        "id": identity,
        "source": source,
        "type": kind,
        "subject": subject,
        "time": at,
        "recordedtime": at,
        "data": data,
    }


def write(path: Path, *events: dict[str, Any] | str) -> Path:
    """JSON Lines; a text goes in as it is."""
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in events), encoding="utf-8")
    return path


LATE_PLAN = (
    event("k1", "service.connected", "2026-03-02T09:00:00+10:30", program="cfss"),
    event("v1", "visit.held", "2026-03-02T10:00:00+10:30", status="held", mode="in_person", seen=["m1"], topics=[], covers=[]),
    event("v2", "visit.held", "2026-03-16T10:00:00+10:30", status="held", mode="in_person", seen=["m1"], topics=[], covers=[]),
    event("v3", "visit.held", "2026-03-23T15:00:00+10:30", status="held", mode="in_person", seen=["m1"], topics=[], covers=[]),
)
"""Three visits and no safety plan: C08 is breached from 24 March on."""
