"""A long random life of two mailboxes: the sizes stay right, every mail reads back, and nothing is left at the end."""

import base64
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mailcore.errors import UsageError
from store.entries import copy_entries, delete_entries, move_entries, restore_entries
from store.folders import (
    add_folder,
    delete_folder,
    list_deleted_folders,
    list_tree,
    move_folder,
    restore_folder,
)
from store.listing import read_mail
from store.mailboxes import Mailbox
from store.orphans import remove_store, unhook_store
from store.purge import purge
from store.schema import blob, folder, mailbox_entry, mailbox_store, message
from tests.support.mailboxes import NOW, TRACE, PostOffice, plan, submission
from tests.support.store_audit import leaks, wrong_sizes

LARGE = 600
STEPS = 100
DAY = 86_400.0
Place = tuple[int, int]  # folder, UID


class History:
    """Does something at random, and knows what every mailbox must hold after it."""

    def __init__(self, office: PostOffice, seed: int) -> None:
        self.office = office
        self.random = random.Random(seed)
        self.attachments = [self.random.randbytes(size) for size in (50, 400, 700, 2000)]
        self.mailboxes = [office.mailbox() for _ in range(2)]
        self.living: dict[Place, bytes] = {}
        self.deleted: dict[Place, bytes] = {}
        for _ in range(6):
            self.add_folder()
        self.now = NOW
        self.back = 0  # mails that came back with their folders

    def step(self) -> None:
        self.now += 1
        steps: list[Callable[[], None]] = [
            self.deliver,
            self.deliver,
            self.deliver,
            self.copy,
            self.copy,
            self.add_folder,
            self.restore_folder,
            self.move,
            self.delete,
            self.restore,
            self.add_folder,
            self.move_folder,
            self.delete_folder,
            self.delete_folder,
            self.restore_folder,
            self.purge,
        ]
        with suppress(UsageError):  # not everything is possible everywhere; then nothing changes
            self.random.choice(steps)()

    def mailbox(self) -> Mailbox:
        return self.office.reload(self.random.choice(self.mailboxes).id)

    def folder(self) -> int:
        return self.random.choice(list(self.mailbox().folders.values()))

    def some(self, places: dict[Place, bytes]) -> tuple[int, list[int]]:
        """A folder, and some of the UIDs in it."""
        folder_id = self.random.choice(sorted({place[0] for place in places} or {self.folder()}))
        uids = [uid for known, uid in places if known == folder_id]
        return folder_id, self.random.sample(uids, self.random.randint(0, len(uids)))

    def deliver(self) -> None:
        mailbox = self.mailbox()
        data = base64.encodebytes(self.random.choice(self.attachments)).replace(b"\n", b"\r\n")
        raw = (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%d\r\n--b\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n%s--b--\r\n" % (self.now, data)
        )
        paths = self.random.sample(sorted(mailbox.folders), 2)
        imap = self.random.random() < 0.3
        one = submission(raw, plan(mailbox, paths, imap=imap), imap=imap)
        uids = self.office.commit(one)[0][0].uids
        for path, uid in zip(paths, uids, strict=True):
            self.living[mailbox.folders[path], uid] = TRACE + raw

    def copy(self) -> None:
        folder_id, uids = self.some(self.living)
        target = self.folder()
        with self.office.database.write() as connection:
            copied = copy_entries(connection, folder_id, uids, target)
        for old, new in copied.items():
            self.living[target, new] = self.living[folder_id, old]

    def move(self) -> None:
        folder_id, uids = self.some(self.living)
        target = self.folder()
        with self.office.database.write() as connection:
            moved = move_entries(connection, folder_id, uids, target)
        for old, new in moved.items():
            self.living[target, new] = self.living.pop((folder_id, old))

    def delete(self) -> None:
        folder_id, uids = self.some(self.living)
        with self.office.database.write() as connection:
            gone = delete_entries(connection, folder_id, uids, self.now)
        assert gone == sorted(uids)
        for uid in gone:
            self.deleted[folder_id, uid] = self.living.pop((folder_id, uid))

    def restore(self) -> None:
        folder_id, uids = self.some(self.deleted)
        with self.office.database.write() as connection:
            back = restore_entries(connection, folder_id, uids)
        for old, new in back.uids.items():
            self.living[back.folder_id, new] = self.deleted.pop((folder_id, old))

    def add_folder(self) -> None:
        mailbox = self.mailbox()
        parent = self.random.choice([None, *mailbox.folders.values()])
        with self.office.database.write() as connection:
            add_folder(connection, mailbox.id, f"f{self.random.getrandbits(40)}", parent)

    def move_folder(self) -> None:
        mailbox, folder_id = self.own_folder()
        parent = self.random.choice([None, *mailbox.folders.values()])
        with self.office.database.write() as connection:
            move_folder(connection, folder_id, parent)

    def delete_folder(self) -> None:
        _, folder_id = self.own_folder()
        with self.office.database.write() as connection:
            delete_folder(connection, folder_id, self.now)

    def restore_folder(self) -> None:
        mailbox = self.mailbox()
        with self.office.database.write() as connection:
            gone = list_deleted_folders(connection, mailbox.id)
            if gone:
                restore_folder(connection, self.random.choice(gone).id)
        self.back += self.office.store(mailbox).size > mailbox.size

    def own_folder(self) -> tuple[Mailbox, int]:
        """A folder that may go, or the Inbox where there is none."""
        mailbox = self.mailbox()
        plain = set(mailbox.folders.values()) - set(mailbox.special.values())
        return mailbox, self.random.choice(sorted(plain) or [mailbox.folders["Inbox"]])

    def purge(self) -> None:
        self.purge_older(self.random.choice([0, 20, 40]))

    def purge_older(self, age: float) -> None:
        due = self.due(self.now - age)
        purge(self.office.database, self.office.blobs, age, self.now)
        for place in due:
            self.living.pop(place, None)
            self.deleted.pop(place, None)

    def due(self, cutoff: float) -> set[Place]:
        """What a purge of all that was deleted until then has to take."""
        hidden = folder.c.deleted_at <= cutoff
        folders = {row.id for row in self.office.rows(folder, hidden)}
        return {
            (row.folder_id, row.uid)
            for row in self.office.rows(mailbox_entry)
            if row.folder_id in folders or (row.deleted_at or self.now + 1) <= cutoff
        }

    def check(self) -> None:
        assert not wrong_sizes(self.office, *self.mailboxes)
        rows = self.office.rows(mailbox_entry)
        living = {(row.folder_id, row.uid) for row in rows if row.deleted_at is None}
        assert living == set(self.living)
        assert {(r.folder_id, r.uid) for r in rows if r.deleted_at is not None} == set(self.deleted)
        with self.office.database.read() as connection:
            for place, raw in self.living.items():
                assert read_mail(connection, self.office.blobs, *place) == raw
            for mailbox in self.mailboxes:
                tree = list_tree(connection, mailbox.id)
                assert sum(one.size for one in tree) == self.office.store(mailbox).size


@pytest.mark.parametrize("seed", range(2))
def test_a_random_life(clean_office: PostOffice, tmp_path: Path, seed: int) -> None:
    attachments = tmp_path / "attachments"
    office = PostOffice(clean_office.database, attachments, LARGE)
    history = History(office, seed)
    for step in range(STEPS):
        history.step()
        assert not wrong_sizes(office, *history.mailboxes), step
    history.check()
    assert history.back
    history.now = time.time() + 30 * 365 * DAY  # every file is old then
    history.purge_older(0)
    history.check()
    assert not leaks(office, attachments)
    for mailbox in history.mailboxes:
        with office.database.write() as connection:
            guid = unhook_store(connection, f"test:{mailbox.owner_name}")
            remove_store(connection, guid, history.now)
    gone = purge(office.database, office.blobs, 0, history.now)
    assert gone.stores == len(history.mailboxes)
    assert [office.count(table) for table in (mailbox_store, message, blob)] == [0, 0, 0]
    assert not leaks(office, attachments)
