"""The tests' own servers and helpers keep what they promise."""

import psycopg
import pytest
import sqlalchemy

from tests.support.postgres import Cluster
from tests.support.servers import missing_server
from tests.support.waiting import wait_for


def test_a_database_url_is_an_empty_database(bare_database_url: str) -> None:
    engine = sqlalchemy.create_engine(bare_database_url)
    try:
        assert sqlalchemy.inspect(engine).get_table_names() == []
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE used (id INTEGER)"))
    finally:
        engine.dispose()


def test_postgres_databases_are_separate_and_durable(postgres_cluster: Cluster) -> None:
    first, second = postgres_cluster.create_database(), postgres_cluster.create_database()
    assert first != second
    dsn = postgres_cluster.url(first).replace("+psycopg", "")
    connection = psycopg.connect(dsn)
    try:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        postgres_cluster.drop_database(first)  # although this connection is still open
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    finally:
        connection.close()
    postgres_cluster.drop_database(second)


def test_wait_for_returns_what_it_waited_for() -> None:
    answers = iter([0, "", "here"])
    assert wait_for(lambda: next(answers), what="an answer") == "here"


def test_wait_for_names_what_did_not_happen() -> None:
    with pytest.raises(AssertionError, match=r"the mail arrives: not within 0\.02 s"):
        wait_for(lambda: False, timeout=0.02, what="the mail arrives")


@pytest.mark.parametrize(
    ("environ", "outcome"),
    [
        ({}, pytest.skip.Exception),
        ({"REQUIRE_SERVERS": ""}, pytest.skip.Exception),
        ({"REQUIRE_SERVERS": "1"}, pytest.fail.Exception),
    ],
)
def test_a_missing_server_skips_unless_required(
    environ: dict[str, str], outcome: type[BaseException]
) -> None:
    with pytest.raises(outcome, match="make test-deps"):
        missing_server("postgresql", environ)
