"""The database: one class over SQLite (embedded) and PostgreSQL (several hosts).

SQLite runs in WAL with synchronous=FULL: a commit is on disk when it returns.  Its driver's own transactions are
switched off and every writer sends BEGIN IMMEDIATE, because a transaction that begins with a read would let two
read-modify-writes both succeed; one in-process mutex keeps its writers from spinning on the file lock.
PostgreSQL runs in READ COMMITTED with a statement time-out.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Double, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from mailcore.errors import TemporaryError, UsageError

BUSY_SECONDS = 20
STATEMENT_SECONDS = 30


class db_now(FunctionElement[float]):  # noqa: N801 - reads like func.now() in a statement
    """The database's clock, in epoch seconds: leases compare with it, never with a host's clock."""

    type = Double()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


class Database:
    """An open database.  Safe to share between threads; fork before opening, not after."""

    def __init__(self, url: str) -> None:
        self.url = parse_database_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        if self.embedded:
            _make_directory(self.url)
            arguments: dict[str, Any] = {"isolation_level": None, "timeout": BUSY_SECONDS}
        else:
            self.url = self.url.set(drivername="postgresql+psycopg")
            arguments = {
                "connect_timeout": 5,
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
            }
        self.engine = create_engine(self.url, connect_args=arguments, pool_size=10, max_overflow=20)
        if self.embedded:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writers = threading.Lock()
        self._writing_thread = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for reading; raises TemporaryError when the database cannot be reached."""
        with _as_temporary(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As `read`, and every statement sees one state of the database: on PostgreSQL that is not so otherwise."""
        with self.read() as connection:
            if self.embedded:
                yield connection
            else:
                yield connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed and on disk when the block ends, rolled back when it raises.

        Raises TemporaryError for the database's own trouble; errors in the data pass as they are.
        """
        if self.embedded:
            if self._writing_thread == threading.get_ident():
                raise RuntimeError("a transaction within a transaction would wait for itself")
            with self._writers, _as_temporary(), self.engine.connect() as connection:
                self._writing_thread = threading.get_ident()
                try:
                    writer = connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
                    with writer.begin():
                        yield writer
                finally:
                    self._writing_thread = 0
        else:
            with _as_temporary(), self.engine.begin() as connection:
                yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _make_directory(url: URL) -> None:
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TemporaryError(f"database {url} cannot be opened: {error.strerror}") from error


def parse_database_url(url: str) -> URL:
    """The parts of a database URL; raises UsageError, without showing a password, for one that cannot be ours."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ArgumentError("neither sqlite nor postgresql")
    except ArgumentError as error:
        raise UsageError(
            f"database URL {_without_secrets(url)}: expected sqlite:///FILE or postgresql://..."
        ) from error
    return parsed


def _without_secrets(url: str) -> str:
    """A URL that may be malformed, without what could be a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


@contextmanager
def _as_temporary() -> Iterator[None]:
    """Translate trouble of the database itself (not of the data) into TemporaryError."""
    try:
        yield
    except OperationalError as error:
        raise TemporaryError(f"database: {error.orig}") from error
    except PoolTimeoutError as error:
        raise TemporaryError("database: every connection is in use") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise TemporaryError(f"database: {error.orig}") from error
        raise


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=4000",
        "cache_size=-32768",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
