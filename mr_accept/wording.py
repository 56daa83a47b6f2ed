"""Dates, times and lengths in words, as organizers read them; pure, and never by the process's locale."""

from collections.abc import Collection
from datetime import datetime, timedelta

from mailcore.charset import one_line
from mr_accept.model import Zone
from mr_accept.zones import offset_text

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def day_text(wall: datetime) -> str:
    """A date in words; the time of day is left out.

    >>> day_text(datetime(2028, 11, 20, 9))
    'Mon 20 November 2028'
    """
    return f"{_WEEKDAYS[wall.weekday()]} {wall.day} {_MONTHS[wall.month - 1]} {wall.year}"


def moment_text(wall: datetime) -> str:
    """A date and time of day in words.

    >>> moment_text(datetime(2028, 11, 20, 9))
    'Mon 20 November 2028, 09:00'
    """
    return f"{day_text(wall)}, {wall:%H:%M}"


def weekdays_text(days: Collection[int]) -> str:
    """Days of the week, from Monday = 0; three or more in a row as the first and the last.

    >>> weekdays_text({0, 1, 2, 3, 4}), weekdays_text({5, 6})
    ('Mon to Fri', 'Sat, Sun')
    """
    ordered = sorted(days)
    names = [_WEEKDAYS[day] for day in ordered]
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)


def days_text(first: datetime, after: datetime) -> str:
    """All-day time from the first day on, up to the day `after` it, which is not part of it.

    >>> days_text(datetime(2028, 11, 20), datetime(2028, 11, 21))
    'Mon 20 November 2028, all day'
    """
    last = after - timedelta(days=1)
    if last.date() <= first.date():
        return f"{day_text(first)}, all day"
    return f"{day_text(first)} to {day_text(last)}, all day"


def times_text(start: int, end: int, zone: Zone) -> str:
    """The time between two instants (epoch seconds) on the wall clock of a zone, which is named."""
    first, last = zone.from_utc(start), zone.from_utc(end)
    until = f"{last:%H:%M}" if last.date() == first.date() else f"{day_text(last)}, {last:%H:%M}"
    place = f"{one_line(zone.name)}, UTC{offset_text(zone, start)}"
    return f"{day_text(first)}, {first:%H:%M} to {until} ({place})"


def length_text(seconds: int) -> str:
    """A length of time, from whole days down to seconds.

    >>> length_text(5 * 3600), length_text(90 * 60), length_text(0)
    ('5 hours', '1 hour and 30 minutes', '0 minutes')
    """
    parts, rest = [], seconds
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    if not parts:
        return "0 minutes"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
