"""The first schema: accounts, mailboxes, blobs, work in progress, calendars, rules, out-of-office."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Move the schema to this revision."""
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fullname", sa.Text(), server_default="", nullable=False),
        sa.Column("password", sa.Text(), server_default="", nullable=False),
        sa.Column("admin_level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("resource_type", sa.Text(), server_default="", nullable=False),
        sa.Column("capacity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("enabled_features", sa.Text(), server_default="", nullable=False),
        sa.Column("disabled_features", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "blob",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stored_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("codec", sa.String(length=8), nullable=False),
        sa.Column("location", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("sha256", name=op.f("uq_blob_sha256")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "mailbox_store",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guid", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("owner_name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.Column("change_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="", nullable=False),
        sa.Column("mr_accept", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("mr_decline_conflict", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("mr_decline_recurring", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_store")),
        sa.UniqueConstraint("external_id", name=op.f("uq_mailbox_store_external_id")),
        sa.UniqueConstraint("guid", name=op.f("uq_mailbox_store_guid")),
    )
    op.create_table(
        "message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skeleton", sa.LargeBinary(), nullable=False),
        sa.Column("skeleton_codec", sa.String(length=8), nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("recipients", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("index_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("index_pending", sa.Boolean(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_table(
        "account_address",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_address_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_account_address")),
    )
    with op.batch_alter_table("account_address", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_address_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "blob_content",
        sa.Column("blob_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["blob_id"], ["blob.id"], name=op.f("fk_blob_content_blob_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("blob_id", name=op.f("pk_blob_content")),
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("longest", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("zone_data", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["mailbox_store.id"],
            name=op.f("fk_calendar_store_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("store_id", "name", name="uq_calendar_name"),
    )
    op.create_table(
        "folder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("special_use", sa.Text(), server_default="", nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uidnext", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("highest_modseq", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("subscribed", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("keywords", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["folder.id"], name=op.f("fk_folder_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["mailbox_store.id"], name=op.f("fk_folder_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
    )
    op.create_table(
        "imap_copy",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("bodystructure", sa.LargeBinary(), nullable=False),
        sa.Column("sections", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_imap_copy_blob_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_imap_copy_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_imap_copy")),
    )
    with op.batch_alter_table("imap_copy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_imap_copy_blob_id"), ["blob_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("fate", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("mail_from", sa.Text(), server_default="", nullable=False),
        sa.Column("rcpt_to", sa.Text(), server_default="", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("trace", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("tried_since", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.Double(), server_default="0", nullable=False),
        sa.Column("lease_token", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", sa.Double(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["mailbox_store.id"], name=op.f("fk_job_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_unfinished", ["state", "store_id", "id"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("store_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["mailbox_store.id"], name=op.f("fk_ledger_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("store_id", "key", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_created_at"), ["created_at"], unique=False)

    op.create_table(
        "message_body",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("skeleton_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("encoding", sa.String(length=8), nullable=False),
        sa.Column("line_length", sa.Integer(), nullable=False),
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_message_body_blob_id")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_message_body_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "position", name=op.f("pk_message_body")),
    )
    with op.batch_alter_table("message_body", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_body_blob_id"), ["blob_id"], unique=False)

    op.create_table(
        "message_text",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_message_text_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_text")),
    )
    op.create_table(
        "oof_memory",
        sa.Column("store_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sender_key", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["mailbox_store.id"],
            name=op.f("fk_oof_memory_store_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("store_id", "sender_key", name=op.f("pk_oof_memory")),
    )
    with op.batch_alter_table("oof_memory", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_oof_memory_answered_at"), ["answered_at"], unique=False
        )

    op.create_table(
        "oof_setting",
        sa.Column("store_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("starts_at", sa.Double(), nullable=True),
        sa.Column("ends_at", sa.Double(), nullable=True),
        sa.Column("switched_on_at", sa.Double(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["mailbox_store.id"],
            name=op.f("fk_oof_setting_store_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_oof_setting")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("mail_from", sa.Text(), server_default="", nullable=False),
        sa.Column("rcpt_to", sa.Text(), server_default="", nullable=False),
        sa.Column("rcpt_key", sa.Text(), server_default="", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.Double(), nullable=False),
        sa.Column("lease_token", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("last_reply", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["mailbox_store.id"], name=op.f("fk_outbox_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_due", ["state", "next_attempt_at"], unique=False)
        batch_op.create_index("ix_outbox_rcpt", ["rcpt_key", "next_attempt_at"], unique=False)

    op.create_table(
        "rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_id"], ["mailbox_store.id"], name=op.f("fk_rule_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
    )
    with op.batch_alter_table("rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_store_id"), ["store_id"], unique=False)

    op.create_table(
        "calendar_change",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar.id"],
            name=op.f("fk_calendar_change_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "number", "href", name=op.f("pk_calendar_change")),
    )
    op.create_table(
        "calendar_object",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("component", sa.String(length=16), nullable=False),
        sa.Column("range_start", sa.BigInteger(), nullable=True),
        sa.Column("range_end", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar.id"],
            name=op.f("fk_calendar_object_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_object")),
        sa.UniqueConstraint("calendar_id", "href", name="uq_calendar_object_href"),
    )
    with op.batch_alter_table("calendar_object", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_object_uid", ["calendar_id", "uid"], unique=False)

    op.create_table(
        "expunged",
        sa.Column("folder_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["folder_id"], ["folder.id"], name=op.f("fk_expunged_folder_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("folder_id", "uid", name=op.f("pk_expunged")),
    )
    op.create_table(
        "mailbox_entry",
        sa.Column("folder_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Integer(), server_default="0", nullable=False),
        sa.Column("keywords", sa.Text(), server_default="", nullable=False),
        sa.Column("internal_date", sa.Double(), nullable=False),
        sa.Column("internal_zone", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("trace", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("imap", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["folder.id"],
            name=op.f("fk_mailbox_entry_folder_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_mailbox_entry_message_id")
        ),
        sa.PrimaryKeyConstraint("folder_id", "uid", name=op.f("pk_mailbox_entry")),
    )
    with op.batch_alter_table("mailbox_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mailbox_entry_message_id"), ["message_id"], unique=False
        )

    op.create_table(
        "booking",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("recurrence_id", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dtstamp", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_dtstamp", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("organizer", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("invited", sa.Text(), server_default="", nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("recurring", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("materialised_until", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("reply_to", sa.Text(), server_default="", nullable=False),
        sa.Column("reply_message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar.id"],
            name=op.f("fk_booking_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["object_id"],
            ["calendar_object.id"],
            name=op.f("fk_booking_object_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("calendar_id", "uid", "recurrence_id", name="uq_booking_lineage"),
    )
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_booking_object_id"), ["object_id"], unique=False)
        batch_op.create_index(
            "ix_booking_rolling", ["calendar_id", "materialised_until"], unique=False
        )

    op.create_table(
        "occurrence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("recurrence_id", sa.Text(), server_default="", nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("busy_type", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["booking.id"],
            name=op.f("fk_occurrence_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar.id"],
            name=op.f("fk_occurrence_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["object_id"],
            ["calendar_object.id"],
            name=op.f("fk_occurrence_object_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence")),
    )
    with op.batch_alter_table("occurrence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_occurrence_booking_id"), ["booking_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_occurrence_object_id"), ["object_id"], unique=False)
        batch_op.create_index(
            "ix_occurrence_range", ["calendar_id", "starts_at", "ends_at"], unique=False
        )
    _finish()


def _finish() -> None:
    """What autogeneration cannot say; the counters exist from the start, so that raising one is an update."""
    counter = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.create_index(
        "uq_folder_name",
        "folder",
        ["store_id", sa.text("coalesce(parent_id, 0)"), "name"],
        unique=True,
    )
    names = ("message", "blob", "uidvalidity", "directory")
    op.bulk_insert(counter, [{"name": name, "value": 0} for name in names])
    if op.get_bind().dialect.name == "postgresql":
        # Readers take slices of large bodies: out of line, never compressed a second time.
        op.execute("ALTER TABLE blob_content ALTER COLUMN content SET STORAGE EXTERNAL")
