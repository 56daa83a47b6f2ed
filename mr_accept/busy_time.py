"""What holds a resource in a range of time, also where its series are not held so far yet."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection

from mailcore.settings import Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import held_of, zone_of
from mr_accept.change import lineages_of, own_ids
from mr_accept.expand import occurrences_of
from mr_accept.model import Interval
from store.bookings import BookingRow, load_short_series
from store.calendars import calendar_ids
from store.occurrences import busy_between
from userstore.resolve import Recipient


def load_busy(
    connection: Connection, recipient: Recipient, settings: Settings, start: int, end: int
) -> list[Interval]:
    """Everything that holds a resource at some instant of [start, end), in epoch seconds; nothing is written.

    What a series makes beyond the time up to which it is held counts as held: nobody knows yet whether it will fit.
    Raises UnreadableError where that cannot be worked out.  `connection` should be a snapshot.
    """
    ((calendar_id, _),) = calendar_ids(connection, recipient.mailbox.id)
    held = busy_between(connection, calendar_id, start, end)
    short = load_short_series(connection, calendar_id, end)
    return [
        *(Interval(one.start, one.end) for one in held),
        *(one for one in _later(short, recipient, settings, end) if one.end > start),
    ]


def _later(
    short: Sequence[BookingRow], recipient: Recipient, settings: Settings, end: int
) -> Iterator[Interval]:
    """Yield what series make between the time up to which they are held and `end`."""
    zone = zone_of(recipient, settings)
    for _, rows in groupby(short, key=lambda row: row.uid):
        lineages = list(rows)
        limits = limits_of(settings.booking)
        since = next(
            row.materialised_until for row in lineages if row.materialised_until is not None
        )
        known = held_of(lineages, zone, limits).rows
        own = own_ids(known)
        for item in occurrences_of(lineages_of(known), end, limits, since - 1):
            if item.start >= since and item.recurrence_id not in own:
                yield Interval(item.start, item.end)
