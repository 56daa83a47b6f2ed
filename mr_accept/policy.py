"""A resource's rules for booking (manual, chapter 8.7, and `kopano-admin --set-policy`).

Each key is declared once: its default, how it is written, its meaning, its unit and an example.  What administrators
type, read and find in the guide is made from these declarations (mr_accept/policy_text.py).
"""

from dataclasses import dataclass

from mr_accept.policy_kinds import (
    ADDRESSES,
    CALENDAR,
    HOURS,
    NAMES,
    SWITCH,
    TEXT,
    WEEKDAYS,
    choice,
    declared,
    limit,
    number,
)

ALL_DAYS = frozenset(range(7))
_YEAR = 525_600  # minutes
_TEN_YEARS = 3650  # days


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """What a resource accepts; a limit of 0 is none, and a room's capacity for booking is always 1.

    The first four are the mailbox's and the user's own; all others are kept by resource and key.  Weekdays count from
    Monday = 0; `work_hours` are minutes after midnight on the resource's wall clock.
    """

    capacity: int = 1
    decline_conflict: bool = True
    decline_recurring: bool = False
    absence: str | None = None  # with a text, which may be empty, everything is declined

    booking_window_days: int = declared(
        730,
        number(_TEN_YEARS),
        "how far ahead it can be booked; 0 is no limit",
        unit="days",
        example="180",
    )
    enforce_horizon: bool = declared(
        False,
        SWITCH,
        "yes: a series that goes past the booking window is declined; no: it is booked as far as the window goes, and"
        " further as time goes on",
        example="yes",
    )
    lead_time_minutes: int = declared(
        0,
        number(_YEAR),
        "how long ahead it has to be asked for; 0 is no limit",
        unit="minutes",
        example="120",
    )
    min_duration_minutes: int = declared(
        0,
        number(_YEAR),
        "the shortest time that can be booked; 0 is no limit",
        unit="minutes",
        example="15",
    )
    max_duration_minutes: int = declared(
        0,
        number(_YEAR),
        "the longest time that can be booked; 0 is no limit",
        unit="minutes",
        example="480",
    )
    max_series_days: int = declared(
        0,
        number(36_500),
        "how long a series may last, from the beginning of its first occurrence to the end of its last; 0 is no limit",
        unit="days",
        example="366",
    )
    work_days: frozenset[int] = declared(
        ALL_DAYS, WEEKDAYS, "the days on which it can be booked", example="mon-fri"
    )
    work_hours: tuple[int, int] | None = declared(
        None,
        HOURS,
        "the hours in which it can be booked, in its own time zone; none: all",
        example="08:00-18:00",
    )
    holidays: str = declared(
        "",
        CALENDAR,
        "the days on which it cannot be booked, from an iCalendar file",
        example="@holidays.ics",
        of_file=True,
    )
    book_in_policy: tuple[str, ...] = declared(
        (),
        NAMES,
        "who may book it: addresses, users, groups, @domains; none: everybody",
        example="staff, @example.org",
    )
    book_out_of_policy: tuple[str, ...] = declared(
        (),
        NAMES,
        "who may book it against its rules, though never twice and not during an absence; none: nobody",
        example="boss@example.org",
    )
    allow_external: bool = declared(
        True, SWITCH, "whether people outside the organisation may book it", example="no"
    )
    enforce_capacity: bool = declared(
        False,
        SWITCH,
        "decline meetings of more people than it has seats",
        example="yes",
    )
    seats: int = declared(
        0,
        number(1_000_000),
        "how many people fit into it; 0: not known, and then nobody counts",
        unit="people",
        example="12",
    )
    max_conflicts: int | None = declared(
        None,
        limit(100_000),
        "a series is booked without the occurrences that are not free if there are at most so many; none: the number"
        " does not count",
        unit="occurrences",
        example="3",
    )
    max_conflict_percent: int | None = declared(
        None,
        limit(100),
        "the same, as a share of the occurrences to come; where both are set, both have to hold",
        unit="percent",
        example="10",
    )
    partial_reply: str = declared(
        "one-mail",
        choice("one-mail", "separate"),
        "a series booked in part is answered in one mail, or the declined occurrences in mails of their own",
        example="separate",
    )
    on_failed_update: str = declared(
        "keep",
        choice("keep", "release"),
        "what becomes of the booking when a change of it is declined",
        example="release",
    )
    past_requests: str = declared(
        "ignore",
        choice("ignore", "decline", "accept"),
        "what becomes of a request for time that is over",
        example="decline",
    )
    strip_subject: bool = declared(
        False, SWITCH, "keep the booking without its subject", example="yes"
    )
    strip_body: bool = declared(False, SWITCH, "keep the booking without its text", example="yes")
    strip_attachments: bool = declared(
        False, SWITCH, "keep the booking without its attachments", example="yes"
    )
    organizer_prefix: bool = declared(
        False,
        SWITCH,
        "keep the booking with the organizer's name before its subject",
        example="yes",
    )
    remove_private: bool = declared(
        False, SWITCH, "keep a private meeting like any other", example="yes"
    )
    processed_requests: str = declared(
        "deleted-items",
        choice("deleted-items", "drop", "inbox"),
        "where a message goes that has been dealt with",
        example="inbox",
    )
    reply_text: str = declared(
        "",
        TEXT,
        "a text for the end of every answer",
        example="@welcome.txt",
        of_file=True,
    )
    show_holder: bool = declared(
        False, SWITCH, "tell in a decline who has booked the time", example="yes"
    )
    owner: tuple[str, ...] = declared(
        (),
        ADDRESSES,
        "who hears of occurrences that cannot be held any more; none: the resource's own Inbox",
        example="facility@example.org",
    )
