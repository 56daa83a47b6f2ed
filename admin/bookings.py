"""What holds a resource, in its own time zone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, print_json, print_table, yes_no
from mailcore.errors import UsageError
from store.listed_bookings import ListedBooking, list_bookings

_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M")


def list_resource_bookings(installation: Installation, options: Options) -> None:
    """Print the occurrences that hold a resource between two times, by their start."""
    recipient = installation.recipient(str(options.list_bookings))
    zone = installation.zone_of(recipient)
    since = parse_time(options.from_, zone, "--from")
    until = parse_time(options.until, zone, "--until")
    with installation.database.read() as connection:
        bookings = list_bookings(connection, recipient.mailbox.id, since, until)
    if options.json:
        print_json([_booking_record(booking, zone) for booking in bookings])
        return
    print_table(
        ("Start", "End", "Summary", "Organizer", "Status", "Recurring", "UID", "Recurrence-ID"),
        [
            (
                iso_time(booking.start, zone),
                iso_time(booking.end, zone),
                booking.summary,
                booking.organizer,
                booking.status,
                yes_no(booking.recurring),
                booking.uid,
                booking.recurrence_id,
            )
            for booking in bookings
        ],
    )


def parse_time(text: str | None, zone: ZoneInfo, spelling: str) -> int | None:
    """Read a day (its first minute) or a day and time of a zone as epoch seconds.

    Raises UsageError naming the option.

    >>> parse_time("1970-01-02", ZoneInfo("UTC"), "--from")
    86400
    """
    if text is None:
        return None
    for written in _FORMATS:
        try:
            moment = datetime.strptime(text, written).replace(tzinfo=zone)
            return int(moment.timestamp())
        except (ValueError, OverflowError):
            continue
    raise UsageError(f"{spelling} {text!r}: expected YYYY-MM-DD or 'YYYY-MM-DD HH:MM'")


def _booking_record(booking: ListedBooking, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "uid": booking.uid,
        "recurrence_id": booking.recurrence_id,
        "sequence": booking.sequence,
        "organizer": booking.organizer,
        "summary": booking.summary,
        "start": iso_time(booking.start, zone),
        "end": iso_time(booking.end, zone),
        "status": booking.status,
        "recurring": booking.recurring,
    }
