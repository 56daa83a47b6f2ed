"""Opening a database, its transactions and its clock."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import exc, insert, select, text, update
from sqlalchemy.pool import QueuePool

from mailcore.errors import TemporaryError, UsageError
from store.counters import BLOCK, IdBlocks
from store.engine import Database, db_now
from store.schema import counter
from tests.support.mailboxes import PostOffice
from tests.support.servers import free_port

ROUNDS = 10


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "", "sqlite+nothing"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="expected sqlite:///FILE or postgresql"):
        Database(url)


def test_any_postgresql_url_gets_the_driver_that_is_installed() -> None:
    database = Database("postgresql://anna@127.0.0.1:1/mail")
    assert database.url.drivername == "postgresql+psycopg"
    assert not database.embedded


def test_the_directory_of_an_embedded_database_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "kopano.db"
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (a INTEGER)"))
    assert path.exists()
    database.close()


def test_an_embedded_database_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kopano.db'}")
    with database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]  # 2 is FULL
    database.close()


def test_two_read_modify_writes_both_count(post_office: PostOffice) -> None:
    """SQLite would let both read before either writes; PostgreSQL needs the row's lock for it."""
    database = post_office.database
    other = Database(database.url.render_as_string(hide_password=False))
    with database.write() as connection:
        connection.execute(insert(counter), [{"name": f"rmw-{id(other)}", "value": 0}])
    mine = counter.c.name == f"rmw-{id(other)}"
    query = select(counter.c.value).where(mine)
    query = query if database.embedded else query.with_for_update()

    def count(used: Database) -> None:
        for _ in range(ROUNDS):
            with used.write() as connection:
                value = connection.execute(query).scalar_one()
                connection.execute(update(counter).where(mine).values(value=value + 1))

    # Two in one process share its mutex, the third has only the database's own lock.
    threads = [threading.Thread(target=count, args=(used,)) for used in (database, database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    other.close()
    assert [row.value for row in post_office.rows(counter, mine)] == [3 * ROUNDS]


def test_a_block_that_raises_leaves_nothing(post_office: PostOffice) -> None:
    with pytest.raises(ZeroDivisionError), post_office.database.write() as connection:
        connection.execute(insert(counter), [{"name": "half", "value": 1}])
        raise ZeroDivisionError
    assert not post_office.rows(counter, counter.c.name == "half")


def test_an_error_in_the_data_is_not_taken_for_trouble_of_the_database(
    post_office: PostOffice,
) -> None:
    with pytest.raises(exc.IntegrityError), post_office.database.write() as connection:
        connection.execute(insert(counter), [{"name": "twice", "value": 1}] * 2)


def test_the_clock_is_the_databases_and_goes_on_within_a_transaction(
    post_office: PostOffice,
) -> None:
    with post_office.database.read() as connection:
        first = connection.execute(select(db_now())).scalar_one()
        assert abs(first - time.time()) < 5  # the same host here
        deadline = time.monotonic() + 5
        while connection.execute(select(db_now())).scalar_one() <= first:
            assert time.monotonic() < deadline, "the clock stands still"


@pytest.mark.parametrize("reading", [True, False])
def test_a_server_that_is_not_there_is_temporary(reading: bool) -> None:
    database = Database(f"postgresql://postgres@127.0.0.1:{free_port()}/mail")
    with (
        pytest.raises(TemporaryError, match="database: "),
        database.read() if reading else database.write(),
    ):
        pytest.fail("connected to nothing")


def test_a_connection_that_is_cut_is_temporary(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(TemporaryError), database.write() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        connection.execute(text("SELECT 1"))
    with database.read() as connection:  # and the next one gets a new connection
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    database.close()


def test_a_pool_without_a_free_connection_is_temporary(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kopano.db'}")
    old = database.engine.pool
    database.engine.pool = QueuePool(old._creator, pool_size=1, max_overflow=0, timeout=0)
    with (
        database.read(),
        pytest.raises(TemporaryError, match="every connection is in use"),
        database.read(),
    ):
        pytest.fail("one connection was used twice")
    database.close()
    old.dispose()


def test_ids_come_in_blocks_and_never_twice(post_office: PostOffice) -> None:
    database = post_office.database
    mine, theirs = IdBlocks(database, "message"), IdBlocks(database, "message")
    taken: list[range] = []
    for count in (1, 3, BLOCK - 1, 2 * BLOCK + 7, 1, 0):
        taken += [mine.take(count), theirs.take(count)]
    assert [len(ids) for ids in taken[::2]] == [1, 3, BLOCK - 1, 2 * BLOCK + 7, 1, 0]
    everything = [one for ids in taken for one in ids]
    assert len(everything) == len(set(everything))
    assert min(everything) > 0
