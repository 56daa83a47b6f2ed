"""Rooms whose calendars are full already: rows as the booker leaves them, written straight into the tables.

Each hour from START has its quarters: the first two are taken hour by hour by single meetings, the third is free but
for `BLOCKED` and `BLOCKED_WEEKLY`, the last belongs to weekly series.  One booking in fifty is a series; the first
twenty of them never end and are held up to the horizon, as the nightly job keeps them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, func, insert, select, text, update

from mr_accept.horizon import horizon_of
from mr_accept.policy import BookingPolicy
from store.engine import Database
from store.mailboxes import create_mailbox, update_mailbox
from store.schema import booking, calendar, calendar_change, calendar_object, occurrence
from userstore.db_edit import DbEditor

ZONE = ZoneInfo("Europe/Berlin")
START = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""A midnight on the wall clock of ZONE, so near that a weekly series of two years ends before the horizon."""

WEEK = 168  # hours
WEEKS = 104
FUTURE = 650 * 24
"""Hours from START in which the single meetings lie; those for which there is no room then are past."""

FREE = range(24, 160)
"""Hours of every week in which the third quarter is free."""

BLOCKED = range(8)
"""Hours of the first week in which it is taken by a single meeting."""

BLOCKED_WEEKLY = 16
"""The hour of every week for two years in which it is taken by a series."""

_ENDLESS = 20
_OCCURRENCES = 20
_BLOCK = 5000


class Stored(NamedTuple):
    """A booking to be written; times on the wall clock of ZONE."""

    starts: Sequence[datetime]
    minutes: int
    rule: str = ""
    until: int | None = None


def wall(hour: int, minute: int = 0) -> datetime:
    """The wall clock `hour` hours after START."""
    return START + timedelta(hours=hour, minutes=minute)


def epoch(when: datetime) -> int:
    """Epoch seconds of a wall clock in ZONE."""
    return int(when.replace(tzinfo=ZONE).timestamp())


def vevent(uid: str, start: datetime, minutes: int, *more: str) -> list[str]:
    """The lines of a VEVENT in ZONE."""
    end = start + timedelta(minutes=minutes)
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"ORGANIZER:mailto:anna.{uid}@example.org",
        f"SUMMARY:Meeting {uid}",
        f"DTSTART;TZID={ZONE.key}:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID={ZONE.key}:{end:%Y%m%dT%H%M%S}",
        *more,
        "END:VEVENT",
    ]


def vcalendar(lines: Sequence[str], method: str) -> str:
    head = ["BEGIN:VCALENDAR", "PRODID:-//bench//EN", "VERSION:2.0", f"METHOD:{method}"]
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""])


def make_room(database: Database, name: str, bookings: int, long_days: int = 0) -> int:
    """A room with so many bookings; return its mailbox's id.

    `long_days` adds one that long, before all the others: it is in nobody's way, but makes every search wider.
    """
    with database.write() as connection:
        values = {"address": f"{name}@example.org", "resource_type": "room"}
        user = DbEditor().create_user(connection, name, values)
        store_id = create_mailbox(connection, user.external_id, user.name)
        answering = {"mr_accept": True, "mr_decline_conflict": True, "timezone": ZONE.key}
        update_mailbox(connection, store_id, answering)
        now = int(datetime.now(UTC).timestamp())
        horizon = horizon_of(connection, store_id, BookingPolicy(), now)
        calendar_id = connection.execute(
            select(calendar.c.id).where(calendar.c.store_id == store_id)
        ).scalar_one()
        rows = _Rows(connection, calendar_id)
        for stored in _bookings(bookings, horizon, long_days):
            rows.add(stored)
        rows.end()
        known = {"longest": max(1800, long_days * 86_400), "version": rows.number}
        connection.execute(update(calendar).where(calendar.c.id == calendar_id).values(known))
        if not database.embedded:
            connection.execute(text("ANALYZE"))  # as PostgreSQL does by itself after a while
    return store_id


def _bookings(count: int, horizon: int, long_days: int) -> Iterator[Stored]:
    for hour in BLOCKED:
        yield Stored([wall(hour, 30)], 15)
    blocked = [wall(BLOCKED_WEEKLY + WEEK * week, 30) for week in range(WEEKS)]
    yield Stored(blocked, 15, f"FREQ=WEEKLY;COUNT={WEEKS}", horizon)
    series = count // 50
    for number in range(series):
        yield _series(number, horizon)
    singles = count - series - len(BLOCKED) - 1
    for number in range(singles):
        yield Stored([wall(number - max(singles - FUTURE, 0))], 30)
    if long_days:
        yield Stored([wall(-20 * 366 * 24)], long_days * 1440)


