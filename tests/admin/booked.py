"""Bookings as the booker leaves them, put in by hand; they lie a month ahead, before any horizon."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from store.bookings import save_booking
from store.calendar_objects import save_object, save_range
from store.calendars import lock_calendar
from store.occurrences import OccurrenceRow, add_occurrences
from tests.admin.shell import Installed

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=30)
MORNINGS = [FIRST + timedelta(days=day) for day in range(4)]
IDS = [morning.strftime("%Y%m%dT%H%M%SZ") for morning in MORNINGS]
HOUR = timedelta(hours=1)
SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20300101T000000Z
DTSTART:{start}
DURATION:PT1H
RRULE:{rule}
SUMMARY:Stand-up
ORGANIZER:mailto:org@example.net
ATTENDEE:mailto:aurora@example.org
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def book_series(
    installed: Installed,
    name: str,
    uid: str,
    *,
    places: int = 0,
    rule: str = "FREQ=DAILY;COUNT=3",
) -> int:
    """A series whose first three mornings are held; return the row's id."""
    store_id = installed.mailbox(name).id
    source = SERIES.format(uid=uid, start=IDS[0], rule=rule)
    with installed.database.write() as connection:
        locked = lock_calendar(connection, store_id)
        values = {
            "uid": uid,
            "state": "accepted",
            "organizer": "org@example.net",
            "summary": "Stand-up",
            "recurring": True,
            "materialised_until": int(MORNINGS[3].timestamp()),
            "source": source,
            "silence": "put in by hand",
            "places": places,
        }
        booking_id = save_booking(connection, locked, None, values)
        object_id = save_object(connection, locked, uid, source)
        rows = [
            OccurrenceRow(int(start.timestamp()), int((start + HOUR).timestamp()), recurrence_id)
            for start, recurrence_id in zip(MORNINGS[:3], IDS, strict=False)
        ]
        add_occurrences(connection, locked, booking_id, object_id, rows)
        save_range(connection, object_id)
    return booking_id


def in_berlin(moment: datetime) -> str:
    """A time as the commands print it for aurora."""
    return moment.astimezone(BERLIN).isoformat()
