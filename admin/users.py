"""Creating, changing and deleting users and resources (manual, chapter 8.3, 8.7.2, 8.8).

A user, its mailbox and the event that tells of them appear, change and go in one transaction.
"""

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import Connection

from admin.context import Installation
from admin.naming import shown
from admin.options import DECLARED, Options, given
from admin.output import say
from admin.quota import asks_for_quota, quota_after
from admin.user_options import CHANGES
from admin.zones import checked_zone
from mailcore.errors import UsageError
from mailcore.next_hop import parse_next_hop
from mailcore.settings import Settings
from store.events import add_event
from store.mailboxes import create_mailbox, load_mailbox, orphan_mailbox, update_mailbox
from userstore.everyone import everyone_of
from userstore.model import RESOURCE_TYPES, User
from userstore.resolve import Recipient, default_quota

_ADMIN_LEVELS = {"0": 0, "no": 0, "1": 1, "yes": 1, "2": 2}
GROUP_COLUMNS = {
    "rename": "name",
    "email": "address",
    "add_alias": "add_aliases",
    "del_alias": "remove_aliases",
}
_ACCOUNT_COLUMNS = {
    **GROUP_COLUMNS,
    "fullname": "fullname",
    "capacity": "capacity",
    "enable_feature": "enable",
    "disable_feature": "disable",
}
_SWITCHES = ("mr_accept", "mr_decline_conflict", "mr_decline_recurring")


def create_user(installation: Installation, options: Options) -> None:
    """Create a user or resource with its mailbox."""
    name, company = installation.new_name(str(options.create))
    if not options.email:
        raise UsageError(f"-c {name}: -e is missing: without an address nobody can write to {name}")
    editor = installation.editor
    changes = mailbox_changes(options)
    values = account_changes(options) | _quota(installation, options) | _password(options)
    everyone = everyone_of(company).external_id
    with installation.database.write() as connection:
        user = editor.create_user(connection, name, values, company.name if company else "")
        store_id = create_mailbox(connection, user.external_id, user.name, everyone)
        if changes:
            update_mailbox(connection, store_id, changes)
        add_event(connection, "createuser", {"KOPANO_USER": shown(user)})
    say(f"User {shown(user)} created.")


def update_user(installation: Installation, options: Options) -> None:
    """Change what the options name, and nothing else."""
    name = str(options.update)
    if not any(DECLARED[option]["group"] == CHANGES for option in given(options)):
        raise UsageError(f"-u {name}: nothing to change; --help lists what can be set")
    user = installation.user(name)
    changes = mailbox_changes(options)
    values = account_changes(options) | _quota(installation, options, user) | _password(options)
    recipient = installation.recipient(name) if _needs_mailbox(options) else None
    editor = installation.editor if values else None
    with installation.database.write() as connection:
        if recipient and options.timezone is not None:
            _move_calendar(connection, recipient, str(changes["timezone"]), installation.settings)
        if editor:
            editor.update_user(connection, user.external_id, values)
        mailbox = load_mailbox(connection, user.external_id)
        if changes and mailbox:
            update_mailbox(connection, mailbox.id, changes)
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
    editor = installation.editor
    with installation.database.write() as connection:
        editor.delete_user(connection, user.external_id)
        mailbox = load_mailbox(connection, user.external_id)
        if mailbox:
            orphan_mailbox(connection, user.external_id)
            add_event(connection, "deleteuser", {"KOPANO_STOREID": mailbox.guid})
    kept = f" The mailbox {mailbox.guid} is kept." if mailbox else ""
    say(f"User {shown(user)} deleted.{kept}")


def set_values(options: Options, columns: Mapping[str, str]) -> dict[str, Any]:
    """The options that were given among some, and `hidden`, as userstore.editor names them."""
    asked = given(options)
    values = {column: getattr(options, name) for name, column in columns.items() if name in asked}
    if options.hidden is not None:
        values["hidden"] = options.hidden == "yes"
    return values


def account_changes(options: Options) -> dict[str, Any]:
    """What the options set of a user, as userstore.editor names it; no password, no quota.

    >>> account_changes(Options(update="aurora", non_active="room"))
    {'active': False, 'resource_type': 'room'}
    """
    values = set_values(options, _ACCOUNT_COLUMNS)
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
    if options.deliver_via is not None:
        if options.deliver_via:
            parse_next_hop(options.deliver_via, "--deliver-via")
        changes["deliver_via"] = options.deliver_via
    if options.rename is not None:
        changes["owner_name"] = options.rename
    return changes


def _needs_mailbox(options: Options) -> bool:
    """Whether something is set that is kept with the mailbox."""
    kept = (options.timezone, options.deliver_via)
    return any(value is not None for value in kept) or any(
        getattr(options, name) for name in _SWITCHES
    )


def _quota(
    installation: Installation, options: Options, user: User | None = None
) -> dict[str, Any]:
    """The quota that is asked for; nothing where it stays as it is."""
    if not asks_for_quota(options):
        return {}
    own = user.quota if user else None
    now = default_quota(installation.settings.userstore) if own is None else own
    return {"quota": quota_after(options, now)}


def _password(options: Options) -> dict[str, str]:
    """The password that was given or, with -P, is asked for now; nothing without either."""
    if options.ask_password and options.password is not None:
        raise UsageError("-p gives a password and -P asks for one: one of them")
    if options.ask_password:
        asked = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return {"password": asked}
    return {} if options.password is None else {"password": options.password}
