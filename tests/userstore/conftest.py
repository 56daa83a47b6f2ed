"""A database of either kind with the schema in it."""

from collections.abc import Iterator

import pytest

from store.engine import Database
from store.migrate import ensure_schema


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty database."""
    opened = Database(database_url)
    ensure_schema(opened)
    yield opened
    opened.close()
