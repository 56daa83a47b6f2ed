"""The options of kopano-admin that make and change users, rooms and equipment."""

from dataclasses import dataclass

from admin.declare import WholeNumber, action, option, optional_value

USERS = "Users and resources"
CHANGES = "What -c and -u set (groups and companies have some of it too)"

SET = ("create", "update")
SET_GROUP = ("create_group", "update_group")
RENAMED = ("update", "update_group", "update_company")
TYPED = ("details", "unhook_store")
YES_NO = ("yes", "no")
MEGABYTES = WholeNumber(0, 2**40)


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
        "change a user; after some other actions, the user they are about",
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
        USERS, "admin.listings:list_users", "-l --list-users", "list everybody", is_flag=True
    )
    user_count: bool = action(
        USERS, "admin.listings:count_users", "--user-count", "count everybody", is_flag=True
    )
    details: str | None = action(
        USERS,
        "admin.details:show_details",
        "--details",
        "show a user or, after --type, a group or company",
        **optional_value("NAME"),
    )
    type: str | None = option(
        USERS,
        "--type",
        "what the name is (default: user); the public store is a company's",
        goes_with=TYPED,
        metavar="user|group|company",
        choices=("user", "group", "company"),
    )
    add_sendas: str | None = action(
        USERS,
        "admin.send_as:add",
        "--add-sendas",
        "let a user send mail as the one that -u names",
        metavar="DELEGATE",
    )
    remove_sendas: str | None = action(
        USERS,
        "admin.send_as:remove",
        "--remove-sendas --del-sendas",
        "take that away again",
        metavar="DELEGATE",
    )
    list_sendas: str | None = action(
        USERS,
        "admin.send_as:list_all",
        "--list-sendas",
        "list who may send mail as a user",
        metavar="NAME",
    )

    rename: str | None = option(
        CHANGES,
        "-U --rename",
        "new name, of a user, group or company",
        goes_with=RENAMED,
        metavar="NAME",
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
        CHANGES,
        "-e --email",
        "mail address; of a group: where mail to its members goes (empty: none)",
        goes_with=(*SET, *SET_GROUP),
        metavar="ADDRESS",
        clearable=True,
    )
    add_alias: tuple[str, ...] = option(
        CHANGES,
        "--add-alias",
        "one more address, or @example.org for all mail there that is nobody's (may be repeated)",
        goes_with=(*SET, *SET_GROUP),
        metavar="ADDRESS",
        multiple=True,
    )
    del_alias: tuple[str, ...] = option(
        CHANGES,
        "--del-alias",
        "take an address away (may be repeated)",
        goes_with=("update", "update_group"),
        metavar="ADDRESS",
        multiple=True,
    )
    hidden: str | None = option(
        CHANGES,
        "--hidden",
        "yes: not in the address book",
        goes_with=(*SET, *SET_GROUP),
        metavar="yes|no",
        choices=YES_NO,
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
    qo: str | None = option(
        CHANGES,
        "--qo",
        "n: back to the default quota; y: keep the levels of now, whatever the default becomes",
        goes_with=SET,
        metavar="y|n",
        choices=("y", "n", *YES_NO),
    )
    qw: int | None = option(
        CHANGES,
        "--qw",
        "size from which the owner is warned (0: never)",
        goes_with=SET,
        metavar="MB",
        type=MEGABYTES,
    )
    qs: int | None = option(
        CHANGES,
        "--qs",
        "size from which the owner cannot send (0: no limit)",
        goes_with=SET,
        metavar="MB",
        type=MEGABYTES,
    )
    qh: int | None = option(
        CHANGES,
        "--qh",
        "size that the mailbox cannot pass (0: no limit)",
        goes_with=SET,
        metavar="MB",
        type=MEGABYTES,
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
    deliver_via: str | None = option(
        CHANGES,
        "--deliver-via",
        "where mail goes: store, lmtp:unix:/path or lmtp:host:port (empty: as the settings say)",
        goes_with=SET,
        metavar="HOP",
        clearable=True,
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
