"""The tables.  Whoever changes them adds a migration; a test compares the two.

Times are epoch seconds (UTC): floats for our own clockwork, whole numbers for calendars.  Content is bytes; text
columns pass through `CleanText`.  Some columns wait for readers that poll this store (IMAP, CalDAV, search): they
are filled from the first day because a modification sequence cannot be made up afterwards.
"""

from store.schema.access import login_failure, permission
from store.schema.calendars import (
    booking,
    booking_policy,
    calendar,
    calendar_change,
    calendar_object,
    occurrence,
)
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
from store.schema.owners import oof_memory, oof_setting, rule
from store.schema.people import (
    account,
    company,
    group_group,
    group_user,
    mail_address,
    send_as,
    user_group,
)
from store.schema.work import counter, directory_event, job, ledger, outbox

REVISION = "0003"
"""The newest migration; tells a database that is too old or too new without loading Alembic."""

__all__ = [
    "REVISION",
    "CleanText",
    "account",
    "blob",
    "blob_content",
    "booking",
    "booking_policy",
    "calendar",
    "calendar_change",
    "calendar_object",
    "clean_text",
    "company",
    "counter",
    "directory_event",
    "expunged",
    "folder",
    "group_group",
    "group_user",
    "imap_copy",
    "job",
    "ledger",
    "login_failure",
    "mail_address",
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
    "permission",
    "rule",
    "send_as",
    "user_group",
]
