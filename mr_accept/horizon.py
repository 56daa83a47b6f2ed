"""How far series are held, and holding them further as time goes on.

Every series of a resource is held up to one instant, the horizon: the end of the month in which the booking window
ends, or the end of the last booking if that is later.  Before a decision every series is extended, under the lock, to
the end of what is asked for, so no decision ever looks past what is held.  An occurrence that does not fit when its
series is extended is declined then: it holds nothing, is shown, and `mr_accept/late_clashes.py` tells the organizer.
"""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from mailcore.settings import Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import held_of, renew_object, zone_of
from mr_accept.change import lineages_of, own_ids
from mr_accept.expand import lineages_go_past, occurrences_of
from mr_accept.model import Instance, Occurrence, UnreadableError
from mr_accept.policies import load_policy
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span, peak_use
from store.bookings import (
    BookingRow,
    load_lineages,
    save_booking,
    save_declined_occurrence,
    short_series,
)
from store.calendar_objects import save_range
from store.calendars import LockedCalendar
from store.occurrences import (
    CLASH,
    HeldTime,
    OccurrenceRow,
    add_occurrences,
    farthest_booked,
    held_during,
)
from userstore.resolve import Recipient

END_OF_TIME = 221_845_392_000
"""The year 9000 in epoch seconds: every occurrence of a series that has an end is before it."""

log = logging.getLogger(__name__)

_DAY = 86_400  # seconds
_FARTHEST = 3650 * _DAY
_USUAL_DAYS = 730  # for a resource whose booking window has no end


def horizon_of(connection: Connection, store_id: int, policy: BookingPolicy, now: int) -> int:
    """The instant, in epoch seconds, up to which every series of a resource is held at `now`.

    Bookings further ahead move it, so that no series is accepted over them unseen; ten years is the end of that.
    """
    day = datetime.fromtimestamp(now, UTC) + timedelta(days=_window(policy))
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    usual = int(next_month.timestamp())
    return max(usual, min(farthest_booked(connection, store_id, usual), now + _FARTHEST))


def held_until(instances: Iterable[Instance], horizon: int, policy: BookingPolicy) -> int:
    """The instant up to which a meeting is expanded.

    A series that begins late is held as long as any other, and one of which an occurrence was moved far ahead up to
    there, where the two could meet.
    """
    long = _window(policy) * _DAY
    ends = (item.start.epoch + (long if item.recurring else _length(item)) for item in instances)
    return max([horizon, *ends])


def _length(instance: Instance) -> int:
    days, seconds = instance.duration
    return (days + 1) * _DAY + seconds  # a day may have 25 hours


def _window(policy: BookingPolicy) -> int:
    return policy.booking_window_days or _USUAL_DAYS


def extend_series(
    connection: Connection,
    locked: LockedCalendar,
    recipient: Recipient,
    settings: Settings,
    *,
    until: int,
    without: str = "",
) -> int:
    """Hold every series of the locked calendar up to `until`; return how many occurrences were added.

    The meeting with the UID `without`, which is just being decided, stays as it is.  Raises UnreadableError when a
    series cannot be expanded: an unknown calendar is never a free one.
    """
    short = [one for one in short_series(connection, locked.id, until) if one.uid != without]
    if not short:
        return 0
    policy = load_policy(connection, recipient, settings)
    added = 0
    for series in short:
        try:
            added += _extend(connection, locked, series, recipient, settings, policy, until)
        except UnreadableError as error:
            name = recipient.user.name
            why = f"nothing can be booked beside {series.uid}, which cannot be read: {error}"
            log.warning("%s: %s; kopano-admin --cancel-booking %s %s", name, why, name, series.uid)
            raise UnreadableError(why) from error
    return added


def _extend(
    connection: Connection,
    locked: LockedCalendar,
    series: BookingRow,
    recipient: Recipient,
    settings: Settings,
    policy: BookingPolicy,
    until: int,
) -> int:
    limits = limits_of(settings.booking)
    zone = zone_of(recipient, settings)
    stored = load_lineages(connection, recipient.mailbox.id, series.uid)
    rows = held_of(stored, zone, limits).rows
    own = own_ids(rows)
    since = series.materialised_until or 0
    new = [
        item
        for item in occurrences_of(lineages_of(rows), until, limits, since - 1)
        if item.start >= since and item.recurrence_id not in own
    ]
    held: list[OccurrenceRow] = []
    crowded = declined = False
    busy = held_during(connection, locked, new)
    reaching: list[OccurrenceRow] = []  # those of `held` that reach into the next one
    for item, others in _beside(new, busy):
        reaching = [one for one in reaching if one.end > item.start]
        spans: list[Span] = [*others, *reaching]
        row = OccurrenceRow(item.start, item.end, item.recurrence_id)
        if peak_use(spans, item.start, item.end) < policy.capacity:
            held.append(row)
            reaching.append(row)
        elif policy.decline_conflict:
            _decline(connection, locked, series, item)
            declined = True
        else:
            crowded = True
            held.append(row)
            reaching.append(row)
    add_occurrences(connection, locked, series.id, series.object_id, held)
    # What it may share its time with counts for all of it: the most that any part was booked under.
    most = 0 if crowded or not series.places else max(series.places, policy.capacity)
    goes_on = lineages_go_past(lineages_of(rows), until, limits)
    values = {"materialised_until": until if goes_on else None, "places": most}
    save_booking(connection, locked, series.id, values)
    if declined:
        renew_object(connection, locked, series.uid, zone)
    elif series.object_id is not None:
        save_range(connection, series.object_id)
    return len(held)


def _beside(
    new: Iterable[Occurrence], busy: Iterable[HeldTime]
) -> Iterator[tuple[Occurrence, list[HeldTime]]]:
    """Yield each occurrence, in order of start, with what else holds the resource at some time of it."""
    waiting = deque(sorted(busy))
    reaching: list[HeldTime] = []
    for item in new:
        while waiting and waiting[0].start < item.end:
            reaching.append(waiting.popleft())
        reaching = [one for one in reaching if one.end > item.start]
        yield item, reaching


def _decline(
    connection: Connection, locked: LockedCalendar, series: BookingRow, item: Occurrence
) -> None:
    """Let a series do without an occurrence; the organizer hears of it as soon as this is committed."""
    row_id = save_declined_occurrence(connection, locked, series, item.recurrence_id)
    clash = OccurrenceRow(item.start, item.end, item.recurrence_id, CLASH)
    add_occurrences(connection, locked, row_id, None, [clash])
