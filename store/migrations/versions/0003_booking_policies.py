"""Rules for booking by resource; of each booking, how many could share its time, and why it has no reply."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Move the schema to this revision."""
    op.create_table(
        "booking_policy",
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["mailbox_store.id"],
            name=op.f("fk_booking_policy_store_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("store_id", "key", name=op.f("pk_booking_policy")),
    )
    op.add_column("booking", sa.Column("silence", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "booking", sa.Column("places", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "booking", sa.Column("report_due", sa.Boolean(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_booking_report_due",
        "booking",
        ["calendar_id"],
        sqlite_where=sa.text("report_due = 1"),
        postgresql_where=sa.text("report_due"),
    )
    op.create_index("ix_calendar_change_href", "calendar_change", ["calendar_id", "href"])
    _give_clashes_lineages()
    # Nobody can tell any more under which rules these were made, nor why some have no reply.
    op.execute("UPDATE booking SET silence = 'booked before reasons were kept' WHERE reply IS NULL")


def _give_clashes_lineages() -> None:
    """What did not fit when a series was extended becomes a declined lineage of its own, as it would today."""
    op.execute(
        """
        INSERT INTO booking (calendar_id, uid, recurrence_id, state, sequence, dtstamp, seen_sequence, seen_dtstamp,
            organizer, sender, invited, summary, recurring, source, created_at, updated_at)
        SELECT b.calendar_id, b.uid, o.recurrence_id, 'declined', b.sequence, b.dtstamp, b.sequence, b.dtstamp,
            b.organizer, b.sender, b.invited, b.summary, FALSE, b.source, b.created_at, b.updated_at
        FROM occurrence o JOIN booking b ON b.id = o.booking_id
        WHERE o.busy_type = 'clash' AND b.recurrence_id = '' AND o.recurrence_id <> ''
        """
    )
    op.execute(
        """
        UPDATE occurrence SET object_id = NULL, booking_id = (
            SELECT own.id FROM booking own JOIN booking series
                ON series.calendar_id = own.calendar_id AND series.uid = own.uid
            WHERE series.id = occurrence.booking_id AND own.recurrence_id = occurrence.recurrence_id)
        WHERE busy_type = 'clash' AND recurrence_id <> '' AND EXISTS (
            SELECT 1 FROM booking series WHERE series.id = occurrence.booking_id AND series.recurrence_id = '')
        """
    )
