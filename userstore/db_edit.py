"""Changing the users, groups and companies of the db plugin (userstore.editor.Editor).

Every change begins by raising the directory's version, which locks it: two changes never look at the same names and
addresses at once, and every cache hears of them.
"""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from mailcore.address import address_key
from mailcore.errors import UsageError
from store.mailboxes import touch_directory
from store.schema import account, company, group_group, group_user, send_as, user_group
from userstore.db_rows import (
    COMPANY,
    GROUP,
    NOBODY,
    USER,
    company_id,
    load_companies,
    load_groups,
    load_users,
    row_id,
)
from userstore.db_save import erase, forget_rights, save
from userstore.db_values import check_company_name
from userstore.everyone import everyone_of, is_everyone
from userstore.model import Company, Group, Member, User


class DbEditor:
    """The editor over the tables of store.schema.people; it holds nothing."""

    def create_user(
        self, connection: Connection, name: str, values: Mapping[str, Any], company: str = ""
    ) -> User:
        """See Editor."""
        touch_directory(connection)
        user = User("", name, "", "", company=_company_name(connection, company))
        return _user(connection, save(connection, user, {"name": name, **values}))

    def update_user(
        self, connection: Connection, external_id: str, values: Mapping[str, Any]
    ) -> User:
        """See Editor."""
        touch_directory(connection)
        user = _user(connection, external_id)
        return _user(connection, save(connection, user, values))

    def delete_user(self, connection: Connection, external_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        erase(connection, _user(connection, external_id))

    def create_group(
        self, connection: Connection, name: str, values: Mapping[str, Any], company: str = ""
    ) -> Group:
        """See Editor."""
        touch_directory(connection)
        group = Group("", name, company=_company_name(connection, company))
        return _group(connection, save(connection, group, {"name": name, **values}))

    def update_group(
        self, connection: Connection, external_id: str, values: Mapping[str, Any]
    ) -> Group:
        """See Editor."""
        touch_directory(connection)
        group = _group(connection, external_id)
        return _group(connection, save(connection, group, values))

    def delete_group(self, connection: Connection, external_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        erase(connection, _group(connection, external_id))

    def add_member(self, connection: Connection, group_id: str, member_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        group, member = _group(connection, group_id), _member(connection, member_id)
        if group == member:
            raise UsageError(f"group {group.name}: cannot be in itself")
        table, row = _membership(group, member)
        if _exists(connection, table, row):
            raise UsageError(f"{member.name} is in {group.name} already")
        connection.execute(insert(table), [row])

    def remove_member(self, connection: Connection, group_id: str, member_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        group, member = _group(connection, group_id), _member(connection, member_id)
        if not _delete_row(connection, *_membership(group, member)):
            raise UsageError(f"{member.name} is not in {group.name}; --details shows who is")

    def add_send_as(self, connection: Connection, user_id: str, delegate_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        user, delegate = _user(connection, user_id), _user(connection, delegate_id)
        if user == delegate:
            raise UsageError(f"{user.name} may send as {user.name} anyway")
        row = _delegation(user, delegate)
        if _exists(connection, send_as, row):
            raise UsageError(f"{delegate.name} may send as {user.name} already")
        connection.execute(insert(send_as), [row])

    def remove_send_as(self, connection: Connection, user_id: str, delegate_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        user, delegate = _user(connection, user_id), _user(connection, delegate_id)
        if not _delete_row(connection, send_as, _delegation(user, delegate)):
            raise UsageError(f"{delegate.name} may not send as {user.name}")

    def create_company(self, connection: Connection, name: str) -> Company:
        """See Editor."""
        touch_directory(connection)
        check_company_name(name)
        _check_company_free(connection, name)
        row = {"name": name, "created_at": time.time()}
        query = insert(company).returning(company.c.id)
        return Company(f"{COMPANY}:{connection.execute(query, row).scalar_one()}", name)

    def rename_company(self, connection: Connection, external_id: str, name: str) -> Company:
        """See Editor."""
        touch_directory(connection)
        found = _company(connection, external_id)
        check_company_name(name)
        if address_key(name) != address_key(found.name):
            _check_company_free(connection, name)
        change = update(company).where(company.c.id == row_id(external_id, COMPANY))
        connection.execute(change.values(name=name))
        return Company(external_id, name)

    def delete_company(self, connection: Connection, external_id: str) -> None:
        """See Editor."""
        touch_directory(connection)
        found = _company(connection, external_id)
        number = row_id(external_id, COMPANY)
        users, groups = (
            connection.execute(
                select(func.count()).select_from(table).where(table.c.company_id == number)
            ).scalar_one()
            for table in (account, user_group)
        )
        if users or groups:
            raise UsageError(
                f"company {found.name} has {users} users and {groups} groups; delete them first"
            )
        forget_rights(connection, everyone_of(found).external_id)
        connection.execute(delete(company).where(company.c.id == number))


def _user(connection: Connection, external_id: str) -> User:
    found = load_users(connection, account.c.id == row_id(external_id, USER))
    if not found:
        raise UsageError(f"no such user {external_id}; kopano-admin -l lists them")
    return found[0]


def _group(connection: Connection, external_id: str) -> Group:
    if is_everyone(external_id):
        raise UsageError("Everyone is every user, always: it cannot be changed or deleted")
    found = load_groups(connection, user_group.c.id == row_id(external_id, GROUP))
    if not found:
        raise UsageError(f"no such group {external_id}; kopano-admin -L lists them")
    return found[0]


def _member(connection: Connection, external_id: str) -> Member:
    if row_id(external_id, USER) != NOBODY:
        return _user(connection, external_id)
    return _group(connection, external_id)


def _company(connection: Connection, external_id: str) -> Company:
    for found in load_companies(connection):
        if found.external_id == external_id:
            return found
    raise UsageError(f"no such company {external_id}; kopano-admin --list-companies lists them")


def _company_name(connection: Connection, name: str) -> str:
    """The name of a company as it was created; empty for none."""
    if not name:
        return ""
    for found in load_companies(connection):
        if address_key(found.name) == address_key(name):
            return found.name
    raise UsageError(f"no such company {name!r}; kopano-admin --list-companies lists them")


def _check_company_free(connection: Connection, name: str) -> None:
    if company_id(connection, name) != NOBODY:
        raise UsageError(f"company {name!r} exists already")


def _membership(group: Group, member: Member) -> tuple[Table, dict[str, int]]:
    """The table and the row that say that someone is in a group."""
    row = {"group_id": row_id(group.external_id, GROUP)}
    if isinstance(member, User):
        return group_user, row | {"account_id": row_id(member.external_id, USER)}
    return group_group, row | {"member_id": row_id(member.external_id, GROUP)}


def _delegation(user: User, delegate: User) -> dict[str, int]:
    return {
        "account_id": row_id(user.external_id, USER),
        "delegate_id": row_id(delegate.external_id, USER),
    }


def _exists(connection: Connection, table: Table, row: Mapping[str, int]) -> bool:
    return connection.execute(select(table).filter_by(**row)).first() is not None


def _delete_row(connection: Connection, table: Table, row: Mapping[str, int]) -> bool:
    conditions = (table.c[name] == value for name, value in row.items())
    return connection.execute(delete(table).where(*conditions)).rowcount > 0
