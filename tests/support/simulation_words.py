"""What organizers say, as values: times, VEVENTs and messages, and how each of them is written.

Known by these values a message can be judged without reading it back: they share no code with the booker.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

FIRST_STAMP = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST, CANCEL, ADD = "REQUEST", "CANCEL", "ADD"


class When(NamedTuple):
    """A wall-clock time in a zone; without a zone it is a date, midnight where the resource stands."""

    wall: datetime
    zone: str

    def later(self, **step: float) -> "When":
        """So much later on the same wall clock."""
        return self._replace(wall=self.wall + timedelta(**step))

    def at(self, home: str) -> datetime:
        """The instant in UTC; `home` is the resource's zone."""
        return self.wall.replace(tzinfo=ZoneInfo(self.zone or home)).astimezone(UTC)

    @property
    def name(self) -> str:
        """How it names an instance of a series: in UTC, or as a date."""
        return basic(self.at("UTC")) if self.zone else f"{self.wall:%Y%m%d}"

    def property(self, name: str, parameters: str = "") -> str:
        """As a line of a VEVENT."""
        if not self.zone:
            return f"{name};VALUE=DATE{parameters}:{self.wall:%Y%m%d}"
        if self.zone == "UTC":
            return f"{name}{parameters}:{self.wall:%Y%m%dT%H%M%SZ}"
        return f"{name};TZID={self.zone}{parameters}:{self.wall:%Y%m%dT%H%M%S}"


@dataclass(frozen=True)
class Rule:
    """How a series repeats: every so many days, weeks or months, so often or until some day; or without an end."""

    frequency: str
    interval: int = 1
    count: int = 0
    until: date | None = None

    def text(self, start: When) -> str:
        """As RRULE of a series that begins then."""
        parts = [f"FREQ={self.frequency}", f"INTERVAL={self.interval}"]
        if self.count:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            last = When(datetime.combine(self.until, start.wall.time()), start.zone)
            parts.append(f"UNTIL={last.name}")
        return ";".join(parts)

    def starts(self, first: datetime, last: datetime) -> Iterable[datetime]:
        """The wall-clock starts up to `last`."""
        end = (
            datetime.max
            if self.until is None
            else datetime.combine(self.until, datetime.max.time())
        )
        number = 0
        start = first
        while start <= min(last, end) and not (self.count and number >= self.count):
            yield start
            number += 1
            start = self._after(first, number)

    def _after(self, first: datetime, number: int) -> datetime:
        steps = number * self.interval
        if self.frequency == "MONTHLY":  # no series begins after the 28th
            years, month = divmod(first.month - 1 + steps, 12)
            return first.replace(year=first.year + years, month=month + 1)
        return first + timedelta(days=steps * (7 if self.frequency == "WEEKLY" else 1))


@dataclass(frozen=True)
class Event:
    """One VEVENT: a single meeting, a series (`rule`), or an instance of one (`instance`), or all from there on.

    Of an all-day event `minutes` are whole days.  `stamp` is DTSTAMP in seconds after FIRST_STAMP.
    """

    start: When
    minutes: int
    sequence: int
    stamp: int
    summary: str
    rule: Rule | None = None
    excluded: tuple[When, ...] = ()
    instance: When | None = None
    onwards: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """What orders the messages about one instance (RFC 5546 section 2.1.5)."""
        return (self.sequence, self.stamp)

    @property
    def name(self) -> str:
        """The instance it stands for: '' for the whole meeting, with '+' at its end for all from it on."""
        if self.instance is None:
            return ""
        return self.instance.name + "+" * self.onwards

    def lines(self, method: str) -> list[str]:
        """Its own properties."""
        lines = [
            f"DTSTAMP:{basic(FIRST_STAMP + timedelta(seconds=self.stamp))}",
            f"SEQUENCE:{self.sequence}",
            self.start.property("DTSTART"),
            self.start.later(minutes=self.minutes).property("DTEND"),
            f"SUMMARY:{self.summary}",
            *(one.property("EXDATE") for one in self.excluded),
        ]
        if method == CANCEL:
            lines.append("STATUS:CANCELLED")
        if self.rule is not None:
            lines.append(f"RRULE:{self.rule.text(self.start)}")
        if self.instance is not None and method != ADD:
            reach = ";RANGE=THISANDFUTURE" if self.onwards else ""
            lines.append(self.instance.property("RECURRENCE-ID", reach))
        return lines


@dataclass(frozen=True)
class Message:
    """One message about one meeting, on its way to `recipients`.

    `attendees` are the resources that it invites, `from_` who sends it, with `sent_by` in the organizer's stead.
    `number` is its own: two messages of one number are one message that was sent twice.
    """

    number: int
    copy: int
    uid: str
    method: str
    organizer: str
    sent_by: str
    from_: str
    recipients: tuple[str, ...]
    attendees: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return f"<{self.number}.{self.copy}@example.net>"

    def mail(self) -> bytes:
        """The mail; the same message is always the same bytes."""
        lines = [
            f"From: {self.from_}",
            f"To: {', '.join(self.recipients)}",
            "Subject: Meeting",
            f"Message-ID: {self.message_id}",
            "MIME-Version: 1.0",
            f"Content-Type: text/calendar; method={self.method}; charset=UTF-8",
            "",
            "BEGIN:VCALENDAR",
            "PRODID:-//example//simulation//EN",
            "VERSION:2.0",
            f"METHOD:{self.method}",
            *(line for event in self.events for line in self._event(event)),
            "END:VCALENDAR",
            "",
        ]
        return "\r\n".join(lines).encode()

    def _event(self, event: Event) -> list[str]:
        by = f';SENT-BY="mailto:{self.sent_by}"' if self.sent_by else ""
        return [
            "BEGIN:VEVENT",
            f"UID:{self.uid}",
            *event.lines(self.method),
            f"ORGANIZER{by}:mailto:{self.organizer}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{self.organizer}",
            *(f"ATTENDEE;RSVP=TRUE:mailto:{address}" for address in self.attendees),
            "END:VEVENT",
        ]


def basic(moment: datetime) -> str:
    """A time in UTC as iCalendar writes it."""
    return f"{moment:%Y%m%dT%H%M%SZ}"
