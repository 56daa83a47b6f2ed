"""The db plugin: users, groups and companies live in our own database (manual, 8.3).

userstore.db_edit changes them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    select,
    true,
    tuple_,
)

from mailcore.address import address_key
from store.engine import Database
from store.schema import account, group_group, group_user, mail_address, send_as, user_group
from userstore.db_rows import (
    GROUP,
    NOBODY,
    USER,
    company_id,
    load_companies,
    load_groups,
    load_users,
    row_id,
)
from userstore.model import Company, Entry, Group, Member, User
from userstore.passwords import is_right

_CHUNK = 500  # users read at once when all are listed
_Listed = TypeVar("_Listed", User, Group)


def _groups_around() -> Select[tuple[int, int]]:
    """Every account of `accounts` with each group around it; made once, because that takes longer than asking."""
    around = (
        select(group_user.c.account_id, group_user.c.group_id)
        .where(group_user.c.account_id.in_(bindparam("accounts", expanding=True)))
        .cte("around", recursive=True)
    )
    outer = select(around.c.account_id, group_group.c.group_id).join(
        around, around.c.group_id == group_group.c.member_id
    )
    around = around.union(outer)  # not UNION ALL: a group that was seen is not followed again
    return select(around.c.account_id, around.c.group_id)


_GROUPS_AROUND = _groups_around()


class DbUserStore:
    """The plugin (userstore.plugin.UserStore) over the tables of store.schema.people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_name(self, name: str) -> Sequence[Member]:
        """See UserStore."""
        key = address_key(name)
        with self._database.read() as connection:
            return [
                *load_users(connection, account.c.name_key == key),
                *load_groups(connection, user_group.c.name_key == key),
            ]

    def by_address(self, address: str) -> Sequence[Entry]:
        """See UserStore."""
        owner = select(mail_address.c.account_id, mail_address.c.group_id).where(
            mail_address.c.key == address_key(address)
        )
        with self._database.read() as connection:
            row = connection.execute(owner).first()
            if row is None:
                return []
            if row.group_id is not None:
                return load_groups(connection, user_group.c.id == row.group_id)
            return load_users(connection, account.c.id == row.account_id)

    def by_external_id(self, external_id: str) -> Member | None:
        """See UserStore."""
        user_id, group_id = row_id(external_id, USER), row_id(external_id, GROUP)
        found: Sequence[Member] = ()
        with self._database.read() as connection:
            if user_id != NOBODY:
                found = load_users(connection, account.c.id == user_id)
            elif group_id != NOBODY:
                found = load_groups(connection, user_group.c.id == group_id)
        return found[0] if found else None

    def users(self, company: str | None = None) -> Iterator[User]:
        """See UserStore."""
        return self._listed(load_users, account, company)

    def groups(self, company: str | None = None) -> Iterator[Group]:
        """See UserStore."""
        return self._listed(load_groups, user_group, company)

    def companies(self) -> Sequence[Company]:
        """See UserStore."""
        with self._database.read() as connection:
            return load_companies(connection)

    def members(self, group: Group) -> Sequence[Member]:
        """See UserStore."""
        group_id = row_id(group.external_id, GROUP)
        users = select(group_user.c.account_id).where(group_user.c.group_id == group_id)
        groups = select(group_group.c.member_id).where(group_group.c.group_id == group_id)
        with self._database.read() as connection:
            return [
                *load_users(connection, account.c.id.in_(users)),
                *load_groups(connection, user_group.c.id.in_(groups)),
            ]

    def groups_of(self, user: User) -> Sequence[Group]:
        """See UserStore."""
        return self.groups_of_each([user])[user.external_id]

    def groups_of_each(self, users: Sequence[User]) -> Mapping[str, Sequence[Group]]:
        """See UserStore."""
        ids = {row_id(user.external_id, USER): user.external_id for user in users}
        around: dict[str, list[Group]] = {user.external_id: [] for user in users}
        with self._database.read() as connection:
            pairs = connection.execute(_GROUPS_AROUND, {"accounts": list(ids)}).all()
            known = {pair.group_id for pair in pairs}
            groups = load_groups(connection, user_group.c.id.in_(known)) if known else []
        inside = defaultdict(list)
        for pair in pairs:
            inside[pair.group_id].append(ids[pair.account_id])
        for group in groups:
            for external_id in inside[row_id(group.external_id, GROUP)]:
                around[external_id].append(group)
        return around

    def senders_as(self, user: User) -> Sequence[User]:
        """See UserStore."""
        delegates = select(send_as.c.delegate_id).where(
            send_as.c.account_id == row_id(user.external_id, USER)
        )
        with self._database.read() as connection:
            return load_users(connection, account.c.id.in_(delegates))

    def authenticate(self, name: str, password: str) -> User | None:
        """See UserStore."""
        with self._database.read() as connection:
            found = _login(connection, name)
            query = select(account.c.password).where(
                account.c.id == (row_id(found.external_id, USER) if found else NOBODY)
            )
            stored = connection.execute(query).scalar()
        right = is_right(stored or "", password)
        return found if found and found.active and right else None

    def _listed(
        self,
        load: Callable[[Connection, ColumnElement[bool]], list[_Listed]],
        table: Table,
        company: str | None,
    ) -> Iterator[_Listed]:
        """The rows of a table, chunk by chunk, each going on behind the last one of the chunk before."""
        keys = select(table.c.name_key, table.c.id).order_by(table.c.name_key, table.c.id)
        if company is not None:
            keys = keys.where(self._of_company(table, company))
        behind: ColumnElement[bool] = true()
        while True:
            with self._database.read() as connection:
                chunk = connection.execute(keys.where(behind).limit(_CHUNK)).all()
                listed = load(connection, table.c.id.in_([row.id for row in chunk]))
            yield from listed
            if len(chunk) < _CHUNK:
                return
            behind = tuple_(table.c.name_key, table.c.id) > tuple(chunk[-1])

    def _of_company(self, table: Table, company: str) -> ColumnElement[bool]:
        if not company:
            return table.c.company_id.is_(None)
        with self._database.read() as connection:
            return table.c.company_id == company_id(connection, company)


def _login(connection: Connection, name: str) -> User | None:
    """Whom a login name means: exactly that name, or the name in a company; of no company where several have it."""
    local, _, company = name.rpartition("@")
    named = _of_name(connection, name)
    if not named and local and company:
        key = address_key(company)
        named = [one for one in _of_name(connection, local) if address_key(one.company) == key]
    found = [one for one in named if not one.company] or named
    return found[0] if len(found) == 1 else None


def _of_name(connection: Connection, name: str) -> list[User]:
    found = load_users(connection, account.c.name_key == address_key(name))
    return [one for one in found if one.name == name]
