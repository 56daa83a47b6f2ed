"""A private PostgreSQL: its own temporary directory, its own loopback port, gone at the end.

Runs with fsync on, as in production, so that tests of durability mean something.  The server
refuses to run as root: then it runs as the user `postgres`, which the Debian package creates.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.servers import free_port
from tests.support.waiting import wait_for

START_SECONDS = 30
STOP_SECONDS = 30
SERVER_USER = "postgres"


def find_binaries() -> Path | None:
    """Return the directory of the newest PostgreSQL server here, or None when there is none."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parent.parent.name),
    )
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Cluster:
    """A running PostgreSQL cluster; hands out empty databases."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._created = 0

    def create_database(self, template: str = "template1") -> str:
        """Create a database like another one, by default an empty one, and return its name."""
        self._created += 1
        name = f"test_{self._created}"
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, and first whatever still is connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database of this cluster."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def answers(self) -> bool:
        """Tell whether the server takes connections now."""
        try:
            self._administer(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _administer(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def running_cluster(binaries: Path) -> Iterator[Cluster]:
    """Start a new cluster for the time of the `with` block; its files go away with it."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        directory = Path(name)
        if os.getuid() == 0:
            shutil.chown(directory, SERVER_USER, SERVER_USER)
        _init_cluster(binaries, directory)
        cluster = Cluster(free_port())
        log = directory / "server.log"
        with log.open("wb") as output:
            server = _start_server(binaries, directory, cluster.port, output.fileno())
        try:
            wait_for(
                lambda: cluster.answers() or server.poll() is not None,
                timeout=START_SECONDS,
                what="PostgreSQL starts",
            )
            assert server.poll() is None, f"PostgreSQL ended at once:\n{log.read_text()}"
            yield cluster
        finally:
            # SIGINT is PostgreSQL's fast shutdown: open connections are cut, and it waits for none.
            server.send_signal(signal.SIGINT)
            server.wait(STOP_SECONDS)


def _init_cluster(binaries: Path, directory: Path) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [binaries / "initdb", "-D", directory / "data", *options],
        cwd=directory,
        user=_server_user(),
        group=_server_user(),
        extra_groups=[] if _server_user() else None,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _start_server(
    binaries: Path, directory: Path, port: int, output: int
) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(directory),
        "fsync": "on",
        "max_connections": "60",
        "timezone": "UTC",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        [*_ending_with_us(), binaries / "postgres", "-D", directory / "data", *options],
        cwd=directory,
        user=_server_user(),
        group=_server_user(),
        extra_groups=[] if _server_user() else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def _server_user() -> str | None:
    return SERVER_USER if os.getuid() == 0 else None


def _ending_with_us() -> list[str]:
    """Where util-linux is there: a server whose test run was killed shuts down too."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
