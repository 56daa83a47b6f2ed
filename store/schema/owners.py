"""What an owner has set for a mailbox: rules and out-of-office."""

from sqlalchemy import Column, Double, Integer, String, Table

from store.schema.columns import (
    BigId,
    CleanText,
    flag_column,
    metadata,
    reference_column,
    text_column,
)

rule = Table(
    "rule",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("store_id", "mailbox_store.id", nullable=False, index=True),
    Column("sequence", Integer, nullable=False),
    flag_column("enabled", True),
    Column("version", Integer, nullable=False),
    Column("document", CleanText, nullable=False),
    flag_column("reported"),  # its owner has been told that it cannot be read
)

oof_setting = Table(
    "oof_setting",
    metadata,
    reference_column("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    flag_column("enabled"),
    text_column("subject"),
    text_column("message"),
    Column("starts_at", Double),
    Column("ends_at", Double),
    Column("switched_on_at", Double, nullable=False, server_default="0"),
    text_column("timezone"),  # in which the window is written
    # none | known | all: who outside gets an answer
    Column("external", String(5), nullable=False, server_default="all"),
    text_column("external_message"),  # empty: `message`
    text_column("internal_message"),  # empty: `message`
    flag_column("decline_meetings"),
)

oof_memory = Table(
    "oof_memory",
    metadata,
    reference_column("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("sender_key", CleanText, primary_key=True),
    Column("answered_at", Double, nullable=False, index=True),
)
