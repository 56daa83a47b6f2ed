"""Calendar objects: what CalDAV readers will see of the bookings of a UID.

Every change is noted with the calendar's new version, so that a reader who knows an older one can ask what changed.
"""

import hashlib

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from store.bookings import ACCEPTED
from store.calendars import LockedCalendar
from store.hot import HotStatement
from store.schema import (
    CleanText,
    booking,
    calendar_change,
    calendar_object,
    clean_text,
    occurrence,
)

_OBJECT = bindparam("object", type_=BigInteger)
_CALENDAR = bindparam("calendar", type_=BigInteger)
_HREF = bindparam("name", type_=CleanText)

_WRITE = HotStatement(
    update(calendar_object)
    .where(calendar_object.c.calendar_id == _CALENDAR, calendar_object.c.href == _HREF)
    .values(etag=bindparam("etag"), component=bindparam("component"), content=bindparam("content"))
    .returning(calendar_object.c.id)
)
_CLAIM = HotStatement(
    update(booking)
    .where(
        booking.c.calendar_id == _CALENDAR,
        booking.c.uid == bindparam("meeting", type_=CleanText),
        booking.c.state == literal_column(f"'{ACCEPTED}'"),
    )
    .values(object_id=_OBJECT)
)


def _of_object(column: ColumnElement[int]) -> ScalarSelect[int]:
    return select(column).where(occurrence.c.object_id == _OBJECT).scalar_subquery()


_SAVE_RANGE = HotStatement(
    update(calendar_object)
    .where(calendar_object.c.id == _OBJECT)
    .values(
        range_start=_of_object(func.min(occurrence.c.starts_at)),
        range_end=_of_object(func.max(occurrence.c.ends_at)),
    )
)
_FORGET_CHANGES = HotStatement(
    delete(calendar_change).where(
        calendar_change.c.calendar_id == _CALENDAR, calendar_change.c.href == _HREF
    )
)
_NOTE_CHANGE = HotStatement(insert(calendar_change))


def save_object(connection: Connection, locked: LockedCalendar, uid: str, content: str) -> int:
    """Write the calendar object of a UID, as CalDAV readers will see it; return its id."""
    values = {
        "etag": hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32],
        "component": "VEVENT",
        "content": clean_text(content),
    }
    href = hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()[:40] + ".ics"
    found = _WRITE.rows(connection, {**values, "calendar": locked.id, "name": href})
    if found:
        object_id = int(found[0][0])
    else:
        row = {**values, "calendar_id": locked.id, "href": href, "uid": uid}
        new = insert(calendar_object).returning(calendar_object.c.id)
        object_id = int(connection.execute(new, row).scalar_one())
    _CLAIM.each(connection, [{"calendar": locked.id, "meeting": uid, "object": object_id}])
    _note_change(connection, locked, href)
    return object_id


def save_range(connection: Connection, object_id: int) -> None:
    """Write the range that encloses the object's occurrences, once these are written."""
    _SAVE_RANGE.each(connection, [{"object": object_id}])


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
    _FORGET_CHANGES.each(connection, [{"calendar": locked.id, "name": href}])
    row = {"calendar_id": locked.id, "number": locked.version, "href": href}
    _NOTE_CHANGE.each(connection, [row])
