"""Purging: what goes, when, in which order, and how fast."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, update

from mailcore.errors import TemporaryError, UsageError
from store.counters import raise_counter
from store.entries import copy_entries, delete_entries, restore_entries
from store.folders import PURGING, add_path, delete_folder, restore_folder
from store.mailboxes import Mailbox, create_mailbox
from store.orphans import hook_store, remove_store, unhook_store
from store.plan import NewJob, StorePlan
from store.purge import Purged, purge
from store.schema import (
    blob,
    booking,
    calendar,
    calendar_object,
    counter,
    expunged,
    folder,
    ledger,
    mailbox_entry,
    mailbox_store,
    message,
    metadata,
    occurrence,
)
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import NOW, RAW, TRACE, PostOffice, plan, submission

OTHER = RAW.replace(b"noon", b"one")
DAY = 86_400.0


def run(office: PostOffice, older_than: float = 0, now: float = NOW) -> Purged:
    return purge(office.database, office.blobs, older_than, now)


def delete_mails(office: PostOffice, mailbox: Mailbox, *uids: int, now: float = NOW) -> None:
    with office.database.write() as connection:
        delete_entries(connection, mailbox.folders["Inbox"], uids, now)


@pytest.fixture
def mailbox(clean_office: PostOffice) -> Mailbox:
    """A mailbox with two mails in its Inbox."""
    made = clean_office.mailbox()
    clean_office.deliver(made)
    clean_office.deliver(made, OTHER)
    return made


@pytest.mark.parametrize(("age", "goes"), [(0, True), (9.5, True), (10, True), (10.5, False)])
def test_only_what_is_old_goes(
    clean_office: PostOffice, mailbox: Mailbox, age: float, goes: bool
) -> None:
    delete_mails(clean_office, mailbox, 1, now=NOW - 10)
    gone = run(clean_office, age)
    assert (gone.entries, gone.messages, gone.octets > 0) == (goes, goes, goes)
    assert clean_office.count(message) == 2 - goes
    assert clean_office.read(mailbox, 2) == TRACE + OTHER
    assert run(clean_office, age) == Purged()


def test_what_is_shared_stays_for_the_others(clean_office: PostOffice, mailbox: Mailbox) -> None:
    with clean_office.database.write() as connection:
        inbox = mailbox.folders["Inbox"]
        copy_entries(connection, inbox, [1], mailbox.folders["Deleted Items"])
    delete_mails(clean_office, mailbox, 1)
    assert run(clean_office) == Purged(entries=1)
    assert clean_office.read(mailbox, 1, "Deleted Items") == TRACE + RAW


def test_readers_still_learn_what_was_expunged(clean_office: PostOffice, mailbox: Mailbox) -> None:
    delete_mails(clean_office, mailbox, 1)
    run(clean_office)
    assert [row.uid for row in clean_office.rows(expunged)] == [1]
    with clean_office.database.write() as connection:
        assert not restore_entries(connection, mailbox.folders["Inbox"], [1]).uids


def test_folders_go_from_the_bottom(clean_office: PostOffice, mailbox: Mailbox) -> None:
    with clean_office.database.write() as connection:
        add_path(connection, mailbox.id, "A/B/C/D")
        add_path(connection, mailbox.id, "A/B2")
    full = clean_office.reload(mailbox.id)
    clean_office.deliver(full, paths=["A/B/C"])
    before = clean_office.count(folder)
    with clean_office.database.write() as connection:
        delete_folder(connection, full.folders["A/B/C/D"], NOW - 20)
        delete_folder(connection, full.folders["A"], NOW - 10)
    assert run(clean_office, 15).folders == 1
    gone = run(clean_office, 10)
    assert (gone.folders, gone.entries, gone.messages) == (4, 1, 1)
    assert clean_office.count(folder) == before - 5


def test_what_is_begun_does_not_come_back_and_is_ended(
    clean_office: PostOffice, mailbox: Mailbox
) -> None:
    """As a crash in the middle of a purge leaves it."""
    office = clean_office
    with office.database.write() as connection:
        lists = add_path(connection, mailbox.id, "Lists")
        copy_entries(connection, mailbox.folders["Inbox"], [1], lists)
        delete_folder(connection, lists, NOW)
        connection.execute(update(folder).where(folder.c.id == lists).values(deleted_at=PURGING))
        with pytest.raises(UsageError, match="'Lists' is being purged"):
            restore_folder(connection, lists)
        guid = unhook_store(connection, f"test:{mailbox.owner_name}")
        connection.execute(update(mailbox_store).values(deleted_at=PURGING))
        with pytest.raises(UsageError, match="is being purged"):
            hook_store(connection, guid, "test:x", "x")
    gone = run(office, 365 * DAY)
    assert (gone.stores, gone.entries, gone.messages) == (1, 3, 2)


def test_nothing_is_left_of_a_store(clean_office: PostOffice, mailbox: Mailbox) -> None:
    office = clean_office
    office.commit(submission(RAW, plan(mailbox, key=b"k" * 32)))
    (own,) = office.rows(calendar)
    with office.database.write() as connection:
        values = {"calendar_id": own.id, "uid": "u"}
        thing = {**values, "href": "h", "etag": "e", "component": "VEVENT", "content": ""}
        object_id = connection.execute(
            insert(calendar_object).returning(calendar_object.c.id), thing
        )
        known = {"object_id": object_id.scalar_one(), "created_at": 0.0, "updated_at": 0.0}
        row = {**values, **known, "state": "accepted"}
        booked = connection.execute(insert(booking).returning(booking.c.id), row).scalar_one()
        held = {"calendar_id": own.id, "booking_id": booked, "starts_at": 0, "ends_at": 1}
        connection.execute(insert(occurrence), [{**held, "busy_type": "busy"}])
        kept = create_mailbox(connection, "test:kept", "kept")
        guid = unhook_store(connection, f"test:{mailbox.owner_name}")
        remove_store(connection, guid, NOW)
    assert office.count(ledger) == 1
    assert run(office, 1).stores == 0
    assert run(office).stores == 1
    assert [row.id for row in office.rows(mailbox_store)] == [kept]
    with office.database.read() as connection:
        query = "SELECT count(*) FROM"
        left = {
            table.name: connection.exec_driver_sql(f"{query} {table.name}").scalar_one()
            for table in metadata.sorted_tables
            if table is not counter
        }
    kept_rows = {"mailbox_store": 1, "folder": 6, "calendar": 1, "permission": 1}
    assert {name: count for name, count in left.items() if count} == kept_rows


def test_ten_thousand_mails_take_seconds(clean_office: PostOffice, mailbox: Mailbox) -> None:
    """Each of a message of its own with a body of its own; a mail brought them, the rest is copied here."""
    office = clean_office
    inbox = mailbox.folders["Inbox"]
    rows = range(10**7, 10**7 + 10_000)
    with office.database.write() as connection:
        values = {"skeleton": b"x", "skeleton_codec": "identity", "created_at": 0.0}
        digests = {n: n.to_bytes(32, "big") for n in rows}
        connection.execute(
            insert(message), [{**values, "id": n, "sha256": digests[n]} for n in rows]
        )
        row = {"codec": "identity", "location": "database", "created_at": 0.0}
        connection.execute(insert(blob), [{**row, "id": n, "sha256": digests[n]} for n in rows])
        body = {"position": 0, "encoding": "", "line_length": 0, "ending": b""}
        bodies = [{**body, "message_id": n, "blob_id": n} for n in rows]
        connection.execute(metadata.tables["message_body"].insert(), bodies)
        entry = {"folder_id": inbox, "modseq": 1, "internal_date": 0.0, "trace": b""}
        entries = [{**entry, "uid": n, "message_id": n, "deleted_at": NOW} for n in rows]
        connection.execute(insert(mailbox_entry), entries)
    began = time.monotonic()
    gone = run(office)
    assert (gone.entries, gone.messages, gone.blobs) == (10_000, 10_000, 10_000)
    assert time.monotonic() - began < 30
    assert [office.read(mailbox, uid) for uid in (1, 2)] == [TRACE + RAW, TRACE + OTHER]


def test_two_purges_do_not_overlap(postgres_office: PostOffice) -> None:
    office = postgres_office
    mailbox = office.mailbox()
    office.deliver(mailbox)
    delete_mails(office, mailbox, 1)
    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            raise_counter(connection, "purge")  # as a slice of another purge does
            other = pool.submit(run, office)
            wait_for_a_waiting_lock(office.database)
            assert office.count(mailbox_entry) == 1
        assert other.result(30).entries == 1


def test_who_brings_a_mail_back_first_keeps_it(postgres_office: PostOffice) -> None:
    office = postgres_office
    mailbox = office.mailbox()
    office.deliver(mailbox)
    delete_mails(office, mailbox, 1)
    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            restore_entries(connection, mailbox.folders["Inbox"], [1])
            purging = pool.submit(run, office)
            wait_for_a_waiting_lock(office.database)
        assert purging.result(30) == Purged()
    assert office.read(mailbox, 2) == TRACE + RAW


def test_who_restores_a_folder_first_keeps_it(postgres_office: PostOffice) -> None:
    office = postgres_office
    mailbox = office.mailbox()
    with office.database.write() as connection:
        lists = add_path(connection, mailbox.id, "Lists")
        delete_folder(connection, lists, NOW)
    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            restore_folder(connection, lists)
            purging = pool.submit(run, office)
            wait_for_a_waiting_lock(office.database)
        assert purging.result(30) == Purged()
    assert "Lists" in office.reload(mailbox.id).folders


def test_a_job_that_is_just_being_added_keeps_its_store(postgres_office: PostOffice) -> None:
    """Removing waits for a delivery that has not committed, and then sees its job."""
    office = postgres_office
    mailbox = office.mailbox()
    with office.database.write() as connection:
        guid = unhook_store(connection, f"test:{mailbox.owner_name}")
    job = NewJob("ben@example.net", "room@example.org", "<j@x>", "Kickoff", RAW, TRACE)
    staged = office.committer.stage([submission(RAW, StorePlan(mailbox.id, job=job))])

    def remove() -> None:
        with office.database.write() as connection:
            remove_store(connection, guid, NOW)

    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            office.committer.apply(connection, staged)
            removing = pool.submit(remove)
            wait_for_a_waiting_lock(office.database)
        with pytest.raises(UsageError, match="still gets mail from 1 unfinished jobs"):
            removing.result(30)
    assert run(office).stores == 0


def test_a_job_that_comes_while_its_store_is_removed_is_refused(
    postgres_office: PostOffice,
) -> None:
    """The other order: the sender keeps the mail."""
    office = postgres_office
    mailbox = office.mailbox()
    with office.database.write() as connection:
        guid = unhook_store(connection, f"test:{mailbox.owner_name}")
    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            remove_store(connection, guid, NOW)
            queueing = pool.submit(office.queue, mailbox)
            wait_for_a_waiting_lock(office.database)
        with pytest.raises(TemporaryError, match="removed meanwhile"):
            queueing.result(30)
    assert run(office).stores == 1
