"""The options of kopano-admin: one table, in the order of the help.

It begins with those of users (`admin/user_options.py`), groups and companies (`admin/group_options.py`), stores
(`admin/store_options.py`), rules (`admin/rule_options.py`) and bookings (`admin/booking_options.py`).  The spellings
are the manual's (chapter 8) where it has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from admin.booking_options import BOOKINGS, BookingOptions
from admin.declare import ROW, action, option, optional_value
from admin.group_options import COMPANIES, GROUPS
from admin.rule_options import RULES
from admin.store_options import FOLDERS, RIGHTS, STORES
from admin.user_options import CHANGES, SET, SET_GROUP, USERS

GENERAL = "General"
MAIL = "Mail"
QUEUES = "Jobs and outgoing mail"
EVENTS = "Events (users, groups and companies that came or went)"
HEADINGS = (
    USERS,
    CHANGES,
    GROUPS,
    COMPANIES,
    STORES,
    FOLDERS,
    RIGHTS,
    MAIL,
    BOOKINGS,
    QUEUES,
    RULES,
    EVENTS,
    GENERAL,
)

LISTINGS = (
    "list_users",
    "user_count",
    "details",
    "list_sendas",
    "list_groups",
    "list_companies",
    "list_orphans",
    "store_stats",
    "list_folders",
    "list_rights",
    "list_mail",
    "list_bookings",
    "free_busy",
    "show_policy",
    "audit_bookings",
    "dry_run_booking",
    "list_outbox",
    "list_jobs",
    "show_job",
    "list_rules",
    "test_rules",
    "list_events",
)

NAMING = (
    *SET,
    "delete",
    "list_users",
    "user_count",
    "details",
    "add_sendas",
    "remove_sendas",
    "list_sendas",
    *SET_GROUP,
    "delete_group",
    "list_groups",
    "add_member",
    "remove_member",
    "create_public",
    "create_store",
    "hook_store",
    "unhook_store",
    "list_folders",
    "create_folder",
    "rename_folder",
    "delete_folder",
    "restore_folder",
    "list_rights",
    "set_rights",
    "list_mail",
    "show_mail",
    "list_bookings",
    "free_busy",
    "set_policy",
    "show_policy",
    "cancel_booking",
    "import_calendar",
    "rebuild_occurrences",
    "audit_bookings",
    "dry_run_booking",
    "list_jobs",
    "list_rules",
    "add_rule",
    "delete_rule",
    "enable_rule",
    "disable_rule",
    "test_rules",
)
"""The actions that name, list or make users or groups, who may be in a company."""


@dataclass(frozen=True, slots=True)
class Options(BookingOptions):
    """One command line, read; an option that was not given is None, False or ()."""

    list_mail: str | None = action(
        MAIL, "admin.mail:list_mail", "--list-mail", "list the mails of a mailbox", metavar="USER"
    )
    show_mail: tuple[str, int] | None = action(
        MAIL,
        "admin.mail:show_mail",
        "--show-mail",
        "print one mail, byte by byte as it is stored",
        metavar="USER UID",
        type=(str, ROW),
    )

    list_jobs: str | None = action(
        QUEUES,
        "admin.jobs:list_all",
        "--list-jobs",
        "list meeting messages and their fate",
        **optional_value("RESOURCE"),
    )
    show_job: int | None = action(
        QUEUES,
        "admin.jobs:show",
        "--show-job",
        "show one, with its message while it is pending",
        metavar="ID",
        type=ROW,
    )
    retry_job: int | None = action(
        QUEUES,
        "admin.jobs:retry",
        "--retry-job",
        "let a pending one be tried now",
        metavar="ID",
        type=ROW,
    )
    list_outbox: bool = action(
        QUEUES, "admin.outbox:list_all", "--list-outbox", "list mail that leaves", is_flag=True
    )
    show_outbox: int | None = action(
        QUEUES,
        "admin.outbox:show",
        "--show-outbox",
        "print one such mail",
        metavar="ID",
        type=ROW,
    )

    list_events: bool = action(
        EVENTS, "admin.events:list_all", "--list-events", "list them", is_flag=True
    )
    run_events: bool = action(
        EVENTS,
        "admin.events:run",
        "--run-events",
        "run the scripts of those that wait; a running kopano-dagent does that by itself",
        is_flag=True,
    )

    clear_cache: bool = action(
        GENERAL,
        "admin.migration:clear_cache",
        "--clear-cache",
        "let every process read users and mailboxes anew",
        is_flag=True,
    )
    migrate: bool = action(
        GENERAL,
        "admin.migration:migrate_database",
        "--migrate",
        "bring the database to this version's schema; stop the agents first",
        is_flag=True,
    )
    json: bool = option(
        GENERAL, "--json", "print a listing as JSON", goes_with=LISTINGS, is_flag=True
    )
    config: str | None = option(
        GENERAL,
        "--config",
        "settings file (default: /etc/kopano/kopano.toml if it exists)",
        metavar="FILE",
    )

    verbose: bool = option(
        GENERAL, "-v --verbose", "show on standard error what is done meanwhile", is_flag=True
    )
    company: str | None = option(
        GENERAL,
        "-I --company",
        "the company of the users and groups that are named (or write anna@acme)",
        goes_with=NAMING,
        metavar="COMPANY",
    )

    user: str | None = None
    """The user that -u names beside another action."""
    words: tuple[str, ...] = ()
    """What follows all options: the RECURRENCE-ID of --cancel-booking, the KEY=VALUE of --set-policy."""


DECLARED: Mapping[str, Mapping[str, Any]] = {
    declared.name: declared.metadata for declared in fields(Options) if declared.metadata
}
FUNCTIONS: Mapping[str, str] = {
    name: declared["function"] for name, declared in DECLARED.items() if "function" in declared
}


def long_name(name: str) -> str:
    """The spelling by which messages call an option: the first, as the manual does."""
    return str(DECLARED[name]["spelling"][0])


def given(options: Options) -> list[str]:
    """The options that were given, in the order of their declaration; a number may be 0."""
    values = {name: getattr(options, name) for name in DECLARED}
    return [
        name
        for name, value in values.items()
        if not (value is None or value is False or value == ())
    ]