def _series(number: int, horizon: int) -> Stored:
    if number < _ENDLESS:
        first = wall(number, 45)
        weeks = (horizon - epoch(first)) // (7 * 86_400) + 1
        starts = [first + timedelta(weeks=week) for week in range(weeks)]
        held = [start for start in starts if epoch(start) < horizon]
        return Stored(held, 15, "FREQ=WEEKLY", horizon)
    layer, hour = divmod(number - _ENDLESS, WEEK - _ENDLESS)
    first = wall(_ENDLESS + hour - layer * _OCCURRENCES * WEEK, 45)
    starts = [first + timedelta(weeks=week) for week in range(_OCCURRENCES)]
    return Stored(starts, 15, f"FREQ=WEEKLY;COUNT={_OCCURRENCES}", horizon)


class _Rows:
    """Rows of one calendar, written in blocks."""

    def __init__(self, connection: Connection, calendar_id: int) -> None:
        self._connection = connection
        self._calendar_id = calendar_id
        self._next = {
            table.name: 1 + (connection.execute(select(func.max(table.c.id))).scalar() or 0)
            for table in (booking, calendar_object, occurrence)
        }
        self._waiting: dict[Table, list[dict[str, Any]]] = {
            calendar_object: [],
            calendar_change: [],
            booking: [],
            occurrence: [],
        }

    def add(self, stored: Stored) -> None:
        object_id, booking_id = self._new(calendar_object), self._new(booking)
        uid = f"stored.{booking_id}@example.org"
        rule = [f"RRULE:{stored.rule}"] if stored.rule else []
        lines = vevent(uid, stored.starts[0], stored.minutes, "DTSTAMP:20250101T000000Z", *rule)
        spans = [
            (epoch(start), epoch(start + timedelta(minutes=stored.minutes)))
            for start in stored.starts
        ]
        self._waiting[calendar_object].append(
            {
                "id": object_id,
                "calendar_id": self._calendar_id,
                "href": f"{object_id}.ics",
                "uid": uid,
                "etag": uid,
                "component": "VEVENT",
                "range_start": spans[0][0],
                "range_end": spans[-1][1],
                "content": vcalendar(lines, "REQUEST"),
            }
        )
        self._waiting[calendar_change].append(
            {
                "calendar_id": self._calendar_id,
                "number": booking_id,
                "href": f"{object_id}.ics",
            }
        )
        self._waiting[booking].append(
            {
                "id": booking_id,
                "calendar_id": self._calendar_id,
                "object_id": object_id,
                "uid": uid,
                "state": "accepted",
                "organizer": f"anna.{uid}",
                "summary": "Meeting",
                "recurring": bool(rule),
                "materialised_until": stored.until,
                "source": vcalendar(lines, "REQUEST"),
                "created_at": 0.0,
                "updated_at": 0.0,
            }
        )
        self._waiting[occurrence] += [
            {
                "id": self._new(occurrence),
                "calendar_id": self._calendar_id,
                "object_id": object_id,
                "booking_id": booking_id,
                "recurrence_id": datetime.fromtimestamp(start, UTC).strftime("%Y%m%dT%H%M%SZ")
                if rule
                else "",
                "starts_at": start,
                "ends_at": end,
                "busy_type": "busy",
            }
            for start, end in spans
        ]
        if len(self._waiting[occurrence]) > _BLOCK:
            self.flush()

    @property
    def number(self) -> int:
        """The calendar's change number: higher than any in its rows."""
        return self._next[booking.name]

    def flush(self) -> None:
        """Write what waits, in the order of the references."""
        for table, rows in self._waiting.items():
            if rows:
                self._connection.execute(insert(table), rows)
                rows.clear()

    def end(self) -> None:
        """Write the rest, and let the database go on counting where we end."""
        self.flush()
        if self._connection.dialect.name == "postgresql":
            for name, number in self._next.items():
                sequence = func.pg_get_serial_sequence(name, "id")
                self._connection.execute(select(func.setval(sequence, number, False)))

    def _new(self, table: Table) -> int:
        self._next[table.name] += 1
        return self._next[table.name] - 1
