"""The db plugin: accounts, their addresses, passwords and features."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from mailcore.errors import UsageError
from store.engine import Database
from store.mailboxes import create_mailbox, directory_version, external_id_of, orphan_mailbox
from store.schema import account, mail_address
from userstore.db import (
    DbUserStore,
    account_id,
    create_account,
    delete_account,
    update_account,
)
from userstore.model import User


@pytest.fixture
def users(database: Database) -> DbUserStore:
    return DbUserStore(database)


def create(database: Database, name: str, **values: Any) -> User:
    with database.write() as connection:
        return create_account(connection, name, {"address": f"{name}@example.org", **values})


def change(database: Database, user: User, **values: Any) -> User:
    with database.write() as connection:
        return update_account(connection, user.external_id, values)


def rows(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        return [
            tuple(row)
            for table in (account, mail_address)
            for row in connection.execute(select(table))
        ]


def test_what_is_created_is_found(database: Database, users: DbUserStore) -> None:
    made = create(
        database,
        "anna",
        fullname="Anna Berg",
        admin_level=2,
        active=False,
        add_aliases=["a.berg@example.org", "berg@example.org"],
    )
    assert made == User(
        external_id=made.external_id,
        name="anna",
        fullname="Anna Berg",
        address="anna@example.org",
        aliases=("a.berg@example.org", "berg@example.org"),
        active=False,
        admin_level=2,
    )
    assert users.by_name("anna") == made
    assert users.by_external_id(made.external_id) == made
    assert users.users() == [made]


@pytest.mark.parametrize(
    "spelling",
    [
        "anna@example.org",
        "ANNA@Example.ORG",
        "Anna.Berg@bücher.example",
        "anna.berg@xn--bcher-kva.example",
    ],
)
def test_an_address_is_found_however_it_is_spelt(
    database: Database, users: DbUserStore, spelling: str
) -> None:
    made = create(database, "anna", add_aliases=["anna.berg@Bücher.example"])
    assert users.by_address(spelling) == made


@pytest.mark.parametrize("spelling", ["ben@example.org", "anna", "anna@example", ""])
def test_another_address_is_not_found(
    database: Database, users: DbUserStore, spelling: str
) -> None:
    create(database, "anna")
    assert users.by_address(spelling) is None


def test_names_have_case(database: Database, users: DbUserStore) -> None:
    create(database, "anna")
    create(database, "Anna", address="other@example.org")
    assert users.by_name("ANNA") is None
    found = users.by_name("Anna")
    assert found is not None
    assert found.address == "other@example.org"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"address": "ANNA@EXAMPLE.ORG"}, "taken by anna"),
        ({"address": "Berg@example.org"}, "taken by anna"),
        ({"address": "room@xn--bcher-kva.example"}, "taken by anna"),
        ({"add_aliases": ["free@example.org", "anna@example.org"]}, "taken by anna"),
        ({"add_aliases": ["two@example.org", "TWO@example.org"]}, "taken by ben"),
        ({"address": "no-domain"}, "expected something like"),
        ({"address": "two words@example.org"}, "expected something like"),
        ({"address": "a@b@example.org"}, "expected something like"),
        ({"address": "<ben@example.org>"}, "expected something like"),
        ({"address": "ben@example.org\n"}, "expected something like"),
        ({"address": "b" * 250 + "@example.org"}, "expected something like"),
        ({"capacity": 2}, "only for equipment"),
        ({"resource_type": "room", "capacity": 2}, "only for equipment"),
        ({"resource_type": "room", "capacity": 1}, "only for equipment"),
        ({"resource_type": "equipment", "capacity": 0}, "1 or more"),
        ({"resource_type": "hall"}, "room or equipment"),
        ({"enable": ["imap"], "disable": ["IMAP"]}, "both"),
        ({"enable": ["fax"]}, "unknown feature fax"),
        ({"remove_aliases": ["x@example.org"]}, "none such"),
    ],
)
def test_a_refusal_changes_nothing(
    database: Database, values: Mapping[str, Any], says: str
) -> None:
    create(database, "anna", add_aliases=["berg@example.org", "room@bücher.example"])
    before = rows(database)
    with pytest.raises(UsageError, match=says):
        create(database, "ben", **values)
    assert rows(database) == before
    ben = create(database, "ben")
    before = rows(database)
    with pytest.raises(UsageError, match=says):
        change(database, ben, fullname="Ben", **values)
    assert rows(database) == before


@pytest.mark.parametrize("name", ["", " anna", "anna\n", "a/b", "-" + "x" * 64, "<script>"])
def test_bad_names(database: Database, name: str) -> None:
    with pytest.raises(UsageError, match="user name"):
        create(database, name, address="x@example.org")


def test_a_name_is_given_once(database: Database) -> None:
    anna = create(database, "anna")
    create(database, "ben")
    with pytest.raises(UsageError, match="exists already"):
        create(database, "anna", address="other@example.org")
    with pytest.raises(UsageError, match="exists already"):
        change(database, anna, name="ben")


def test_renaming(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna")
    renamed = change(database, anna, name="annika")
    assert (renamed.external_id, renamed.address) == (anna.external_id, "anna@example.org")
    assert users.by_name("anna") is None
    assert change(database, renamed, name="annika") == renamed


def test_a_new_address_frees_the_old_one(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna")
    assert change(database, anna, address="Anna@example.org").address == "Anna@example.org"
    assert change(database, anna, address="berg@example.org").addresses == ("berg@example.org",)
    assert users.by_address("anna@example.org") is None
    assert create(database, "ben", address="anna@example.org").address == "anna@example.org"


def test_aliases_come_and_go(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna")
    changed = change(database, anna, add_aliases=["b@example.org", "a@example.org"])
    assert changed.addresses == ("anna@example.org", "a@example.org", "b@example.org")
    assert change(database, anna, remove_aliases=["A@EXAMPLE.org"]).aliases == ("b@example.org",)
    with pytest.raises(UsageError, match="none such"):
        change(database, anna, remove_aliases=["anna@example.org"])


def test_an_alias_can_become_the_address_in_one_call(database: Database) -> None:
    anna = create(database, "anna", add_aliases=["berg@example.org"])
    swapped = change(
        database,
        anna,
        remove_aliases=["berg@example.org"],
        address="berg@example.org",
        add_aliases=["anna@example.org"],
    )
    assert swapped.addresses == ("berg@example.org", "anna@example.org")


def test_passwords(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna", password="blue-heron-4")
    create(database, "ben")
    found = users.authenticate("anna", "blue-heron-4")
    assert found == anna
    for name, password in [
        ("anna", "blue-heron-5"),
        ("anna", ""),
        ("Anna", "blue-heron-4"),
        ("ben", ""),  # has no password: cannot log in at all
        ("carl", "x"),
    ]:
        assert users.authenticate(name, password) is None
    change(database, anna, active=False)
    assert users.authenticate("anna", "blue-heron-4") is None
    change(database, anna, active=True, password="tall-ladder-9")
    assert users.authenticate("anna", "tall-ladder-9")


def test_a_password_is_kept_as_argon2_with_its_own_salt(database: Database) -> None:
    create(database, "anna", password="same")
    create(database, "ben", password="same")
    with database.read() as connection:
        stored = list(connection.execute(select(account.c.password)).scalars())
    assert all(one.startswith("$argon2id$") for one in stored)
    assert stored[0] != stored[1]


def test_capacity_follows_the_kind(database: Database) -> None:
    beamers = create(database, "beamers", resource_type="equipment", capacity=5)
    assert beamers.places == 5
    assert change(database, beamers, fullname="Beamers").places == 5
    assert change(database, beamers, capacity=2).places == 2
    assert change(database, beamers, resource_type="room").places == 1
    assert change(database, beamers, resource_type="equipment").places == 1


def test_features_are_set_one_by_one(database: Database) -> None:
    anna = create(database, "anna", enable=["imap"], disable=["mobile"])
    assert change(database, anna, disable=["pop3"]).disabled_features == {"mobile", "pop3"}
    turned = change(database, anna, enable=["Mobile"], disable=["imap"])
    assert turned.enabled_features == {"mobile"}
    assert turned.disabled_features == {"imap", "pop3"}


def test_deletion_frees_name_and_addresses_and_orphans_the_store(
    database: Database, users: DbUserStore
) -> None:
    anna = create(database, "anna", add_aliases=["berg@example.org"])
    with database.write() as connection:
        store_id = create_mailbox(connection, anna.external_id, "anna")
    with database.write() as connection:
        delete_account(connection, anna.external_id)
        orphan_mailbox(connection, anna.external_id)
    assert users.by_name("anna") is users.by_address("berg@example.org") is None
    with database.read() as connection:
        assert external_id_of(connection, store_id) is None
    create(database, "ben", address="berg@example.org")


def test_every_change_is_announced(database: Database) -> None:
    versions = []

    def note() -> None:
        with database.read() as connection:
            versions.append(directory_version(connection))

    note()
    anna = create(database, "anna")
    note()
    change(database, anna, fullname="Anna")
    note()
    with database.write() as connection:
        delete_account(connection, anna.external_id)
    note()
    assert versions == sorted(set(versions))


def test_a_user_that_is_gone_cannot_be_changed(database: Database) -> None:
    anna = create(database, "anna")
    with database.write() as connection:
        delete_account(connection, anna.external_id)
    with pytest.raises(UsageError, match="no such user"):
        change(database, anna, fullname="x")


@pytest.mark.parametrize(
    ("external_id", "row"), [("db:7", 7), ("ldap:7", -1), ("db:", -1), ("db:-7", -1), ("7", -1)]
)
def test_external_ids_of_other_plugins_are_nobody(external_id: str, row: int) -> None:
    assert account_id(external_id) == row
