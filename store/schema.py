"""The tables.  Whoever changes them adds a migration; a test compares the two.

Times are epoch seconds (UTC): floats for our own clockwork, whole numbers for calendars.  Content is bytes; text
columns pass through `CleanText`.  Some columns wait for readers that poll this store (IMAP, CalDAV, search): they
are filled from the first day because a modification sequence cannot be made up afterwards.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
)

REVISION = "0001"
"""The newest migration; tells a database that is too old or too new without loading Alembic."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class CleanText(TypeDecorator[str]):
    """Text that every database takes: no NUL (PostgreSQL refuses it), no lone surrogates (SQLite does)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        """Clean a value on its way in."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


# SQLite counts rows by itself only for a column that is exactly INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, CleanText, nullable=False, server_default="", **options)


def _count(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=str(default))


def _flag(name: str, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default="1" if default else "0")


def _reference(name: str, target: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, ForeignKey(target, ondelete="CASCADE"), **options)


# Persistent counters: blocks of ids, UIDVALIDITY, the version of the directory.
counter = Table(
    "counter",
    metadata,
    Column("name", String(64), primary_key=True),
    _count("value"),
)

# ---- the db user store -------------------------------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", CleanText, nullable=False, unique=True),
    _text("fullname"),
    _text("password"),
    Column("admin_level", SmallInteger, nullable=False, server_default="0"),
    _flag("active", True),
    _text("resource_type"),
    Column("capacity", Integer, nullable=False, server_default="1"),
    _text("enabled_features"),
    _text("disabled_features"),
    Column("created_at", Double, nullable=False),
)

account_address = Table(
    "account_address",
    metadata,
    Column("key", CleanText, primary_key=True),
    _reference("account_id", "account.id", nullable=False, index=True),
    Column("address", CleanText, nullable=False),
    _flag("is_primary"),
)

# ---- mailboxes ---------------------------------------------------------------------------------------------------

mailbox_store = Table(
    "mailbox_store",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("guid", String(32), nullable=False, unique=True),
    Column(
        "external_id", CleanText, unique=True
    ),  # the owner as its plugin knows it; NULL: an orphan
    _text("owner_name"),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
    _count("change_number"),  # the change feed: raised by every commit that touches this store
    _count("size"),
    _text("timezone"),
    _flag("mr_accept"),
    _flag("mr_decline_conflict"),
    _flag("mr_decline_recurring"),
)

folder = Table(
    "folder",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("store_id", "mailbox_store.id", nullable=False),
    _reference("parent_id", "folder.id"),
    Column("name", CleanText, nullable=False),
    _text("special_use"),
    Column("uidvalidity", BigInteger, nullable=False),
    _count("uidnext", 1),
    _count("highest_modseq", 1),
    _flag("subscribed", True),
    _text("keywords"),
)
Index(
    "uq_folder_name",
    folder.c.store_id,
    func.coalesce(folder.c.parent_id, 0),
    folder.c.name,
    unique=True,
)

message = Table(
    "message",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False),
    _count("size"),
    Column("skeleton", LargeBinary, nullable=False),
    Column("skeleton_codec", String(8), nullable=False),
    _text("message_id"),
    _text("subject"),
    _text("sender"),
    _text("recipients"),
    Column("sent_at", Double),
    Column("created_at", Double, nullable=False),
    Column("index_version", Integer, nullable=False, server_default="0"),
    _flag("index_pending", True),
)

message_text = Table(
    "message_text",
    metadata,
    _reference("message_id", "message.id", primary_key=True, autoincrement=False),
    _text("text"),
)

blob = Table(
    "blob",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    _count("size"),
    _count("stored_size"),
    Column("codec", String(8), nullable=False),
    Column("location", String(9), nullable=False),  # database | directory
    Column("created_at", Double, nullable=False),
)

