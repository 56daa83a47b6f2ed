"""The tree of folders: what may be made, renamed, moved and deleted, and what comes back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, select, update

from mailcore.errors import TemporaryError, UsageError
from store.folders import (
    PURGING,
    add_folder,
    add_path,
    delete_folder,
    list_deleted_folders,
    list_tree,
    move_folder,
    rename_folder,
    restore_folder,
)
from store.mailboxes import DEFAULT_FOLDERS, Mailbox, directory_version
from store.schema import folder, mailbox_store
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import NOW, PostOffice
from tests.support.store_audit import wrong_sizes

DEFAULTS = {name for name, _ in DEFAULT_FOLDERS}
PATHS = ("Projects", "Projects/2030", "Projects/2030/May", "Lists")


def own_paths(office: PostOffice, mailbox: Mailbox) -> set[str]:
    return set(office.reload(mailbox.id).folders) - DEFAULTS


@pytest.fixture
def mailbox(post_office: PostOffice) -> Mailbox:
    """A mailbox with a few folders of its owner's."""
    made = post_office.mailbox()
    with post_office.database.write() as connection:
        for path in PATHS:
            add_path(connection, made.id, path)
    return post_office.reload(made.id)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "name is empty"),
        ("  ", "name is empty"),
        ("a/b", "'a/b': a name has no '/'"),
        ("a\nb", r"'a\\nb': .*no control characters"),
        ("a\x7fb", "no control characters"),
        ("a\u2028b", "no control characters"),
        ("a\ud800", "no control characters"),
        ("x" * 201, "at most 200 characters"),
        ("Inbox", "'Inbox': there is 'Inbox' already"),
        ("INBOX", "'INBOX': there is 'Inbox' already"),
    ],
)
def test_bad_names(post_office: PostOffice, mailbox: Mailbox, name: str, message: str) -> None:
    lists = mailbox.folders["Lists"]
    for change in (
        lambda c: add_folder(c, mailbox.id, name),
        lambda c: rename_folder(c, lists, name),
    ):
        with pytest.raises(UsageError, match=message), post_office.database.write() as connection:
            change(connection)
    assert own_paths(post_office, mailbox) == set(PATHS)


@pytest.mark.parametrize("name", ["x" * 200, "Ärger \u200d\U0001f600", "a.b", "%_", " x"])
def test_good_names(post_office: PostOffice, mailbox: Mailbox, name: str) -> None:
    with post_office.database.write() as connection:
        made = add_folder(connection, mailbox.id, name, mailbox.folders["Inbox"])
    assert post_office.reload(mailbox.id).folders[f"Inbox/{name}"] == made


