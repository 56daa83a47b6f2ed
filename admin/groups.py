"""Creating, changing and deleting groups, and who is in them (manual, chapter 8.3.6)."""

from typing import Any

from admin.context import Installation
from admin.naming import shown
from admin.options import Options
from admin.output import say
from admin.users import GROUP_COLUMNS, set_values
from mailcore.errors import UsageError
from store.events import add_event
from userstore.everyone import EVERYONE, is_everyone
from userstore.model import Group


def create_group(installation: Installation, options: Options) -> None:
    """Create a group without members."""
    name, company = installation.new_name(str(options.create_group))
    editor, values = installation.editor, group_changes(options)
    with installation.database.write() as connection:
        group = editor.create_group(connection, name, values, company.name if company else "")
        add_event(connection, "creategroup", {"KOPANO_GROUP": shown(group)})
    say(f"Group {shown(group)} created.")


def update_group(installation: Installation, options: Options) -> None:
    """Change what the options name, and nothing else."""
    values = group_changes(options)
    name = str(options.update_group)
    if not values:
        raise UsageError(f"--update-group {name}: nothing to change; --help lists what can be set")
    group = _editable(installation, name)
    with installation.database.write() as connection:
        changed = installation.editor.update_group(connection, group.external_id, values)
    say(
        f"Group {name} changed."
        if changed.name == group.name
        else f"Group {name} is {changed.name}."
    )


def delete_group(installation: Installation, options: Options) -> None:
    """Delete a group; its members stay."""
    group = _editable(installation, str(options.delete_group))
    with installation.database.write() as connection:
        installation.editor.delete_group(connection, group.external_id)
        add_event(connection, "deletegroup", {"KOPANO_GROUPID": group.external_id})
    say(f"Group {shown(group)} deleted.")


def add_member(installation: Installation, options: Options) -> None:
    """Put a user or a group into a group."""
    group = _named_group(installation, options, "-b")
    member = installation.member(str(options.add_member))
    with installation.database.write() as connection:
        installation.editor.add_member(connection, group.external_id, member.external_id)
    say(f"{shown(member)} is in group {shown(group)} now.")


def remove_member(installation: Installation, options: Options) -> None:
    """Take a user or a group out of a group."""
    group = _named_group(installation, options, "-B")
    member = installation.member(str(options.remove_member))
    with installation.database.write() as connection:
        installation.editor.remove_member(connection, group.external_id, member.external_id)
    say(f"{shown(member)} is not in group {shown(group)} any more.")


def group_changes(options: Options) -> dict[str, Any]:
    """What the options set of a group, as userstore.editor names it.

    >>> group_changes(Options(update_group="sales", email="", security="no"))
    {'address': '', 'security': False}
    """
    values = set_values(options, GROUP_COLUMNS)
    if options.security is not None:
        values["security"] = options.security == "yes"
    return values


def _named_group(installation: Installation, options: Options, spelling: str) -> Group:
    if options.group is None:
        raise UsageError(f"{spelling}: -i is missing, the group")
    return _editable(installation, options.group)


def _editable(installation: Installation, name: str) -> Group:
    """The group of that name; raises UsageError for Everyone."""
    group = installation.group(name)
    if is_everyone(group.external_id):
        raise UsageError(f"{EVERYONE} is every user, always: it cannot be changed or deleted")
    return group
