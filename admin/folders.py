"""The folders of a mailbox: listing, making, renaming, deleting for a while, and bringing back."""

import time

from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, megabytes, print_json, print_table, say
from mailcore.errors import UsageError
from store.folders import (
    DeletedFolder,
    add_path,
    delete_folder,
    list_deleted_folders,
    list_tree,
    rename_folder,
    restore_folder,
)
from store.mailboxes import find_folder


def list_all(installation: Installation, options: Options) -> None:
    """Print a mailbox's folders with the number of their mails and their octets."""
    mailbox = installation.mailbox(str(options.list_folders))
    with installation.database.read() as connection:
        found = list_tree(connection, mailbox.id)
    if options.json:
        print_json(
            [
                {
                    "folder": one.path,
                    "special_use": one.special_use,
                    "mails": one.mails,
                    "bytes": one.size,
                }
                for one in found
            ]
        )
        return
    print_table(
        ("Folder", "Special use", "Mails", "Size"),
        [(one.path, one.special_use, one.mails, megabytes(one.size)) for one in found],
    )


def create(installation: Installation, options: Options) -> None:
    """Make a folder with those above it."""
    assert options.create_folder is not None
    name, path = options.create_folder
    mailbox = installation.mailbox(name)
    if mailbox.folder_of(path) is not None:
        raise UsageError(f"folder {path!r}: {name} has it already; --list-folders shows them")
    with installation.database.write() as connection:
        add_path(connection, mailbox.id, path)
    say(f"Folder {path} created in the mailbox of {mailbox.owner_name}.")


def rename(installation: Installation, options: Options) -> None:
    """Give a folder another name; its place stays."""
    assert options.rename_folder is not None
    name, path, new_name = options.rename_folder
    folder_id = find_folder(installation.mailbox(name), path)
    with installation.database.write() as connection:
        rename_folder(connection, folder_id, new_name)
    say(f"Folder {path} is called {new_name} now.")


def delete(installation: Installation, options: Options) -> None:
    """Delete a folder and all below it for a while."""
    assert options.delete_folder is not None
    name, path = options.delete_folder
    folder_id = find_folder(installation.mailbox(name), path)
    with installation.database.write() as connection:
        delete_folder(connection, folder_id, time.time())
    say(f"Folder {path} is deleted; --restore-folder brings it back until it is purged.")


def restore(installation: Installation, options: Options) -> None:
    """Bring back the folder that was last deleted from a path."""
    assert options.restore_folder is not None
    name, path = options.restore_folder
    mailbox = installation.mailbox(name)
    with installation.database.write() as connection:
        deleted = list_deleted_folders(connection, mailbox.id)
        same = [one for one in deleted if one.path.casefold() == path.casefold()]
        if not same:
            raise UsageError(f"{mailbox.owner_name} has no deleted folder {path!r}{_hint(deleted)}")
        restore_folder(connection, same[0].id)
    say(f"Folder {path} is back.")


def _hint(deleted: list[DeletedFolder]) -> str:
    """What can be brought back, the newest first."""
    if not deleted:
        return "; none is deleted"
    listed = ", ".join(f"{one.path} ({iso_time(one.deleted_at)})" for one in deleted)
    return f"; there are: {listed}"
