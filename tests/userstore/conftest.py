"""A database of either kind with the schema in it, and the tests' users."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from store.engine import Database
from store.migrate import ensure_schema
from store.schema import counter, metadata
from tests.support.databases import shared_url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An open database that the tests here share."""
    opened = Database(shared_url(request, tmp_path_factory))
    ensure_schema(opened)
    yield opened
    opened.close()


@pytest.fixture
def database(shared_database: Database) -> Database:
    """An open, empty database."""
    with shared_database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not counter:
                connection.execute(delete(table))
    return shared_database
