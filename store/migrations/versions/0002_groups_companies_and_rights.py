"""Groups, companies, quotas, send-as, rights on folders, failed tries, scripts to be run, and soft-deleted folders."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from mailcore.address import address_key

revision = "0002"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Move the schema to this revision."""
    _create_company()
    _widen_account()
    _create_groups()
    _create_addresses()
    _create_send_as()
    _widen_mailboxes()
    _create_permission()
    _create_login_failure()
    _create_directory_event()
    op.execute("INSERT INTO counter (name, value) VALUES ('purge', 0)")


def _flag(name: str, default: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default="1" if default else "0", nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _reference(table: str, name: str, target: str, nullable: bool = False) -> list[Any]:
    """A column and its foreign key; the row goes with what it refers to."""
    return [
        sa.Column(name, sa.BigInteger(), nullable=nullable),
        sa.ForeignKeyConstraint(
            [name], [target], name=op.f(f"fk_{table}_{name}"), ondelete="CASCADE"
        ),
    ]


def _create_company() -> None:
    op.create_table(
        "company",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("name", name=op.f("uq_company_name")),
    )


def _widen_account() -> None:
    """SQLite makes the table anew for this; so nothing may refer to it meanwhile, or would be deleted with it."""
    op.create_table(
        "old_address",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
    )
    op.execute(
        "INSERT INTO old_address SELECT key, account_id, address, is_primary FROM account_address"
    )
    op.drop_table("account_address")
    with op.batch_alter_table("account") as batch:
        batch.drop_constraint("uq_account_name", type_="unique")
        batch.add_column(sa.Column("company_id", sa.BigInteger()))
        batch.create_foreign_key(
            "fk_account_company_id", "company", ["company_id"], ["id"], ondelete="CASCADE"
        )
        batch.add_column(_text("name_key"))
        batch.add_column(_flag("hidden"))
        batch.add_column(_flag("quota_override"))
        for name in ("quota_warn", "quota_soft", "quota_hard"):
            batch.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_account_company_id", "account", ["company_id"])
    op.create_index("ix_account_name_key", "account", ["name_key"])
    op.create_index(
        "uq_account_name", "account", [sa.text("coalesce(company_id, 0)"), "name"], unique=True
    )
    account = sa.table("account", sa.column("id"), sa.column("name"), sa.column("name_key"))
    names = op.get_bind().execute(sa.select(account.c.id, account.c.name)).all()
    keys = [{"row": row.id, "name_key": address_key(row.name)} for row in names]
    if keys:
        one = sa.update(account).where(account.c.id == sa.bindparam("row"))
        op.get_bind().execute(one, keys)


def _create_groups() -> None:
    op.create_table(
        "user_group",
        sa.Column("id", _BIG_ID, nullable=False),
        *_reference("user_group", "company_id", "company.id", nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        _text("name_key"),
        _flag("security", True),
        _flag("hidden"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
    )
    op.create_index("ix_user_group_company_id", "user_group", ["company_id"])
    op.create_index("ix_user_group_name_key", "user_group", ["name_key"])
    op.create_index(
        "uq_user_group_name",
        "user_group",
        [sa.text("coalesce(company_id, 0)"), "name"],
        unique=True,
    )
    for table, member, target in (
        ("group_user", "account_id", "account.id"),
        ("group_group", "member_id", "user_group.id"),
    ):
        op.create_table(
            table,
            *_reference(table, "group_id", "user_group.id"),
            *_reference(table, member, target),
            sa.PrimaryKeyConstraint("group_id", member, name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_{member}", table, [member])


def _create_addresses() -> None:
    op.create_table(
        "mail_address",
        sa.Column("key", sa.Text(), nullable=False),
        *_reference("mail_address", "account_id", "account.id", nullable=True),
        *_reference("mail_address", "group_id", "user_group.id", nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        _flag("is_primary"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_address")),
    )
    op.create_index("ix_mail_address_account_id", "mail_address", ["account_id"])
    of_groups = sa.text("group_id IS NOT NULL")
    op.create_index(
        "ix_mail_address_group_id",
        "mail_address",
        ["group_id"],
        sqlite_where=of_groups,
        postgresql_where=of_groups,
    )
    op.execute(
        "INSERT INTO mail_address (key, account_id, address, is_primary)"
        " SELECT key, account_id, address, is_primary FROM old_address"
    )
    op.drop_table("old_address")


def _create_send_as() -> None:
    op.create_table(
        "send_as",
        *_reference("send_as", "account_id", "account.id"),
        *_reference("send_as", "delegate_id", "account.id"),
        sa.PrimaryKeyConstraint("account_id", "delegate_id", name=op.f("pk_send_as")),
    )
    op.create_index("ix_send_as_delegate_id", "send_as", ["delegate_id"])


def _widen_mailboxes() -> None:
    op.add_column(
        "mailbox_store",
        sa.Column("kind", sa.String(length=8), server_default="user", nullable=False),
    )
    op.add_column("mailbox_store", _text("deliver_via"))
    op.add_column("folder", sa.Column("deleted_at", sa.Double()))
    op.drop_index("uq_folder_name", "folder")
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_folder_name",
        "folder",
        ["store_id", sa.text("coalesce(parent_id, 0)"), "name"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )
    deleted = sa.text("deleted_at IS NOT NULL")
    for table in ("folder", "mailbox_entry"):
        op.create_index(
            f"ix_{table}_deleted",
            table,
            ["deleted_at"],
            sqlite_where=deleted,
            postgresql_where=deleted,
        )
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("store_id", existing_type=sa.BigInteger(), nullable=True)
    op.add_column("rule", _flag("reported"))
    op.add_column("oof_setting", _text("timezone"))
    op.add_column(
        "oof_setting",
        sa.Column("external", sa.String(length=5), server_default="all", nullable=False),
    )
    op.add_column("oof_setting", _text("external_message"))
    op.add_column("oof_setting", _text("internal_message"))
    op.add_column("oof_setting", _flag("decline_meetings"))


def _create_permission() -> None:
    op.create_table(
        "permission",
        sa.Column("id", _BIG_ID, nullable=False),
        *_reference("permission", "store_id", "mailbox_store.id"),
        *_reference("permission", "folder_id", "folder.id", nullable=True),
        *_reference("permission", "calendar_id", "calendar.id", nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission")),
    )
    for name in ("folder_id", "calendar_id", "subject"):
        op.create_index(f"ix_permission_{name}", "permission", [name])
    op.create_index(
        "uq_permission_subject",
        "permission",
        [
            "store_id",
            sa.text("coalesce(folder_id, 0)"),
            sa.text("coalesce(calendar_id, 0)"),
            "subject",
        ],
        unique=True,
    )
    op.execute(
        # 128 is store.rights.Right.FREE_BUSY
        "INSERT INTO permission (store_id, calendar_id, subject, rights)"
        " SELECT store_id, id, 'everyone', 128 FROM calendar"
    )


def _create_login_failure() -> None:
    op.create_table(
        "login_failure",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_last_at", "login_failure", ["last_at"])


def _create_directory_event() -> None:
    op.create_table(
        "directory_event",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        _text("variables"),
        sa.Column("state", sa.String(length=8), nullable=False),
        _text("output"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        _text("lease_token"),
        sa.Column("lease_until", sa.Double(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_directory_event_state", "directory_event", ["state", "id"])
