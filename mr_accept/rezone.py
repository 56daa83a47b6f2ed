"""Moving a calendar to another time zone: what its resource's zone gave a place in time goes with it.

Floating times and days mean the resource's wall clock (RFC 5545 section 3.3.5), so they hold it at other instants in
another zone; times with a zone of their own stay.  A floating instance is known by its start in UTC, which changes
too.  Known limit: what did not fit when a floating series was extended is held afterwards, and the audit shows it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mailcore.settings import Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import zone_of
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Form, Zone
from mr_accept.upkeep import rebuild_locked
from mr_accept.values import read_time, seconds_since_epoch, utc_text
from store.bookings import BookingRow, load_all_lineages, save_booking
from store.calendars import lock_calendar
from userstore.resolve import Recipient


def move_calendar(
    connection: Connection, recipient: Recipient, timezone: str, settings: Settings
) -> int:
    """Hold what is booked as `timezone` has it; return how many occurrences there are then.

    `recipient` still has the zone that the bookings were read in; an empty name is the default zone.  Nothing is
    declined anew: the audit shows what clashes now.  Raises UnreadableError where a booking cannot be read any more.
    """
    locked = lock_calendar(connection, recipient.mailbox.id)
    moved = replace(recipient, mailbox=replace(recipient.mailbox, timezone=timezone))
    old, new = zone_of(recipient, settings), zone_of(moved, settings)
    rows = load_all_lineages(connection, locked.id)
    renamed = list(_renamed(rows, old, new, limits_of(settings.booking)))
    # In two steps, because one instance's new id may still be another's old one.
    for row_id, _ in renamed:
        save_booking(connection, locked, row_id, {"recurrence_id": f"moving {row_id}"})
    for row_id, recurrence_id in renamed:
        save_booking(connection, locked, row_id, {"recurrence_id": recurrence_id})
    return rebuild_locked(connection, locked, moved, settings)


def _renamed(
    rows: list[BookingRow], old: Zone, new: Zone, limits: Limits
) -> Iterator[tuple[int, str]]:
    """Yield (row id, new recurrence id) of the instances that floating times name."""
    for row in rows:
        if "T" in row.recurrence_id and _floats(row, old, limits):
            yield row.id, moved_id(row.recurrence_id, old, new)


def _floats(row: BookingRow, zone: Zone, limits: Limits) -> bool:
    instances = parse_meeting(row.source, zone, limits).instances
    own = [one for one in instances if one.recurrence_id == row.recurrence_id]
    return (own or instances)[0].start.form is Form.FLOATING


def moved_id(recurrence_id: str, old: Zone, new: Zone) -> str:
    """Return the id of the instance at the same time on the clock of another zone.

    >>> from mr_accept.zones import named_zone
    >>> moved_id("20270301T080000Z", named_zone("Europe/Berlin"), named_zone("America/New_York"))
    '20270301T140000Z'
    """
    first = recurrence_id.removesuffix(ONWARDS)
    wall: datetime = old.from_utc(seconds_since_epoch(read_time(first).wall))
    return utc_text(new.to_utc(wall)) + recurrence_id[len(first) :]
