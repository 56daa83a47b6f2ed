"""The options of kopano-admin: one table, in the order of the help.

It begins with those of users (`admin/user_options.py`).  The spellings are the manual's (chapter 8) where it has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from admin.declare import WholeNumber, action, option, optional_value
from admin.user_options import CHANGES, USERS, UserOptions

GENERAL = "General"
MAIL = "Mail"
BOOKINGS = "Bookings"
QUEUES = "Jobs and outgoing mail"
RULES = "Rules"
GROUPS = (USERS, CHANGES, MAIL, BOOKINGS, QUEUES, RULES, GENERAL)

NUMBER = WholeNumber(1, 2**63 - 1)
"""A UID or the id of a row."""

LISTINGS = (
    "list_users",
    "details",
    "list_mail",
    "list_folders",
    "store_stats",
    "list_bookings",
    "audit_bookings",
    "list_outbox",
    "list_jobs",
    "show_job",
    "list_rules",
)


@dataclass(frozen=True, slots=True)
class Options(UserOptions):
    """One command line, read; an option that was not given is None, False or ()."""

    list_mail: str | None = action(
        MAIL, "admin.mail:list_mail", "--list-mail", "list the mails of a mailbox", metavar="USER"
    )
    list_folders: str | None = action(
        MAIL,
        "admin.mail:list_folders",
        "--list-folders",
        "list the folders of a mailbox",
        metavar="USER",
    )
    show_mail: tuple[str, int] | None = action(
        MAIL,
        "admin.mail:show_mail",
        "--show-mail",
        "print one mail, byte by byte as it is stored",
        metavar="USER UID",
        type=(str, NUMBER),
    )
    folder: str | None = option(
        MAIL,
        "--folder",
        "only this folder; --show-mail looks into the Inbox otherwise",
        goes_with=("list_mail", "show_mail"),
        metavar="FOLDER",
    )
    store_stats: bool = action(
        MAIL, "admin.mail:show_stats", "--store-stats", "count and weigh everything", is_flag=True
    )

    list_bookings: str | None = action(
        BOOKINGS,
        "admin.bookings:list_resource_bookings",
        "--list-bookings",
        "list what holds a resource",
        metavar="RESOURCE",
    )
    from_: str | None = option(
        BOOKINGS,
        "--from",
        "only what ends after this time (YYYY-MM-DD or 'YYYY-MM-DD HH:MM', in the resource's zone)",
        goes_with=("list_bookings",),
        metavar="TIME",
    )
    until: str | None = option(
        BOOKINGS,
        "--until",
        "only what begins before this time; a day means its first minute",
        goes_with=("list_bookings",),
        metavar="TIME",
    )
    cancel_booking: tuple[str, str] | None = action(
        BOOKINGS,
        "admin.calendar_upkeep:cancel",
        "--cancel-booking",
        "free a booking, or the one occurrence whose RECURRENCE-ID follows the UID",
        metavar="RESOURCE UID [RECURRENCE-ID]",
        nargs=2,
    )
    import_calendar: tuple[str, str] | None = action(
        BOOKINGS,
        "admin.calendar_import:import_file",
        "--import-calendar",
        "book what an iCalendar file holds",
        metavar="RESOURCE FILE",
        nargs=2,
    )
    rebuild_occurrences: str | None = action(
        BOOKINGS,
        "admin.calendar_upkeep:rebuild",
        "--rebuild-occurrences",
        "work out again when each booking holds its resource",
        **optional_value("RESOURCE"),
    )
    audit_bookings: str | None = action(
        BOOKINGS,
        "admin.calendar_upkeep:audit_bookings",
        "--audit-bookings",
        "show what is booked more often than it may be; exit code 1 if anything is",
        **optional_value("RESOURCE"),
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
        type=NUMBER,
    )
    retry_job: int | None = action(
        QUEUES,
        "admin.jobs:retry",
        "--retry-job",
        "let a pending one be tried now",
        metavar="ID",
        type=NUMBER,
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
        type=NUMBER,
    )

    list_rules: str | None = action(
        RULES, "admin.rules:list_all", "--list-rules", "list a user's rules", metavar="USER"
    )
    add_rule: tuple[str, str] | None = action(
        RULES,
        "admin.rules:add",
        "--add-rule",
        "add the rule in a JSON file (-: standard input) behind the others",
        metavar="USER FILE",
        nargs=2,
    )
    delete_rule: tuple[str, int] | None = action(
        RULES,
        "admin.rules:delete",
        "--delete-rule",
        "delete a rule",
        metavar="USER ID",
        type=(str, NUMBER),
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

    words: tuple[str, ...] = ()
    """What follows all options: the RECURRENCE-ID of --cancel-booking."""


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
    """The options that were given, in the order of their declaration."""
    return [name for name in DECLARED if getattr(options, name) not in (None, False, ())]
