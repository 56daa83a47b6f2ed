"""How far series are held, and holding them further as time goes on.

Every series of a resource is held up to one instant, the horizon: the end of the month after the configured number
of days, or the end of the last booking if that is later.  Before a decision every series is extended, under the lock,
to the end of what is asked for, so no decision ever looks past what is held.  An occurrence that does not fit when its
series is extended is kept as a clash: it holds nothing, is shown, and is logged.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from mailcore.settings import BookingSettings, Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import policy_of, row_of, zone_of
from mr_accept.change import Row, lineages_of
from mr_accept.expand import occurrences_of
from mr_accept.model import Instance, Interval, Occurrence
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import peak_use
from store.bookings import BookingRow, load_lineages, save_booking, short_series
from store.calendars import LockedCalendar
from store.occurrences import (
    BUSY,
    CLASH,
    OccurrenceRow,
    add_occurrences,
    farthest_booked,
    held_between,
)
from userstore.resolve import Recipient

log = logging.getLogger(__name__)

_DAY = 86_400  # seconds
_FARTHEST = 3650 * _DAY


def horizon_of(connection: Connection, store_id: int, settings: BookingSettings, now: int) -> int:
    """The instant, in epoch seconds, up to which every series of a resource is held at `now`.

    Bookings further ahead move it, so that no series is accepted over them unseen; ten years is the end of that.
    """
    day = datetime.fromtimestamp(now, UTC) + timedelta(days=settings.booking_window_days)
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    usual = int(next_month.timestamp())
    return max(usual, min(farthest_booked(connection, store_id, usual), now + _FARTHEST))


def held_until(instances: Iterable[Instance], horizon: int, settings: BookingSettings) -> int:
    """The instant up to which a meeting is expanded: a series that begins late is held as long as any other."""
    begins = [item.start.epoch for item in instances if item.recurring]
    return max([horizon, *(begin + settings.booking_window_days * _DAY for begin in begins)])


def extend_series(
    connection: Connection,
    locked: LockedCalendar,
    recipient: Recipient,
    settings: Settings,
    *,
    until: int,
) -> int:
    """Hold every series of the locked calendar up to `until`; return how many occurrences were added.

    Raises UnreadableError when a series cannot be expanded: an unknown calendar is never a free one.
    """
    added = 0
    for series in short_series(connection, locked.id, until):
        added += _extend(connection, locked, series, recipient, settings, until)
    return added


def _extend(
    connection: Connection,
    locked: LockedCalendar,
    series: BookingRow,
    recipient: Recipient,
    settings: Settings,
    until: int,
) -> int:
    limits = limits_of(settings.booking)
    zone = zone_of(recipient, settings)
    stored = load_lineages(connection, recipient.mailbox.id, series.uid)
    rows: list[Row] = [row_of(one, zone, limits) for one in stored]
    overridden = {row.recurrence_id for row in rows if row.recurrence_id}
    since = series.materialised_until or 0
    new = [
        item
        for item in occurrences_of(lineages_of(rows), until, limits, since - 1)
        if item.start >= since and item.recurrence_id not in overridden
    ]
    policy = policy_of(recipient)
    held: list[OccurrenceRow] = []
    beside: list[OccurrenceRow] = []  # those of `held` that reach into the next one
    for item in new:
        beside = [one for one in beside if one.end > item.start and one.busy_type == BUSY]
        row = _held(connection, locked, item, policy, series, beside)
        held.append(row)
        beside.append(row)
    add_occurrences(connection, locked, series.id, series.object_id, held)
    save_booking(connection, locked, series.id, {"materialised_until": until})
    return len(held)


def _held(
    connection: Connection,
    locked: LockedCalendar,
    item: Occurrence,
    policy: BookingPolicy,
    series: BookingRow,
    beside: Sequence[OccurrenceRow],
) -> OccurrenceRow:
    """A further occurrence of a series: busy if it fits beside all else and its own others, else a clash."""
    busy = held_between(connection, locked, item.start, item.end)
    spans = [Interval(one.start, one.end) for one in busy]
    spans += [Interval(one.start, one.end) for one in beside]
    fits = peak_use(spans, item.start, item.end) < policy.capacity
    if policy.decline_conflict and not fits:
        log.warning(
            "series %s: its occurrence %s does not fit any more and is not held",
            series.uid,
            item.recurrence_id,
        )
        return OccurrenceRow(item.start, item.end, item.recurrence_id, CLASH)
    return OccurrenceRow(item.start, item.end, item.recurrence_id, BUSY)
