"""One occurrence of a series as a VEVENT of its own, by which a REPLY names it (RFC 5546 section 3.2.3).

A request for a series has no VEVENT for its single occurrences; theirs follow from the series'.  Programs look for a
RECURRENCE-ID in the very form of DTSTART (RFC 5545 section 3.8.4.4), so its form and TZID are kept.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from mr_accept.model import Duration, Form, Instance, Meeting, Moment, Occurrence
from mr_accept.values import read_time
from mr_accept.zones import UTC

_AS_THE_MASTER = ("SUMMARY", "LOCATION", "ORGANIZER", "SEQUENCE")


def line_of(instance: Instance, name: str) -> str:
    """Return the first unfolded property line called `name` of a VEVENT, or an empty text."""
    for line in instance.lines:
        if line[: len(name)].upper() == name and line[len(name) : len(name) + 1] in (";", ":"):
            return line
    return ""


def instance_for(meeting: Meeting, master: Instance, occurrence: Occurrence) -> Instance:
    """Return the meeting's own VEVENT for an occurrence where it has one, else that of `series_instance`."""
    own = (one for one in meeting.instances if one.recurrence_id == occurrence.recurrence_id)
    return next(own, None) or series_instance(master, occurrence)


def series_instance(master: Instance, occurrence: Occurrence) -> Instance:
    """Return the VEVENT of one occurrence that `master` stands for, or a VEVENT for one and all after it.

    Its `lines` have times in the form and with the TZID of the master's DTSTART; an instant that has no such form, in
    the second of two hours with the same name, is in UTC.  RECURRENCE-ID is the start by the rule, also where the
    occurrence was moved.  All but its time is the master's, and it does not recur.
    """
    start = _moment(master, occurrence.start)
    single = replace(
        master,
        recurrence_id=occurrence.recurrence_id,
        start=start,
        duration=_duration(master, start, occurrence.end),
        rule=None,
        extra_dates=(),
        excluded=frozenset(),
    )
    return replace(single, lines=tuple(_lines(master, single, occurrence.end)))


def _moment(master: Instance, instant: int) -> Moment:
    """An instant (epoch seconds) in the form of the master's DTSTART, else in UTC."""
    zone, form = master.start.zone, master.start.form
    wall = zone.from_utc(instant)
    if form is Form.DATE:
        return Moment(wall.replace(hour=0, minute=0, second=0), zone, form)
    if zone.to_utc(wall) == instant:
        return Moment(wall, zone, form)
    return Moment(UTC.from_utc(instant), UTC, Form.UTC)


def _duration(master: Instance, start: Moment, end: int) -> Duration:
    """The length from `start` to an instant: the master's own where that leads there."""
    days, seconds = master.duration
    nominal = start.zone.to_utc(start.wall + timedelta(days=days)) if days else start.epoch
    if nominal + seconds == end:
        return master.duration
    if start.all_day:
        return Duration(max(1, (_moment(master, end).wall - start.wall).days), 0)
    return Duration(0, end - start.epoch)


def _lines(master: Instance, single: Instance, end: int) -> Iterator[str]:
    yield line_of(master, "UID") or f"UID:{master.uid}"
    if single.recurrence_id:
        yield _time_line("RECURRENCE-ID", master, _original_start(master, single.recurrence_id))
    yield _time_line("DTSTART", master, single.start)
    as_the_master = single.duration == master.duration
    if as_the_master and (length := line_of(master, "DURATION")):
        yield length
    elif not as_the_master or line_of(master, "DTEND"):
        yield _time_line("DTEND", master, _moment(master, end))
    yield from filter(None, (line_of(master, name) for name in _AS_THE_MASTER))


def _original_start(master: Instance, recurrence_id: str) -> Moment:
    """The start by the rule, which its canonical id tells."""
    written = read_time(recurrence_id)
    if written.date:
        return Moment(written.wall, master.start.zone, Form.DATE)
    return _moment(master, UTC.to_utc(written.wall))


def _time_line(name: str, master: Instance, moment: Moment) -> str:
    """A property, with the parameters of the master's DTSTART where its value is in that form."""
    if moment.form is Form.DATE:
        return f"{name};VALUE=DATE:{_basic(moment.wall.date().isoformat())}"
    text = _basic(moment.wall.isoformat())
    if moment.form is Form.UTC:
        return f"{name}:{text}Z"
    head = line_of(master, "DTSTART").rpartition(":")[0]
    return f"{name}{head[len('DTSTART') :]}:{text}"


def _basic(extended: str) -> str:
    """ISO 8601 without its dashes and colons, as iCalendar has it."""
    return extended.replace("-", "").replace(":", "")
