"""Fixtures for every package's tests: fresh databases, and the list of what could not run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.engine import Database
from store.migrate import ensure_schema
from tests.support.postgres import Cluster, find_binaries, running_cluster
from tests.support.servers import MISSING, REMEDY, missing_server


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One private PostgreSQL per test process, started by the first test that asks for it."""
    binaries = find_binaries()
    if binaries is None:
        missing_server("postgresql")
    with running_cluster(binaries) as cluster:
        yield cluster


@pytest.fixture
def bare_postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database of this test's own in which there is nothing at all."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of a database in which there is nothing at all: the test runs once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kopano.db'}"
    url: str = request.getfixturevalue("bare_postgres_url")
    return url


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """The name of a database with the schema in it, to make others of."""
    name = postgres_cluster.create_database()
    _make_schema(postgres_cluster.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema in it, to copy."""
    path = tmp_path_factory.mktemp("template") / "kopano.db"
    _make_schema(f"sqlite:///{path}")
    return path


def _make_schema(url: str) -> None:
    database = Database(url)
    ensure_schema(database)
    database.close()


@pytest.fixture
def postgres_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database of this test's own, with the schema and nothing in it."""
    name = postgres_cluster.create_database(postgres_template)
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of a database with the schema and nothing in it: the test runs once on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "kopano.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that a missing server kept from running, with the remedy."""
    skipped = [
        report.nodeid
        for report in terminalreporter.getreports("skipped")
        if MISSING in str(report.longrepr)
    ]
    if not skipped:
        return
    terminalreporter.section("not run: a server is not installed")
    for nodeid in sorted(skipped):
        terminalreporter.write_line(nodeid)
    terminalreporter.write_line(
        f"{len(skipped)} tests did not run; as root, `{REMEDY}` installs what they need"
    )
