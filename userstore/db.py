"""The db plugin: users and resources live in our own database, and kopano-admin manages them (manual, 8.3).

Creating, changing and deleting takes the caller's transaction, so that a user and its mailbox appear together.
Whatever is wrong with a request raises UsageError before anything is changed.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Row, delete, insert, select, update

from mailcore.address import address_key
from mailcore.errors import UsageError
from store.engine import Database
from store.mailboxes import touch_directory
from store.schema import account, mail_address
from userstore.features import parse_features
from userstore.model import EQUIPMENT, RESOURCE_TYPES, User

_NAME = re.compile(r"[\w.@+$&=~!%^{}-][\w.@+$&=~!%^{} -]*\Z")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\\[\]]+\Z")
_LONGEST_NAME = 64
_LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_hasher = PasswordHasher()


class DbUserStore:
    """The plugin (userstore.plugin.UserStore) over the tables `account` and `mail_address`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_name(self, name: str) -> User | None:
        """See UserStore."""
        with self._database.read() as connection:
            return find_account(connection, account.c.name == name)

    def by_address(self, address: str) -> User | None:
        """See UserStore."""
        owner = select(mail_address.c.account_id).where(
            mail_address.c.key == address_key(address)
        )
        with self._database.read() as connection:
            return find_account(connection, account.c.id == owner.scalar_subquery())

    def by_external_id(self, external_id: str) -> User | None:
        """See UserStore."""
        with self._database.read() as connection:
            return find_account(connection, account.c.id == account_id(external_id))

    def users(self) -> list[User]:
        """See UserStore."""
        with self._database.read() as connection:
            rows = connection.execute(select(account).order_by(account.c.name)).all()
            return [_user(connection, row) for row in rows]

    def authenticate(self, name: str, password: str) -> User | None:
        """See UserStore."""
        with self._database.read() as connection:
            row = connection.execute(select(account).where(account.c.name == name)).first()
            if row is None or not row.active:
                return None
            try:
                _hasher.verify(row.password, password)
            except (VerifyMismatchError, InvalidHashError):
                return None
            return _user(connection, row)


def account_id(external_id: str) -> int:
    """The row's id in an external id; -1 for another plugin's."""
    prefix, _, number = external_id.partition(":")
    return int(number) if prefix == "db" and number.isdigit() else -1


def find_account(connection: Connection, condition: Any) -> User | None:
    """The one account that meets a condition on `account`."""
    row = connection.execute(select(account).where(condition)).first()
    return None if row is None else _user(connection, row)


def _user(connection: Connection, row: Row[Any]) -> User:
    addresses = connection.execute(
        select(mail_address.c.address, mail_address.c.is_primary)
        .where(mail_address.c.account_id == row.id)
        .order_by(mail_address.c.key)
    ).all()
    return User(
        external_id=f"db:{row.id}",
        name=row.name,
        fullname=row.fullname,
        address=next((a.address for a in addresses if a.is_primary), ""),
        aliases=tuple(a.address for a in addresses if not a.is_primary),
        active=row.active,
        admin_level=row.admin_level,
        resource_type=row.resource_type,
        capacity=row.capacity,
        enabled_features=parse_features(row.enabled_features),
        disabled_features=parse_features(row.disabled_features),
    )


def create_account(connection: Connection, name: str, values: Mapping[str, Any]) -> User:
    """Create a user; `values` as for `update_account`.  Raises UsageError, with nothing changed."""
    _check_name(name)
    if find_account(connection, account.c.name == name) is not None:
        raise UsageError(f"user {name!r} exists already; -u {name} changes it")
    new_id = connection.execute(
        insert(account).returning(account.c.id), {"name": name, "created_at": time.time()}
    ).scalar_one()
    return update_account(connection, f"db:{new_id}", values)


