"""From an address to its recipients, and a cache that is never stale."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mailcore.errors import (
    AmbiguousRecipientError,
    NoSuchRecipientError,
    RecipientRefusedError,
    TemporaryError,
)
from mailcore.settings import Settings, UserStoreSettings
from store.engine import Database
from store.mailboxes import create_mailbox, orphan_mailbox, touch_directory, update_mailbox
from tests.userstore.memory_plugin import MemoryUserStore, new_id
from userstore import resolve
from userstore.db_edit import DbEditor
from userstore.everyone import WithEveryone
from userstore.model import Contact, Group, Quota, User
from userstore.plugins import open_plugin
from userstore.resolve import Directory, Recipient

MEGABYTE = 1024 * 1024
editor = DbEditor()


@pytest.fixture
def directory(database: Database) -> Iterator[Directory]:
    with closing(directory_on(database)) as opened:
        yield opened


def directory_on(database: Database, **settings: Any) -> Directory:
    chosen = UserStoreSettings(**settings)
    return Directory(open_plugin(Settings(userstore=chosen), database).users, database, chosen)


def change(database: Database, change: Callable[..., Any], *arguments: Any) -> Any:
    with database.write() as connection:
        return change(connection, *arguments)


def create(database: Database, name: str, **values: Any) -> User:
    with database.write() as connection:
        values = {"address": f"{name}@example.org", **values}
        user = editor.create_user(connection, name, values)
        create_mailbox(connection, user.external_id, name)
    return user


def create_group(database: Database, name: str, *members: User | Group) -> Group:
    with database.write() as connection:
        group = editor.create_group(connection, name, {"address": f"{name}@example.org"})
        for member in members:
            editor.add_member(connection, group.external_id, member.external_id)
    return group


def names(recipients: tuple[Recipient, ...] | None) -> list[str]:
    return [one.user.name for one in recipients or ()]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The queries that the block sends."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


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
    assert (recipient.detail, recipient.via, recipient.groups) == ("", "", frozenset())
    assert directory.recipients(address) == (recipient,)
    assert directory.by_store(recipient.mailbox.id).user == user
    assert directory.by_store(recipient.mailbox.id).address == "anna@example.org"
    assert directory.by_user(user) == directory.by_store(recipient.mailbox.id)


@pytest.mark.parametrize("address", ["nobody", "nobody@example.org", "anna@example.com", ""])
def test_nobody(database: Database, directory: Directory, address: str) -> None:
    create(database, "anna")
    with pytest.raises(NoSuchRecipientError):
        directory.resolve(address)


def test_the_detail_is_kept_as_written(database: Database, directory: Directory) -> None:
    create(database, "anna")
    recipient = directory.resolve("Anna+Lists.Ruby@example.org")
    assert (recipient.address, recipient.detail) == ("Anna+Lists.Ruby@example.org", "Lists.Ruby")
    assert directory.resolve("anna+lists.ruby@example.org").detail == "lists.ruby"


def test_the_delimiter_can_change_while_running(database: Database, directory: Directory) -> None:
    create(database, "anna")
    assert directory.resolve("anna+x@example.org").detail == "x"
    directory.adopt(UserStoreSettings(recipient_delimiter="-"))
    assert directory.resolve("anna-x@example.org").detail == "x"
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna+x@example.org")


@pytest.mark.parametrize(
    ("values", "imap"), [({}, False), ({"enable": ["imap"]}, True), ({"disable": ["imap"]}, False)]
)
def test_the_imap_feature(
    database: Database, directory: Directory, values: dict[str, Any], imap: bool
) -> None:
    create(database, "anna", **values)
    assert directory.resolve("anna").imap is imap


def test_the_quota_that_counts(database: Database, directory: Directory) -> None:
    create(database, "anna")
    create(database, "ben", quota=Quota(hard=7))
    create(database, "carl", quota=Quota())
    assert directory.resolve("anna").quota == Quota(0, 0, 0)
    directory.adopt(UserStoreSettings(quota_warn=1, quota_soft=2, quota_hard=3))
    assert directory.resolve("anna").quota == Quota(MEGABYTE, 2 * MEGABYTE, 3 * MEGABYTE)
    assert directory.resolve("ben").quota == Quota(hard=7)
    assert directory.resolve("carl").quota == Quota(0, 0, 0)


def test_the_groups_around_a_user(database: Database, directory: Directory) -> None:
    anna = create(database, "anna")
    inner = create_group(database, "Inner", anna)
    create_group(database, "outer", inner)
    change(database, editor.update_group, inner.external_id, {"add_aliases": ["I@example.org"]})
    assert directory.resolve("anna").groups == {
        "inner@example.org",
        "i@example.org",
        "outer@example.org",
    }


def test_a_group_is_its_members(database: Database, directory: Directory) -> None:
    anna, ben, carl = (create(database, name) for name in ("anna", "ben", "carl"))
    change(database, editor.update_user, carl.external_id, {"add_aliases": ["c@example.org"]})
    inner = create_group(database, "inner", anna, carl)
    outer = create_group(database, "outer", ben, anna, inner)
    change(database, editor.add_member, inner.external_id, outer.external_id)
    recipients = directory.recipients("Outer+x@example.org")
    assert names(recipients) == ["anna", "ben", "carl"]
    assert [one.address for one in recipients] == [
        "anna@example.org",
        "ben@example.org",
        "carl@example.org",
    ]
    for one in recipients:
        assert (one.via, one.detail) == ("Outer+x@example.org", "")
        assert one.groups == {"inner@example.org", "outer@example.org"}
    assert names(directory.recipients("inner")) == ["anna", "carl", "ben"]
    with pytest.raises(NoSuchRecipientError, match=r"outer@example\.org is a group") as refused:
        directory.resolve("outer@example.org")
    assert str(refused.value.reply) == "550 5.1.1 a group, not a user"


def test_a_group_of_one_is_a_group(database: Database, directory: Directory) -> None:
    create_group(database, "sales", create(database, "anna"))
    assert names(directory.recipients("sales")) == ["anna"]
    with pytest.raises(NoSuchRecipientError, match="is a group"):
        directory.resolve("sales")


def test_a_large_group_costs_no_more_queries_than_a_small_one(
    database: Database, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [create(database, f"u{number}") for number in range(6)]
    create_group(database, "two", *members[:2])
    create_group(database, "six", *members)

    def cost(address: str) -> int:
        change(database, touch_directory)
        with statements(database) as sent:
            directory.recipients(address)
        return len(sent)

    assert cost("six@example.org") == cost("two@example.org")
    monkeypatch.setattr(resolve, "_CHUNK", 4)
    assert cost("six@example.org") > cost("two@example.org")
    assert names(directory.recipients("six")) == [one.name for one in members]


def test_a_group_without_members(database: Database, directory: Directory) -> None:
    inner = create_group(database, "inner")
    create_group(database, "outer", inner)
    for address in ("inner@example.org", "outer"):
        with pytest.raises(NoSuchRecipientError) as refused:
            directory.recipients(address)
        assert str(refused.value.reply) == "550 5.1.1 the group has no members"


def test_members_without_a_mailbox_are_left_out(
    database: Database, directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    anna = create(database, "anna")
    new = change(database, editor.create_user, "new", {"address": "new@example.org"})
    create_group(database, "sales", anna, new)
    create_group(database, "fresh", new)
    with caplog.at_level(logging.WARNING):
        assert names(directory.recipients("sales")) == ["anna"]
    assert caplog.messages == ["group sales: new has no mailbox yet"]
    with pytest.raises(TemporaryError, match="nobody in group fresh has a mailbox yet"):
        directory.recipients("fresh")


def test_a_user_without_a_mailbox_is_our_own_trouble(
    database: Database, directory: Directory
) -> None:
    change(database, editor.create_user, "anna", {"address": "anna@example.org"})
    with pytest.raises(TemporaryError, match="no mailbox yet"):
        directory.resolve("anna@example.org")


def test_a_mailbox_without_an_owner(database: Database, directory: Directory) -> None:
    user = create(database, "anna")
    store_id = directory.resolve("anna").mailbox.id
    change(database, orphan_mailbox, user.external_id)
    for number in (store_id, store_id + 1):
        with pytest.raises(NoSuchRecipientError):
            directory.by_store(number)


def test_the_cache_sees_every_change(database: Database, directory: Directory) -> None:
    user = create(database, "anna")
    assert not directory.resolve("anna").mailbox.mr_accept
    change(database, update_mailbox, directory.resolve("anna").mailbox.id, {"mr_accept": True})
    assert directory.resolve("anna").mailbox.mr_accept
    changed = {"enable": ["imap"], "name": "annika"}
    change(database, editor.update_user, user.external_id, changed)
    assert directory.resolve("anna@example.org").imap
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna")
    change(database, orphan_mailbox, user.external_id)
    change(database, editor.delete_user, user.external_id)
    with pytest.raises(NoSuchRecipientError):
        directory.resolve("anna@example.org")


def test_every_change_by_the_editor_reaches_a_directory_elsewhere(
    database: Database, directory: Directory
) -> None:
    """Another process has a database and a directory of its own, and shares only the rows."""
    with closing(Database(database.url.render_as_string(hide_password=False))) as elsewhere:
        with pytest.raises(NoSuchRecipientError):
            directory.resolve("anna")
        anna, ben = create(elsewhere, "anna"), create(elsewhere, "ben")
        assert directory.resolve("anna").user == anna
        sales = create_group(elsewhere, "sales", anna)
        assert names(directory.recipients("sales")) == ["anna"]
        assert directory.resolve("anna").groups == {"sales@example.org"}
        change(elsewhere, editor.add_member, sales.external_id, ben.external_id)
        assert names(directory.recipients("sales")) == ["anna", "ben"]
        change(elsewhere, editor.remove_member, sales.external_id, anna.external_id)
        assert names(directory.recipients("sales")) == ["ben"]
        assert directory.resolve("anna").groups == frozenset()
        change(elsewhere, editor.update_group, sales.external_id, {"address": ""})
        assert directory.resolve("ben").groups == frozenset()
        change(elsewhere, editor.delete_group, sales.external_id)
        with pytest.raises(NoSuchRecipientError):
            directory.recipients("sales")


def test_the_answer_is_known_until_something_changes(
    database: Database, directory: Directory
) -> None:
    create_group(database, "sales", create(database, "anna"))
    assert directory.known("sales") is None
    found = directory.recipients("sales")
    assert directory.known("sales") == (found if database.embedded else None)
    change(database, touch_directory)
    assert directory.known("sales") is None


def test_a_known_recipient_costs_one_look_at_the_version(
    database: Database, directory: Directory
) -> None:
    create(database, "anna")
    directory.resolve("anna@example.org")
    with statements(database) as sent:
        directory.resolve("anna@example.org")
    (only,) = sent
    assert "counter" in only


def test_the_cache_has_a_limit_and_forgets_the_oldest(
    database: Database, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "_LARGEST_CACHE", 3)
    anna, ben = create(database, "anna"), create(database, "ben")
    create_group(database, "both", anna, ben)
    create_group(database, "all", anna, ben, create(database, "carl"), create(database, "dora"))

    def cached(address: str) -> bool:
        with statements(database) as sent:
            directory.recipients(address)
        return len(sent) == 1

    assert [cached(one) for one in ("anna", "both", "anna", "both")] == [False, False, True, True]
    assert not cached("ben")  # and anna is forgotten
    assert cached("both")
    assert not cached("all")  # is never kept
    assert not cached("all")
    assert [cached("both"), cached("ben"), cached("anna")] == [True, True, False]


def test_an_answer_from_before_a_change_is_not_kept(
    database: Database, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change comes between the look-up and its end: the answer is given, and asked for anew."""
    user = create(database, "anna")
    look_up = resolve.find

    def slow(*arguments: Any) -> Any:
        found = look_up(*arguments)
        monkeypatch.setattr(resolve, "find", look_up)
        change(database, editor.update_user, user.external_id, {"fullname": "New"})
        directory.recipients("anna@example.org")  # another thread's
        return found

    monkeypatch.setattr(resolve, "find", slow)
    assert directory.resolve("anna").user.fullname == ""
    assert directory.resolve("anna").user.fullname == "New"


