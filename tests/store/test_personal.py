"""Rules and out-of-office as they lie in the store."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from mailcore.errors import UsageError
from store.engine import Database
from store.mailboxes import (
    Mailbox,
    StoredOof,
    StoredRule,
    create_mailbox,
    directory_version,
    load_mailbox_by_id,
)
from store.migrate import ensure_schema
from store.personal import add_rule, delete_rule, next_sequence, save_oof
from store.schema import oof_memory

AWAY = StoredOof(True, "Away", "Back in June.", 1.0e9, 2.0e9, 0.0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    ensure_schema(opened)
    yield opened
    opened.close()


@pytest.fixture
def stores(database: Database) -> list[int]:
    with database.write() as connection:
        return [create_mailbox(connection, f"db:{number}", "anna") for number in (1, 2)]


def mailbox(database: Database, store_id: int) -> Mailbox:
    with database.read() as connection:
        found = load_mailbox_by_id(connection, store_id)
    assert found is not None
    return found


def version(database: Database) -> int:
    with database.read() as connection:
        return directory_version(connection)


def switch(database: Database, store_id: int, oof: StoredOof) -> StoredOof:
    before = version(database)
    with database.write() as connection:
        save_oof(connection, store_id, oof)
    assert version(database) > before
    stored = mailbox(database, store_id).oof
    assert stored is not None
    return stored


def answered(database: Database) -> set[tuple[int, str]]:
    with database.read() as connection:
        query = select(oof_memory.c.store_id, oof_memory.c.sender_key)
        return {(row.store_id, row.sender_key) for row in connection.execute(query)}


def test_rules_run_in_their_sequence(database: Database, stores: list[int]) -> None:
    first, second = stores
    with database.write() as connection:
        assert next_sequence(connection, first) == 1
        late = add_rule(connection, first, 20, True, 1, '{"name": "late"}')
        early = add_rule(connection, first, 10, False, 1, '{"name": "früh"}')
        assert next_sequence(connection, first) == 21
        assert next_sequence(connection, second) == 1
    assert mailbox(database, first).rules == (
        StoredRule(early, 10, False, 1, '{"name": "früh"}'),
        StoredRule(late, 20, True, 1, '{"name": "late"}'),
    )
    assert mailbox(database, second).rules == ()


def test_a_rule_is_deleted_by_its_owner_only(database: Database, stores: list[int]) -> None:
    first, second = stores
    with database.write() as connection:
        rule_id = add_rule(connection, first, 1, True, 1, "{}")
    with database.write() as connection, pytest.raises(UsageError, match="no rule"):
        delete_rule(connection, second, rule_id)
    before = version(database)
    with database.write() as connection:
        delete_rule(connection, first, rule_id)
    assert mailbox(database, first).rules == ()
    assert version(database) > before
    with database.write() as connection, pytest.raises(UsageError, match="no rule"):
        delete_rule(connection, first, rule_id)


def test_switching_on_begins_a_new_absence(database: Database, stores: list[int]) -> None:
    first, second = stores
    off = replace(AWAY, enabled=False)
    assert switch(database, first, off) == off
    memory = [
        {"store_id": store_id, "sender_key": "ben@example.org", "answered_at": 5.0}
        for store_id in stores
    ]
    with database.write() as connection:
        connection.execute(insert(oof_memory), memory)
    before = time.time()
    on = switch(database, first, AWAY)
    assert before <= on.switched_on_at <= time.time()
    assert replace(on, switched_on_at=0.0) == AWAY
    assert answered(database) == {(second, "ben@example.org")}


def test_changing_the_text_while_on_keeps_the_absence(
    database: Database, stores: list[int]
) -> None:
    store_id, _ = stores
    began = switch(database, store_id, AWAY).switched_on_at
    row = {"store_id": store_id, "sender_key": "ben@example.org", "answered_at": 5.0}
    with database.write() as connection:
        connection.execute(insert(oof_memory), [row])
    changed = switch(database, store_id, replace(AWAY, subject="Still away", ends_at=None))
    assert (changed.subject, changed.ends_at, changed.switched_on_at) == ("Still away", None, began)
    off = switch(database, store_id, replace(changed, enabled=False))
    assert off.switched_on_at == began
    assert answered(database) == {(store_id, "ben@example.org")}
    switch(database, store_id, AWAY)
    assert answered(database) == set()


def test_switching_on_again_after_its_end_begins_a_new_absence(
    database: Database, stores: list[int]
) -> None:
    store_id, _ = stores
    switch(database, store_id, replace(AWAY, ends_at=1.5e9))
    row = {"store_id": store_id, "sender_key": "ben@example.org", "answered_at": 5.0}
    with database.write() as connection:
        connection.execute(insert(oof_memory), [row])
    before = time.time()
    assert switch(database, store_id, AWAY).switched_on_at >= before
    assert answered(database) == set()


def test_everything_that_is_set_comes_back(database: Database, stores: list[int]) -> None:
    oof = StoredOof(
        *(False, "S", "M", 1.0, 2.0, 0.0),
        timezone="Asia/Tokyo",
        external="known",
        external_message="E",
        internal_message="I",
        decline_meetings=True,
    )
    assert switch(database, stores[0], oof) == oof
