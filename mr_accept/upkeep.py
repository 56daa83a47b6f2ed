"""Looking after calendars: holding series to the horizon, rebuilding what they hold, cancelling by hand."""

import logging
import time
from importlib.metadata import version

from sqlalchemy import Connection

from mailcore.errors import MailError, NoSuchRecipientError, UsageError
from mailcore.settings import Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import held_of, renew_object, split_occurrences, zone_of
from mr_accept.change import lineages_of, own_ids
from mr_accept.expand import occurrences_of
from mr_accept.horizon import END_OF_TIME, extend_series, horizon_of
from mr_accept.model import UnreadableError, Zone
from mr_accept.policies import load_policy
from store.bookings import (
    ACCEPTED,
    CANCELLED,
    BookingRow,
    drop_bookings,
    load_all_lineages,
    load_lineages,
    save_booking,
    save_cancelled_occurrence,
)
from store.calendar_objects import all_objects, drop_object, save_range
from store.calendars import LockedCalendar, calendar_ids, lock_calendar, set_zone_data, touch_store
from store.engine import Database
from store.occurrences import (
    all_held,
    drop_occurrence,
    drop_strays,
    replace_occurrences,
)
from userstore.resolve import Directory, Recipient

log = logging.getLogger(__name__)


def extend_all(database: Database, directory: Directory, settings: Settings) -> None:
    """Hold every series of every resource to the horizon; one that fails is logged and hurts no other.

    Where the time-zone data has changed since the occurrences were made, they are made anew first.
    """
    with database.read() as connection:
        calendars = calendar_ids(connection)
    for calendar_id, store_id in calendars:
        try:
            _extend_one(database, directory, settings, calendar_id, store_id)
        except NoSuchRecipientError:
            continue  # an orphaned mailbox: nobody can book it
        except MailError as error:
            log.warning("calendar of mailbox %d is not extended: %s", store_id, error)


def _extend_one(
    database: Database, directory: Directory, settings: Settings, calendar_id: int, store_id: int
) -> None:
    with database.read() as connection:
        if not load_all_lineages(connection, calendar_id):
            return
    recipient = directory.by_store(store_id)
    with database.write() as connection:
        locked = lock_calendar(connection, store_id)
        policy = load_policy(connection, recipient, settings)
        until = horizon_of(connection, store_id, policy, int(time.time()))
        if locked.zone_data not in {"", zone_data_version()}:
            log.info("mailbox %d: time-zone data is new, occurrences are made anew", store_id)
            rebuild_locked(connection, locked, recipient, settings)
        set_zone_data(connection, locked, zone_data_version())
        extend_series(connection, locked, recipient, settings, until=until)


def zone_data_version() -> str:
    """The version of the time-zone data that occurrences are made with."""
    return version("tzdata")


def rebuild_occurrences(database: Database, recipient: Recipient, settings: Settings) -> int:
    """Make the time held anew from the bookings' sources; return how many occurrences there are now."""
    with database.write() as connection:
        locked = lock_calendar(connection, recipient.mailbox.id)
        written = rebuild_locked(connection, locked, recipient, settings)
        set_zone_data(connection, locked, zone_data_version())
        touch_store(connection, recipient.mailbox.id)
    return written


def rebuild_locked(
    connection: Connection, locked: LockedCalendar, recipient: Recipient, settings: Settings
) -> int:
    """Make anew what is held, as far as it was held; then hold it to the horizon, where it has to fit."""
    policy = load_policy(connection, recipient, settings)
    until = horizon_of(connection, recipient.mailbox.id, policy, int(time.time()))
    _mend_objects(connection, locked, zone_of(recipient, settings))
    meetings: dict[str, list[BookingRow]] = {}
    for row in load_all_lineages(connection, locked.id):
        meetings.setdefault(row.uid, []).append(row)
    drop_strays(connection, locked.id)
    rebuilt = 0
    for uid, rows in meetings.items():
        try:
            rebuilt += _rebuild_meeting(connection, locked, rows, recipient, settings)
        except UnreadableError as error:
            name = recipient.user.name
            raise UnreadableError(
                f"booking {uid} of {name} cannot be read: {error}; nothing was changed."
                f" kopano-admin --cancel-booking {name} {uid} frees it"
            ) from error
    return rebuilt + extend_series(connection, locked, recipient, settings, until=until)


