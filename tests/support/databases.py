"""The database that a whole test run shares, on each engine, and what PostgreSQL tells of its locks.

A fresh database for each test costs half a second on PostgreSQL.
"""

import pytest
from sqlalchemy import text

from store.engine import Database
from tests.support.postgres import Cluster
from tests.support.waiting import wait_for


def shared_url(request: pytest.FixtureRequest, directories: pytest.TempPathFactory) -> str:
    """The SQLAlchemy URL of an empty database, for a session fixture whose parameter is the engine."""
    if request.param == "sqlite":
        return f"sqlite:///{directories.mktemp('shared') / 'kopano.db'}"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.url(cluster.create_database())


def wait_for_a_waiting_lock(database: Database) -> None:
    """Return when some transaction on this PostgreSQL server waits for a lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    def waiting() -> int:
        with database.read() as connection:
            return int(connection.execute(query).scalar_one())

    wait_for(waiting, what="the other transaction waits")
