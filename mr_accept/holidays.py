"""Days off, from the text of an iCalendar file (RFC 5545); pure.

An event counts that lasts whole days: a DATE, or from midnight to midnight.  Events of hours are left out.  DTEND,
DURATION, RRULE, RDATE, EXDATE and RECURRENCE-ID are understood; TRANSP plays no part, since many files mark holidays
as free time.  A file of a calendar program may lack what only invitations need.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from mr_accept.expand import expand
from mr_accept.grammar import Component, parse_component
from mr_accept.limits import Limits
from mr_accept.model import Instance, UnreadableError
from mr_accept.values import seconds_since_epoch
from mr_accept.vevent import parse_instance
from mr_accept.zones import UTC, ZoneTable

_LIMITS = Limits()
_DAY = timedelta(days=1)
_MIDNIGHT = time()
_STAND_INS = ("DTSTAMP:19700101T000000Z", "ORGANIZER:mailto:holidays@localhost.invalid")


def check_holidays(text: str) -> None:
    """Raise UnreadableError, in words for an administrator, unless the text is a calendar with days off."""
    if not _read(text):
        raise UnreadableError("there is no event in it that lasts a whole day")


def holidays_of(text: str, first_year: int, last_year: int) -> frozenset[date]:
    """The days off in some years, both included; none where the text is empty.

    They are days on the calendar, whatever the zone.  Raises UnreadableError.
    """
    if not text:
        return frozenset()
    years = range(first_year, last_year + 1)
    return frozenset().union(*(_in_year(text, year) for year in years))


@lru_cache(maxsize=1024)
def _in_year(text: str, year: int) -> frozenset[date]:
    begin, after = datetime(year, 1, 1), datetime(year + 1, 1, 1)
    since, until = (seconds_since_epoch(edge) for edge in (begin - 2 * _DAY, after + 2 * _DAY))
    found: set[date] = set()
    for instances in _read(text):
        zone = instances[0].start.zone
        for item in expand(instances, until, _LIMITS, since):
            day, end = zone.from_utc(item.start), zone.from_utc(item.end)
            day = max(day, begin)
            while day < min(end, after):
                found.add(day.date())
                day += _DAY
    return frozenset(found)


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[tuple[Instance, ...], ...]:
    """The events that last whole days, those of one UID together."""
    calendar = parse_component(text, _LIMITS)
    zones = ZoneTable(calendar.named("VTIMEZONE"), UTC, _LIMITS)
    together: dict[str, list[Instance]] = {}
    for event in _completed(calendar.named("VEVENT")):
        instance = parse_instance(event, zones, _LIMITS, cancel=False)
        if _lasts_days(instance):
            together.setdefault(instance.uid, []).append(instance)
    return tuple(tuple(instances) for instances in together.values())


def _completed(events: Sequence[Component]) -> Iterator[Component]:
    """Yield the events with what a calendar file may leave out."""
    for count, event in enumerate(events):
        there = {line.partition(":")[0].partition(";")[0].upper() for line in event.lines}
        needed = (*_STAND_INS, f"UID:holiday-{count}")
        added = [line for line in needed if line.partition(":")[0] not in there]
        yield Component(event.name, [*event.lines, *added])


def _lasts_days(instance: Instance) -> bool:
    if instance.all_day:
        return True
    start, length = instance.start, instance.duration
    nominal = start.zone.to_utc(start.wall + timedelta(days=length.days))
    end = start.zone.from_utc(nominal + length.seconds)
    return start.wall.time() == end.time() == _MIDNIGHT and end > start.wall
