"""Listing and counting users and groups (manual, chapter 8.2.1), as they come: nothing is held of a long list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from admin.context import Installation
from admin.options import Options
from admin.output import print_json, print_json_list, print_pairs, print_table, yes_no
from store.schema import mailbox_store
from userstore.model import EQUIPMENT, ROOM, Group, User

_CHUNK = 500
_T = TypeVar("_T")


def list_users(installation: Installation, options: Options) -> None:
    """Print every user and resource, by name."""
    company = installation.company
    users = installation.users.users(company.name if company else None)
    records = (
        user_record(user, user.external_id in stores and stores[user.external_id].mr_accept)
        for user, stores in _with_stores(installation, users)
    )
    if options.json:
        print_json_list(records)
        return
    columns = {
        "Name": "name",
        "Full name": "fullname",
        "Email address": "address",
        "Type": "type",
        "Active": "active",
        "Auto-accept": "mr_accept",
    }
    _print_records(installation, columns, records)


def list_groups(installation: Installation, options: Options) -> None:
    """Print every group, Everyone first, then by name."""
    company = installation.company
    groups = installation.users.groups(company.name if company else None)
    records = map(group_record, groups)
    if options.json:
        print_json_list(records)
        return
    columns = {"Name": "name", "Email address": "address", "Security": "security"}
    _print_records(installation, columns, records)


def count_users(installation: Installation, options: Options) -> None:
    """Print how many users there are of each sort."""
    company = installation.company
    counts = dict.fromkeys(("active", "non_active", "rooms", "equipment", "total"), 0)
    for user in installation.users.users(company.name if company else None):
        counts[_sort_of(user)] += 1
        counts["total"] += 1
    if options.json:
        print_json(counts)
        return
    names = ("Active", "Non-active", "Rooms", "Equipment", "Total")
    print_pairs(list(zip(names, map(str, counts.values()), strict=True)))


def user_record(user: User, mr_accept: bool) -> dict[str, Any]:
    """A user in a listing, for programs."""
    return {
        "name": user.name,
        "fullname": user.fullname,
        "address": user.address,
        "active": user.active,
        "type": user.resource_type or "user",
        "mr_accept": mr_accept,
        "company": user.company,
    }


def group_record(group: Group) -> dict[str, Any]:
    """A group in a listing, for programs."""
    return {
        "name": group.name,
        "address": group.address,
        "aliases": list(group.aliases),
        "security": group.security,
        "hidden": group.hidden,
        "company": group.company,
    }


def in_chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """The same values, some at a time."""
    coming = iter(values)
    while some := list(islice(coming, _CHUNK)):
        yield some


def stores_of(connection: Connection, users: Sequence[User]) -> Mapping[str, Any]:
    """The guid and mr_accept of the stores of some users, by external id."""
    query = select(mailbox_store.c.external_id, mailbox_store.c.guid, mailbox_store.c.mr_accept)
    ids = [user.external_id for user in users]
    rows = connection.execute(query.where(mailbox_store.c.external_id.in_(ids)))
    return {row.external_id: row for row in rows}


def _with_stores(
    installation: Installation, users: Iterable[User]
) -> Iterator[tuple[User, Mapping[str, Any]]]:
    for some in in_chunks(users):
        with installation.database.read() as connection:
            stores = stores_of(connection, some)
        for user in some:
            yield user, stores


def _print_records(
    installation: Installation, columns: Mapping[str, str], records: Iterable[Mapping[str, Any]]
) -> None:
    """Print some of what the records say; the company only where there are any."""
    if installation.users.companies():
        columns = {**columns, "Company": "company"}
    print_table(
        list(columns), ([_cell(record[name]) for name in columns.values()] for record in records)
    )


def _cell(value: object) -> object:
    return yes_no(value) if isinstance(value, bool) else value


def _sort_of(user: User) -> str:
    if user.resource_type:
        return {ROOM: "rooms", EQUIPMENT: "equipment"}[user.resource_type]
    return "active" if user.active else "non_active"
