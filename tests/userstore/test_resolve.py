"""From an address to a recipient, and a cache that is never stale."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mailcore.errors import NoSuchRecipientError, TemporaryError
from store.engine import Database
from store.mailboxes import create_mailbox, orphan_mailbox, update_mailbox
from userstore.db import DbUserStore, create_account, delete_account, update_account
from userstore.model import User
from userstore.resolve import Directory


@pytest.fixture
def directory(database: Database) -> Directory:
    return Directory(DbUserStore(database), database, {"imap", "pop3"})


def create(database: Database, name: str, **values: Any) -> User:
    with database.write() as connection:
        user = create_account(connection, name, {"address": f"{name}@example.org", **values})
        create_mailbox(connection, user.external_id, name)
    return user


@pytest.mark.parametrize(
    "address",
    [
        "anna",
        "anna@example.org",
        "Anna@EXAMPLE.org",
        "berg@example.org",
        "anna@bücher.example",
        "anna@XN--BCHER-KVA.example",
    ],
)
def test_every_way_to_one_mailbox(database: Database, directory: Directory, address: str) -> None:
    user = create(database, "anna", add_aliases=["berg@example.org", "anna@bücher.example"])
    recipient = directory.resolve(address)
    assert recipient.address == address
    assert recipient.user == user
    assert recipient.mailbox.owner_name == "anna"
    assert directory.by_store(recipient.mailbox.id).user == user
    assert directory.by_store(recipient.mailbox.id).address == "anna@example.org"


@pytest.mark.parametrize(
    "address", ["nobody", "Anna", "nobody@example.org", "anna@example.com", ""]
)
def test_nobody(database: Database, directory: Directory, address: str) -> None:
    create(database, "anna")
    with pytest.raises(NoSuchRecipientError):
        directory.resolve(address)


def test_a_name_is_no_address_of_somebody_else(database: Database, directory: Directory) -> None:
    create(database, "anna@example.org", address="boss@example.org")
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna@example.org")


@pytest.mark.parametrize(
    ("values", "imap"), [({}, False), ({"enable": ["imap"]}, True), ({"disable": ["imap"]}, False)]
)
def test_the_imap_feature(
    database: Database, directory: Directory, values: dict[str, Any], imap: bool
) -> None:
    create(database, "anna", **values)
    assert directory.resolve("anna").imap is imap


def test_a_user_without_a_mailbox_is_our_own_trouble(
    database: Database, directory: Directory
) -> None:
    with database.write() as connection:
        create_account(connection, "anna", {"address": "anna@example.org"})
    with pytest.raises(TemporaryError, match="no mailbox yet"):
        directory.resolve("anna@example.org")


def test_a_mailbox_without_an_owner(database: Database, directory: Directory) -> None:
    user = create(database, "anna")
    store_id = directory.resolve("anna").mailbox.id
    with database.write() as connection:
        orphan_mailbox(connection, user.external_id)
    for number in (store_id, store_id + 1):
        with pytest.raises(NoSuchRecipientError):
            directory.by_store(number)


def test_the_cache_sees_every_change(database: Database, directory: Directory) -> None:
    user = create(database, "anna")
    assert not directory.resolve("anna").mailbox.mr_accept
    with database.write() as connection:
        update_mailbox(connection, directory.resolve("anna").mailbox.id, {"mr_accept": True})
    assert directory.resolve("anna").mailbox.mr_accept
    with database.write() as connection:
        update_account(connection, user.external_id, {"enable": ["imap"], "name": "annika"})
    assert directory.resolve("anna@example.org").imap
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna")
    with database.write() as connection:
        orphan_mailbox(connection, user.external_id)
        delete_account(connection, user.external_id)
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna@example.org")


def test_the_cache_sees_changes_of_another_process(
    database_url: str, database: Database, directory: Directory
) -> None:
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("ben")
    other = Database(database_url)
    try:
        create(other, "ben")
    finally:
        other.close()
    assert directory.resolve("ben").user.name == "ben"


def test_a_known_recipient_costs_one_look_at_the_version(
    database: Database, directory: Directory
) -> None:
    create(database, "anna")
    directory.resolve("anna@example.org")
    statements: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: statements.append(statement),
    )
    directory.resolve("anna@example.org")
    (only,) = [one for one in statements if one.startswith("SELECT")]
    assert "counter" in only


def test_an_unreachable_database_is_not_nobody(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    try:
        with pytest.raises(TemporaryError):
            Directory(DbUserStore(database), database, ()).resolve("anna")
    finally:
        database.close()
