"""Who may do what: rights on folders and calendars, and the tries of those who want in."""

from sqlalchemy import Column, Double, Index, Integer, Table, func

from store.schema.columns import (
    BigId,
    CleanText,
    metadata,
    reference_column,
)

# What a subject may do with a folder or a calendar or, where neither is named, with the whole store.
permission = Table(
    "permission",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id", nullable=False),
    reference_column("folder_id", "folder.id", index=True),
    reference_column("calendar_id", "calendar.id", index=True),
    # a user or group as its plugin knows it, or `everyone`
    Column("subject", CleanText, nullable=False),
    Column("rights", Integer, nullable=False),
)
Index(
    "uq_permission_subject",
    permission.c.store_id,
    func.coalesce(permission.c.folder_id, 0),
    func.coalesce(permission.c.calendar_id, 0),
    permission.c.subject,
    unique=True,
)
Index("ix_permission_subject", permission.c.subject)

login_failure = Table(
    "login_failure",
    metadata,
    Column("key", CleanText, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False, index=True),
)
