"""A MariaDB of our own for tests, where the machine has its programs (on Debian: mariadb-server-core) and pymysql is installed."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.support.servers import SERVER_ENV, Server, ServerFailed, ServerMissing

PROGRAM = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
SHARE = Path("/usr/share/mysql")
SYSTEM = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")


class MariaDb(Server):
    """A server with one database, ``client``, that the user ``duecare`` owns.  As root it drops to `nobody`, as it should."""

    name = "mariadb"

    def __init__(self) -> None:
        if PROGRAM is None or not all((SHARE / name).is_file() for name in SYSTEM):
            raise ServerMissing("no MariaDB: apt install mariadb-server-core")
        if importlib.util.find_spec("pymysql") is None:
            raise ServerMissing("no driver for MariaDB: pip install pymysql")
        super().__init__()

    @property
    def url(self) -> str:
        return f"mariadb+pymysql://duecare:duecare@127.0.0.1:{self.port}/client"

    def prepare(self) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        (self.folder / "data").mkdir()
        if self._as_user:
            os.chown(self.folder / "data", self._as_user["user"], self._as_user["group"])
        tables = [(SHARE / name).read_text("utf-8") for name in SYSTEM]
        done = subprocess.run(
            [str(PROGRAM), "--no-defaults", "--bootstrap", f"--datadir={self.folder / 'data'}"],
            input="CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n" + "\n".join(tables),
            capture_output=True,
            text=True,
            env=SERVER_ENV,
            cwd=self.folder,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise ServerFailed(f"mariadbd --bootstrap failed:\n{done.stderr[-2000:]}")
        start = self.folder / "start.sql"
        start.write_text(
            "CREATE DATABASE IF NOT EXISTS client;\n"
            "CREATE USER IF NOT EXISTS duecare@'127.0.0.1' IDENTIFIED BY 'duecare';\n"
            "GRANT ALL ON client.* TO duecare@'127.0.0.1';\n"
        )
        start.chmod(0o644)

    def command(self) -> list[str]:
        return [
            str(PROGRAM),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 's'}",
            f"--init-file={self.folder / 'start.sql'}",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=32M",
            "--default-time-zone=+00:00",
            "--skip-name-resolve",
        ]

    def answers(self) -> bool:
        import pymysql

        try:
            pymysql.connect(
                host="127.0.0.1", port=self.port, user="duecare", password="duecare", database="client", connect_timeout=2
            ).close()
        except pymysql.Error:
            return False
        return True
