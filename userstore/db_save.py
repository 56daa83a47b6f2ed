"""Writing a user or group of the db plugin, checked against everyone else's names and addresses.

For userstore.db_edit, which holds the lock that lets nobody else change them meanwhile.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, insert, select, update

from mailcore.address import address_key
from mailcore.errors import UsageError
from store.schema import account, mail_address, permission, user_group
from userstore.db_rows import GROUP, USER, company_id, load_groups, load_users, row_id
from userstore.db_values import addresses_after, check_name, group_columns, user_columns
from userstore.model import Member, User


def save(connection: Connection, owner: Member, values: Mapping[str, Any]) -> str:
    """Change what `values` names, of a user or group that may be new; return its external id."""
    table, kind, link = _place(owner)
    name = values.get("name", owner.name)
    columns = user_columns(owner, values) if isinstance(owner, User) else group_columns(values)
    if not owner.external_id or name != owner.name:
        check_name("user" if isinstance(owner, User) else "group", name)
        _check_name_free(connection, name, owner.company)
        columns |= {"name": name, "name_key": address_key(name)}
    primary, aliases = addresses_after(owner, values)
    _check_addresses_free(connection, owner, (primary, *aliases))  # the last that may raise
    if owner.external_id:
        number = row_id(owner.external_id, kind)
        if columns:
            connection.execute(update(table).where(table.c.id == number).values(**columns))
    else:
        of = company_id(connection, owner.company) if owner.company else None
        row = {**columns, "company_id": of, "created_at": time.time()}
        number = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
    if (primary, aliases) != (owner.address, owner.aliases):
        _write_addresses(connection, link, number, primary, aliases)
    return f"{kind}:{number}"


def _place(owner: Member) -> tuple[Table, str, Column[int]]:
    """The table of a user or group, the prefix of its external id, and the reference of its addresses."""
    if isinstance(owner, User):
        return account, USER, mail_address.c.account_id
    return user_group, GROUP, mail_address.c.group_id


def _check_name_free(connection: Connection, name: str, of: str) -> None:
    key = address_key(name)
    named: list[Member] = [
        *load_users(connection, account.c.name_key == key),
        *load_groups(connection, user_group.c.name_key == key),
    ]
    for one in named:
        if (one.name, one.company) == (name, of):
            kind = "user" if isinstance(one, User) else "group"
            raise UsageError(f"{kind} {name!r} exists already; --details shows it")


def _check_addresses_free(connection: Connection, owner: Member, addresses: Sequence[str]) -> None:
    own = {address_key(address) for address in owner.addresses}
    wanted = {address_key(address): address for address in addresses if address}
    new = wanted.keys() - own
    if not new:
        return
    query = (
        select(mail_address.c.key, func.coalesce(account.c.name, user_group.c.name).label("owner"))
        .outerjoin_from(mail_address, account)
        .outerjoin(user_group, mail_address.c.group_id == user_group.c.id)
        .where(mail_address.c.key.in_(new))
    )
    taken = connection.execute(query).first()
    if taken is not None:
        raise UsageError(f"address {wanted[taken.key]} is taken by {taken.owner}")


def _write_addresses(
    connection: Connection, link: Column[int], number: int, primary: str, aliases: Sequence[str]
) -> None:
    connection.execute(delete(mail_address).where(link == number))
    rows = [
        {"key": address_key(one), link.name: number, "address": one, "is_primary": one == primary}
        for one in (primary, *aliases)
        if one
    ]
    if rows:
        connection.execute(insert(mail_address), rows)


def erase(connection: Connection, owner: Member) -> None:
    """Forget a user or group and its rights; addresses, memberships and delegations go with its row."""
    forget_rights(connection, owner.external_id)
    table, kind, _ = _place(owner)
    connection.execute(delete(table).where(table.c.id == row_id(owner.external_id, kind)))


def forget_rights(connection: Connection, subject: str) -> None:
    """Forget what a user or group, by its external id, may do with the mailboxes of others."""
    connection.execute(delete(permission).where(permission.c.subject == subject))
