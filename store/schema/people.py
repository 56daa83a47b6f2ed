"""Who exists in the db user store, and what an owner has set."""

from sqlalchemy import Column, Double, Integer, SmallInteger, Table

from store.schema.columns import (
    BigId,
    CleanText,
    flag_column,
    metadata,
    reference_column,
    text_column,
)

account = Table(
    "account",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", CleanText, nullable=False, unique=True),
    text_column("fullname"),
    text_column("password"),
    Column("admin_level", SmallInteger, nullable=False, server_default="0"),
    flag_column("active", True),
    text_column("resource_type"),
    Column("capacity", Integer, nullable=False, server_default="1"),
    text_column("enabled_features"),
    text_column("disabled_features"),
    Column("created_at", Double, nullable=False),
)

account_address = Table(
    "account_address",
    metadata,
    Column("key", CleanText, primary_key=True),
    reference_column("account_id", "account.id", nullable=False, index=True),
    Column("address", CleanText, nullable=False),
    flag_column("is_primary"),
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
)

oof_memory = Table(
    "oof_memory",
    metadata,
    reference_column("store_id", "mailbox_store.id", primary_key=True, autoincrement=False),
    Column("sender_key", CleanText, primary_key=True),
    Column("answered_at", Double, nullable=False, index=True),
)
