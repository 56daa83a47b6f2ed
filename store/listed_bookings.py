"""What holds a resource, for people: the occurrences of its bookings with what they are about.

Instants are epoch seconds (UTC), intervals half-open.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from store.occurrences import CLASH
from store.schema import booking, calendar, occurrence


@dataclass(frozen=True, slots=True)
class ListedBooking:
    """One occurrence of a booking, for people; `start` and `end` in epoch seconds."""

    uid: str
    recurrence_id: str
    sequence: int
    organizer: str
    summary: str
    start: int
    end: int
    status: str
    recurring: bool


def list_bookings(
    connection: Connection, store_id: int, since: int | None = None, until: int | None = None
) -> list[ListedBooking]:
    """The occurrences held (and clashes found later) between two instants, by start."""
    query = (
        select(booking, occurrence)
        .join_from(occurrence, booking, booking.c.id == occurrence.c.booking_id)
        .join(calendar, calendar.c.id == booking.c.calendar_id)
        .where(calendar.c.store_id == store_id)
        .order_by(occurrence.c.starts_at, occurrence.c.id)
    )
    if since is not None:
        query = query.where(occurrence.c.ends_at > since)
    if until is not None:
        query = query.where(occurrence.c.starts_at < until)
    return [
        ListedBooking(
            uid=row[booking.c.uid],
            recurrence_id=row[occurrence.c.recurrence_id],
            sequence=row[booking.c.sequence],
            organizer=row[booking.c.organizer],
            summary=row[booking.c.summary],
            start=row[occurrence.c.starts_at],
            end=row[occurrence.c.ends_at],
            status=CLASH if row[occurrence.c.busy_type] == CLASH else row[booking.c.state],
            recurring=row[booking.c.recurring],
        )
        for row in connection.execute(query).mappings()
    ]
