"""The mails in folders after their delivery: flags, copies, moves, deleting for a while, and bringing back.

Every change locks its folders in ascending id, gives them a new modification sequence (RFC 7162), and ends with the
size and the change number of the stores.  A copy shares the message.  A UID is never used again: what is copied,
moved or brought back gets a new one, and one that leaves a folder is noted as expunged.  UIDs that are not there are
left out, as RFC 9051 wants it (section 6.4.9).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from mailcore.errors import UsageError
from store.folders import lock_folders
from store.mailboxes import INBOX
from store.schema import expunged, folder, mailbox_entry
from store.sizes import grow_stores

_SLICE = 500  # UIDs in one statement
_KEPT = (
    "message_id",
    "flags",
    "keywords",
    "internal_date",
    "internal_zone",
    "trace",
    "size",
    "imap",
)
"""What a copy has of its original."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Where mails came back: the folder, and their new UIDs by the old ones."""

    folder_id: int
    uids: Mapping[int, int]


def change_flags(
    connection: Connection,
    folder_id: int,
    uids: Collection[int],
    *,
    add: int = 0,
    remove: int = 0,
    add_keywords: Collection[str] = (),
    remove_keywords: Collection[str] = (),
) -> int:
    """Set and clear flags (bits of store.plan) and keywords; return the modification sequence.

    Keywords are compared without case (RFC 9051 section 2.3.2).  Mails that have it all that way already are left
    alone.  Raises UsageError for a keyword with a blank, and for a folder that is gone.
    """
    bad = next((word for word in add_keywords if not word or word.split() != [word]), None)
    if bad is not None:
        raise UsageError(f"keyword {bad!r}: expected one word without blanks")
    folders = _locked(connection, [folder_id])
    changed = []
    for row in _living(connection, folder_id, uids):
        flags = (row.flags & ~remove) | add
        keywords = _with_keywords(row.keywords, add_keywords, remove_keywords)
        if (flags, keywords) != (row.flags, row.keywords):
            changed.append({"one": row.uid, "to_flags": flags, "to_keywords": keywords})
    modseq = int(folders[folder_id].highest_modseq)
    if not changed:
        return modseq
    modseq += 1
    _raise_folder(connection, folder_id)
    statement = (
        update(mailbox_entry)
        .where(mailbox_entry.c.folder_id == folder_id, mailbox_entry.c.uid == bindparam("one"))
        .values(flags=bindparam("to_flags"), keywords=bindparam("to_keywords"), modseq=modseq)
    )
    connection.execute(statement, changed)
    grow_stores(connection, {folders[folder_id].store_id: 0})
    return modseq


def copy_entries(
    connection: Connection, folder_id: int, uids: Collection[int], target_id: int
) -> dict[int, int]:
    """Copy mails into a folder, of whatever store; return their new UIDs by the old ones.

    Raises UsageError when one of the folders is gone.
    """
    folders = _locked(connection, [folder_id, target_id])
    rows = list(_living(connection, folder_id, uids))
    if not rows:
        return {}
    copied = _insert_copies(connection, rows, folders[target_id])
    grow_stores(connection, {folders[target_id].store_id: sum(row.size for row in rows)})
    return copied


def move_entries(
    connection: Connection, folder_id: int, uids: Collection[int], target_id: int
) -> dict[int, int]:
    """Move mails into a folder, of whatever store; return their new UIDs by the old ones (RFC 6851).

    Raises UsageError when one of the folders is gone, and for a move into the same folder.
    """
    if folder_id == target_id:
        raise UsageError(f"folder {folder_id}: the mails are in it already")
    folders = _locked(connection, [folder_id, target_id])
    rows = list(_living(connection, folder_id, uids))
    if not rows:
        return {}
    moved = _insert_copies(connection, rows, folders[target_id])
    modseq = _raise_folder(connection, folder_id)
    for some in _slices(list(moved)):
        connection.execute(delete(mailbox_entry).where(*_at(folder_id, some)))
    _note_expunged(connection, folder_id, list(moved), modseq)
    octets = sum(row.size for row in rows)
    growth = {folders[folder_id].store_id: -octets}
    store_id = folders[target_id].store_id
    growth[store_id] = growth.get(store_id, 0) + octets
    grow_stores(connection, growth)
    return moved


def delete_entries(
    connection: Connection, folder_id: int, uids: Collection[int], now: float
) -> list[int]:
    """Delete mails for a while, `now` in epoch seconds; return the UIDs that went, ascending.

    For every reader they are expunged at once.  Raises UsageError when the folder is gone.
    """
    folders = _locked(connection, [folder_id])
    rows = list(_living(connection, folder_id, uids))
    if not rows:
        return []
    modseq = _raise_folder(connection, folder_id)
    gone = [int(row.uid) for row in rows]
    for some in _slices(gone):
        statement = update(mailbox_entry).where(*_at(folder_id, some))
        connection.execute(statement.values(deleted_at=now, modseq=modseq))
    _note_expunged(connection, folder_id, gone, modseq)
    grow_stores(connection, {folders[folder_id].store_id: -sum(row.size for row in rows)})
    return gone


