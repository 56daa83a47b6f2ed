"""A post office on each engine, shared by the tests of delivery."""

from collections.abc import Iterator

import pytest

from tests.support.databases import shared_url
from tests.support.mailboxes import PostOffice, open_database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def post_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostOffice]:
    """Each test makes mailboxes of its own in it."""
    with open_database(shared_url(request, tmp_path_factory)) as database:
        yield PostOffice(database)
