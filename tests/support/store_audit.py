"""What must be true of every store at any time: sizes are right, nothing leaks, nothing is missing."""

from pathlib import Path

from sqlalchemy import exists, select

from store.blobs import DIRECTORY, LOCK
from store.mailboxes import Mailbox
from store.schema import blob, imap_copy, mailbox_entry, message, message_body
from store.sizes import recount
from tests.support.mailboxes import PostOffice


def wrong_sizes(office: PostOffice, *mailboxes: Mailbox) -> dict[int, tuple[int, int]]:
    """(size, what a recount finds) of those mailboxes where they differ."""
    counted = {}
    for mailbox in mailboxes:
        with office.database.read() as connection:
            counted[mailbox.id] = office.store(mailbox).size, recount(connection, mailbox.id)
    return {store_id: sizes for store_id, sizes in counted.items() if sizes[0] != sizes[1]}


def leaks(office: PostOffice, attachments: Path) -> list[object]:
    """Messages in no folder, blobs of no message, files without a row, and rows without their file."""
    with office.database.read() as connection:
        messages = select(message.c.id).where(
            ~exists().where(mailbox_entry.c.message_id == message.c.id)
        )
        blobs = select(blob.c.id).where(
            ~exists().where(message_body.c.blob_id == blob.c.id),
            ~exists().where(imap_copy.c.blob_id == blob.c.id),
        )
        found: list[object] = [("message", n) for n in connection.execute(messages).scalars()]
        found += [("blob", n) for n in connection.execute(blobs).scalars()]
        large = connection.execute(select(blob).where(blob.c.location == DIRECTORY)).all()
    wanted = {office.blobs.path_of(row.sha256, row.codec) for row in large}
    there = {p for p in attachments.rglob("*") if p.is_file() and p.name != LOCK}
    return [*found, *(wanted ^ there)]
