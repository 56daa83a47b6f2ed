"""The database that a whole test run shares, on each engine.

A fresh database for each test costs half a second on PostgreSQL.
"""

import pytest

from tests.support.postgres import Cluster


def shared_url(request: pytest.FixtureRequest, directories: pytest.TempPathFactory) -> str:
    """The SQLAlchemy URL of an empty database, for a session fixture whose parameter is the engine."""
    if request.param == "sqlite":
        return f"sqlite:///{directories.mktemp('shared') / 'kopano.db'}"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.url(cluster.create_database())
