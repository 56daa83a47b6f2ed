"""Work in progress: counters, the ledger, the booker's jobs, the outbox, and scripts to be run."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, String, Table

from store.schema.columns import BigId, count_column, metadata, reference_column, text_column

# Persistent counters: blocks of ids, UIDVALIDITY, the version of the directory.
counter = Table(
    "counter",
    metadata,
    Column("name", String(64), primary_key=True),
    count_column("value"),
)

ledger = Table(
    "ledger",
    metadata,
    reference_column("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("key", LargeBinary(32), primary_key=True),
    Column("uid", BigInteger),
    Column("job_id", BigInteger),
    Column("created_at", Double, nullable=False, index=True),
)

job = Table(
    "job",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id", nullable=False),
    Column("state", String(8), nullable=False),  # pending | done
    text_column("fate"),
    text_column("reason"),
    text_column("mail_from"),
    text_column("rcpt_to"),
    text_column("message_id"),
    text_column("subject"),
    count_column("size"),
    Column("content", LargeBinary),  # the exact bytes, until the job is done
    Column("trace", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("tried_since", Double, nullable=False),  # the deadline counts from here
    Column("finished_at", Double),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Double, nullable=False, server_default="0"),
    text_column("lease_token"),
    Column("lease_until", Double, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("ix_job_unfinished", job.c.state, job.c.store_id, job.c.id)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id"),  # NULL: what only passes through (SRS)
    Column("job_id", BigInteger),
    # reply | oof | forward | redirect | delegate | answer | bounce | srs
    Column("kind", String(8), nullable=False),
    text_column("mail_from"),
    text_column("rcpt_to"),
    text_column("rcpt_key"),  # the address as it is compared
    text_column("message_id"),
    text_column("subject"),
    Column("content", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),  # queued | sent | failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Double, nullable=False),
    text_column("lease_token"),
    Column("lease_until", Double, nullable=False, server_default="0"),
    text_column("last_reply"),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
    sqlite_autoincrement=True,
)
Index("ix_outbox_due", outbox.c.state, outbox.c.next_attempt_at)
Index("ix_outbox_rcpt", outbox.c.rcpt_key, outbox.c.next_attempt_at)

# A change of the directory whose scripts (manual, 8.5.1) are to be run.
directory_event = Table(
    "directory_event",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(16), nullable=False),  # createuser | deleteuser | ...
    text_column("variables"),  # JSON: the environment variables of its scripts
    Column("state", String(8), nullable=False),  # pending | done | failed
    text_column("output"),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
    text_column("lease_token"),
    Column("lease_until", Double, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("ix_directory_event_state", directory_event.c.state, directory_event.c.id)
