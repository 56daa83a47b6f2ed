"""A resource's rules for booking (manual, chapter 8.7, and `kopano-admin --set-policy`)."""

from dataclasses import dataclass

ALL_DAYS = frozenset(range(7))


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
    seats: int = 0  # people who fit into it; 0: not known

    booking_window_days: int = 730
    enforce_horizon: bool = False
    lead_time_minutes: int = 0
    min_duration_minutes: int = 0
    max_duration_minutes: int = 0
    max_series_days: int = 0
    work_days: frozenset[int] = ALL_DAYS
    work_hours: tuple[int, int] | None = None
    holidays: str = ""  # an iCalendar text
    book_in_policy: tuple[str, ...] = ()  # addresses, groups, @domains; none: everybody
    book_out_of_policy: tuple[str, ...] = ()  # none: nobody
    allow_external: bool = True
    enforce_capacity: bool = False
    max_conflicts: int | None = None
    max_conflict_percent: int | None = None
    partial_reply: str = "one-mail"  # or separate
    on_failed_update: str = "keep"  # or release
    past_requests: str = "ignore"  # or decline, accept
    strip_subject: bool = False
    strip_body: bool = False
    strip_attachments: bool = False
    organizer_prefix: bool = False
    remove_private: bool = False
    processed_requests: str = "deleted-items"  # or drop, inbox
    reply_text: str = ""
    show_holder: bool = False
    owner: tuple[
        str, ...
    ] = ()  # who hears of what the booker cannot keep; none: the resource's Inbox
