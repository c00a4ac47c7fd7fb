"""The pages over the real service: a store of its own for each test, and people to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from api.app import create_app
from service import users
from tests.support.pages import PageClient
from tests.support.service_kit import Kit, kit

FIRST = "a first pass phrase"
OWN = "quite another phrase"


@pytest.fixture
def store() -> str:
    """The fixture that gives the database; a test may be parametrised to have others."""
    return "sqlite_url"


@pytest.fixture
def flow(request: pytest.FixtureRequest, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: quick)
    # What a slow machine takes long to count is shown again for some seconds; here every page shows the present.
    monkeypatch.setattr("api.web.kept.SLOW", 1e9)
    monkeypatch.setattr("api.web.worklist.servicedesk.SLOW_SECONDS", 1e9)
    with kit(str(request.getfixturevalue(store)), tmp_path) as made:
        yield made


@pytest.fixture
def enter(flow: Kit) -> Callable[..., PageClient]:
    """Sign somebody in who has these roles and limits."""
    app = create_app(flow.svc)

    def sign_in(name: str, *roles: str, teams: list[str] | None = None) -> PageClient:
        users.create(flow.svc, name=name, roles=roles or ("reviewer",), password=FIRST, teams=teams)
        client = PageClient(app)
        client.sign_in(name, FIRST)
        assert client.location == "/"
        client.get("/password")
        client.post("/password", {"old": FIRST, "new": OWN, "again": OWN})
        return client

    return sign_in
