"""Databases of either kind with the schema in them: one for all tests, or a fresh one."""

from collections.abc import Iterator

import pytest

from tests.support.databases import shared_url
from tests.support.mailboxes import PostOffice, open_database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def post_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostOffice]:
    """A post office that all tests share; each makes mailboxes of its own."""
    with open_database(shared_url(request, tmp_path_factory)) as database:
        yield PostOffice(database)


@pytest.fixture
def empty_office(database_url: str) -> Iterator[PostOffice]:
    """A post office in which there is nothing but what the test puts there."""
    with open_database(database_url) as database:
        yield PostOffice(database)
