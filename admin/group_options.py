"""The options of kopano-admin for groups and companies."""

from dataclasses import dataclass

from admin.declare import action, option
from admin.user_options import SET_GROUP, YES_NO, UserOptions

GROUPS = "Groups"
COMPANIES = "Companies (several organisations in one installation)"


@dataclass(frozen=True, slots=True)
class GroupOptions(UserOptions):
    """The second part of a command line; an option that was not given is None, False or ()."""

    create_group: str | None = action(
        GROUPS, "admin.groups:create_group", "-g --create-group", "create a group", metavar="NAME"
    )
    update_group: str | None = action(
        GROUPS,
        "admin.groups:update_group",
        "--update-group",
        "change a group: by -U, -e, --add-alias, --del-alias, --hidden, --security",
        metavar="NAME",
    )
    delete_group: str | None = action(
        GROUPS,
        "admin.groups:delete_group",
        "-G --delete-group",
        "delete a group; its members stay",
        metavar="NAME",
    )
    list_groups: bool = action(
        GROUPS, "admin.listings:list_groups", "-L --list-groups", "list the groups", is_flag=True
    )
    add_member: str | None = action(
        GROUPS,
        "admin.groups:add_member",
        "-b --add-member",
        "put a user, or a group, into the group that -i names",
        metavar="NAME",
    )
    remove_member: str | None = action(
        GROUPS,
        "admin.groups:remove_member",
        "-B --remove-member",
        "take a user, or a group, out of the group that -i names",
        metavar="NAME",
    )
    group: str | None = option(
        GROUPS,
        "-i --group",
        "the group that -b and -B are about",
        goes_with=("add_member", "remove_member"),
        metavar="GROUP",
    )
    security: str | None = option(
        GROUPS,
        "--security",
        "no: for mail only, it can be given no rights (default yes)",
        goes_with=SET_GROUP,
        metavar="yes|no",
        choices=YES_NO,
    )

    create_company: str | None = action(
        COMPANIES,
        "admin.companies:create",
        "--create-company",
        "create a company, with a public store",
        metavar="NAME",
    )
    update_company: str | None = action(
        COMPANIES,
        "admin.companies:update",
        "--update-company",
        "give a company the name that -U says",
        metavar="NAME",
    )
    delete_company: str | None = action(
        COMPANIES,
        "admin.companies:delete",
        "--delete-company",
        "delete a company without users and groups; its public store is kept as an orphan",
        metavar="NAME",
    )
    list_companies: bool = action(
        COMPANIES,
        "admin.companies:list_all",
        "--list-companies",
        "list the companies",
        is_flag=True,
    )
