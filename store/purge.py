"""The end of what was deleted for a while: mails, folders and stores (manual, 7.5).

It goes in slices, each a short transaction that begins by raising the counter `purge`, so that two purges never meet
in the same rows.  Nothing of a mail is left behind by a crash: a slice takes mails together with the messages and the
blobs that nothing else refers to; files follow after its commit, or with a sweep (store.collect).

A message that has lost its last mail gets no other: only copies, moves and restored mails refer to a message that was
there before, each from a mail of it that the transaction holds, and a delivery brings messages of its own.

A folder or a store is marked before its first mail goes (store.folders.PURGING), and cannot come back from then on.
What a crash left half done is ended by the next purge.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    exists,
    func,
    select,
    tuple_,
    update,
)

from store.blobs import BlobStore
from store.collect import RemovedBlob, remove_blobs, remove_files
from store.counters import raise_counter
from store.engine import Database
from store.folders import PURGING
from store.jobs import PENDING
from store.outbox import QUEUED
from store.schema import (
    booking,
    calendar,
    calendar_change,
    calendar_object,
    expunged,
    folder,
    imap_copy,
    job,
    ledger,
    mailbox_entry,
    mailbox_store,
    message,
    message_body,
    occurrence,
    oof_memory,
    outbox,
    permission,
)

_SLICE = 500
_TURN = 0.005  # seconds between two slices in which deliveries get SQLite's one writer


@dataclass(frozen=True, slots=True)
class Purged:
    """What went for good; `octets` as they were stored."""

    stores: int = 0
    folders: int = 0
    entries: int = 0
    messages: int = 0
    blobs: int = 0
    octets: int = 0

    def __add__(self, other: "Purged") -> "Purged":
        return Purged(
            self.stores + other.stores,
            self.folders + other.folders,
            self.entries + other.entries,
            self.messages + other.messages,
            self.blobs + other.blobs,
            self.octets + other.octets,
        )


def purge(database: Database, blobs: BlobStore, older_than: float, now: float) -> Purged:
    """Remove for good what was deleted `older_than` seconds before `now` (epoch seconds) or earlier.

    A store for which jobs or outgoing mail still wait is left until they are done.  Safe to run anywhere, any time;
    raises TemporaryError, and what is done by then stays done.
    """
    cutoff = now - older_than
    _mark_stores(database, cutoff)
    _mark_folders(database, cutoff)
    total = _purge_entries(database, blobs, mailbox_entry.c.deleted_at <= cutoff, now)
    for folder_id in _ids(database, select(folder.c.id).where(folder.c.deleted_at == PURGING)):
        total += _purge_entries(database, blobs, mailbox_entry.c.folder_id == folder_id, now)
        _drain(database, expunged, expunged.c.folder_id == folder_id)
    total += Purged(folders=_drain_folders(database))
    marked = select(mailbox_store.c.id).where(mailbox_store.c.deleted_at == PURGING)
    for store_id in _ids(database, marked):
        total += Purged(stores=_drain_store(database, store_id))
    return total


@contextmanager
def _slice(database: Database) -> Iterator[Connection]:
    """One transaction of a purge; no other purge has one at the same time."""
    with database.write() as connection:
        raise_counter(connection, "purge")
        yield connection
    time.sleep(_TURN)


def _ids(database: Database, query: Select[Any]) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def _mark_stores(database: Database, cutoff: float) -> None:
    due = select(mailbox_store.c.id).where(
        mailbox_store.c.external_id.is_(None), mailbox_store.c.deleted_at <= cutoff
    )
    # Locked before it is looked at: a job or a mail that is just being added has been seen then.
    locked = due.order_by(mailbox_store.c.id).with_for_update()
    waiting = (
        exists().where(job.c.store_id == mailbox_store.c.id, job.c.state == PENDING),
        exists().where(outbox.c.store_id == mailbox_store.c.id, outbox.c.state == QUEUED),
    )
    with _slice(database) as connection:
        ids = list(connection.execute(locked).scalars())
        connection.execute(
            update(mailbox_store)
            .where(mailbox_store.c.id.in_(ids), *(~one for one in waiting))
            .values(deleted_at=PURGING)
        )


def _mark_folders(database: Database, cutoff: float) -> None:
    going = select(mailbox_store.c.id).where(mailbox_store.c.deleted_at == PURGING)
    due = (folder.c.deleted_at <= cutoff) | folder.c.store_id.in_(going)
    some = (
        select(folder.c.id)
        .where(due, folder.c.deleted_at.is_distinct_from(PURGING))
        .order_by(folder.c.id)
        .limit(_SLICE)
        .with_for_update()
    )
    marked = [0]
    while marked:
        with _slice(database) as connection:
            marked = list(connection.execute(some).scalars())
            going_too = update(folder).where(folder.c.id.in_(marked))
            connection.execute(going_too.values(deleted_at=PURGING))


def _purge_entries(
    database: Database, blobs: BlobStore, condition: ColumnElement[bool], now: float
) -> Purged:
    total = Purged()
    while True:
        with _slice(database) as connection:
            went, removed = _take_entries(connection, condition)
        remove_files(database, blobs, removed, now)
        if not went.entries:
            return total
        total += went


def _take_entries(
    connection: Connection, condition: ColumnElement[bool]
) -> tuple[Purged, list[RemovedBlob]]:
    """Delete some mails and all that only they refer to; return that, and the blobs that may have files."""
    key = (mailbox_entry.c.folder_id, mailbox_entry.c.uid)
    some = select(*key).where(condition).limit(_SLICE)
    statement = delete(mailbox_entry).where(condition, tuple_(*key).in_(some))
    gone = list(connection.execute(statement.returning(mailbox_entry.c.message_id)).scalars())
    octets, dead = _dead_messages(connection, set(gone))
    referring = select(message_body.c.blob_id).where(message_body.c.message_id.in_(dead))
    copies = select(imap_copy.c.blob_id).where(imap_copy.c.message_id.in_(dead))
    blob_ids = set(connection.execute(referring.union(copies)).scalars())
    connection.execute(delete(message).where(message.c.id.in_(dead)))
    removed = remove_blobs(connection, blob_ids)
    octets += sum(one.stored_size for one in removed)
    return Purged(0, 0, len(gone), len(dead), len(removed), octets), removed


def _dead_messages(connection: Connection, ids: Collection[int]) -> tuple[int, list[int]]:
    """The octets and the ids of those messages that are in no folder."""
    query = select(message.c.id, func.length(message.c.skeleton)).where(
        message.c.id.in_(ids), ~exists().where(mailbox_entry.c.message_id == message.c.id)
    )
    rows = connection.execute(query).all()
    return sum(row[1] for row in rows), [row[0] for row in rows]


def _drain_folders(database: Database) -> int:
    """Delete the marked folders that are empty, those below before those above; return how many."""
    below = folder.alias()
    empty = (
        folder.c.deleted_at == PURGING,
        ~exists().where(mailbox_entry.c.folder_id == folder.c.id),
        ~exists().where(below.c.parent_id == folder.c.id),
    )
    total = 0
    while went := _drain(database, folder, *empty):
        total += went
    return total


def _drain_store(database: Database, store_id: int) -> int:
    """Delete a store without folders, its largest tables first; return how many stores went."""
    own = select(calendar.c.id).where(calendar.c.store_id == store_id)
    for table in (occurrence, booking, calendar_object, calendar_change):
        _drain(database, table, table.c.calendar_id.in_(own))
    for table in (permission, ledger, oof_memory, job, outbox):
        _drain(database, table, table.c.store_id == store_id)
    return _drain(
        database,
        mailbox_store,
        mailbox_store.c.id == store_id,
        ~exists().where(folder.c.store_id == store_id),
    )


def _drain(database: Database, table: Table, *condition: ColumnElement[bool]) -> int:
    """Delete the rows that meet every condition; return how many."""
    key = list(table.primary_key.columns)
    some = select(*key).where(*condition).limit(_SLICE)
    total, went = 0, _SLICE
    while went == _SLICE:
        with _slice(database) as connection:
            went = connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
        total += went
    return total
