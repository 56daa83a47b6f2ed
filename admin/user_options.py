"""The options of kopano-admin that make and change users, rooms and equipment."""

from dataclasses import dataclass

from admin.declare import WholeNumber, action, option, optional_value

USERS = "Users and resources"
CHANGES = "What -c and -u set"

SET = ("create", "update")
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class UserOptions:
    """The first part of a command line; an option that was not given is None, False or ()."""

    create: str | None = action(
        USERS, "admin.users:create_user", "-c --create", "create a user", **optional_value("NAME")
    )
    update: str | None = action(
        USERS,
        "admin.users:update_user",
        "-u --user",
        "change a user (after -c: the name of the new one)",
        metavar="NAME",
    )
    delete: str | None = action(
        USERS,
        "admin.users:delete_user",
        "-d --delete",
        "delete a user; the mailbox is kept as an orphan",
        metavar="NAME",
    )
    list_users: bool = action(
        USERS, "admin.details:list_users", "-l --list-users", "list everybody", is_flag=True
    )
    details: str | None = action(
        USERS, "admin.details:show_details", "--details", "show a user", metavar="NAME"
    )

    rename: str | None = option(
        CHANGES, "-U --rename", "new user name", goes_with=("update",), metavar="NAME"
    )
    password: str | None = option(
        CHANGES,
        "-p --password",
        "password; other users of this machine can see it in the list of processes",
        goes_with=SET,
        metavar="PASSWORD",
    )
    ask_password: bool = option(
        CHANGES,
        "-P --ask-password",
        "ask for the password, twice, without showing it",
        goes_with=SET,
        is_flag=True,
    )
    email: str | None = option(
        CHANGES, "-e --email", "mail address", goes_with=SET, metavar="ADDRESS"
    )
    fullname: str | None = option(
        CHANGES, "-f --fullname", "full name", goes_with=SET, metavar="NAME", clearable=True
    )
    administrator: str | None = option(
        CHANGES,
        "-a --administrator",
        "administrator: 0 no, 1 yes, 2 of the whole system",
        goes_with=SET,
        metavar="0|1|2",
        choices=("0", "1", "2", "no", "yes"),
    )
    non_active: str | None = option(
        CHANGES,
        "-n --non-active",
        "1: mail is delivered, but nobody can log in; room or equipment: a non-active resource",
        goes_with=SET,
        metavar="1|0|room|equipment",
        choices=("1", "0", "yes", "no", "room", "equipment"),
    )
    capacity: int | None = option(
        CHANGES,
        "--capacity",
        "how many bookings of equipment may overlap (default 1)",
        goes_with=SET,
        metavar="N",
        type=WholeNumber(1, 2**31 - 1),
    )
    timezone: str | None = option(
        CHANGES,
        "--timezone",
        "zone of the mailbox's calendar, such as Europe/Berlin (empty: the default)",
        goes_with=SET,
        metavar="ZONE",
        clearable=True,
    )
    add_alias: tuple[str, ...] = option(
        CHANGES,
        "--add-alias",
        "one more address (may be repeated)",
        goes_with=SET,
        metavar="ADDRESS",
        multiple=True,
    )
    del_alias: tuple[str, ...] = option(
        CHANGES,
        "--del-alias",
        "take an address away (may be repeated)",
        goes_with=("update",),
        metavar="ADDRESS",
        multiple=True,
    )
    mr_accept: str | None = option(
        CHANGES,
        "--mr-accept",
        "answer meeting requests automatically",
        goes_with=SET,
        metavar="yes|no",
        choices=YES_NO,
    )
    mr_decline_conflict: str | None = option(
        CHANGES,
        "--mr-decline-conflict",
        "decline what would book the resource twice",
        goes_with=SET,
        metavar="yes|no",
        choices=YES_NO,
    )
    mr_decline_recurring: str | None = option(
        CHANGES,
        "--mr-decline-recurring",
        "decline recurring meetings",
        goes_with=SET,
        metavar="yes|no",
        choices=YES_NO,
    )
    enable_feature: tuple[str, ...] = option(
        CHANGES,
        "--enable-feature",
        "imap, pop3, mobile or outlook (may be repeated)",
        goes_with=SET,
        metavar="FEATURE",
        multiple=True,
    )
    disable_feature: tuple[str, ...] = option(
        CHANGES,
        "--disable-feature",
        "the opposite",
        goes_with=SET,
        metavar="FEATURE",
        multiple=True,
    )
