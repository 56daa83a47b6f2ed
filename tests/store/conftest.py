"""Databases of either kind with the schema in them: one for all tests, or a fresh one."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from store.engine import Database
from store.schema import counter, metadata
from tests.support.databases import shared_url
from tests.support.mailboxes import PostOffice, open_database
from tests.support.postgres import Cluster


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def post_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostOffice]:
    """A post office that all tests share; each makes mailboxes of its own."""
    with open_database(shared_url(request, tmp_path_factory)) as database:
        yield PostOffice(database)


@pytest.fixture
def empty_office(database_url: str) -> Iterator[PostOffice]:
    """A post office of a test that breaks something: nobody has used its database, and nobody will."""
    with open_database(database_url) as database:
        yield PostOffice(database)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def emptied_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The database of every `clean_office`."""
    with open_database(shared_url(request, tmp_path_factory)) as database:
        yield database


@pytest.fixture
def clean_office(emptied_database: Database) -> PostOffice:
    """A post office in which there is nothing but what the test puts there; only counters go on."""
    return emptied(emptied_database)


@pytest.fixture(scope="session")
def server_database(postgres_cluster: Cluster) -> Iterator[Database]:
    """The database of every `postgres_office`."""
    with open_database(postgres_cluster.url(postgres_cluster.create_database())) as database:
        yield database


@pytest.fixture
def postgres_office(server_database: Database) -> PostOffice:
    """An empty post office on PostgreSQL, where two may write at the same time."""
    return emptied(server_database)


def emptied(database: Database) -> PostOffice:
    """A post office in a database from which everything but the counters is taken."""
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not counter:
                connection.execute(delete(table))
    return PostOffice(database)
