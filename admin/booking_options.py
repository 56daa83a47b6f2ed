"""The options of kopano-admin for bookings and for the calendars they stand in."""

from dataclasses import dataclass

from admin.declare import action, option, optional_value
from admin.rule_options import RuleOptions

BOOKINGS = "Bookings"


@dataclass(frozen=True, slots=True)
class BookingOptions(RuleOptions):
    """The fifth part of a command line; an option that was not given is None, False or ()."""

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
        "only what ends after this time (YYYY-MM-DD or 'YYYY-MM-DD HH:MM', in the resource's zone);"
        " --free-busy begins a week ago otherwise",
        goes_with=("list_bookings", "free_busy"),
        metavar="TIME",
    )
    until: str | None = option(
        BOOKINGS,
        "--until",
        "only what begins before this time; a day means its first minute; --free-busy ends in 180 days otherwise",
        goes_with=("list_bookings", "free_busy"),
        metavar="TIME",
    )
    free_busy: str | None = action(
        BOOKINGS,
        "admin.free_busy:publish",
        "--free-busy",
        "show when a resource is taken: when nothing more can be booked",
        metavar="RESOURCE",
    )
    ics: bool = option(
        BOOKINGS,
        "--ics",
        "print it as iCalendar, to publish",
        goes_with=("free_busy",),
        is_flag=True,
    )
    set_policy: str | None = action(
        BOOKINGS,
        "admin.policies:set_policy",
        "--set-policy",
        "set rules for booking, all together or, where one is wrong, none; KEY= takes one back to its default",
        metavar="RESOURCE KEY=VALUE...",
    )
    show_policy: str | None = action(
        BOOKINGS,
        "admin.policies:show_policy",
        "--show-policy",
        "show the rules for booking: each key, its value, and what it means",
        metavar="RESOURCE",
    )
    dry_run_booking: tuple[str, str] | None = action(
        BOOKINGS,
        "admin.booking_trial:dry_run",
        "--dry-run-booking",
        "explain what a meeting request in a mail or .ics file (-: standard input) would meet, and book nothing",
        metavar="RESOURCE FILE",
        nargs=2,
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
        "admin.booking_audit:audit_bookings",
        "--audit-bookings",
        "show what is booked more often than it may be, bookings without reply, and rows that do not agree;"
        " exit code 1 if anything of it is not allowed",
        **optional_value("RESOURCE"),
    )
