"""Who exists in the db user store: companies, users, groups, and the addresses that reach them."""

from sqlalchemy import Column, Double, Index, Integer, SmallInteger, Table, func

from store.schema.columns import (
    BigId,
    CleanText,
    count_column,
    flag_column,
    metadata,
    reference_column,
    text_column,
)

company = Table(
    "company",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", CleanText, nullable=False, unique=True),
    Column("created_at", Double, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("company_id", "company.id", index=True),  # NULL: of no company
    Column("name", CleanText, nullable=False),
    text_column("name_key"),  # the name as it is compared without case
    text_column("fullname"),
    text_column("password"),
    Column("admin_level", SmallInteger, nullable=False, server_default="0"),
    flag_column("active", True),
    flag_column("hidden"),  # not in the address book
    text_column("resource_type"),
    Column("capacity", Integer, nullable=False, server_default="1"),
    text_column("enabled_features"),
    text_column("disabled_features"),
    flag_column("quota_override"),  # octets below count instead of the default; 0: no limit
    count_column("quota_warn"),
    count_column("quota_soft"),
    count_column("quota_hard"),
    Column("created_at", Double, nullable=False),
)
Index("uq_account_name", func.coalesce(account.c.company_id, 0), account.c.name, unique=True)
Index("ix_account_name_key", account.c.name_key)

user_group = Table(
    "user_group",
    metadata,
    Column("id", BigId, primary_key=True),
    reference_column("company_id", "company.id", index=True),
    Column("name", CleanText, nullable=False),
    text_column("name_key"),
    flag_column("security", True),  # else only for distribution: it can be given no rights
    flag_column("hidden"),
    Column("created_at", Double, nullable=False),
)
Index(
    "uq_user_group_name", func.coalesce(user_group.c.company_id, 0), user_group.c.name, unique=True
)
Index("ix_user_group_name_key", user_group.c.name_key)

group_user = Table(
    "group_user",
    metadata,
    reference_column("group_id", "user_group.id", primary_key=True, autoincrement=False),
    reference_column("account_id", "account.id", primary_key=True, autoincrement=False, index=True),
)

group_group = Table(
    "group_group",
    metadata,
    reference_column("group_id", "user_group.id", primary_key=True, autoincrement=False),
    reference_column(
        "member_id", "user_group.id", primary_key=True, autoincrement=False, index=True
    ),
)

# One of the two references is set.  `@example.org` is every address of that domain that is nobody's.
mail_address = Table(
    "mail_address",
    metadata,
    Column("key", CleanText, primary_key=True),
    reference_column("account_id", "account.id", index=True),
    reference_column("group_id", "user_group.id"),
    Column("address", CleanText, nullable=False),
    flag_column("is_primary"),
)
# Few addresses are a group's: an index of them all looks useless to a planner that has counted.
Index(
    "ix_mail_address_group_id",
    mail_address.c.group_id,
    sqlite_where=mail_address.c.group_id.is_not(None),
    postgresql_where=mail_address.c.group_id.is_not(None),
)

# The delegate may send mail that is from the account, and nobody can tell.
send_as = Table(
    "send_as",
    metadata,
    reference_column("account_id", "account.id", primary_key=True, autoincrement=False),
    reference_column(
        "delegate_id", "account.id", primary_key=True, autoincrement=False, index=True
    ),
)
