"""The frozen types of the auto-booker: a parsed meeting, its occurrences, the policy, the decision.

Everything here is a value; the functions that make and judge these values are in the sibling
modules.  Instants are whole epoch seconds in UTC, intervals are half-open [start, end), and a
`datetime` is always naive: the wall clock of the zone that stands beside it.
"""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from mailcore.errors import PermanentError


class NotForBookingError(PermanentError):
    """The message is ordinary mail for the booker; the text says why in one line."""


class UnreadableError(NotForBookingError):
    """The calendar data is broken, unresolved, unsupported or too costly; one line says which."""


class Zone(Protocol):
    """A time zone as one message means it: IANA, a Windows name or the message's own VTIMEZONE."""

    @property
    def name(self) -> str:
        """The name to show to people."""

    def to_utc(self, wall: datetime) -> int:
        """Epoch seconds of a wall-clock time (RFC 5545 section 3.3.5).

        In a gap the offset before the gap counts; in an overlap, the first of the two.
        """

    def from_utc(self, instant: int) -> datetime:
        """The naive wall-clock time at an instant in epoch seconds."""


class Form(enum.Enum):
    """How a date or time was written (RFC 5545 sections 3.3.4 and 3.3.5)."""

    DATE = "date"
    FLOATING = "floating"
    UTC = "utc"
    ZONED = "zoned"


class Moment(NamedTuple):
    """A DATE or DATE-TIME with its zone; a DATE is midnight in the resource's zone."""

    wall: datetime
    zone: Zone
    form: Form

    @property
    def epoch(self) -> int:
        """Epoch seconds, UTC."""
        return self.zone.to_utc(self.wall)

    @property
    def all_day(self) -> bool:
        """True for a DATE."""
        return self.form is Form.DATE


class Duration(NamedTuple):
    """Nominal days (wall clock), then exact seconds (RFC 5545 section 3.3.6)."""

    days: int
    seconds: int


class Frequency(enum.IntEnum):
    """The FREQ of a recurrence rule, from the coarsest."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


class Until(NamedTuple):
    """The UNTIL of a rule as written: midnight for a DATE; UTC or DTSTART's zone for a time."""

    wall: datetime
    form: Form


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE (RFC 5545 section 3.3.10).

    Weekdays count from Monday = 0; an ordinal of 0 means every such weekday.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Until | None = None
    by_month: tuple[int, ...] = ()
    by_week_number: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()  # (ordinal, weekday)
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_set_position: tuple[int, ...] = ()
    week_start: int = 0


class ExtraDate(NamedTuple):
    """One RDATE; `duration` only where it was given as a PERIOD."""

    start: Moment
    duration: Duration | None = None


@dataclass(frozen=True, slots=True)
class CalendarUser:
    """An ORGANIZER or ATTENDEE.

    `address`, `sent_by`, `delegated_from` and `delegated_to` are folded for comparison, `written` is the address as it
    stands in the mail, and `line` is the whole unfolded property, which a reply echoes.  `kind` is the CUTYPE and
    `status` the PARTSTAT, in upper case, empty where they are missing.
    """

    address: str
    written: str
    name: str = ""
    sent_by: str = ""
    line: str = ""
    kind: str = ""
    status: str = ""
    delegated_from: tuple[str, ...] = ()
    delegated_to: tuple[str, ...] = ()


ONWARDS = "+"
"""Ends the recurrence id of a VEVENT that changes an instance and all after it (RANGE=THISANDFUTURE)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One VEVENT: a single event, the master of a series, one overridden instance of it, or all from one on.

    `recurrence_id` is canonical (see `Occurrence`) and empty for a single event or a master; with RANGE=THISANDFUTURE
    it ends in `ONWARDS`.
    `dtstamp` is in epoch seconds.  `lines` are the unfolded property lines of the VEVENT itself.
    """

    uid: str
    recurrence_id: str
    sequence: int
    dtstamp: int
    start: Moment
    duration: Duration
    organizer: CalendarUser
    attendees: tuple[CalendarUser, ...] = ()
    summary: str = ""
    location: str = ""
    transparent: bool = False
    cancelled: bool = False
    rule: Rule | None = None
    extra_dates: tuple[ExtraDate, ...] = ()
    excluded: frozenset[str] = frozenset()  # the EXDATEs as canonical recurrence ids
    lines: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all_day(self) -> bool:
        """True when DTSTART is a DATE."""
        return self.start.all_day

    @property
    def recurring(self) -> bool:
        """True when the event repeats."""
        return self.rule is not None or bool(self.extra_dates)

    @property
    def version(self) -> tuple[int, int]:
        """(SEQUENCE, DTSTAMP): orders the messages about one instance (RFC 5546 section 2.1.5)."""
        return (self.sequence, self.dtstamp)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One iTIP message: its method (upper case) and the instances of its one UID, master first.

    `source` is the VCALENDAR as received, decoded; `timezones` maps each TZID to the lines of its
    VTIMEZONE.
    """

    method: str
    uid: str
    instances: tuple[Instance, ...]
    source: str = field(repr=False)
    timezones: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def recurring(self) -> bool:
        """True when any instance repeats; a request for single instances of a series does not."""
        return any(instance.recurring for instance in self.instances)

    @property
    def organizer(self) -> CalendarUser:
        """The ORGANIZER, who is the same in all instances."""
        return self.instances[0].organizer


class Occurrence(NamedTuple):
    """Busy time of one occurrence, in epoch seconds UTC, half-open.

    `recurrence_id` is canonical: "" for a single event, "20260105T080000Z" (the original start in
    UTC) for a timed instance of a series, "20260105" for an all-day one.  `busy` is False for
    TRANSP:TRANSPARENT, which is kept for free/busy publication only: a resource is held either way.
    """

    start: int
    end: int
    recurrence_id: str
    busy: bool = True


class Interval(NamedTuple):
    """Time in use, in epoch seconds UTC, half-open."""

    start: int
    end: int


class LineageState(enum.Enum):
    """What became of one lineage (UID and RECURRENCE-ID) of a booking."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    KEPT = "kept"  # a change of this instance was declined, and its series still holds its time


class Lineage(NamedTuple):
    """One row of a booking: the newest VEVENT of a UID and RECURRENCE-ID, and what became of it.

    `instance` may be None for a cancelled or declined lineage whose VEVENT is not needed any more.
    """

    recurrence_id: str
    state: LineageState
    instance: Instance | None
