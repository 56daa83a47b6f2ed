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
    # Nobody can tell any more under which rules these were made, nor why some have no reply.
    op.execute("UPDATE booking SET silence = 'booked before reasons were kept' WHERE reply IS NULL")
