"""Calendar objects: what CalDAV readers will see of the bookings of a UID.

Every change is noted with the calendar's new version, so that a reader who knows an older one can ask what changed.
"""

import hashlib

from sqlalchemy import Connection, delete, func, insert, select, update

from store.bookings import ACCEPTED
from store.calendars import LockedCalendar
from store.schema import booking, calendar_change, calendar_object, occurrence


def save_object(connection: Connection, locked: LockedCalendar, uid: str, content: str) -> int:
    """Write the calendar object of a UID, as CalDAV readers will see it; return its id."""
    values = {
        "etag": hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32],
        "component": "VEVENT",
        "content": content,
    }
    href = hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()[:40] + ".ics"
    object_id = connection.execute(
        update(calendar_object)
        .where(calendar_object.c.calendar_id == locked.id, calendar_object.c.href == href)
        .values(**values)
        .returning(calendar_object.c.id)
    ).scalar()
    if object_id is None:
        row = {**values, "calendar_id": locked.id, "href": href, "uid": uid}
        object_id = connection.execute(
            insert(calendar_object).returning(calendar_object.c.id), row
        ).scalar_one()
    connection.execute(
        update(booking)
        .where(
            booking.c.calendar_id == locked.id, booking.c.uid == uid, booking.c.state == ACCEPTED
        )
        .values(object_id=object_id)
    )
    _note_change(connection, locked, href)
    return int(object_id)


def save_range(connection: Connection, object_id: int) -> None:
    """Write the range that encloses the object's occurrences, once these are written."""
    ends = connection.execute(
        select(func.min(occurrence.c.starts_at), func.max(occurrence.c.ends_at)).where(
            occurrence.c.object_id == object_id
        )
    ).one()
    connection.execute(
        update(calendar_object)
        .where(calendar_object.c.id == object_id)
        .values(range_start=ends[0], range_end=ends[1])
    )


def all_objects(connection: Connection, calendar_id: int) -> list[str]:
    """The UID of every object of a calendar; for an audit."""
    query = select(calendar_object.c.uid).where(calendar_object.c.calendar_id == calendar_id)
    return list(connection.execute(query).scalars())


def drop_object(connection: Connection, locked: LockedCalendar, uid: str) -> None:
    """Remove the calendar object of a UID; its bookings stay, for the lineage."""
    found = connection.execute(
        select(calendar_object.c.id, calendar_object.c.href).where(
            calendar_object.c.calendar_id == locked.id, calendar_object.c.uid == uid
        )
    ).first()
    if found is None:
        return
    connection.execute(
        update(booking).where(booking.c.object_id == found.id).values(object_id=None)
    )
    connection.execute(
        update(occurrence).where(occurrence.c.object_id == found.id).values(object_id=None)
    )
    connection.execute(delete(calendar_object).where(calendar_object.c.id == found.id))
    _note_change(connection, locked, found.href)


def _note_change(connection: Connection, locked: LockedCalendar, href: str) -> None:
    gone = (
        calendar_change.c.calendar_id == locked.id,
        calendar_change.c.href == href,
    )
    connection.execute(delete(calendar_change).where(*gone))
    row = {"calendar_id": locked.id, "number": locked.version, "href": href}
    connection.execute(insert(calendar_change), [row])
