"""Bookings of the second schema: they are kept, and what a series had lost becomes a lineage of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, Table, insert, select

from store.bookings import CANCELLED, DECLINED, load_lineages, reports_due
from store.engine import Database
from store.listed_bookings import list_bookings
from store.migrate import MIGRATIONS, migrate
from store.occurrences import CLASH, declined_by

pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")

MONDAY, NEXT = "20300107T090000Z", "20300114T090000Z"

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("mailbox_store", {"guid": "A" * 32, "external_id": "db:1", "owner_name": "room"}),
    ("calendar", {"store_id": 1, "name": "Calendar", "version": 3}),
    ("booking", {"uid": "series", "state": "accepted", "recurring": True, "sequence": 4}),
    ("booking", {"uid": "series", "recurrence_id": MONDAY, "state": "cancelled"}),
    ("booking", {"uid": "single", "state": "accepted", "reply": b"yes"}),
    ("occurrence", {"booking_id": 1, "recurrence_id": NEXT, "starts_at": 10, "ends_at": 20}),
    ("occurrence", {"booking_id": 3, "starts_at": 10, "ends_at": 20}),
]
BUSY_TYPES = {1: "clash", 3: "busy"}


@pytest.fixture
def database(bare_database_url: str) -> Iterator[Database]:
    """A database of the second schema, with a series that has lost an occurrence."""
    opened = Database(bare_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    found = MetaData()
    with opened.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    with opened.write() as connection:
        found.reflect(connection)
        for name, row in ROWS:
            connection.execute(insert(found.tables[name]), [_filled(found.tables[name], row)])
    yield opened
    opened.close()


def _filled(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the columns that must not be empty."""
    usual: dict[str, Any] = {"created_at": 1.0, "updated_at": 2.0, "calendar_id": 1}
    if "busy_type" in table.columns:
        usual["busy_type"] = BUSY_TYPES[row["booking_id"]]
    return {name: value for name, value in usual.items() if name in table.columns} | row


def test_a_lost_occurrence_gets_a_lineage(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        series = {row.recurrence_id: row for row in load_lineages(connection, 1, "series")}
        shown = declined_by(connection, [series[NEXT].id])
        listed = {(one.uid, one.status) for one in list_bookings(connection, 1)}
        assert reports_due(connection) == []  # nobody is told twice
    assert [(id_, row.state) for id_, row in series.items()] == [
        ("", "accepted"),
        (MONDAY, CANCELLED),
        (NEXT, DECLINED),
    ]
    assert (series[NEXT].sequence, series[NEXT].recurring) == (4, False)
    assert [(one.start, one.end, one.recurrence_id) for one in shown] == [(10, 20, NEXT)]
    assert listed == {("series", CLASH), ("single", "accepted")}


def test_what_was_booked_before_is_nothing_to_audit(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        rows = load_lineages(connection, 1, "series") + load_lineages(connection, 1, "single")
    assert {(bool(row.reply), bool(row.silence), row.places) for row in rows} == {
        (False, True, 0),
        (True, False, 0),
    }


def test_nothing_else_has_changed(database: Database) -> None:
    before = _bookings(database)
    migrate(database)
    after = {id_: row for id_, row in _bookings(database).items() if id_ in before}
    for id_, row in before.items():
        assert {name: after[id_][name] for name in row} == row


def _bookings(database: Database) -> dict[int, dict[str, Any]]:
    found = MetaData()
    with database.read() as connection:
        found.reflect(connection)
        rows = connection.execute(select(found.tables["booking"]))
        return {row.id: dict(row._mapping) for row in rows}
