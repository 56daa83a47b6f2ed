"""Who may open what of somebody else's, by groups and as an administrator, and the line that tells of it."""

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from mailcore.audit import AUDIT
from mailcore.settings import Settings
from store.engine import Database
from store.folders import add_path
from store.mailboxes import create_mailbox, orphan_mailbox
from store.public import create_public_store
from store.rights import Right, grant
from userstore.access import accessor_of, may
from userstore.db_edit import DbEditor
from userstore.everyone import everyone_of
from userstore.model import User
from userstore.plugins import open_plugin

editor = DbEditor()


@dataclass
class House:
    """Users with mailboxes, in companies or none."""

    database: Database

    def __post_init__(self) -> None:
        self.users = open_plugin(Settings(), self.database).users
        self.stores: dict[str, int] = {}

    def company(self, name: str) -> None:
        with self.database.write() as connection:
            made = editor.create_company(connection, name)
            self.stores[name] = create_public_store(connection, made.external_id, name)

    def user(self, name: str, company: str = "", **values: Any) -> User:
        values = {"address": f"{name}@example.org", **values}
        with self.database.write() as connection:
            made = editor.create_user(connection, name, values, company)
            everyone = next(g for g in self.users.groups_of(made) if g.name == "Everyone")
            self.stores[name] = create_mailbox(
                connection, made.external_id, name, everyone.external_id
            )
        return made

    def group(self, name: str, *members: str, **values: Any) -> str:
        with self.database.write() as connection:
            made = editor.create_group(connection, name, values)
            for member in members:
                editor.add_member(connection, made.external_id, member)
        return made.external_id

    def grant(self, owner: str, subject: str, rights: Right) -> None:
        with self.database.write() as connection:
            grant(connection, self.stores[owner], subject, rights)

    def may(self, user: User, owner: str, right: Right = Right.READ) -> bool:
        return may(self.database, self.users, user, self.stores[owner], right)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_rights_come_with_security_groups(house: House) -> None:
    anna, ben, cara = (house.user(name) for name in ("anna", "ben", "cara"))
    sales = house.group("sales", ben.external_id)
    around = house.group("around", sales)
    news = house.group("news", cara.external_id, ben.external_id, security=False)
    assert accessor_of(house.users, ben).subjects == {ben.external_id, sales, around, "everyone"}
    house.grant("anna", around, Right.READ | Right.CREATE)
    house.grant("anna", news, Right.EDIT)
    assert [house.may(one, "anna") for one in (anna, ben, cara)] == [True, True, False]
    assert not house.may(ben, "anna", Right.EDIT)
    assert house.may(ben, "anna", Right.READ | Right.CREATE)
    assert not house.may(ben, "anna", Right.READ | Right.DELETE)  # all of them are needed


@pytest.mark.parametrize("companies", [False, True])
def test_administrators(house: House, companies: bool) -> None:
    if companies:
        house.company("acme")
        house.company("globex")
    acme, globex = ("acme", "globex") if companies else ("", "")
    root = house.user("root", admin_level=2)
    ours = house.user("ours", acme, admin_level=1)
    theirs = house.user("theirs", globex, admin_level=1)
    house.user("anna", acme)
    everybody = (root, ours, theirs)
    assert [house.may(one, "anna", Right.OWNER) for one in everybody] == [
        True,
        True,
        not companies,
    ]
    if companies:
        public = [house.may(one, "acme", Right.OWNER) for one in everybody]
        assert public == [True, True, False]
        assert [house.may(one, "root", Right.READ) for one in everybody] == [True, False, False]


def test_a_store_without_an_owner_is_in_no_company(house: House) -> None:
    house.company("acme")
    ours = house.user("ours", "acme", admin_level=1)
    anna = house.user("anna", "acme")
    assert house.may(ours, "anna")
    with house.database.write() as connection:
        orphan_mailbox(connection, anna.external_id)
    assert not house.may(ours, "anna")


def test_everyone_is_who_is_in_the_company(house: House) -> None:
    house.company("acme")
    house.company("globex")
    inside, outside = house.user("inside", "acme"), house.user("outside", "globex")
    assert house.may(inside, "acme", Right.CREATE)
    assert not house.may(outside, "acme", Right.CREATE)
    assert not house.may(inside, "acme", Right.OWNER)
    assert everyone_of().external_id not in accessor_of(house.users, inside).subjects


def test_what_is_told_of_it(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    anna, ben = house.user("anna"), house.user("ben")
    store_id = house.stores["anna"]
    house.grant("anna", ben.external_id, Right.VISIBLE)
    with house.database.write() as connection:
        lists = add_path(connection, store_id, "Lists")
    assert house.may(anna, "anna")  # one's own: not a word
    assert house.may(ben, "anna", Right.VISIBLE)
    assert not may(
        house.database, house.users, ben, store_id, Right.READ | Right.DELETE, folder_id=lists
    )
    assert [record.getMessage() for record in caplog.records if record.name == AUDIT] == [
        f"access allowed objectid={store_id} type=3 ownername='anna' username='ben' rights='view'",
        f"access denied objectid={lists} type=5 ownername='anna' username='ben'"
        " rights='read, delete'",
    ]


def test_nobody_forges_a_line(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    ben = house.user("ben")
    name = "x'\naccess allowed objectid=1 type=3 ownername='y"
    with house.database.write() as connection:
        house.stores["hostile"] = create_mailbox(connection, "test:hostile", name)
    assert not house.may(ben, "hostile")
    (line,) = [record.getMessage() for record in caplog.records if record.name == AUDIT]
    assert "\n" not in line
    assert line.startswith("access denied ")
    assert line.count("'") - line.count("\\'") == 6
