"""A real PostgreSQL server for tests: a password asked for, a free loopback port, all it writes in one folder.

Import the fixture `postgres` in a test module. The server refuses to run as root, so there the user that Debian's
package made runs it.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql

from tests.broker import HOST, free_port
from tests.town import until

USER = "passerelle"
SERVICE_USER = "postgres"
PATIENCE_S = 60


@dataclass(frozen=True)
class PostgresServer:
    """One running server."""

    port: int
    password_file: Path

    def url(self, database: str) -> str:
        """The address of a database, as `open_registry` takes it."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}?password_file={self.password_file}"

    def new_database(self) -> str:
        """A database that nobody has used: its name."""
        name = f"test_{token_hex(8)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the administrator's; each statement is committed by itself."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=self.password_file.read_text(),
            dbname=database,
            autocommit=True,
        )

    def answers(self) -> bool:
        """Whether it lets us in."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, shared; each test takes a database of its own."""
    with TemporaryDirectory(prefix="passerelle-postgres-") as folder, running_postgres(Path(folder)) as server:
        yield server


@contextmanager
def running_postgres(folder: Path) -> Iterator[PostgresServer]:
    """A server on an empty folder for the length of a `with`; it ends whoever is still connected (SIGINT)."""
    server = PostgresServer(free_port(), folder / "password")
    data = folder / "data"
    server.password_file.write_text(f"pont d'Arcole: 100 % {token_hex(8)}")
    user = SERVICE_USER if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(server.password_file, user)
    settings = {"port": server.port, "listen_addresses": HOST, "unix_socket_directories": "", "fsync": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    login = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={server.password_file}"]
    subprocess.run(
        [_program("initdb"), "-D", data, *login, "--no-sync", "-E", "UTF8"],
        user=user,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [_program("postgres"), "-D", data, *options], user=user, cwd=folder, stdout=log, stderr=log
        )
    try:
        until(server.answers, PATIENCE_S)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def _program(name: str) -> str:
    debian = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    found = shutil.which(name, path=os.pathsep.join([*debian, os.environ.get("PATH", "")]))
    assert found is not None, f"{name} is not installed; .ci/system-packages installs it"
    return found
