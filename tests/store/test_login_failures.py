"""Failed logins: counted exactly, blocking for a while, beginning anew."""

import threading
from collections.abc import Mapping

import pytest
from sqlalchemy import select, update

from store.engine import Database
from store.login_failures import count_failure, failure_key, forget_failures, known_failures
from store.schema import login_failure
from tests.support.mailboxes import PostOffice

WINDOW, BLOCK = 600.0, 900.0


@pytest.fixture
def database(post_office: PostOffice) -> Database:
    return post_office.database


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test counts."""
    return failure_key(request.node.name)


def fail(database: Database, limits: Mapping[str, int], times: int = 1) -> None:
    for _ in range(times):
        with database.write() as connection:
            count_failure(connection, limits, WINDOW, BLOCK)


def known(database: Database, limits: Mapping[str, int]) -> dict[str, bool]:
    with database.read() as connection:
        return known_failures(connection, limits, BLOCK)


def count_of(database: Database, key: str) -> int:
    query = select(login_failure.c.failures).where(login_failure.c.key == key)
    with database.read() as connection:
        return int(connection.execute(query).scalar() or 0)


def let_pass(database: Database, key: str, seconds: float) -> None:
    """Make everything that is known of a key older."""
    older = {name: login_failure.c[name] - seconds for name in ("first_at", "last_at")}
    with database.write() as connection:
        connection.execute(update(login_failure).where(login_failure.c.key == key).values(**older))


def test_the_limit_blocks_and_one_less_does_not(database: Database, key: str) -> None:
    assert known(database, {key: 3}) == {}
    fail(database, {key: 3}, times=2)
    assert known(database, {key: 3}) == {key: False}
    fail(database, {key: 3})
    assert known(database, {key: 3, "other": 3}) == {key: True}


def test_a_block_runs_out_and_then_the_count_begins_anew(database: Database, key: str) -> None:
    fail(database, {key: 2}, times=2)
    let_pass(database, key, BLOCK - 30)
    assert known(database, {key: 2}) == {key: True}
    let_pass(database, key, 30)
    assert known(database, {key: 2}) == {key: False}
    fail(database, {key: 2})
    assert known(database, {key: 2}) == {key: False}
    assert count_of(database, key) == 1


def test_a_block_shorter_than_the_window_ends_the_count(database: Database, key: str) -> None:
    for _ in range(3):
        with database.write() as connection:
            count_failure(connection, {key: 2}, WINDOW, 60.0)
        if count_of(database, key) == 2:
            let_pass(database, key, 60)
    assert count_of(database, key) == 1


def test_only_failures_within_the_window_count_together(database: Database, key: str) -> None:
    fail(database, {key: 3}, times=2)
    let_pass(database, key, WINDOW - 30)
    fail(database, {key: 9})
    assert count_of(database, key) == 3
    let_pass(database, key, 30)
    fail(database, {key: 9})
    assert count_of(database, key) == 1


def test_what_is_forgotten_begins_anew_and_nothing_else(database: Database, key: str) -> None:
    fail(database, {key: 5, f"{key}2": 5}, times=2)
    with database.write() as connection:
        forget_failures(connection, key)
    assert known(database, {key: 5, f"{key}2": 5}) == {f"{key}2": False}
    fail(database, {key: 5})
    assert count_of(database, key) == 1


def test_every_failure_is_counted_however_many_come_at_once(database: Database, key: str) -> None:
    """Half of the threads name the keys the other way round: nobody waits for the other for ever."""
    there, back = {key: 1000, f"{key}2": 1000}, {f"{key}2": 1000, key: 1000}
    barrier = threading.Barrier(50)

    def run(limits: Mapping[str, int]) -> None:
        barrier.wait(30)
        fail(database, limits)

    threads = [threading.Thread(target=run, args=[(there, back)[n % 2]]) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (count_of(database, key), count_of(database, f"{key}2")) == (50, 50)


def test_keys_tell_their_parts_apart() -> None:
    keys = {
        failure_key(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("1:a",), ("\udcff",)]
    }
    assert len(keys) == 5
    assert {len(key) for key in keys | {failure_key("x" * 10**6)}} == {64}
