"""Showing one group with its members (manual, chapter 8.2.2)."""

import socket
from collections.abc import Iterator
from typing import Any

import click

from admin.context import Installation
from admin.listings import group_record, in_chunks, stores_of
from admin.naming import shown
from admin.options import Options
from admin.output import print_json, print_pairs, print_table, yes_no
from userstore.model import Group, User


def show_group(installation: Installation, options: Options) -> None:
    """Print one group, its direct members included."""
    group = installation.group(str(options.details))
    members = installation.users.members(group)
    users = [one for one in members if isinstance(one, User)]
    groups = [one for one in members if isinstance(one, Group)]
    records = _user_records(installation, users)
    if options.json:
        within = [shown(one) for one in groups]
        print_json({**group_record(group), "users": list(records), "groups": within})
        return
    print_pairs(_pairs(group))
    click.echo(f"Users ({len(users)}):")
    home = installation.settings.lmtp.hostname or socket.gethostname()
    print_table(
        ("Username", "Fullname", "Homeserver", "Store"),
        ((one["name"], one["fullname"], home, one["store_guid"]) for one in records),
        indent="   ",
    )
    if groups:
        click.echo(f"Groups ({len(groups)}):")
        print_table(("Name", "Email address"), [(shown(one), one.address) for one in groups], "   ")


def _pairs(group: Group) -> list[tuple[str, str]]:
    return [
        ("Name", group.name),
        *([("Company", group.company)] if group.company else []),
        ("Email address", group.address),
        *([("Aliases", "; ".join(group.aliases))] if group.aliases else []),
        ("Address book", "Hidden" if group.hidden else "Visible"),
        ("Security", yes_no(group.security)),
    ]


def _user_records(installation: Installation, users: list[User]) -> Iterator[dict[str, Any]]:
    for some in in_chunks(users):
        with installation.database.read() as connection:
            stores = stores_of(connection, some)
        for user in some:
            store = stores.get(user.external_id)
            yield {
                "name": user.name,
                "fullname": user.fullname,
                "company": user.company,
                "store_guid": store.guid if store else None,
            }
