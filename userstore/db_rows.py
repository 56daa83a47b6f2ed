"""The rows of the db plugin as users, groups and companies, and their external ids."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from mailcore.address import address_key
from store.schema import account, company, mail_address, user_group
from userstore.features import parse_features
from userstore.model import Company, Group, Quota, User

USER, GROUP, COMPANY = "db", "dbgroup", "dbcompany"
"""What stands before the colon of an external id; behind it is the row's."""

NOBODY = -1
"""The id of no row."""

_NUMBER = re.compile("[0-9]{1,18}")  # what a column of 64 bits holds

_USERS = (
    select(
        account,
        company.c.name.label("company"),
        mail_address.c.address,
        mail_address.c.is_primary,
    )
    .outerjoin_from(account, company)
    .outerjoin(mail_address, mail_address.c.account_id == account.c.id)
    .order_by(account.c.name_key, account.c.id, mail_address.c.key)
)
_GROUPS = (
    select(
        user_group,
        company.c.name.label("company"),
        mail_address.c.address,
        mail_address.c.is_primary,
    )
    .outerjoin_from(user_group, company)
    .outerjoin(mail_address, mail_address.c.group_id == user_group.c.id)
    .order_by(user_group.c.name_key, user_group.c.id, mail_address.c.key)
)


def row_id(external_id: str, kind: str) -> int:
    """The row's id in an external id; NOBODY for another kind's and another plugin's.

    >>> row_id("dbgroup:7", GROUP), row_id("dbgroup:7", USER)
    (7, -1)
    """
    prefix, _, number = external_id.partition(":")
    return int(number) if prefix == kind and _NUMBER.fullmatch(number) else NOBODY


def load_users(connection: Connection, condition: ColumnElement[bool]) -> list[User]:
    """The users that meet a condition on `account`, by name."""
    return [_user(rows) for rows in _by_id(connection.execute(_USERS.where(condition)))]


def load_groups(connection: Connection, condition: ColumnElement[bool]) -> list[Group]:
    """The groups that meet a condition on `user_group`, by name."""
    return [_group(rows) for rows in _by_id(connection.execute(_GROUPS.where(condition)))]


def load_companies(connection: Connection) -> list[Company]:
    """Every company, by name."""
    rows = connection.execute(select(company.c.id, company.c.name).order_by(company.c.name))
    return [Company(f"{COMPANY}:{row.id}", row.name) for row in rows]


def company_id(connection: Connection, name: str) -> int:
    """The id of the company of that name, without case; NOBODY if there is none such."""
    key = address_key(name)
    found = (one for one in load_companies(connection) if address_key(one.name) == key)
    return next((row_id(one.external_id, COMPANY) for one in found), NOBODY)


def _by_id(rows: Iterable[Row[Any]]) -> Iterable[Sequence[Row[Any]]]:
    """The rows of each user or group: one for each address, and one if there is none."""
    for _, some in groupby(rows, key=lambda row: row.id):
        yield list(some)


def _addresses(rows: Sequence[Row[Any]]) -> tuple[str, tuple[str, ...]]:
    """The primary address and the others."""
    primary = next((row.address for row in rows if row.is_primary), "")
    return primary, tuple(row.address for row in rows if row.address and not row.is_primary)


def _user(rows: Sequence[Row[Any]]) -> User:
    row = rows[0]
    address, aliases = _addresses(rows)
    limits = Quota(row.quota_warn, row.quota_soft, row.quota_hard)
    return User(
        external_id=f"{USER}:{row.id}",
        name=row.name,
        fullname=row.fullname,
        address=address,
        aliases=aliases,
        active=row.active,
        admin_level=row.admin_level,
        resource_type=row.resource_type,
        capacity=row.capacity,
        enabled_features=parse_features(row.enabled_features),
        disabled_features=parse_features(row.disabled_features),
        company=row.company or "",
        hidden=row.hidden,
        quota=limits if row.quota_override else None,
    )


def _group(rows: Sequence[Row[Any]]) -> Group:
    row = rows[0]
    address, aliases = _addresses(rows)
    return Group(
        external_id=f"{GROUP}:{row.id}",
        name=row.name,
        address=address,
        aliases=aliases,
        security=row.security,
        hidden=row.hidden,
        company=row.company or "",
    )
