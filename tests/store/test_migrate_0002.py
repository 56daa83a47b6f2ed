"""A database of the first schema, in use, is brought to the second one with everything in it."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, insert, select

from store.blobs import BlobStore
from store.engine import Database
from store.folders import add_folder, delete_folder, list_tree
from store.listing import read_mail
from store.mailboxes import create_mailbox, load_mailbox
from store.migrate import MIGRATIONS, migrate
from store.rights import Accessor, Right, rights_on
from tests.support.mailboxes import NOW
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor

pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")

TEXT = b"At noon?\r\n"
DIGEST = hashlib.sha256(TEXT).digest()

# In the order of their references.  What counts by itself is 1 in each table.
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("counter", {"name": "seen", "value": 7}),
    ("account", {"name": "Anna", "fullname": "Anna Berg", "password": "x", "created_at": 1.0}),
    ("account", {"name": "beamer", "resource_type": "equipment", "capacity": 2, "created_at": 1.5}),
    ("account_address", {"key": "a@x", "account_id": 1, "address": "A@x", "is_primary": True}),
    ("account_address", {"key": "b@x", "account_id": 1, "address": "b@x", "is_primary": False}),
    ("account_address", {"key": "c@x", "account_id": 2, "address": "c@x", "is_primary": True}),
    (
        "mailbox_store",
        {
            "guid": "A" * 32,
            "external_id": "db:1",
            "owner_name": "Anna",
            "created_at": 2.0,
            "change_number": 9,
            "size": 25,
            "timezone": "Europe/Berlin",
            "mr_accept": True,
        },
    ),
    ("mailbox_store", {"guid": "B" * 32, "owner_name": "gone", "created_at": 3.0}),
    ("folder", {"store_id": 1, "name": "Inbox", "special_use": "\\Inbox", "uidvalidity": 11}),
    ("folder", {"store_id": 1, "parent_id": 1, "name": "Lists", "uidvalidity": 12, "uidnext": 2}),
    ("blob", {"id": 1, "sha256": DIGEST, "size": 10, "codec": "identity", "location": "database"}),
    ("blob_content", {"blob_id": 1, "content": TEXT}),
    ("message", {"id": 1, "sha256": DIGEST, "skeleton": b"Subject: x\r\n\r\n", "size": 24}),
    ("message_text", {"message_id": 1, "text": "At noon?"}),
    (
        "message_body",
        {
            "message_id": 1,
            "position": 0,
            "blob_id": 1,
            "skeleton_offset": 14,
            "encoding": "identity",
            "line_length": 0,
            "ending": b"",
        },
    ),
    ("mailbox_entry", {"folder_id": 2, "uid": 1, "message_id": 1, "modseq": 5, "size": 25}),
    ("expunged", {"folder_id": 2, "uid": 9, "modseq": 4}),
    ("calendar", {"store_id": 1, "name": "Calendar", "version": 3}),
    ("rule", {"store_id": 1, "sequence": 1, "version": 1, "document": "{}"}),
    ("oof_setting", {"store_id": 1, "enabled": True, "subject": "Away", "message": "Back soon"}),
    ("oof_memory", {"store_id": 1, "sender_key": "ben@example.net", "answered_at": 4.0}),
    ("ledger", {"store_id": 1, "key": DIGEST, "uid": 1, "created_at": 5.0}),
    ("job", {"store_id": 1, "state": "pending", "content": b"x", "tried_since": 6.0}),
    ("outbox", {"store_id": 1, "kind": "reply", "content": b"x", "state": "queued"}),
]
FILLED = {
    "created_at": 0.5,
    "trace": b"T",
    "internal_date": 0.25,
    "skeleton_codec": "identity",
    "next_attempt_at": 0.0,
}
"""For columns that must not be empty, where a row says nothing."""


@pytest.fixture
def database(bare_database_url: str) -> Iterator[Database]:
    """A database of the first schema, in use."""
    opened = Database(bare_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with opened.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    tables = reflected(opened)
    with opened.write() as connection:
        for name, row in ROWS:
            empty = {c.name: FILLED[c.name] for c in tables[name].columns if c.name in FILLED}
            connection.execute(insert(tables[name]), [{**empty, **row}])
    yield opened
    opened.close()


def reflected(database: Database) -> dict[str, Any]:
    """The tables as they are, not as the program wants them."""
    found = MetaData()
    with database.read() as connection:
        found.reflect(connection)
    return dict(found.tables)


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as connection:
        return {
            name: [dict(row._mapping) for row in connection.execute(select(table))]
            for name, table in reflected(database).items()
            if name != "alembic_version"
        }


def test_every_row_is_kept(database: Database) -> None:
    before = contents(database)
    assert all(before[name] for name, _ in ROWS)
    migrate(database)
    after = contents(database)
    after["account_address"] = after.pop("mail_address")
    after["counter"].remove({"name": "purge", "value": 0})
    for name, rows in before.items():
        old = [{column: row[column] for column in rows[0]} for row in after[name]] if rows else []
        assert sorted(old, key=repr) == sorted(rows, key=repr), name


def test_what_is_new_has_its_value(database: Database) -> None:
    migrate(database)
    after = contents(database)
    assert [row["name_key"] for row in after["account"]] == ["anna", "beamer"]
    assert {row["kind"] for row in after["mailbox_store"]} == {"user"}
    assert [(row["external"], row["timezone"]) for row in after["oof_setting"]] == [("all", "")]
    for name in ("folder", "mailbox_entry"):
        assert [row["deleted_at"] for row in after[name] if row["deleted_at"]] == []
    ben = Accessor("db:2", frozenset({"db:2", "everyone"}))
    with database.read() as connection:
        assert rights_on(connection, ben, 1, calendar_id=1) == Right.FREE_BUSY


def test_the_program_goes_on_with_it(database: Database) -> None:
    migrate(database)
    users = DbUserStore(database)
    (anna,) = users.by_address("B@X")
    assert (anna.name, users.by_name("ANNA")) == ("Anna", [anna])
    with database.write() as connection:
        mailbox = load_mailbox(connection, anna.external_id)
        assert mailbox is not None
        assert (mailbox.timezone, mailbox.mr_accept) == ("Europe/Berlin", True)
        lists = mailbox.folders["Inbox/Lists"]
        raw = read_mail(connection, BlobStore(None, 1), lists, 1)
        assert raw == b"TSubject: x\r\n\r\n" + TEXT
        assert sum(one.size for one in list_tree(connection, mailbox.id)) == mailbox.size
        delete_folder(connection, lists, NOW)
        assert add_folder(connection, mailbox.id, "Lists", mailbox.folders["Inbox"]) != lists
        made = DbEditor().create_user(connection, "cara", {"address": "cara@x"})
        assert create_mailbox(connection, made.external_id, "cara") not in (1, 2)
