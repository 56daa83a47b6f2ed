"""Looking into mailboxes: what lies in a folder, the bytes of one mail, and how full the store is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import Connection, distinct, func, select

from mailcore.content import Body
from mailcore.errors import UsageError
from store.blobs import BlobStore
from store.message import assemble_message
from store.packing import unpack
from store.plan import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from store.schema import blob, imap_copy, mailbox_entry, message, message_body

_FLAG_NAMES = (
    (SEEN, "\\Seen"),
    (ANSWERED, "\\Answered"),
    (FLAGGED, "\\Flagged"),
    (DELETED, "\\Deleted"),
    (DRAFT, "\\Draft"),
)


@dataclass(frozen=True, slots=True)
class ListedMail:
    """One line of a folder's listing; `date` is the internal date with its zone."""

    uid: int
    folder: str
    flags: tuple[str, ...]
    size: int
    date: datetime
    from_: str
    to: str
    subject: str
    message_id: str
    has_imap_copy: bool


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Single instance in figures: `octets` is what the mails weigh, `stored_octets` what is kept of it."""

    mails: int
    messages: int
    blobs: int
    references: int
    octets: int
    stored_octets: int


def list_folder(
    connection: Connection, folder_id: int, path: str, *, deleted: bool = False
) -> Iterator[ListedMail]:
    """The mails of a folder by ascending UID; with `deleted` those that can be restored, and no others."""
    gone = mailbox_entry.c.deleted_at.is_not(None)
    query = (
        select(mailbox_entry, message)
        .join_from(mailbox_entry, message, mailbox_entry.c.message_id == message.c.id)
        .where(mailbox_entry.c.folder_id == folder_id, gone if deleted else ~gone)
        .order_by(mailbox_entry.c.uid)
    )
    entry, mail = mailbox_entry.c, message.c
    for row in connection.execute(query.execution_options(yield_per=500)).mappings():
        zone = timezone(timedelta(minutes=row[entry.internal_zone]))
        yield ListedMail(
            uid=row[entry.uid],
            folder=path,
            flags=tuple(name for bit, name in _FLAG_NAMES if row[entry.flags] & bit),
            size=row[entry.size],
            date=datetime.fromtimestamp(int(row[entry.internal_date]), UTC).astimezone(zone),
            from_=row[mail.sender],
            to=row[mail.recipients],
            subject=row[mail.subject],
            message_id=row[mail.message_id],
            has_imap_copy=row[entry.imap],
        )


def read_mail(connection: Connection, blobs: BlobStore, folder_id: int, uid: int) -> bytes:
    """The bytes of one mail as they came, after our trace headers; raises UsageError for an unknown UID."""
    row = connection.execute(
        select(mailbox_entry.c.message_id, mailbox_entry.c.trace).where(
            mailbox_entry.c.folder_id == folder_id,
            mailbox_entry.c.uid == uid,
            mailbox_entry.c.deleted_at.is_(None),
        )
    ).first()
    if row is None:
        raise UsageError(f"no mail with UID {uid} in this folder; --list-mail shows what is there")
    return bytes(row.trace) + _read_message(connection, blobs, row.message_id)


def _read_message(connection: Connection, blobs: BlobStore, message_id: int) -> bytes:
    head = connection.execute(
        select(message.c.skeleton, message.c.skeleton_codec).where(message.c.id == message_id)
    ).one()
    rows = connection.execute(
        select(message_body)
        .where(message_body.c.message_id == message_id)
        .order_by(message_body.c.position)
    ).all()
    contents = blobs.load(connection, [r.blob_id for r in rows]) if rows else {}
    bodies = [
        Body(
            offset=r.skeleton_offset,
            sha256=contents[r.blob_id][0],
            data=contents[r.blob_id][1],
            encoding=r.encoding,
            line_length=r.line_length,
            ending=r.ending,
        )
        for r in rows
    ]
    return assemble_message(unpack(head.skeleton_codec, head.skeleton), bodies)


def store_stats(connection: Connection) -> StoreStats:
    """Count mails, messages, blobs, the references to them, and octets."""
    entries = connection.execute(
        select(func.count(), func.coalesce(func.sum(mailbox_entry.c.size), 0))
    ).one()
    messages = connection.execute(
        select(func.count(), func.coalesce(func.sum(func.length(message.c.skeleton)), 0))
    ).one()
    blobs = connection.execute(
        select(func.count(), func.coalesce(func.sum(blob.c.stored_size), 0))
    ).one()
    references = connection.execute(select(func.count(message_body.c.message_id))).scalar_one()
    references += connection.execute(
        select(func.count(distinct(imap_copy.c.message_id)))
    ).scalar_one()
    return StoreStats(
        mails=entries[0],
        messages=messages[0],
        blobs=blobs[0],
        references=references,
        octets=int(entries[1]),
        stored_octets=int(messages[1]) + int(blobs[1]),
    )