blob_content = Table(
    "blob_content",
    metadata,
    _reference("blob_id", "blob.id", primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

message_body = Table(
    "message_body",
    metadata,
    _reference("message_id", "message.id", primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("blob_id", BigInteger, ForeignKey("blob.id"), nullable=False, index=True),
    _count("skeleton_offset"),
    Column("encoding", String(8), nullable=False),
    Column("line_length", Integer, nullable=False),
    Column("ending", LargeBinary, nullable=False),
)

imap_copy = Table(
    "imap_copy",
    metadata,
    _reference("message_id", "message.id", primary_key=True, autoincrement=False),
    Column("blob_id", BigInteger, ForeignKey("blob.id"), nullable=False, index=True),
    _count("size"),
    Column("header", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("bodystructure", LargeBinary, nullable=False),
    _text("sections"),  # JSON: [path, offset of the MIME header, offset, length] of every section
)

mailbox_entry = Table(
    "mailbox_entry",
    metadata,
    _reference("folder_id", "folder.id", primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False, index=True),
    Column("modseq", BigInteger, nullable=False),
    Column("flags", Integer, nullable=False, server_default="0"),
    _text("keywords"),
    Column("internal_date", Double, nullable=False),
    Column(
        "internal_zone", SmallInteger, nullable=False, server_default="0"
    ),  # minutes east of UTC
    Column("trace", LargeBinary, nullable=False),
    _count("size"),
    _flag("imap"),
    Column("deleted_at", Double),
)

expunged = Table(
    "expunged",
    metadata,
    _reference("folder_id", "folder.id", primary_key=True, autoincrement=False),
    Column("uid", BigInteger, primary_key=True, autoincrement=False),
    Column("modseq", BigInteger, nullable=False),
)

# ---- work in progress --------------------------------------------------------------------------------------------

ledger = Table(
    "ledger",
    metadata,
    _reference("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("key", LargeBinary(32), primary_key=True),
    Column("uid", BigInteger),
    Column("job_id", BigInteger),
    Column("created_at", Double, nullable=False, index=True),
)

job = Table(
    "job",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("store_id", "mailbox_store.id", nullable=False),
    Column("state", String(8), nullable=False),  # pending | done
    _text("fate"),
    _text("reason"),
    _text("mail_from"),
    _text("rcpt_to"),
    _text("message_id"),
    _text("subject"),
    _count("size"),
    Column("content", LargeBinary),  # the exact bytes, until the job is done
    Column("trace", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("tried_since", Double, nullable=False),  # the deadline counts from here
    Column("finished_at", Double),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Double, nullable=False, server_default="0"),
    _text("lease_token"),
    Column("lease_until", Double, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("ix_job_unfinished", job.c.state, job.c.store_id, job.c.id)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("store_id", "mailbox_store.id", nullable=False),
    Column("job_id", BigInteger),
    Column("kind", String(8), nullable=False),  # reply | oof | forward
    _text("mail_from"),
    _text("rcpt_to"),
    _text("rcpt_key"),  # the address as it is compared
    _text("message_id"),
    _text("subject"),
    Column("content", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),  # queued | sent | failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Double, nullable=False),
    _text("lease_token"),
    Column("lease_until", Double, nullable=False, server_default="0"),
    _text("last_reply"),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
    sqlite_autoincrement=True,
)
Index("ix_outbox_due", outbox.c.state, outbox.c.next_attempt_at)
Index("ix_outbox_rcpt", outbox.c.rcpt_key, outbox.c.next_attempt_at)

# ---- calendars ---------------------------------------------------------------------------------------------------

calendar = Table(
    "calendar",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("store_id", "mailbox_store.id", nullable=False),
    Column("name", CleanText, nullable=False),
    _count("version"),  # the lock of every decision, and the collection's change number
    _count("longest"),  # seconds of the longest occurrence ever held; bounds the range queries
    _text("zone_data"),  # version of the time-zone data the occurrences were made with
    UniqueConstraint("store_id", "name", name="uq_calendar_name"),
)

calendar_object = Table(
    "calendar_object",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("calendar_id", "calendar.id", nullable=False),
    Column("href", CleanText, nullable=False),
    Column("uid", CleanText, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("component", String(16), nullable=False),
    Column("range_start", BigInteger),
    Column("range_end", BigInteger),
    Column("content", CleanText, nullable=False),
    UniqueConstraint("calendar_id", "href", name="uq_calendar_object_href"),
    Index("ix_calendar_object_uid", "calendar_id", "uid"),
)

# One row per lineage: the master (recurrence_id '') and each instance that was addressed on its own.
booking = Table(
    "booking",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("calendar_id", "calendar.id", nullable=False),
    _reference("object_id", "calendar_object.id", index=True),
    Column("uid", CleanText, nullable=False),
    _text("recurrence_id"),
    Column(
        "state", String(9), nullable=False
    ),  # accepted | declined | cancelled | pending | delegated
    _count("sequence"),
    _count("dtstamp"),
    _count("seen_sequence"),  # the newest revision seen, booked or declined
    _count("seen_dtstamp"),
    _text("organizer"),
    _text(
        "sender"
    ),  # From of the first request: with the organizer, the pair that may change the booking
    _text("invited"),  # the address of the resource as invited
    _text("summary"),
    _flag("recurring"),
    Column("materialised_until", BigInteger),  # NULL: every occurrence is in the table
    _text("source"),  # the VCALENDAR as it came
    Column("reply", LargeBinary),  # the REPLY as it went out, for a repeated request
    _text("reply_to"),
    _text("reply_message_id"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("calendar_id", "uid", "recurrence_id", name="uq_booking_lineage"),
)
Index("ix_booking_rolling", booking.c.calendar_id, booking.c.materialised_until)

occurrence = Table(
    "occurrence",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("calendar_id", "calendar.id", nullable=False),
    _reference("object_id", "calendar_object.id", index=True),
    _reference("booking_id", "booking.id", nullable=False, index=True),
    _text("recurrence_id"),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column(
        "busy_type", String(8), nullable=False
    ),  # busy | free: a clash found when a series was extended
)
Index("ix_occurrence_range", occurrence.c.calendar_id, occurrence.c.starts_at, occurrence.c.ends_at)

calendar_change = Table(
    "calendar_change",
    metadata,
    _reference("calendar_id", "calendar.id", primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("href", CleanText, primary_key=True),
)

# ---- what an owner has set ---------------------------------------------------------------------------------------

rule = Table(
    "rule",
    metadata,
    Column("id", BigId, primary_key=True),
    _reference("store_id", "mailbox_store.id", nullable=False, index=True),
    Column("sequence", Integer, nullable=False),
    _flag("enabled", True),
    Column("version", Integer, nullable=False),
    Column("document", CleanText, nullable=False),
)

oof_setting = Table(
    "oof_setting",
    metadata,
    _reference("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    _flag("enabled"),
    _text("subject"),
    _text("message"),
    Column("starts_at", Double),
    Column("ends_at", Double),
    Column("switched_on_at", Double, nullable=False, server_default="0"),
)

oof_memory = Table(
    "oof_memory",
    metadata,
    _reference("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("sender_key", CleanText, primary_key=True),
    Column("answered_at", Double, nullable=False, index=True),
)