def update_account(connection: Connection, external_id: str, values: Mapping[str, Any]) -> User:
    """Change what `values` names: name, fullname, password (plain), address, admin_level, active,
    resource_type, capacity, enable (features), disable (features), add_aliases, remove_aliases.

    Returns the user as it is now; raises UsageError, and the caller's transaction must then roll back.
    """
    row_id = account_id(external_id)
    user = find_account(connection, account.c.id == row_id)
    if user is None:
        raise UsageError(f"no such user {external_id}")
    columns = {k: v for k, v in values.items() if k in account.c and k != "password"}
    columns |= _checked_name(connection, user, values)
    columns |= _checked_resource(user, values)
    columns |= _features(user, values)
    if "password" in values:
        columns["password"] = _hasher.hash(values["password"])
    if columns:
        connection.execute(update(account).where(account.c.id == row_id).values(**columns))
    _change_addresses(connection, row_id, values)
    touch_directory(connection)
    changed = find_account(connection, account.c.id == row_id)
    assert changed is not None
    return changed


def delete_account(connection: Connection, external_id: str) -> None:
    """Forget a user; the mailbox is the caller's to orphan."""
    row_id = account_id(external_id)
    connection.execute(delete(mail_address).where(mail_address.c.account_id == row_id))
    connection.execute(delete(account).where(account.c.id == row_id))
    touch_directory(connection)


def _check_name(name: str) -> None:
    if not _NAME.match(name) or len(name) > _LONGEST_NAME:
        raise UsageError(f"user name {name!r}: expected 1 to 64 letters, digits or . _ - + @")


def _checked_name(connection: Connection, user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    name = values.get("name", user.name)
    if name == user.name:
        return {}
    _check_name(name)
    if find_account(connection, account.c.name == name) is not None:
        raise UsageError(f"user {name!r} exists already")
    return {"name": name}


def _checked_resource(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    kind = values.get("resource_type", user.resource_type)
    if kind and kind not in RESOURCE_TYPES:
        raise UsageError(f"resource type {kind!r}: expected room or equipment")
    if "capacity" not in values:
        return {} if kind == EQUIPMENT else {"capacity": 1}
    if kind != EQUIPMENT:
        raise UsageError(
            "a capacity is only for equipment (-n equipment): a room or a person is booked once at a time"
        )
    if values["capacity"] < 1:
        raise UsageError(f"capacity {values['capacity']}: expected 1 or more")
    return {"capacity": values["capacity"]}


def _features(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    enable = parse_features(" ".join(values.get("enable", ())))
    disable = parse_features(" ".join(values.get("disable", ())))
    if not enable and not disable:
        return {}
    if enable & disable:
        raise UsageError(f"feature {', '.join(enable & disable)}: both enabled and disabled")
    return {
        "enabled_features": " ".join(sorted((user.enabled_features | enable) - disable)),
        "disabled_features": " ".join(sorted((user.disabled_features | disable) - enable)),
    }


def _change_addresses(connection: Connection, row_id: int, values: Mapping[str, Any]) -> None:
    for alias in values.get("remove_aliases", ()):
        gone = connection.execute(
            delete(mail_address).where(
                mail_address.c.account_id == row_id,
                mail_address.c.key == address_key(alias),
                ~mail_address.c.is_primary,
            )
        )
        if not gone.rowcount:
            raise UsageError(f"alias {alias}: this user has none such; --details shows them")
    if "address" in values:
        connection.execute(
            delete(mail_address).where(
                mail_address.c.account_id == row_id, mail_address.c.is_primary
            )
        )
        _add_address(connection, row_id, values["address"], primary=True)
    for alias in values.get("add_aliases", ()):
        _add_address(connection, row_id, alias, primary=False)


def _add_address(connection: Connection, row_id: int, address: str, *, primary: bool) -> None:
    if not _ADDRESS.match(address) or len(address.encode()) > _LONGEST_ADDRESS:
        raise UsageError(f"address {address!r}: expected something like anna@example.org")
    key = address_key(address)
    owner = connection.execute(
        select(account.c.name)
        .join_from(account, mail_address)
        .where(mail_address.c.key == key)
    ).scalar()
    if owner is not None:
        raise UsageError(f"address {address} is taken by {owner}")
    connection.execute(
        insert(mail_address),
        [{"key": key, "account_id": row_id, "address": address, "is_primary": primary}],
    )
