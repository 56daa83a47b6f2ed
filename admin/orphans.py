"""Stores without users, and how they get one or go (manual, chapter 8.2.3)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from admin.context import Installation
from admin.listings import in_chunks, stores_of
from admin.naming import shown
from admin.options import Options
from admin.output import iso_time, print_json, print_table, say
from admin.zones import checked_zone
from mailcore.errors import UsageError
from store.mailboxes import load_mailbox, touch_directory
from store.orphans import Orphan, hook_store, list_orphans, remove_store, unhook_store
from store.public import SYSTEM, public_id
from userstore.model import User

_INDENT = "    "


def list_all(installation: Installation, options: Options) -> None:
    """Print the stores without users, and the users without stores."""
    with installation.database.read() as connection:
        orphans = list(list_orphans(connection))
    users = list(_without_store(installation))
    if options.json:
        print_json({"stores": [_record(one) for one in orphans], "users": [*map(_user, users)]})
        return
    zone = ZoneInfo(checked_zone(installation.settings.userstore.default_timezone))
    click.echo("Stores without users:")
    print_table(
        ("Store guid", "Guessed username", "Last modified", "Store size", ""),
        [
            (
                one.guid,
                one.owner_name,
                datetime.fromtimestamp(one.modified_at, UTC)
                .astimezone(zone)
                .strftime("%Y/%m/%d %H:%M"),
                f"{one.size / 1024:.0f}KB",
                _remark(one),
            )
            for one in orphans
        ],
        _INDENT,
    )
    click.echo(f"\nUsers without stores ({len(users)}):")
    for user in users:
        click.echo(f"{_INDENT}{shown(user)}")


def hook(installation: Installation, options: Options) -> None:
    """Give an orphan to a user or, where none is named, make it the public store."""
    guid = str(options.hook_store).upper()
    with installation.database.write() as connection:
        touch_directory(connection)  # from here on nobody else changes who exists
        external_id, owner, whose = _new_owner(installation, options.user)
        before = load_mailbox(connection, external_id)
        hook_store(connection, guid, external_id, owner)
    orphaned = f" {before.guid}, which was there before, is an orphan now." if before else ""
    say(f"Store {guid} belongs to {whose} now.{orphaned}")


def unhook(installation: Installation, options: Options) -> None:
    """Make a user's store, or the public one, an orphan."""
    external_id = _owner_named(installation, options)
    with installation.database.write() as connection:
        guid = unhook_store(connection, external_id)
    say(f"Store {guid} is an orphan now; --hook-store gives it to somebody.")


def remove(installation: Installation, options: Options) -> None:
    """Delete an orphan for a while."""
    guid = str(options.remove_store).upper()
    with installation.database.write() as connection:
        remove_store(connection, guid, time.time())
    say(
        f"Store {guid} is deleted; --purge-softdelete ends it for good, --hook-store brings it back."
    )


def _new_owner(installation: Installation, name: str | None) -> tuple[str, str, str]:
    """The external id, the name and, in words, whose the store is from now on."""
    if name:
        user = installation.user(name)
        return user.external_id, user.name, shown(user)
    company = installation.company
    words = "everybody, as the public store"
    if company:
        return public_id(company.external_id), company.name, words
    return public_id(), SYSTEM, words


def _owner_named(installation: Installation, options: Options) -> str:
    """The external id that has the store: a user's or, with --type company, that of a public store."""
    name = options.unhook_store or ""
    if options.type == "company":
        company = installation.company_called(name) if name else installation.company
        return public_id(company.external_id if company else "")
    if options.type == "group":
        raise UsageError(f"--unhook-store: group {name} has no store; only users and companies do")
    return installation.user(name).external_id


def _without_store(installation: Installation) -> Iterator[User]:
    for users in in_chunks(installation.users.users()):
        with installation.database.read() as connection:
            stores = stores_of(connection, users)
        yield from (user for user in users if user.external_id not in stores)


def _record(orphan: Orphan) -> dict[str, Any]:
    return {
        "guid": orphan.guid,
        "name": orphan.owner_name,
        "modified_at": iso_time(orphan.modified_at),
        "size": orphan.size,
        "public": orphan.public,
        "deleted": orphan.deleted,
    }


def _user(user: User) -> dict[str, str]:
    return {"name": user.name, "company": user.company}


def _remark(orphan: Orphan) -> str:
    """What is special about a store.

    >>> _remark(Orphan("A1", "SYSTEM", 0.0, 0, deleted=True, public=True))
    'public, deleted'
    """
    remarks = {"public": orphan.public, "deleted": orphan.deleted}
    return ", ".join(remark for remark, holds in remarks.items() if holds)
