"""Mailboxes: stores, folders, messages and their contents."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    func,
)

from store.schema.columns import (
    BigId,
    CleanText,
    count_column,
    flag_column,
    metadata,
    reference_column,
    text_column,
)

mailbox_store = Table(
    "mailbox_store",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True),
    # the owner as its plugin knows it; NULL: an orphan
    Column("external_id", CleanText, unique=True),
    text_column("owner_name"),
    Column("kind", String(8), nullable=False, server_default="user"),  # user | public
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
    # the change feed: raised by every commit that touches this store
    count_column("change_number"),
    count_column("size"),
    text_column("timezone"),
    flag_column("mr_accept"),
    flag_column("mr_decline_conflict"),
    flag_column("mr_decline_recurring"),
    text_column("deliver_via"),  # the next hop: empty for the default, `store` for none
)

folder = Table(
    "folder",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id", nullable=False),
    reference_column("parent_id", "folder.id"),
    Column("name", CleanText, nullable=False),
    text_column("special_use"),
    Column("uidvalidity", BigInteger, nullable=False),
    count_column("uidnext", 1),
    count_column("highest_modseq", 1),
    flag_column("subscribed", True),
    text_column("keywords"),
    Column("deleted_at", Double),
)
Index(
    "uq_folder_name",
    folder.c.store_id,
    func.coalesce(folder.c.parent_id, 0),
    folder.c.name,
    unique=True,
    sqlite_where=folder.c.deleted_at.is_(None),
    postgresql_where=folder.c.deleted_at.is_(None),
)
Index(
    "ix_folder_deleted",
    folder.c.deleted_at,
    sqlite_where=folder.c.deleted_at.is_not(None),
    postgresql_where=folder.c.deleted_at.is_not(None),
)

message = Table(
    "message",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False),
    count_column("size"),
    Column("skeleton", LargeBinary, nullable=False),
    Column("skeleton_codec", String(8), nullable=False),
    text_column("message_id"),
    text_column("subject"),
    text_column("sender"),
    text_column("recipients"),
    Column("sent_at", Double),
    Column("created_at", Double, nullable=False),
    Column("index_version", Integer, nullable=False, server_default="0"),
    flag_column("index_pending", True),
)

message_text = Table(
    "message_text",
    metadata,
    reference_column("message_id", "message.id", primary_key=True, autoincrement=False),
    text_column("text"),
)

blob = Table(
    "blob",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    count_column("size"),
    count_column("stored_size"),
    Column("codec", String(8), nullable=False),
    Column("location", String(9), nullable=False),  # database | directory
    Column("created_at", Double, nullable=False),
)

blob_content = Table(
    "blob_content",
    metadata,
    reference_column("blob_id", "blob.id", primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

message_body = Table(
    "message_body",
    metadata,
    reference_column("message_id", "message.id", primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("blob_id", BigInteger, ForeignKey("blob.id"), nullable=False, index=True),
    count_column("skeleton_offset"),
    Column("encoding", String(8), nullable=False),
    Column("line_length", Integer, nullable=False),
    Column("ending", LargeBinary, nullable=False),
)

imap_copy = Table(
    "imap_copy",
    metadata,
    reference_column("message_id", "message.id", primary_key=True, autoincrement=False),
    Column("blob_id", BigInteger, ForeignKey("blob.id"), nullable=False, index=True),
    count_column("size"),
    Column("header", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("bodystructure", LargeBinary, nullable=False),
    # JSON: [path, offset of the MIME header, offset, length] of every section
    text_column("sections"),
)

mailbox_entry = Table(
    "mailbox_entry",
    metadata,
    reference_column("folder_id", "folder.id", primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False, index=True),
    Column("modseq", BigInteger, nullable=False),
    Column("flags", Integer, nullable=False, server_default="0"),
    text_column("keywords"),
    Column("internal_date", Double, nullable=False),
    # minutes east of UTC
    Column("internal_zone", SmallInteger, nullable=False, server_default="0"),
    Column("trace", LargeBinary, nullable=False),
    count_column("size"),
    flag_column("imap"),
    Column("deleted_at", Double),
)
Index(
    "ix_mailbox_entry_deleted",
    mailbox_entry.c.deleted_at,
    sqlite_where=mailbox_entry.c.deleted_at.is_not(None),
    postgresql_where=mailbox_entry.c.deleted_at.is_not(None),
)

expunged = Table(
    "expunged",
    metadata,
    reference_column("folder_id", "folder.id", primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("modseq", BigInteger, nullable=False),
)
