"""Fixtures for all tests: real servers, a real browser, and the rule that unit tests touch no network.

A server or browser that is missing skips the test on a developer's machine, with the reason, and fails it where CI is set: there, nothing
may pass because nothing was tested. TEST_DATABASE_URL and TEST_REDIS_URL name servers to use instead of our own.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import hypothesis
import pytest

from tests.support import servers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

S = TypeVar("S", bound=servers.Server)

TESTS = Path(__file__).parent
PATIENCE = 60.0
"""Seconds that a test waits for what comes within a moment on a machine that has time."""
IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

# How long an example takes to make or to run says something of the machine, and of nothing that a test is about.
hypothesis.settings.register_profile("local", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("local"), derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "local")


def missing(reason: str) -> NoReturn:
    """Skips here, fails in CI."""
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


# --- several processes -----------------------------------------------------------------------------------------------

SCRATCH = Path("/dev/shm")
SCRATCH_BYTES = 4 << 30
LONG = {"e2e", "faults", "slow"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more process than cores: a test that starts servers waits for them a third of its time."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_configure() -> None:
    """Scratch folders go into memory where there is plenty: each commit to a SQLite file waits for the disk, and a test makes many."""
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not SCRATCH.is_dir():
        return
    room = os.statvfs(SCRATCH)
    if room.f_bavail * room.f_frsize >= SCRATCH_BYTES and not room.f_flag & os.ST_NOEXEC and os.access(SCRATCH, os.W_OK):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(SCRATCH)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, the files with long ones come first, so that none of them is left for the end."""
    if hasattr(config, "workerinput"):
        long = {item.path for item in items if any(mark.name in LONG for mark in item.iter_markers())}
        items.sort(key=lambda item: item.path not in long)


# --- unit tests touch no network -------------------------------------------------------------------------------------

SOCKETLESS = (TESTS / "unit", TESTS / "property")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if not any(item.path.is_relative_to(folder) for folder in SOCKETLESS):
        return (yield)

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a unit test opens a network connection; move it to tests/integration")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "bind", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        return (yield)


# --- haste -----------------------------------------------------------------------------------------------------------


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not any(item.path.is_relative_to(folder) for folder in SOCKETLESS):
        from tests.support.haste import hasten

        hasten()


# --- databases and queues --------------------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    return servers.free_port()


@pytest.fixture(scope="session")
def pg_url() -> Iterator[str]:
    """The maintenance database of a PostgreSQL server that the whole run shares: use ``pg_db`` for tables."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        if tables := sys.modules.get("tests.support.tables"):
            tables.forget(given)
        return
    with _or_missing(servers.Postgres) as server:
        yield server.url


@pytest.fixture
def pg_db(pg_url: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database, dropped afterwards."""
    with servers.fresh_database(pg_url) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that the whole run shares: use ``redis_db``, which is empty at the start of each test."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    with _or_missing(servers.Valkey) as server:
        yield server.url


@pytest.fixture
def redis_db(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The shared Redis, emptied.  Nobody stalls it, so this process waits for its answers however busy the machine is."""
    import redis

    monkeypatch.setattr("service.hints.PRODUCER_TIMEOUT", PATIENCE)
    monkeypatch.setattr("service.company._TIMEOUT", PATIENCE)
    with closing(redis.Redis.from_url(redis_url)) as client:
        client.flushall()
    return redis_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'duecare.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "pg_db"}[request.param]))


@pytest.fixture
def own_postgres() -> Iterator[servers.Postgres]:
    """A PostgreSQL for this test alone, which may stop, kill and restart it."""
    with _or_missing(servers.Postgres) as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[servers.Valkey]:
    """A Redis for this test alone, which may stop, kill, flush and restart it."""
    with _or_missing(servers.Valkey) as server:
        yield server


def _or_missing(kind: type[S]) -> S:
    try:
        return kind()
    except servers.ServerMissing as error:
        missing(str(error))


# --- a browser, and other programs ------------------------------------------------------------------------------------

# Without these, Chromium looks for updates, hosts of its maker and other machines at every start.
CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # Debian's Chromium in a container often has a /dev/shm of 64 MB.
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium."""
    for name in (os.environ.get("DUECARE_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    missing("no Chromium: `apt install chromium`, or name its program in DUECARE_CHROMIUM")


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of Prometheus' own tool, which reads its files as Prometheus does."""
    if found := shutil.which("promtool"):
        return found
    missing("no promtool: `./dev test` fetches it on Debian, or `apt install prometheus`")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium that the whole run shares."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new page in a context of its own; an uncaught script error on it fails the test."""
    context = browser.new_context(locale="en-AU", timezone_id="Australia/Darwin", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors, f"script errors on the page: {errors}"