def test_a_path_is_made_once_and_found_without_case(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    with post_office.database.write() as connection:
        made = add_path(connection, mailbox.id, "projects/2031/June")
        assert add_path(connection, mailbox.id, "Projects/2031/june") == made
        with pytest.raises(UsageError, match="name is empty"):
            add_path(connection, mailbox.id, "Projects//May")
    new = {"Projects/2031", "Projects/2031/June"}
    assert own_paths(post_office, mailbox) == {*PATHS, *new}


def test_a_parent_must_be_there_and_in_the_same_mailbox(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    strange = post_office.mailbox().folders["Inbox"]
    for parent in (strange, 10**9):
        with post_office.database.write() as connection:
            with pytest.raises(UsageError, match=f"'New': there is no folder {parent} here"):
                add_folder(connection, mailbox.id, "New", parent)
            with pytest.raises(UsageError, match=f"'Lists': there is no folder {parent} in its"):
                move_folder(connection, mailbox.folders["Lists"], parent)


def test_what_is_below_moves_too(post_office: PostOffice, mailbox: Mailbox) -> None:
    before = post_office.folder(mailbox, "Projects/2030")
    with post_office.database.write() as connection:
        move_folder(connection, before.id, mailbox.folders["Lists"])
        rename_folder(connection, before.id, "Year")
    paths = {"Projects", "Lists", "Lists/Year", "Lists/Year/May"}
    assert own_paths(post_office, mailbox) == paths
    after = post_office.folder(post_office.reload(mailbox.id), "Lists/Year")
    assert (after.id, after.uidvalidity) == (before.id, before.uidvalidity)
    with post_office.database.write() as connection:
        move_folder(connection, before.id, None)
    assert "Year/May" in own_paths(post_office, mailbox)


@pytest.mark.parametrize("into", ["Projects", "Projects/2030", "Projects/2030/May"])
def test_no_folder_goes_below_itself(post_office: PostOffice, mailbox: Mailbox, into: str) -> None:
    with (
        pytest.raises(UsageError, match="'Projects' cannot be moved into itself or below"),
        post_office.database.write() as connection,
    ):
        move_folder(connection, mailbox.folders["Projects"], mailbox.folders[into])


def test_two_moves_at_once_make_no_loop(postgres_office: PostOffice) -> None:
    office = postgres_office
    mailbox = office.mailbox()
    with office.database.write() as connection:
        one, two = (add_folder(connection, mailbox.id, name) for name in ("one", "two"))

    def other_way_round() -> None:
        with office.database.write() as connection:
            move_folder(connection, two, one)

    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            move_folder(connection, one, two)
            other = pool.submit(other_way_round)
            wait_for_a_waiting_lock(office.database)
        with pytest.raises(UsageError, match="'two' cannot be moved into itself"):
            other.result(30)
    assert own_paths(office, mailbox) == {"two", "two/one"}


@pytest.mark.parametrize("path", [name for name, _ in DEFAULT_FOLDERS])
def test_special_folders_stay(post_office: PostOffice, mailbox: Mailbox, path: str) -> None:
    folder_id = mailbox.folders[path]
    changes: list[Callable[[Connection], None]] = [
        lambda c: rename_folder(c, folder_id, "Other"),
        lambda c: move_folder(c, folder_id, mailbox.folders["Lists"]),
        lambda c: delete_folder(c, folder_id, NOW),
    ]
    for change in changes:
        with (
            pytest.raises(UsageError, match=f"'{path}' is one that every mailbox needs"),
            post_office.database.write() as connection,
        ):
            change(connection)


def test_every_change_is_seen_by_caches_and_readers(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    lists = mailbox.folders["Lists"]
    changes: list[Callable[[Connection], object]] = [
        lambda c: add_folder(c, mailbox.id, "New"),
        lambda c: add_path(c, mailbox.id, "New/Path"),
        lambda c: rename_folder(c, lists, "Old"),
        lambda c: move_folder(c, lists, mailbox.folders["Projects"]),
        lambda c: delete_folder(c, lists, NOW),
        lambda c: restore_folder(c, lists),
    ]
    for change in changes:
        number = post_office.store(mailbox).change_number
        with post_office.database.write() as connection:
            version = directory_version(connection)
            change(connection)
            assert directory_version(connection) > version
        assert post_office.store(mailbox).change_number > number


def test_a_deleted_folder_takes_its_mails_along_and_brings_them_back(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    deep = post_office.deliver(mailbox, paths=["Projects/2030/May"]).uids[0]
    post_office.deliver(mailbox)
    size = post_office.store(mailbox).size
    with post_office.database.write() as connection:
        delete_folder(connection, mailbox.folders["Projects"], NOW)
    assert own_paths(post_office, mailbox) == {"Lists"}
    assert post_office.store(mailbox).size == size / 2
    with post_office.database.write() as connection:
        with pytest.raises(UsageError, match="'2030' is deleted; restore it first"):
            rename_folder(connection, mailbox.folders["Projects/2030"], "x")
        (gone,) = list_deleted_folders(connection, mailbox.id)
        assert (gone.path, gone.deleted_at) == ("Projects", NOW)
        restore_folder(connection, gone.id)
    assert own_paths(post_office, mailbox) == set(PATHS)
    assert post_office.read(mailbox, deep, "Projects/2030/May")
    assert (post_office.store(mailbox).size, wrong_sizes(post_office, mailbox)) == (size, {})


def test_what_was_deleted_before_stays_deleted(post_office: PostOffice, mailbox: Mailbox) -> None:
    may = mailbox.folders["Projects/2030/May"]
    with post_office.database.write() as connection:
        delete_folder(connection, may, NOW)
        delete_folder(connection, mailbox.folders["Projects"], NOW + 1)
        gone = list_deleted_folders(connection, mailbox.id)
        assert [one.path for one in gone] == ["Projects", "Projects/2030/May"]
        restore_folder(connection, may)  # its parent is deleted
    assert own_paths(post_office, mailbox) == {"Lists", "May"}
    with post_office.database.write() as connection:
        restore_folder(connection, mailbox.folders["Projects"])
    assert own_paths(post_office, mailbox) == {"Lists", "May", "Projects", "Projects/2030"}


def test_what_does_not_come_back(post_office: PostOffice, mailbox: Mailbox) -> None:
    lists = mailbox.folders["Lists"]
    with post_office.database.write() as connection:
        with pytest.raises(UsageError, match="'Lists' is not deleted"):
            restore_folder(connection, lists)
        with pytest.raises(UsageError, match="there is no folder 1000000000"):
            restore_folder(connection, 10**9)
        delete_folder(connection, lists, NOW)
        again = add_folder(connection, mailbox.id, "lists")
        with pytest.raises(UsageError, match="'Lists': there is 'lists' already; rename one"):
            restore_folder(connection, lists)
        rename_folder(connection, again, "Other")
        connection.execute(update(folder).where(folder.c.id == lists).values(deleted_at=PURGING))
        with pytest.raises(UsageError, match="'Lists' is being purged"):
            restore_folder(connection, lists)
        assert list_deleted_folders(connection, mailbox.id) == []


def test_the_tree_is_listed_by_name_with_what_is_in_it(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    post_office.deliver(mailbox, paths=["Projects/2030"])
    with post_office.database.write() as connection:
        add_path(connection, mailbox.id, "Projects 2029")
        listed = list_tree(connection, mailbox.id)
    own = [(one.path, one.depth, one.mails) for one in listed if one.path.startswith("Proj")]
    assert own == [
        ("Projects", 0, 0),
        ("Projects/2030", 1, 1),
        ("Projects/2030/May", 2, 0),
        ("Projects 2029", 0, 0),
    ]
    assert sum(one.size for one in listed) == post_office.store(mailbox).size
    assert {one.special_use for one in listed} == {*mailbox.special, ""}


def test_no_mail_goes_into_a_deleted_folder(post_office: PostOffice, mailbox: Mailbox) -> None:
    """A plan that was made before: the sender keeps the mail, and the next plan knows better."""
    with post_office.database.write() as connection:
        delete_folder(connection, mailbox.folders["Lists"], NOW)
    with pytest.raises(TemporaryError, match="removed meanwhile"):
        post_office.deliver(mailbox, paths=["Lists"])
    assert not wrong_sizes(post_office, mailbox)


def test_no_mail_goes_into_a_removed_store(post_office: PostOffice, mailbox: Mailbox) -> None:
    with post_office.database.write() as connection:
        mine = mailbox_store.c.id == mailbox.id
        connection.execute(update(mailbox_store).where(mine).values(deleted_at=NOW))
    for file in (lambda: post_office.deliver(mailbox), lambda: post_office.queue(mailbox)):
        with pytest.raises(TemporaryError, match="a mailbox was removed meanwhile"):
            file()
    with post_office.database.read() as connection:
        query = select(folder.c.uidnext).where(folder.c.id == mailbox.folders["Inbox"])
        assert connection.execute(query).scalar_one() == 1
