"""Sample mails that never grow old: their meetings are in the spring of 2030, and are moved into the next spring.

They are moved by whole weeks, so that each keeps its day of the week, and so that the first of them is in the week
before summer time begins in New York.  It begins in Berlin two or three weeks later, in the midst of the series.
Only the times of meetings are changed, and no mail gets longer by it.  Pure.
"""

import base64
import re
from datetime import date, datetime, timedelta

FIRST_DAY = date(2030, 3, 4)
"""The Monday on which the sample meetings begin."""

_AHEAD = timedelta(days=14)
_BASE64 = re.compile(rb"(?:^[A-Za-z0-9+/]{76}\r\n)+(?:^[A-Za-z0-9+/=]{1,76}\r\n)?", re.MULTILINE)
_TIMES = re.compile(
    rb"^(?:DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE|RRULE)[;:].*(?:\n[ \t].*)*", re.MULTILINE
)
_DAY = re.compile(rb"(?<!\d)2030\d{4}")


def moved_by(today: date) -> timedelta:
    """How far the sample meetings are moved so that they are ahead of `today`, by half a month to 13 months.

    >>> FIRST_DAY + moved_by(date(2027, 3, 1)), FIRST_DAY + moved_by(date(2027, 2, 1))
    (datetime.date(2028, 3, 6), datetime.date(2027, 3, 8))
    """
    first = _first_day(today.year)
    return (first if first - today >= _AHEAD else _first_day(today.year + 1)) - FIRST_DAY


def moved(mail: bytes, by: timedelta) -> bytes:
    """The mail with all meetings in it moved; `by` is whole weeks."""
    mail = _BASE64.sub(lambda found: _moved_in_base64(found[0], by), mail)
    return _moved_times(mail, by)


def _first_day(year: int) -> date:
    """The Monday before the second Sunday of March, on which summer time begins in New York."""
    eighth = date(year, 3, 8)
    return eighth - timedelta(days=eighth.weekday())


def _moved_in_base64(block: bytes, by: timedelta) -> bytes:
    content = base64.b64decode(block)
    if b"BEGIN:VCALENDAR" not in content:
        return block
    return base64.encodebytes(_moved_times(content, by)).replace(b"\n", b"\r\n")


def _moved_times(text: bytes, by: timedelta) -> bytes:
    return _TIMES.sub(lambda line: _DAY.sub(lambda day: _moved_day(day[0], by), line[0]), text)


def _moved_day(day: bytes, by: timedelta) -> bytes:
    return f"{datetime.strptime(day.decode(), '%Y%m%d') + by:%Y%m%d}".encode()