def _mend_objects(connection: Connection, locked: LockedCalendar, zone: Zone) -> None:
    """Give what is booked its calendar object, and take away the objects of what is not."""
    rows = load_all_lineages(connection, locked.id)
    booked = {row.uid for row in rows if row.state == ACCEPTED}
    for uid in sorted(booked ^ set(all_objects(connection, locked.id))):
        renew_object(connection, locked, uid, zone)


def _rebuild_meeting(
    connection: Connection,
    locked: LockedCalendar,
    stored: list[BookingRow],
    recipient: Recipient,
    settings: Settings,
) -> int:
    limits = limits_of(settings.booking)
    zone = zone_of(recipient, settings)
    rows = held_of(stored, zone, limits).rows
    held = [one.materialised_until for one in stored if one.materialised_until is not None]
    occurrences = occurrences_of(lineages_of(rows), max(held, default=END_OF_TIME), limits)
    parts = split_occurrences(occurrences, own_ids(rows))
    for one in stored:
        if one.state == ACCEPTED:  # what was declined holds nothing, and is shown as it was
            part = parts[one.recurrence_id]
            replace_occurrences(connection, locked, one.id, one.object_id, part)
    for object_id in {one.object_id for one in stored if one.object_id is not None}:
        save_range(connection, object_id)
    return len(occurrences)


def cancel_booking(
    database: Database, recipient: Recipient, settings: Settings, uid: str, recurrence_id: str
) -> int:
    """Free a booking, or one occurrence of it, by hand; return how many occurrences were freed.

    For an organizer who is gone: nobody is written to, and a late request for it does not book again unless it is
    newer.  Raises UsageError when there is no such booking.
    """
    store_id = recipient.mailbox.id
    with database.write() as connection:
        locked = lock_calendar(connection, store_id)
        lineages = load_lineages(connection, store_id, uid)
        rows = [row for row in lineages if row.state == ACCEPTED]
        if not rows:
            raise UsageError(f"no booking with the UID {uid}; --list-bookings shows what there is")
        if recurrence_id:
            freed = _cancel_one(connection, locked, lineages, recurrence_id)
            renew_object(connection, locked, uid, zone_of(recipient, settings))
        else:
            ids = {row.id for row in rows}
            freed = sum(one.booking_id in ids for one in all_held(connection, locked.id))
            _cancel_all(connection, locked, lineages)
        touch_store(connection, store_id)
    return freed


def _cancel_all(connection: Connection, locked: LockedCalendar, rows: list[BookingRow]) -> None:
    """Leave one cancelled master, as new as the newest revision seen of any instance."""
    first, *others = rows
    sequence, dtstamp = max((row.seen_sequence, row.seen_dtstamp) for row in rows)
    drop_bookings(connection, [row.id for row in others])
    replace_occurrences(connection, locked, first.id, None, ())
    values = {
        "state": CANCELLED,
        "recurrence_id": "",
        "recurring": False,
        "materialised_until": None,
        "seen_sequence": sequence,
        "seen_dtstamp": dtstamp,
    }
    save_booking(connection, locked, first.id, values)
    drop_object(connection, locked, first.uid)


def _cancel_one(
    connection: Connection, locked: LockedCalendar, rows: list[BookingRow], recurrence_id: str
) -> int:
    """Free one occurrence: its own lineage, or its place in the series, which then knows it as cancelled."""
    own = next((row for row in rows if row.recurrence_id == recurrence_id), None)
    master = next((row for row in rows if not row.recurrence_id and row.state == ACCEPTED), None)
    if own is not None and own.state == ACCEPTED:
        replace_occurrences(connection, locked, own.id, None, ())
        save_booking(connection, locked, own.id, {"state": CANCELLED})
        freed = 1
    elif master is not None:
        freed = drop_occurrence(connection, master.id, recurrence_id)
        if freed and own is not None:  # a change of it was declined
            save_booking(connection, locked, own.id, {"state": CANCELLED})
        elif freed:
            save_cancelled_occurrence(connection, locked, master, recurrence_id)
    else:
        freed = 0
    if not freed:
        raise UsageError(
            f"the booking has no occurrence {recurrence_id};"
            " --list-bookings shows them as recurrence_id"
        )
    return freed
