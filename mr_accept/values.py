"""Reading single iCalendar values: dates, times, durations, offsets, texts (RFC 5545 section 3.3).

Times stay on the wall clock; whoever knows the zone resolves them.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from mr_accept.model import Duration, UnreadableError

_DATE_TIME = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 36_600  # days
EPOCH = datetime(1970, 1, 1)
EARLIEST = datetime(1601, 1, 1)  # these leave room to calculate between datetime.min and .max
LATEST = datetime(9000, 12, 31)


class Written(NamedTuple):
    """A DATE or DATE-TIME as written: the wall clock, whether in UTC (Z), whether a DATE."""

    wall: datetime
    utc: bool
    date: bool


def read_time(text: str) -> Written:
    """Return a DATE or DATE-TIME from 1601 to 9000; raises UnreadableError.

    >>> read_time("20260105T090000Z")
    Written(wall=datetime.datetime(2026, 1, 5, 9, 0), utc=True, date=False)
    """
    written = read_any_time(text)
    if not EARLIEST <= written.wall <= LATEST:
        when = "past" if written.wall < EARLIEST else "future"
        raise UnreadableError(f"{text[:40]!r} is too far in the {when}")
    return written


def read_any_time(text: str) -> Written:
    """Return a DATE or DATE-TIME of any year, with which reckoning may fail; raises UnreadableError."""
    match = _DATE_TIME.fullmatch(text.upper())
    if match is None:
        raise UnreadableError(f"{text[:40]!r} is not a date or a time")
    day, clock, zulu = match[1], match[2] or "000000", match[3]
    try:
        wall = datetime(
            int(day[:4]),
            int(day[4:6]),
            int(day[6:]),
            int(clock[:2]),
            int(clock[2:4]),
            59 if clock[4:] == "60" else int(clock[4:]),  # a leap second is read as the 59th
        )
    except ValueError as error:
        raise UnreadableError(f"{text[:40]!r} is not a date or a time") from error
    return Written(wall, bool(zulu), match[2] is None)


def read_duration(text: str) -> Duration:
    """Return a DURATION of up to a hundred years; weeks and days are nominal, the rest is exact.

    Raises UnreadableError.

    >>> read_duration("P1DT2H")
    Duration(days=1, seconds=7200)
    """
    match = _DURATION.fullmatch(text.upper())
    if match is None or text[-1:].upper() in ("P", "T", ""):
        raise UnreadableError(f"{text[:40]!r} is not a duration")
    weeks, days, hours, minutes, seconds = (int(match[n] or 0) for n in (2, 3, 5, 6, 7))
    whole = Duration(weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
    if match[1] == "-" and whole != (0, 0):
        raise UnreadableError(f"the duration {text[:40]!r} is negative")
    if too_long(whole):
        raise UnreadableError(f"the duration {text[:40]!r} is too long")
    return whole


def too_long(duration: Duration) -> bool:
    """Whether a duration is longer than about a hundred years: no meeting is, and reckoning with it may fail."""
    return duration.days + duration.seconds / 86_400 > _LONGEST


def read_offset(text: str) -> int:
    """Return a UTC-OFFSET in seconds east of UTC; raises UnreadableError.

    >>> read_offset("-0330")
    -12600
    """
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise UnreadableError(f"{text[:40]!r} is not an offset from UTC")
    hours, minutes, seconds = (int(match[n] or 0) for n in (2, 3, 4))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise UnreadableError(f"{text[:40]!r} is not an offset from UTC")
    size = hours * 3600 + minutes * 60 + seconds
    return -size if match[1] == "-" else size


def read_text(value: str) -> str:
    r"""Return a TEXT value without its escapes (RFC 5545 section 3.3.11).

    >>> read_text(r"Lunch\, then cake")
    'Lunch, then cake'
    """
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def seconds_since_epoch(wall: datetime) -> int:
    """Return the seconds from 1970-01-01 to `wall`, both on the same clock."""
    since = wall - EPOCH
    return since.days * 86_400 + since.seconds


def utc_text(instant: int) -> str:
    """Return epoch seconds as a UTC DATE-TIME.

    >>> utc_text(0)
    '19700101T000000Z'
    """
    moment = EPOCH + timedelta(seconds=instant)
    return moment.isoformat().replace("-", "").replace(":", "") + "Z"
