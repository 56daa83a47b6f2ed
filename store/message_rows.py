"""The rows of the messages of a batch: their places in the folders, contents, IMAP copies and entries.

Folders are raised in ascending id, before anything is inserted, so that two batches cannot deadlock.
"""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, literal_column, update

from store.batch import Mail, RepeatSinglyError
from store.hot import HotStatement
from store.message import NewMessage
from store.plan import Filing
from store.schema import folder, imap_copy, mailbox_entry, message, message_body

_RAISE_FOLDER = HotStatement(
    update(folder)
    .where(folder.c.id == bindparam("folder_id"), folder.c.deleted_at.is_(None))
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


def allocate_uids(connection: Connection, mails: Sequence[Mail]) -> list[list[tuple[int, int]]]:
    """Raise the folders in ascending id; return (uid, modseq) per filing of each mail.

    Raises RepeatSinglyError when a folder is gone or deleted.
    """
    wanted: dict[int, int] = {}
    for mail in mails:
        for filing in mail.filings:
            folder_id = _folder_of(filing)
            wanted[folder_id] = wanted.get(folder_id, 0) + 1
    state: dict[int, tuple[int, int]] = {}
    for folder_id in sorted(wanted):
        wish = {"folder_id": folder_id, "count": wanted[folder_id]}
        raised = _RAISE_FOLDER.rows(connection, wish)
        if not raised:
            raise RepeatSinglyError(f"folder {folder_id} was removed meanwhile")
        uidnext, modseq = raised[0]
        state[folder_id] = (uidnext - wanted[folder_id], modseq)
    uids: list[list[tuple[int, int]]] = []
    for mail in mails:
        own = []
        for filing in mail.filings:
            folder_id = _folder_of(filing)
            uid, modseq = state[folder_id]
            state[folder_id] = (uid + 1, modseq)
            own.append((uid, modseq))
        uids.append(own)
    return uids


def _folder_of(filing: Filing) -> int:
    assert isinstance(filing.folder_id, int)  # store.new_folders has made the others
    return filing.folder_id


def insert_messages(
    connection: Connection,
    mails: Sequence[Mail],
    blob_ids: dict[bytes, int],
    now: float,
) -> None:
    """Insert each message that is filed somewhere, its bodies, and its IMAP copy where one was asked for."""
    filed = {mail.message_id: mail.message for mail in mails if mail.filings}
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
    connection: Connection, mails: Sequence[Mail], uids: Sequence[Sequence[tuple[int, int]]]
) -> None:
    """File each message where its plan wants it, under the UIDs of `allocate_uids`."""
    rows = [
        _entry_row(mail, filing, uid, modseq)
        for mail, own in zip(mails, uids, strict=True)
        for filing, (uid, modseq) in zip(mail.filings, own, strict=True)
    ]
    if rows:
        _INSERT_ENTRY.each(connection, rows)


def _entry_row(mail: Mail, filing: Filing, uid: int, modseq: int) -> dict[str, object]:
    return {
        "folder_id": filing.folder_id,
        "uid": uid,
        "message_id": mail.message_id,
        "modseq": modseq,
        "flags": filing.flags,
        "keywords": " ".join(filing.keywords),
        "internal_date": filing.internal_date,
        "internal_zone": filing.internal_zone,
        "trace": filing.trace,
        "size": len(filing.trace) + mail.message.size,
        "imap": filing.imap and mail.message.imap is not None,
    }