def restore_entries(connection: Connection, folder_id: int, uids: Collection[int]) -> Restored:
    """Bring deleted mails back into their folder, or into the Inbox of its store when the folder is deleted too.

    What was purged meanwhile is left out.  Raises UsageError when the folder is gone for good.
    """
    inbox_id = _inbox_beside(connection, folder_id)
    folders = lock_folders(connection, [folder_id, inbox_id])
    if folder_id not in folders:
        raise UsageError(f"folder {folder_id} is gone, and with it what was in it")
    target = folders[folder_id]
    if target.deleted_at is not None:
        target = folders[inbox_id]
    if target.deleted_at is not None:
        raise UsageError(f"folder {target.name!r} is deleted; restore it first")
    rows: list[Row[Any]] = []
    for some in _slices(sorted(set(uids))):
        # Taken away first: whoever purges them has to wait, and then finds nothing.
        statement = delete(mailbox_entry).where(
            *_at(folder_id, some), mailbox_entry.c.deleted_at.is_not(None)
        )
        rows.extend(connection.execute(statement.returning(mailbox_entry)))
    rows.sort(key=lambda row: int(row.uid))
    if not rows:
        return Restored(target.id, {})
    restored = _insert_copies(connection, rows, target)
    grow_stores(connection, {target.store_id: sum(row.size for row in rows)})
    return Restored(target.id, restored)


def _locked(connection: Connection, folder_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Folders that are there, locked; raises UsageError for others."""
    found = lock_folders(connection, folder_ids)
    for folder_id in folder_ids:
        if folder_id not in found or found[folder_id].deleted_at is not None:
            raise UsageError(f"folder {folder_id} is gone; list the folders of the mailbox")
    return found


def _inbox_beside(connection: Connection, folder_id: int) -> int:
    store_id = select(folder.c.store_id).where(folder.c.id == folder_id).scalar_subquery()
    query = select(folder.c.id).where(folder.c.store_id == store_id, folder.c.special_use == INBOX)
    return int(connection.execute(query).scalar() or folder_id)


def _living(connection: Connection, folder_id: int, uids: Collection[int]) -> Iterator[Row[Any]]:
    """The rows of mails that are not deleted, by ascending UID."""
    for some in _slices(sorted(set(uids))):
        query = select(mailbox_entry).where(
            *_at(folder_id, some), mailbox_entry.c.deleted_at.is_(None)
        )
        yield from connection.execute(query.order_by(mailbox_entry.c.uid)).all()


def _at(folder_id: int, uids: Sequence[int]) -> tuple[Any, ...]:
    """The condition that a mail has one of these UIDs."""
    return mailbox_entry.c.folder_id == folder_id, mailbox_entry.c.uid.in_(uids)


def _insert_copies(
    connection: Connection, rows: Sequence[Row[Any]], target: Row[Any]
) -> dict[int, int]:
    """File what `rows` describe in another folder too; return the new UIDs by the old ones."""
    first = int(target.uidnext)
    modseq = _raise_folder(connection, target.id, len(rows))
    copies = [
        {
            **{name: getattr(row, name) for name in _KEPT},
            "folder_id": target.id,
            "uid": uid,
            "modseq": modseq,
        }
        for uid, row in enumerate(rows, first)
    ]
    connection.execute(insert(mailbox_entry), copies)
    return {int(row.uid): uid for uid, row in enumerate(rows, first)}


def _raise_folder(connection: Connection, folder_id: int, count: int = 0) -> int:
    """Raise the modification sequence, and the next UID by `count`; return the former."""
    statement = (
        update(folder)
        .where(folder.c.id == folder_id)
        .values(
            uidnext=folder.c.uidnext + count,
            highest_modseq=folder.c.highest_modseq + 1,
        )
    )
    raised = connection.execute(statement.returning(folder.c.highest_modseq))
    return int(raised.scalar_one())


def _note_expunged(
    connection: Connection, folder_id: int, uids: Sequence[int], modseq: int
) -> None:
    rows = [{"folder_id": folder_id, "uid": uid, "modseq": modseq} for uid in uids]
    connection.execute(insert(expunged), rows)


def _with_keywords(keywords: str, add: Collection[str], remove: Collection[str]) -> str:
    """Keywords as they are stored, with some put in and others taken out."""
    gone = {word.casefold() for word in remove}
    words = [word for word in keywords.split() if word.casefold() not in gone]
    for word in add:
        if word.casefold() not in {known.casefold() for known in words}:
            words.append(word)
    return " ".join(words)


def _slices(uids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(uids), _SLICE):
        yield uids[first : first + _SLICE]
