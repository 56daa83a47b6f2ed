"""Calendars: collections, objects, bookings and the time they hold."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
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

calendar = Table(
    "calendar",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id", nullable=False),
    Column("name", CleanText, nullable=False),
    count_column("version"),  # the lock of every decision, and the collection's change number
    # seconds of the longest occurrence ever held; bounds the range queries
    count_column("longest"),
    text_column("zone_data"),  # version of the time-zone data the occurrences were made with
    UniqueConstraint("store_id", "name", name="uq_calendar_name"),
)

calendar_object = Table(
    "calendar_object",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("calendar_id", "calendar.id", nullable=False),
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

# What differs from the defaults in a resource's rules for booking; mr_accept/policy.py knows the keys.
booking_policy = Table(
    "booking_policy",
    metadata,
    reference_column("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("key", String(32), primary_key=True),
    Column("value", CleanText, nullable=False),
)

# One row per lineage: the master (recurrence_id '') and each instance that was addressed on its own.
booking = Table(
    "booking",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("calendar_id", "calendar.id", nullable=False),
    reference_column("object_id", "calendar_object.id", index=True),
    Column("uid", CleanText, nullable=False),
    text_column("recurrence_id"),
    # accepted | declined | cancelled; later pending, delegated
    Column("state", String(9), nullable=False),
    count_column("sequence"),
    count_column("dtstamp"),
    count_column("seen_sequence"),  # the newest revision seen, booked or declined
    count_column("seen_dtstamp"),
    text_column("organizer"),
    # From of the first request: with the organizer, the pair that may change the booking
    text_column("sender"),
    text_column("invited"),  # the address of the resource as invited
    text_column("summary"),
    flag_column("recurring"),
    Column("materialised_until", BigInteger),  # NULL: every occurrence is in the table
    text_column("source"),  # the VCALENDAR as it came
    Column("reply", LargeBinary),  # the REPLY as it went out, for a repeated request
    text_column("reply_to"),
    text_column("reply_message_id"),
    text_column("silence"),  # why there is no reply; an audit looks for a booking with neither
    # bookings that could use an instant together when this one was accepted; 0: as many as wanted
    count_column("places"),
    flag_column("report_due"),  # the organizer has still to hear that this does not fit any more
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("calendar_id", "uid", "recurrence_id", name="uq_booking_lineage"),
)
Index("ix_booking_rolling", booking.c.calendar_id, booking.c.materialised_until)
Index(
    "ix_booking_report_due",
    booking.c.calendar_id,
    sqlite_where=text("report_due = 1"),  # as SQLAlchemy asks for it; else the index is not used
    postgresql_where=booking.c.report_due,
)

occurrence = Table(
    "occurrence",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("calendar_id", "calendar.id", nullable=False),
    reference_column("object_id", "calendar_object.id", index=True),
    reference_column("booking_id", "booking.id", nullable=False, index=True),
    text_column("recurrence_id"),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    # busy | clash: declined, holds nothing, shown to people
    Column("busy_type", String(8), nullable=False),
)
Index("ix_occurrence_range", occurrence.c.calendar_id, occurrence.c.starts_at, occurrence.c.ends_at)

calendar_change = Table(
    "calendar_change",
    metadata,
    reference_column("calendar_id", "calendar.id", primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("href", CleanText, primary_key=True),
)
Index("ix_calendar_change_href", calendar_change.c.calendar_id, calendar_change.c.href)
