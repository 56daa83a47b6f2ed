"""The options of kopano-admin for stores, their folders, and the rights on them."""

from dataclasses import dataclass

from admin.declare import WholeNumber, action, option, optional_value
from admin.group_options import GroupOptions

STORES = "Stores"
FOLDERS = "Folders (USER is a user's name, or public)"
RIGHTS = "Rights on mailboxes (OWNER is a user's name, or public)"

WITH_FOLDER = ("list_mail", "show_mail", "list_rights", "set_rights")
DAYS = WholeNumber(0, 36_500)


@dataclass(frozen=True, slots=True)
class StoreOptions(GroupOptions):
    """The third part of a command line; an option that was not given is None, False or ()."""

    create_public: bool = action(
        STORES,
        "admin.stores:create_public",
        "-s --create-public",
        "create the public store, which everybody can open",
        is_flag=True,
    )
    create_store: bool = action(
        STORES,
        "admin.stores:create",
        "--create-store",
        "make a new mailbox for the user that -u names, who has none",
        is_flag=True,
    )
    list_orphans: bool = action(
        STORES,
        "admin.orphans:list_all",
        "--list-orphans",
        "list stores without users, and users without stores",
        is_flag=True,
    )
    hook_store: str | None = action(
        STORES,
        "admin.orphans:hook",
        "--hook-store",
        "give an orphan to the user that -u names; without -u it becomes the public store",
        metavar="GUID",
    )
    unhook_store: str | None = action(
        STORES,
        "admin.orphans:unhook",
        "--unhook-store",
        "make a user's mailbox an orphan; with --type company the public store",
        **optional_value("NAME"),
    )
    remove_store: str | None = action(
        STORES,
        "admin.orphans:remove",
        "--remove-store",
        "delete an orphan; it is kept until --purge-softdelete takes it",
        metavar="GUID",
    )
    purge_softdelete: int | None = action(
        STORES,
        "admin.stores:purge_deleted",
        "--purge-softdelete",
        "end for good what was deleted so many days ago, in all mailboxes (0: all of it)",
        metavar="DAYS",
        type=DAYS,
    )
    store_stats: bool = action(
        STORES, "admin.mail:show_stats", "--store-stats", "count and weigh everything", is_flag=True
    )

    list_folders: str | None = action(
        FOLDERS,
        "admin.folders:list_all",
        "--list-folders",
        "list the folders of a mailbox",
        metavar="USER",
    )
    create_folder: tuple[str, str] | None = action(
        FOLDERS,
        "admin.folders:create",
        "--create-folder",
        "make a folder, and those above it, such as Projects/2030",
        metavar="USER PATH",
        nargs=2,
    )
    rename_folder: tuple[str, str, str] | None = action(
        FOLDERS,
        "admin.folders:rename",
        "--rename-folder",
        "give a folder another name; its place stays",
        metavar="USER PATH NAME",
        nargs=3,
    )
    delete_folder: tuple[str, str] | None = action(
        FOLDERS,
        "admin.folders:delete",
        "--delete-folder",
        "delete a folder and all below it; it is kept until --purge-softdelete takes it",
        metavar="USER PATH",
        nargs=2,
    )
    restore_folder: tuple[str, str] | None = action(
        FOLDERS,
        "admin.folders:restore",
        "--restore-folder",
        "bring a deleted folder back, with all that went with it",
        metavar="USER PATH",
        nargs=2,
    )

    list_rights: str | None = action(
        RIGHTS,
        "admin.rights:list_all",
        "--list-rights",
        "list who else may do what in a mailbox",
        metavar="OWNER",
    )
    set_rights: tuple[str, str, str] | None = action(
        RIGHTS,
        "admin.rights:set_rights",
        "--set-rights",
        "give a user or group, or everyone, exactly these rights on a mailbox: some of read, create, edit, delete,"
        " create-folder, visible, owner, free-busy with commas between them; or all, or none",
        metavar="OWNER SUBJECT RIGHTS",
        nargs=3,
    )
    folder: str | None = option(
        RIGHTS,
        "--folder",
        "only this folder; --show-mail looks into the Inbox otherwise",
        goes_with=WITH_FOLDER,
        metavar="FOLDER",
    )
    calendar: str | None = option(
        RIGHTS,
        "--calendar",
        "only this calendar (default: the one that every mailbox has)",
        goes_with=("list_rights", "set_rights"),
        **optional_value("NAME"),
    )