def test_an_unreachable_database_is_not_nobody(tmp_path: Path) -> None:
    with (
        closing(Database(f"sqlite:///{tmp_path / 'empty.db'}")) as database,
        closing(directory_on(database)) as directory,
        pytest.raises(TemporaryError),
    ):
        directory.resolve("anna")


class Away(MemoryUserStore):
    """A directory server that does not answer."""

    def by_address(self, address: str) -> Any:
        raise TemporaryError("the directory server is away")

    by_name = members = by_address  # type: ignore[assignment]


@pytest.mark.parametrize("address", ["anna", "anna@example.org", "nobody@example.org"])
def test_a_plugin_that_is_away_is_not_nobody(database: Database, address: str) -> None:
    with (
        closing(Directory(WithEveryone(Away()), database, UserStoreSettings())) as directory,
        pytest.raises(TemporaryError, match="is away"),
    ):
        directory.recipients(address)


def test_any_plugin_will_do(database: Database) -> None:
    """Ids, contacts and shared addresses as LDAP has them, with mailboxes in our database."""
    anna = User(new_id(), "anna", "Anna Berg", "anna@example.org", ("both@example.org",))
    ben = replace(anna, external_id=new_id(), name="ben", address="ben@example.org")
    sales = Group(new_id(), "sales", "sales@example.org")
    away = Contact(new_id(), "away", "Away", "away@example.net")
    plugin = MemoryUserStore([anna, ben, sales, away])
    plugin.put(sales, anna, ben)
    with database.write() as connection:
        for user in (anna, ben):
            create_mailbox(connection, user.external_id, user.name)
    with closing(Directory(WithEveryone(plugin), database, UserStoreSettings())) as directory:
        found = directory.resolve("anna+x@example.org")
        assert (found.user, found.detail, found.groups) == (anna, "x", {"sales@example.org"})
        assert directory.by_store(found.mailbox.id).user == anna
        assert names(directory.recipients("sales@example.org")) == ["anna", "ben"]
        with pytest.raises(AmbiguousRecipientError):
            directory.recipients("both@example.org")
        for nobody in ("away@example.net", "everyone"):
            with pytest.raises(RecipientRefusedError) as refused:
                directory.recipients(nobody)
            assert refused.value.reply.code == 550
