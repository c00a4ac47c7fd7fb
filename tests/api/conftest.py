"""An application over a real store, with a clock of its own and nobody working in the background: ``judge`` does what workers do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from rules.model import rfc3339, to_ms
from service import keys
from service.bootstrap import Service, build
from service.evaluate import drain
from service.policies.policyset import PolicySet, load
from service.settings import Settings
from tests.support import tables

NOW = to_ms(dt.datetime(2026, 6, 1, 3, 0, tzinfo=dt.UTC))
DAY = 86_400_000
ALL = (
    "events:write", "cases:read", "cases:export", "breaches:read", "breaches:review", "policies:write", "audits:run", "sources:admin",
    "metrics",
)  # fmt: skip


@dataclass
class Api:
    """A client that speaks JSON and carries a key."""

    app: Flask
    svc: Service
    clock: list[int]
    client: FlaskClient = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self.token = self.key(*ALL)

    def key(self, *scopes: str, teams: tuple[str, ...] | None = None, offices: tuple[str, ...] | None = None) -> str:
        _, token = keys.create(self.svc, name="test", scopes=scopes, teams=teams, offices=offices)
        return token

    def call(
        self, method: str, path: str, *, token: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        carried = {"Authorization": f"Bearer {self.token if token is None else token}", **(headers or {})}
        return self.client.open(path, method=method, headers=carried, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a good answer."""
        answer = self.call("GET", path, **kwargs)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.json

    def batch(self, events: list[Any], **kwargs: Any) -> Any:
        answer = self.call("POST", "/v1/events", json=events, content_type="application/cloudevents-batch+json", **kwargs)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        return answer.json

    def judge(self) -> int:
        judged = 0
        while more := drain(self.svc):
            judged += more
        return judged


@pytest.fixture
def clock() -> list[int]:
    return [NOW]


@pytest.fixture(scope="session")
def policies() -> PolicySet:
    """The shipped policies, read once."""
    return load()


@pytest.fixture
def make_api(tmp_path: Path, policies: PolicySet) -> Iterator[Callable[..., Api]]:
    made: list[Service] = []

    def make(url: str, clock: list[int], **settings: Any) -> Api:
        chosen = Settings(home=tmp_path, database_url=url, secret_key="k" * 40, **settings)
        svc = build(chosen, now=lambda: clock[0], policies=policies)
        made.append(svc)
        tables.lay(svc.engine)
        return Api(create_app(svc), svc, clock)

    yield make
    for svc in made:
        svc.close()


@pytest.fixture
def api(make_api: Callable[..., Api], store_url: str, clock: list[int]) -> Api:
    """On SQLite and on PostgreSQL."""
    return make_api(store_url, clock)


@pytest.fixture
def light(make_api: Callable[..., Api], sqlite_url: str, clock: list[int]) -> Api:
    """On SQLite alone, for what has nothing to do with the database."""
    return make_api(sqlite_url, clock)


_number = iter(range(10**9))


def event(type_: str = "referral.received", *, case: str = "case-1", at: int = NOW - 30 * DAY, **more: Any) -> dict[str, Any]:
    """A CloudEvent with an id of its own; ``None`` takes an attribute out."""
    made = {
        "specversion": "1.0",
        "id": f"e{next(_number)}",
        "source": "urn:test:casework",
        "type": type_,
        "subject": case,
        "time": rfc3339(at),
        "data": {},
    } | more
    return {name: value for name, value in made.items() if value is not None}
