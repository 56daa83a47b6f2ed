"""Creating, changing and deleting users and resources (manual, chapter 8.3, 8.7.2, 8.8).

A user and its mailbox appear, change and go in one transaction.
"""

from typing import Any

import click
from sqlalchemy import Connection

from admin.context import Installation
from admin.options import DECLARED, Options, given
from admin.output import say
from admin.user_options import CHANGES
from admin.zones import checked_zone
from mailcore.errors import UsageError
from mailcore.settings import Settings
from store.mailboxes import create_mailbox, load_mailbox, orphan_mailbox, update_mailbox
from userstore.db import create_account, delete_account, update_account
from userstore.model import RESOURCE_TYPES
from userstore.resolve import Recipient

_ADMIN_LEVELS = {"0": 0, "no": 0, "1": 1, "yes": 1, "2": 2}
_ACCOUNT_COLUMNS = {
    "rename": "name",
    "email": "address",
    "fullname": "fullname",
    "capacity": "capacity",
    "add_alias": "add_aliases",
    "del_alias": "remove_aliases",
    "enable_feature": "enable",
    "disable_feature": "disable",
}
_SWITCHES = ("mr_accept", "mr_decline_conflict", "mr_decline_recurring")


def create_user(installation: Installation, options: Options) -> None:
    """Create a user or resource with its mailbox."""
    name = str(options.create)
    if options.email is None:
        raise UsageError(f"-c {name}: -e is missing: without an address nobody can write to {name}")
    changes = mailbox_changes(options)
    values = account_changes(options) | _password(options)
    with installation.database.write() as connection:
        user = create_account(connection, name, values)
        store_id = create_mailbox(connection, user.external_id, user.name)
        if changes:
            update_mailbox(connection, store_id, changes)
    say(f"User {name} created.")


def update_user(installation: Installation, options: Options) -> None:
    """Change what the options name, and nothing else."""
    name = str(options.update)
    if not any(DECLARED[option]["group"] == CHANGES for option in given(options)):
        raise UsageError(f"-u {name}: nothing to change; --help lists what can be set")
    user = installation.user(name)
    changes = mailbox_changes(options)
    values = account_changes(options) | _password(options)
    recipient = installation.recipient(name)
    with installation.database.write() as connection:
        if options.timezone is not None:
            _move_calendar(connection, recipient, str(changes["timezone"]), installation.settings)
        update_account(connection, user.external_id, values)
        if changes:
            update_mailbox(connection, recipient.mailbox.id, changes)
    say(f"User {name} changed." if options.rename is None else f"User {name} is {options.rename}.")


def _move_calendar(
    connection: Connection, recipient: Recipient, timezone: str, settings: Settings
) -> None:
    """Let what is booked by the day or without a zone follow its mailbox into another zone."""
    from mr_accept.rezone import move_calendar  # noqa: PLC0415 - slow to load, and rarely needed

    move_calendar(connection, recipient, timezone, settings)


def delete_user(installation: Installation, options: Options) -> None:
    """Delete a user; mail and bookings stay in a mailbox that nobody owns."""
    user = installation.user(str(options.delete))
    with installation.database.write() as connection:
        mailbox = load_mailbox(connection, user.external_id)
        orphan_mailbox(connection, user.external_id)
        delete_account(connection, user.external_id)
    kept = f" The mailbox {mailbox.guid} is kept." if mailbox else ""
    say(f"User {user.name} deleted.{kept}")


def account_changes(options: Options) -> dict[str, Any]:
    """What the options set of a user, as userstore.db.update_account names it; no password.

    >>> account_changes(Options(update="aurora", non_active="room"))
    {'active': False, 'resource_type': 'room'}
    """
    asked = set(given(options))
    values: dict[str, Any] = {
        column: getattr(options, name) for name, column in _ACCOUNT_COLUMNS.items() if name in asked
    }
    if options.administrator is not None:
        values["admin_level"] = _ADMIN_LEVELS[options.administrator]
    if options.non_active is not None:
        # A resource stays one when it is made active: that is how its owner logs in to set it up.
        values["active"] = options.non_active in {"0", "no"}
        if options.non_active in RESOURCE_TYPES:
            values["resource_type"] = options.non_active
    return values


def mailbox_changes(options: Options) -> dict[str, object]:
    """What the options set of a mailbox, as columns of `mailbox_store`; raises UsageError."""
    changes: dict[str, object] = {
        name: getattr(options, name) == "yes" for name in _SWITCHES if getattr(options, name)
    }
    if options.timezone is not None:
        changes["timezone"] = checked_zone(options.timezone) if options.timezone else ""
    if options.rename is not None:
        changes["owner_name"] = options.rename
    return changes


def _password(options: Options) -> dict[str, str]:
    """The password that was given or, with -P, is asked for now; nothing without either."""
    if options.ask_password and options.password is not None:
        raise UsageError("-p gives a password and -P asks for one: one of them")
    if options.ask_password:
        asked = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return {"password": asked}
    return {} if options.password is None else {"password": options.password}
