"""The db plugin: accounts, their addresses, passwords and features."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete, event, select

from mailcore.errors import UsageError
from store.engine import Database
from store.mailboxes import create_mailbox, external_id_of, orphan_mailbox
from store.schema import account, mail_address
from tests.support.databases import wait_for_a_waiting_lock
from userstore import db, passwords
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.db_rows import USER, row_id
from userstore.model import User

editor = DbEditor()


@pytest.fixture
def users(database: Database) -> DbUserStore:
    return DbUserStore(database)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with hardly any work."""
    quick = PasswordHasher(1, 8, 1)
    nobodys = quick.hash("nobody's")
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_nobodys", lambda: nobodys)


def create(database: Database, name: str, **values: Any) -> User:
    with database.write() as connection:
        return editor.create_user(connection, name, {"address": f"{name}@example.org", **values})


def change(database: Database, user: User, **values: Any) -> User:
    with database.write() as connection:
        return editor.update_user(connection, user.external_id, values)


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
    assert users.by_name("anna") == [made]
    assert users.by_external_id(made.external_id) == made
    assert list(users.users()) == [made]


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
    assert users.by_address(spelling) == [made]


@pytest.mark.parametrize("spelling", ["ben@example.org", "anna", "anna@example", ""])
def test_another_address_is_not_found(
    database: Database, users: DbUserStore, spelling: str
) -> None:
    create(database, "anna")
    assert users.by_address(spelling) == []


def test_names_differ_by_case_and_are_found_without(database: Database, users: DbUserStore) -> None:
    create(database, "anna")
    create(database, "Anna", address="other@example.org")
    assert [one.name for one in users.by_name("ANNA")] == ["anna", "Anna"]


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
    assert users.by_name("anna") == []
    assert change(database, renamed, name="annika") == renamed


