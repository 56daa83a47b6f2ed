"""When a resource can be booked at all: its days of the week, its hours, its days off.  Pure.

All of it is on the resource's own calendar and wall clock.
"""

import enum
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from mr_accept.holidays import holidays_of
from mr_accept.model import Zone
from mr_accept.policy import ALL_DAYS, BookingPolicy
from mr_accept.sweep import Span

_DAY = timedelta(days=1)


class Closing(enum.Enum):
    """Why time cannot be booked."""

    WEEKDAY = "the day of the week"
    DAY_OFF = "a day off"
    HOURS = "the hour"


class Closed(NamedTuple):
    """Why an occurrence cannot be booked, and the first day on which it is so."""

    why: Closing
    day: date


def always_open(policy: BookingPolicy) -> bool:
    """Whether there is no rule about days and hours."""
    return policy.work_hours is None and policy.work_days == ALL_DAYS and not policy.holidays


def closed_for(span: Span, all_day: bool, policy: BookingPolicy, zone: Zone) -> Closed | None:
    """Why a resource in this zone cannot be booked for a stretch of time; None where it can.

    Each day that the time touches has to be a work day and no day off.  With hours, time that is not all-day lies
    within those of one day; all-day time has none.  Raises UnreadableError for days off that cannot be read.
    """
    begin, end = zone.from_utc(span.start), zone.from_utc(max(span.start, span.end))
    for day in days_of(begin, end):
        if day.weekday() not in policy.work_days:
            return Closed(Closing.WEEKDAY, day)
        if policy.holidays and day in holidays_of(policy.holidays, day.year, day.year):
            return Closed(Closing.DAY_OFF, day)
    if all_day or policy.work_hours is None:
        return None
    opens, closes = (timedelta(minutes=minutes) for minutes in policy.work_hours)
    midnight = datetime.combine(begin, time())
    within = midnight + opens <= begin and end <= midnight + closes
    return None if within else Closed(Closing.HOURS, begin.date())


def days_of(begin: datetime, end: datetime) -> Iterator[date]:
    """Yield the days that half-open time on a wall clock touches; without length, the day it is on.

    >>> [day.day for day in days_of(datetime(2028, 11, 20, 22), datetime(2028, 11, 22))]
    [20, 21]
    """
    day = begin.date()
    yield day
    while datetime.combine(day + _DAY, time()) < end:
        day += _DAY
        yield day
