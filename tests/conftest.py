"""Fixtures for every package's tests: fresh databases, and the list of what could not run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of this test's own."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty database: the test runs once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kopano.db'}"
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
