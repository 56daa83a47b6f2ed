"""Statements that bypass SQLAlchemy on SQLite behave as they do through it."""

from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from mailcore.errors import TemporaryError
from store.hot import HotLookup, HotStatement
from store.schema import counter, outbox, rule
from tests.support.mailboxes import PostOffice

_INSERT_COUNTER = HotStatement(insert(counter))
_COUNTERS = HotLookup(select(counter.c.name, counter.c.value), (counter.c.name,))
_RULES = HotLookup(select(rule.c.document), (rule.c.store_id, rule.c.sequence))


def names(how_many: int) -> list[str]:
    return [f"n{number}" for number in range(how_many)]


@pytest.mark.parametrize("how_many", [0, 1, 2, 8, 9, 64, 65, 200])
def test_each_key_finds_its_row_however_many_there_are(
    empty_office: PostOffice, how_many: int
) -> None:
    rows = [{"name": name, "value": number} for number, name in enumerate(names(250))]
    with empty_office.database.write() as connection:
        assert _INSERT_COUNTER.each(connection, rows) == 250
        keys = [(name,) for name in (*names(how_many), "nobody")]
        found = {name: value for name, value in _COUNTERS.rows(connection, keys)}  # noqa: C416 - rows, not pairs
    assert found == {name: number for number, name in enumerate(names(how_many))}


def test_a_key_of_two_columns_is_found_as_a_pair(post_office: PostOffice) -> None:
    first, second = post_office.mailbox().id, post_office.mailbox().id
    rows: list[dict[str, Any]] = [
        {
            "store_id": store_id,
            "sequence": sequence,
            "version": 1,
            "document": f"{place}/{sequence}",
        }
        for place, store_id in enumerate((first, second))
        for sequence in (1, 2)
    ]
    with post_office.database.write() as connection:
        HotStatement(insert(rule)).each(connection, rows)
        found = [row[0] for row in _RULES.rows(connection, [(first, 2), (second, 1)])]
    assert sorted(found) == ["0/2", "1/1"]


def test_texts_are_cleaned_as_everywhere(post_office: PostOffice) -> None:
    store_id = post_office.mailbox().id
    row = {"store_id": store_id, "sequence": 1, "version": 1, "document": "a\0b\udc80é"}
    with post_office.database.write() as connection:
        assert HotStatement(insert(rule)).each(connection, [row]) == 1
    (stored,) = post_office.rows(rule, rule.c.store_id == store_id)
    assert stored.document == "ab?é"


def test_bad_data_is_the_error_that_sqlalchemy_raises(post_office: PostOffice) -> None:
    row = {"store_id": -1, "sequence": 1, "version": 1, "document": ""}
    with pytest.raises(IntegrityError), post_office.database.write() as connection:
        HotStatement(insert(rule)).each(connection, [row])


def test_trouble_is_told_apart_as_everywhere(empty_office: PostOffice) -> None:
    with empty_office.database.write() as connection:
        outbox.drop(connection)
    query = HotLookup(select(outbox.c.kind), (outbox.c.id,))
    # To SQLite a missing table is trouble of the database, to PostgreSQL a mistake in the statement.
    expected = TemporaryError if empty_office.database.embedded else ProgrammingError
    with pytest.raises(expected), empty_office.database.write() as connection:
        list(query.rows(connection, [(1,)]))


def test_what_is_read_belongs_to_the_view_of_what_is_read_next(empty_office: PostOffice) -> None:
    one_row = HotStatement(select(counter.c.value).where(counter.c.name == bindparam("wanted")))
    database = empty_office.database
    with database.write() as connection:
        _INSERT_COUNTER.each(connection, [{"name": "n", "value": 1}])
    with database.snapshot() as reader:
        assert [tuple(row) for row in one_row.rows(reader, {"wanted": "n"})] == [(1,)]
        with database.write() as connection:
            connection.execute(update(counter).where(counter.c.name == "n").values(value=2))
        query = select(counter.c.value).where(counter.c.name == "n")
        assert reader.execute(query).scalar_one() == 1
