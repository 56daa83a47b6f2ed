"""Flags, copies, moves, deleting and bringing back: what a reader of the folders sees of each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from mailcore.errors import UsageError
from store.entries import (
    Restored,
    change_flags,
    copy_entries,
    delete_entries,
    move_entries,
    restore_entries,
)
from store.folders import add_folder, delete_folder
from store.listing import list_folder
from store.mailboxes import Mailbox
from store.plan import ANSWERED, FLAGGED, SEEN
from store.schema import expunged, folder, mailbox_entry, message
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import NOW, RAW, TRACE, PostOffice
from tests.support.store_audit import wrong_sizes

SIZE = len(TRACE) + len(RAW)


@pytest.fixture
def mailbox(post_office: PostOffice) -> Mailbox:
    """A mailbox with three mails in its Inbox, UIDs 1 to 3."""
    made = post_office.mailbox()
    for _ in range(3):
        post_office.deliver(made)
    return made


@pytest.fixture
def inbox(mailbox: Mailbox) -> int:
    return mailbox.folders["Inbox"]


@pytest.fixture
def trash(mailbox: Mailbox) -> int:
    return mailbox.folders["Deleted Items"]


def uids(office: PostOffice, folder_id: int) -> list[int]:
    with office.database.read() as connection:
        return [mail.uid for mail in list_folder(connection, folder_id, "")]


def entry(office: PostOffice, folder_id: int, uid: int) -> dict[str, object]:
    where = (mailbox_entry.c.folder_id == folder_id, mailbox_entry.c.uid == uid)
    return dict(office.rows(mailbox_entry, *where)[0]._mapping)


def modseq(office: PostOffice, folder_id: int) -> int:
    return int(office.rows(folder, folder.c.id == folder_id)[0].highest_modseq)


def vanished(office: PostOffice, folder_id: int) -> dict[int, int]:
    rows = office.rows(expunged, expunged.c.folder_id == folder_id)
    return {row.uid: row.modseq for row in rows}


def test_flags_and_keywords(post_office: PostOffice, inbox: int) -> None:
    before = modseq(post_office, inbox)
    with post_office.database.write() as connection:
        change_flags(connection, inbox, [1, 2], add=SEEN | FLAGGED, add_keywords=["$Work", "x"])
        change_flags(
            connection, inbox, [2, 9], add=ANSWERED, remove=SEEN, remove_keywords=["$WORK"]
        )
        last = change_flags(connection, inbox, [1], add_keywords=["$work"])  # it has that
    one, two, three = (entry(post_office, inbox, uid) for uid in (1, 2, 3))
    assert (one["flags"], one["keywords"], one["modseq"]) == (SEEN | FLAGGED, "$Work x", before + 1)
    assert (two["flags"], two["keywords"], two["modseq"]) == (FLAGGED | ANSWERED, "x", before + 2)
    assert (three["flags"], three["keywords"]) == (0, "")
    assert modseq(post_office, inbox) == last == before + 2


@pytest.mark.parametrize("word", ["", "two words", "a\tb"])
def test_a_keyword_is_one_word(post_office: PostOffice, inbox: int, word: str) -> None:
    with (
        pytest.raises(UsageError, match="expected one word"),
        post_office.database.write() as connection,
    ):
        change_flags(connection, inbox, [1], add_keywords=[word])


def test_a_copy_shares_the_message(
    post_office: PostOffice, mailbox: Mailbox, inbox: int, trash: int
) -> None:
    messages = post_office.count(message)
    with post_office.database.write() as connection:
        change_flags(connection, inbox, [3], add=FLAGGED, add_keywords=["x"])
        assert copy_entries(connection, inbox, [3, 1, 77], trash) == {1: 1, 3: 2}
        assert copy_entries(connection, inbox, [3], inbox) == {3: 4}
        assert copy_entries(connection, inbox, [], trash) == {}
    assert post_office.count(message) == messages
    own = {"folder_id", "uid", "modseq"}
    for original, copy in (
        ((inbox, 1), (trash, 1)),
        ((inbox, 3), (trash, 2)),
        ((inbox, 3), (inbox, 4)),
    ):
        assert {k: v for k, v in entry(post_office, *original).items() if k not in own} == {
            k: v for k, v in entry(post_office, *copy).items() if k not in own
        }
    assert post_office.store(mailbox).size == 6 * SIZE
    assert entry(post_office, trash, 2)["modseq"] == modseq(post_office, trash)


def test_a_move_leaves_nothing_behind(
    post_office: PostOffice, mailbox: Mailbox, inbox: int, trash: int
) -> None:
    with post_office.database.write() as connection:
        assert move_entries(connection, inbox, [1, 3], trash) == {1: 1, 3: 2}
        assert restore_entries(connection, inbox, [1, 3]) == Restored(inbox, {})
        assert move_entries(connection, inbox, [1], trash) == {}
        with pytest.raises(UsageError, match="in it already"):
            move_entries(connection, inbox, [2], inbox)
    assert (uids(post_office, inbox), uids(post_office, trash)) == ([2], [1, 2])
    assert vanished(post_office, inbox) == dict.fromkeys([1, 3], modseq(post_office, inbox))
    assert post_office.read(mailbox, 2, "Deleted Items") == TRACE + RAW
    assert post_office.store(mailbox).size == 3 * SIZE


def test_between_mailboxes(post_office: PostOffice, mailbox: Mailbox, inbox: int) -> None:
    other = post_office.mailbox()
    target = other.folders["Inbox"]
    before = post_office.store(other).change_number
    with post_office.database.write() as connection:
        copy_entries(connection, inbox, [1], target)
        move_entries(connection, inbox, [2], target)
        with pytest.raises(UsageError, match="folder 1000000000 is gone"):
            copy_entries(connection, inbox, [1], 10**9)
    assert [post_office.store(one).size for one in (mailbox, other)] == [2 * SIZE, 2 * SIZE]
    assert post_office.store(other).change_number == before + 2
    assert not wrong_sizes(post_office, mailbox, other)


def test_deleting_is_expunging_and_can_be_undone(
    post_office: PostOffice, mailbox: Mailbox, inbox: int
) -> None:
    before = post_office.store(mailbox).change_number
    with post_office.database.write() as connection:
        assert delete_entries(connection, inbox, [3, 1, 9], NOW) == [1, 3]
        assert delete_entries(connection, inbox, [1], NOW) == []
    assert uids(post_office, inbox) == [2]
    assert vanished(post_office, inbox) == dict.fromkeys([1, 3], modseq(post_office, inbox))
    assert entry(post_office, inbox, 1)["deleted_at"] == NOW
    assert post_office.store(mailbox).size == SIZE
    assert post_office.store(mailbox).change_number == before + 1
    with post_office.database.write() as connection:
        deleted = [mail.uid for mail in list_folder(connection, inbox, "Inbox", deleted=True)]
        assert deleted == [1, 3]
        assert restore_entries(connection, inbox, [2, 3]) == Restored(inbox, {3: 4})
        assert restore_entries(connection, inbox, [3]) == Restored(inbox, {})
    assert uids(post_office, inbox) == [2, 4]
    assert 3 in vanished(post_office, inbox)
    assert post_office.read(mailbox, 4) == TRACE + RAW
    assert post_office.store(mailbox).size == 2 * SIZE


def test_what_was_in_a_deleted_folder_comes_back_to_the_inbox(
    post_office: PostOffice, mailbox: Mailbox, inbox: int
) -> None:
    with post_office.database.write() as connection:
        lists = add_folder(connection, mailbox.id, "Lists")
        copy_entries(connection, inbox, [1, 2], lists)
        delete_entries(connection, lists, [2], NOW)
        delete_folder(connection, lists, NOW + 1)
        assert restore_entries(connection, lists, [1, 2]) == Restored(inbox, {2: 4})
        with pytest.raises(UsageError, match="folder 1000000000 is gone"):
            restore_entries(connection, 10**9, [1])
    assert post_office.store(mailbox).size == 4 * SIZE
    assert not wrong_sizes(post_office, mailbox)


def test_nothing_happens_in_a_deleted_folder(
    post_office: PostOffice, mailbox: Mailbox, inbox: int
) -> None:
    with post_office.database.write() as connection:
        lists = add_folder(connection, mailbox.id, "Lists")
        copy_entries(connection, inbox, [1], lists)
        delete_folder(connection, lists, NOW)
    changes: list[Callable[[Connection], object]] = [
        lambda c: change_flags(c, lists, [1], add=SEEN),
        lambda c: copy_entries(c, lists, [1], inbox),
        lambda c: copy_entries(c, inbox, [1], lists),
        lambda c: move_entries(c, lists, [1], inbox),
        lambda c: move_entries(c, inbox, [1], lists),
        lambda c: delete_entries(c, lists, [1], NOW),
    ]
    for change in changes:
        with (
            pytest.raises(UsageError, match=f"folder {lists} is gone"),
            post_office.database.write() as connection,
        ):
            change(connection)


def test_more_mails_than_fit_into_one_statement(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    inbox, trash = mailbox.folders["Inbox"], mailbox.folders["Deleted Items"]
    post_office.deliver(mailbox)
    with post_office.database.write() as connection:
        for _ in range(11):
            count = len(copy_entries(connection, inbox, range(1, 10_000), inbox))
        assert count == 1024
        moved = move_entries(connection, inbox, range(1, 10_000), trash)
        assert list(moved.values()) == list(range(1, 2049))
        change_flags(connection, trash, moved.values(), add=SEEN)
        assert len(delete_entries(connection, trash, moved.values(), NOW)) == 2048
        restored = restore_entries(connection, trash, range(1, 10_000))
    assert list(restored.uids.values()) == list(range(2049, 4097))
    assert post_office.store(mailbox).size == 2048 * SIZE


def test_moves_in_both_directions_at_once(postgres_office: PostOffice) -> None:
    """Whatever direction, the folders are locked in one order: nobody waits in a circle."""
    office = postgres_office
    mailbox = office.mailbox()
    inbox, trash = mailbox.folders["Inbox"], mailbox.folders["Deleted Items"]
    for path in ("Inbox", "Deleted Items"):
        office.deliver(mailbox, paths=[path])

    def back() -> dict[int, int]:
        with office.database.write() as connection:
            return move_entries(connection, trash, [1], inbox)

    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            assert move_entries(connection, inbox, [1], trash) == {1: 2}
            other = pool.submit(back)
            wait_for_a_waiting_lock(office.database)
        assert other.result(30) == {1: 2}
    assert not wrong_sizes(office, mailbox)
