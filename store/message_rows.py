"""The rows of the messages of a batch: their places in the folders, contents, IMAP copies and entries.

Folders are raised in ascending id, before anything is inserted, so that two batches cannot deadlock.
"""

import json

from sqlalchemy import Connection, bindparam, insert, literal_column, update

from store.batch import Place, RepeatSinglyError, Work, Works
from store.hot import HotStatement
from store.message import NewMessage
from store.plan import Filing
from store.schema import folder, imap_copy, mailbox_entry, message, message_body

_RAISE_FOLDER = HotStatement(
    update(folder)
    .where(folder.c.id == bindparam("folder_id"))
    .values(
        uidnext=folder.c.uidnext + bindparam("count"),
        highest_modseq=folder.c.highest_modseq + literal_column("1"),
    )
    .returning(folder.c.uidnext, folder.c.highest_modseq)
)
_INSERT_MESSAGE = HotStatement(insert(message))
_INSERT_BODY = HotStatement(insert(message_body))
_INSERT_COPY = HotStatement(insert(imap_copy))
_INSERT_ENTRY = HotStatement(insert(mailbox_entry))


def allocate_uids(connection: Connection, works: Works) -> dict[Place, list[tuple[int, int]]]:
    """Raise the folders in ascending id; return (uid, modseq) per filing of each work.

    Raises RepeatSinglyError when a folder is gone.
    """
    wanted: dict[int, int] = {}
    for work in works.values():
        for filing in work.plan.filings:
            wanted[filing.folder_id] = wanted.get(filing.folder_id, 0) + 1
    state: dict[int, tuple[int, int]] = {}
    for folder_id in sorted(wanted):
        wish = {"folder_id": folder_id, "count": wanted[folder_id]}
        raised = _RAISE_FOLDER.rows(connection, wish)
        if not raised:
            raise RepeatSinglyError(f"folder {folder_id} was removed meanwhile")
        uidnext, modseq = raised[0]
        state[folder_id] = (uidnext - wanted[folder_id], modseq)
    uids: dict[Place, list[tuple[int, int]]] = {}
    for place, work in works.items():
        uids[place] = []
        for filing in work.plan.filings:
            uid, modseq = state[filing.folder_id]
            state[filing.folder_id] = (uid + 1, modseq)
            uids[place].append((uid, modseq))
    return uids


def insert_messages(
    connection: Connection,
    works: Works,
    blob_ids: dict[bytes, int],
    now: float,
) -> None:
    """Insert each message that is filed somewhere, its bodies, and its IMAP copy where one was asked for."""
    filed = {w.message_id: w.message for w in works.values() if w.plan.filings}
    if not filed:
        return
    rows = [_message_row(new_id, new, now) for new_id, new in filed.items()]
    _INSERT_MESSAGE.each(connection, rows)
    bodies = [
        {
            "message_id": new_id,
            "position": position,
            "blob_id": blob_ids[body.blob.sha256],
            "skeleton_offset": body.offset,
            "encoding": body.encoding,
            "line_length": body.line_length,
            "ending": body.ending,
        }
        for new_id, new in filed.items()
        for position, body in enumerate(new.bodies)
    ]
    if bodies:
        _INSERT_BODY.each(connection, bodies)
    copies = [_imap_row(new_id, new, blob_ids) for new_id, new in filed.items() if new.imap]
    if copies:
        _INSERT_COPY.each(connection, copies)


def _message_row(new_id: int, new: NewMessage, now: float) -> dict[str, object]:
    return {
        "id": new_id,
        "sha256": new.sha256,
        "size": new.size,
        "skeleton": new.skeleton,
        "skeleton_codec": new.skeleton_codec,
        "message_id": new.message_id,
        "subject": new.subject,
        "sender": new.sender,
        "recipients": new.recipients,
        "sent_at": new.sent_at,
        "created_at": now,
    }


def _imap_row(new_id: int, new: NewMessage, blob_ids: dict[bytes, int]) -> dict[str, object]:
    assert new.imap is not None
    return {
        "message_id": new_id,
        "blob_id": blob_ids[new.sha256],
        "size": new.imap.size,
        "header": new.imap.header,
        "envelope": new.imap.envelope,
        "body": new.imap.body,
        "bodystructure": new.imap.bodystructure,
        "sections": json.dumps(new.imap.sections),
    }


def insert_entries(
    connection: Connection,
    works: Works,
    uids: dict[Place, list[tuple[int, int]]],
) -> None:
    """File each message where its plan wants it, under the UIDs of `allocate_uids`."""
    rows = [
        _entry_row(work, filing, uid, modseq)
        for place, work in works.items()
        for filing, (uid, modseq) in zip(work.plan.filings, uids[place], strict=True)
    ]
    if rows:
        _INSERT_ENTRY.each(connection, rows)


def _entry_row(work: Work, filing: Filing, uid: int, modseq: int) -> dict[str, object]:
    return {
        "folder_id": filing.folder_id,
        "uid": uid,
        "message_id": work.message_id,
        "modseq": modseq,
        "flags": filing.flags,
        "internal_date": filing.internal_date,
        "internal_zone": filing.internal_zone,
        "trace": filing.trace,
        "size": len(filing.trace) + work.message.size,
        "imap": filing.imap and work.message.imap is not None,
    }
