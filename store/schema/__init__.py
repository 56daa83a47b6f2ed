"""The tables.  Whoever changes them adds a migration; a test compares the two.

Times are epoch seconds (UTC): floats for our own clockwork, whole numbers for calendars.  Content is bytes; text
columns pass through `CleanText`.  Some columns wait for readers that poll this store (IMAP, CalDAV, search): they
are filled from the first day because a modification sequence cannot be made up afterwards.
"""

from store.schema.calendars import booking, calendar, calendar_change, calendar_object, occurrence
from store.schema.columns import CleanText, clean_text, metadata
from store.schema.mail import (
    blob,
    blob_content,
    expunged,
    folder,
    imap_copy,
    mailbox_entry,
    mailbox_store,
    message,
    message_body,
    message_text,
)
from store.schema.people import account, account_address, oof_memory, oof_setting, rule
from store.schema.work import counter, job, ledger, outbox

REVISION = "0001"
"""The newest migration; tells a database that is too old or too new without loading Alembic."""

__all__ = [
    "REVISION",
    "CleanText",
    "account",
    "account_address",
    "blob",
    "blob_content",
    "booking",
    "calendar",
    "calendar_change",
    "calendar_object",
    "clean_text",
    "counter",
    "expunged",
    "folder",
    "imap_copy",
    "job",
    "ledger",
    "mailbox_entry",
    "mailbox_store",
    "message",
    "message_body",
    "message_text",
    "metadata",
    "occurrence",
    "oof_memory",
    "oof_setting",
    "outbox",
    "rule",
]
