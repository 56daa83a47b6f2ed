"""kopano-admin with nothing but environment variables, on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.engine import Database
from tests.admin.shell import Installed, Shell


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """The command line, with an empty database of either kind behind it."""
    return Shell(database_url, tmp_path)


@pytest.fixture
def installed(shell: Shell) -> Iterator[Installed]:
    """The same database from the inside, with anna, a room and some equipment in it."""
    populate(shell)
    database = Database(shell.url)
    yield Installed(database)
    database.close()


def populate(shell: Shell) -> None:
    shell.ok("-c", "anna", "-p", "blue-heron-4", "-e", "anna@example.org", "-f", "Anna Berg")
    shell.ok(
        *("-c", "-u", "aurora", "-e", "aurora@example.org", "-n", "room"),
        *("--timezone", "Europe/Berlin", "--mr-accept", "yes", "--mr-decline-conflict", "yes"),
    )
    shell.ok(
        "-c", "-u", "beamers", "-e", "beamers@example.org", "-n", "equipment", "--capacity", "3"
    )


@pytest.fixture(scope="session")
def populated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file to copy, for the many cases that only need one to be there."""
    path = tmp_path_factory.mktemp("populated") / "kopano.db"
    populate(Shell(f"sqlite:///{path}", path.parent))
    return path


@pytest.fixture
def embedded(populated_file: Path, tmp_path: Path) -> Iterator[tuple[Shell, Installed]]:
    """The command line and its database, always SQLite, populated."""
    path = tmp_path / "kopano.db"
    path.write_bytes(populated_file.read_bytes())
    shell = Shell(f"sqlite:///{path}", tmp_path)
    database = Database(shell.url)
    yield shell, Installed(database)
    database.close()