def test_a_new_address_frees_the_old_one(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna")
    assert change(database, anna, address="Anna@example.org").address == "Anna@example.org"
    assert change(database, anna, address="berg@example.org").addresses == ("berg@example.org",)
    assert users.by_address("anna@example.org") == []
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


@pytest.mark.usefixtures("quick_passwords")
def test_passwords(database: Database, users: DbUserStore) -> None:
    anna = create(database, "anna", password="blue-heron-4")
    create(database, "ben")
    assert users.authenticate("anna", "blue-heron-4") == anna
    for name, password in [
        ("anna", "blue-heron-5"),
        ("anna", ""),
        ("anna", "\udce9"),
        ("Anna", "blue-heron-4"),
        ("anna@", "blue-heron-4"),
        ("anna@example.org", "blue-heron-4"),
        ("ben", ""),  # has no password: cannot log in at all
        ("ben", "nobody's"),
        ("carl", "x"),
        ("", "x"),
    ]:
        assert users.authenticate(name, password) is None
    change(database, anna, active=False)
    assert users.authenticate("anna", "blue-heron-4") is None
    change(database, anna, active=True, password="tall-ladder-9")
    assert users.authenticate("anna", "tall-ladder-9")
    with pytest.raises(UsageError, match="expected text"):
        change(database, anna, password="\udce9")


@pytest.mark.usefixtures("quick_passwords")
def test_login_names_of_companies(database: Database, users: DbUserStore) -> None:
    with database.write() as connection:
        for company in ("acme", "Globex"):
            editor.create_company(connection, company)
        for name, company in (("john", ""), ("john", "acme"), ("jane", "acme"), ("jane", "Globex")):
            values = {"password": f"{name} of {company}"}
            editor.create_user(connection, name, values, company)
        editor.create_user(connection, "jane@acme", {"password": "another"})
        editor.create_user(connection, "mary", {"password": "mary of acme"}, "acme")
    for name, password, company in [
        ("john", "john of ", ""),
        ("john@acme", "john of acme", "acme"),
        ("john@ACME", "john of acme", "acme"),
        ("jane@globex", "jane of Globex", "Globex"),
        ("jane@acme", "another", ""),  # a name of exactly that spelling goes first
        ("mary", "mary of acme", "acme"),
        ("mary@acme", "mary of acme", "acme"),
    ]:
        found = users.authenticate(name, password)
        assert found is not None
        assert found.company == company
    for name, password in [
        ("john", "john of acme"),
        ("jane", "jane of acme"),  # nobody can tell which of them
        ("jane@acme", "jane of acme"),
        ("John@acme", "john of acme"),
        ("john@initech", "john of acme"),
    ]:
        assert users.authenticate(name, password) is None


def test_every_refusal_costs_one_verification(
    database: Database, users: DbUserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time must not tell who exists, and argon2 takes nearly all of it."""
    create(database, "anna", password="blue-heron-4")
    create(database, "ben")
    create(database, "carl", password="blue-heron-4", active=False)
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for name in ("anna", "gone", "ben", "carl"):
        assert users.authenticate(name, "wrong") is None
    assert len(verified) == 4
    assert len({tuple(stored.split("$")[:4]) for stored in verified}) == 1  # the same costs


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
        editor.delete_user(connection, anna.external_id)
        orphan_mailbox(connection, anna.external_id)
    assert users.by_name("anna") == users.by_address("berg@example.org") == []
    with database.read() as connection:
        assert external_id_of(connection, store_id) is None
    create(database, "ben", address="berg@example.org")


def test_a_user_that_is_gone_cannot_be_changed(database: Database) -> None:
    anna = create(database, "anna")
    with database.write() as connection:
        editor.delete_user(connection, anna.external_id)
    with pytest.raises(UsageError, match="no such user"):
        change(database, anna, fullname="x")


@pytest.mark.parametrize(
    ("external_id", "row"),
    [
        ("db:7", 7),
        ("ldap:7", -1),
        ("dbgroup:7", -1),
        ("db:", -1),
        ("db:-7", -1),
        ("db:\u0667", -1),
        (f"db:{10**18}", -1),
        ("7", -1),
    ],
)
def test_external_ids_of_other_plugins_are_nobody(external_id: str, row: int) -> None:
    assert row_id(external_id, USER) == row


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_everyone_is_listed_once_whatever_the_chunks(
    database: Database, users: DbUserStore, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_CHUNK", 3)
    names = ["anna", "Anna", "ANNA", "ben", "Carl", "dora", "Änne"][:count]
    for number, name in enumerate(reversed(names)):
        create(database, name, address=f"u{number}@example.org", add_aliases=[f"@d{number}"])
    listed = [one.name for one in users.users()]
    assert sorted(listed) == sorted(names)
    assert listed == sorted(listed, key=str.casefold) or "Änne" in names
    assert all(len(one.addresses) == 2 for one in users.users())


def test_a_list_is_read_as_it_is_needed(
    database: Database, users: DbUserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_CHUNK", 2)
    for name in ("anna", "ben", "carl", "dora", "emil"):
        create(database, name)
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        listed = users.users()
        assert next(listed).name == "anna"
        assert len(sent) <= 4  # SQLite's BEGIN counts
        with database.write() as connection:  # nothing is held open meanwhile
            connection.execute(delete(account).where(account.c.name.in_(["ben", "carl"])))
        assert [one.name for one in listed] == ["ben", "dora", "emil"]
        assert len(sent) < 16
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_lists_of_a_company(database: Database, users: DbUserStore) -> None:
    with database.write() as connection:
        editor.create_company(connection, "Acme")
        for name, company in (("anna", ""), ("john", "acme"), ("ben", "")):
            editor.create_user(connection, name, {}, company)
            editor.create_group(connection, f"{name}s", {}, company)
    for company, names in ((None, "anna ben john"), ("", "anna ben"), ("ACME", "john"), ("x", "")):
        assert [one.name for one in users.users(company)] == names.split()
        assert [one.name for one in users.groups(company)] == [f"{n}s" for n in names.split()]


def test_two_at_once_cannot_take_one_name(database: Database, users: DbUserStore) -> None:
    """A user and a group lie in two tables, so only the lock that each change takes first can tell."""
    refused: list[UsageError] = []

    def second() -> None:
        try:
            with database.write() as connection:
                editor.create_group(connection, "anna", {})
        except UsageError as error:
            refused.append(error)

    other = threading.Thread(target=second)
    with database.write() as connection:
        editor.create_user(connection, "anna", {})
        other.start()
        if not database.embedded:
            wait_for_a_waiting_lock(database)
    other.join()
    assert len(refused) == 1
    assert [type(one) for one in users.by_name("anna")] == [User]
