"""One VEVENT into an `Instance` (RFC 5545 section 3.6.1).

Refused: EXRULE, an end before the start, a length of more than a hundred years, values of mixed
types, RANGE other than THISANDFUTURE.  Private properties, alarms and attachments play no part.
"""

from collections.abc import Iterator

from mailcore.address import address_key
from mr_accept.expand import recurrence_id_of
from mr_accept.grammar import Component, Line, judge_event
from mr_accept.limits import Budget, Limits
from mr_accept.model import (
    ONWARDS,
    CalendarUser,
    Duration,
    ExtraDate,
    Form,
    Instance,
    Moment,
    UnreadableError,
)
from mr_accept.rrule import parse_rule
from mr_accept.values import read_duration, read_text, read_time, too_long
from mr_accept.zones import UTC, ZoneTable

_ONE_DAY = Duration(1, 0)
_NO_TIME = Duration(0, 0)
_LONGEST_ADDRESS = 254  # characters, RFC 5321 with its erratum 1690
_MAX_SEQUENCE = 2**31 - 1  # fits every database's integer


def parse_instance(event: Component, zones: ZoneTable, limits: Limits, *, cancel: bool) -> Instance:
    """Return what one VEVENT says; `cancel` tells that it comes with METHOD:CANCEL.

    A CANCEL needs no DTSTART (RFC 5546 section 3.2.5): its time is then its RECURRENCE-ID or
    DTSTAMP.  Raises UnreadableError when something is missing, broken or not supported.
    """
    judge_event(event, limits)
    if event.first("EXRULE") is not None:
        raise UnreadableError("EXRULE is not supported")
    dtstamp = _moment(_needed(event, "DTSTAMP"), zones)
    replaced = _replaced_start(event, zones)
    start = _start(event, zones, fallback=(replaced or dtstamp) if cancel else None)
    rule_line = event.first("RRULE")
    extra_dates = tuple(_extra_dates(event, start, zones, limits))
    if replaced is not None and (rule_line or extra_dates):
        raise UnreadableError("a VEVENT with a RECURRENCE-ID has a recurrence of its own")
    return Instance(
        uid=read_text(_needed(event, "UID").value),
        recurrence_id=recurrence_id_of(replaced) + _onwards(event) if replaced else "",
        sequence=_sequence(event),
        dtstamp=dtstamp.epoch,
        start=start,
        duration=_duration(event, start, zones),
        organizer=_organizer(event),
        attendees=tuple(_attendees(event, limits)),
        summary=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        transparent=_text(event, "TRANSP").upper() == "TRANSPARENT",
        cancelled=cancel or _text(event, "STATUS").upper() == "CANCELLED",
        rule=parse_rule(rule_line.value) if rule_line else None,
        extra_dates=extra_dates,
        excluded=frozenset(_excluded(event, zones, limits)),
        lines=tuple(event.lines),
    )


def _needed(event: Component, name: str) -> Line:
    line = event.first(name)
    if line is None or not line.value:
        raise UnreadableError(f"the VEVENT has no {name}")
    return line


def _text(event: Component, name: str) -> str:
    line = next(event.all(name), None)
    return read_text(line.value) if line else ""


def _sequence(event: Component) -> int:
    line = event.first("SEQUENCE")
    if line is None:
        return 0
    if not line.value.isascii() or not line.value.isdigit() or len(line.value) > 10:
        raise UnreadableError(f"the SEQUENCE {line.value[:40]!r} is not a number")
    return min(int(line.value), _MAX_SEQUENCE)


def _moment(line: Line, zones: ZoneTable, value: str | None = None) -> Moment:
    """Read a property's value, or one item of its list, in the zone that its TZID names."""
    written = read_time(line.value if value is None else value)
    kind = line.parameters.get("VALUE", "").upper()
    if (kind == "DATE") is not written.date and kind in ("DATE", "DATE-TIME"):
        raise UnreadableError(f"{line.name} is not of the type that it claims")
    if written.date:
        return Moment(written.wall, zones.floating, Form.DATE)
    if written.utc:
        return Moment(written.wall, UTC, Form.UTC)
    if tzid := line.parameters.get("TZID"):
        return Moment(written.wall, zones.resolve(tzid), Form.ZONED)
    return Moment(written.wall, zones.floating, Form.FLOATING)


def _start(event: Component, zones: ZoneTable, fallback: Moment | None) -> Moment:
    if fallback is not None and event.first("DTSTART") is None:
        return fallback
    return _moment(_needed(event, "DTSTART"), zones)


def _replaced_start(event: Component, zones: ZoneTable) -> Moment | None:
    line = event.first("RECURRENCE-ID")
    if line is None:
        return None
    return _moment(line, zones)


def _onwards(event: Component) -> str:
    """ONWARDS for RANGE=THISANDFUTURE in the RECURRENCE-ID (RFC 5545 section 3.2.13), else nothing."""
    line = event.first("RECURRENCE-ID")
    reach = line.parameters.get("RANGE") if line else None
    if reach is None:
        return ""
    if reach.upper() != "THISANDFUTURE":
        raise UnreadableError(f"the RANGE {reach[:40]!r} is not supported")
    return ONWARDS


def _duration(event: Component, start: Moment, zones: ZoneTable) -> Duration:
    """The length: nominal for dates and DURATION, exact for DTEND (RFC 5545 3.8.5.3)."""
    end_line, length_line = event.first("DTEND"), event.first("DURATION")
    if end_line and length_line:
        raise UnreadableError("the VEVENT has both DTEND and DURATION")
    if end_line:
        return _between(start, _moment(end_line, zones), "DTEND")
    if not length_line:
        return _ONE_DAY if start.all_day else _NO_TIME
    length = read_duration(length_line.value)
    if start.all_day and length.seconds:
        raise UnreadableError("an all-day event has a DURATION that is not of days")
    return length if length != _NO_TIME or not start.all_day else _ONE_DAY


def _between(start: Moment, end: Moment, name: str) -> Duration:
    if start.all_day is not end.all_day:
        raise UnreadableError(f"DTSTART and {name} are not of one type")
    elapsed = (end.wall - start.wall).days if start.all_day else end.epoch - start.epoch
    if elapsed < 0:
        raise UnreadableError(f"the {name} is before the start")
    # DTEND on the day itself is against the RFC, but common
    length = Duration(max(1, elapsed), 0) if start.all_day else Duration(0, elapsed)
    if too_long(length):
        raise UnreadableError(f"the {name} is too long after the start")
    return length


def _items(event: Component, name: str, limits: Limits) -> Iterator[tuple[Line, str]]:
    """Yield each value of the properties called `name`, with the property."""
    left = limits.max_occurrences
    budget = Budget(limits)
    for line in event.all(name):
        budget.check_time()
        for item in filter(None, line.value.split(",")):
            left -= 1
            if left < 0:
                raise UnreadableError(f"too costly: the VEVENT has too many {name} values")
            yield line, item


def _extra_dates(
    event: Component, start: Moment, zones: ZoneTable, limits: Limits
) -> Iterator[ExtraDate]:
    for line, item in _items(event, "RDATE", limits):
        begin, slash, rest = item.partition("/")
        moment = _moment(line, zones, begin)
        if moment.all_day is not start.all_day:
            raise UnreadableError("DTSTART and RDATE are not of one type")
        if not slash:
            yield ExtraDate(moment)
        elif rest[:1] in "+Pp":
            yield ExtraDate(moment, read_duration(rest))
        else:
            yield ExtraDate(moment, _between(moment, _moment(line, zones, rest), "RDATE"))


def _excluded(event: Component, zones: ZoneTable, limits: Limits) -> Iterator[str]:
    for line, item in _items(event, "EXDATE", limits):
        yield recurrence_id_of(_moment(line, zones, item))


def _organizer(event: Component) -> CalendarUser:
    user = _user(_needed(event, "ORGANIZER"))
    if not user.address:
        raise UnreadableError("the ORGANIZER is not a mail address")
    return user


def _attendees(event: Component, limits: Limits) -> Iterator[CalendarUser]:
    budget = Budget(limits)
    for line in event.all("ATTENDEE"):
        budget.check_time()
        user = _user(line)
        if user.address:
            yield user


def _user(line: Line) -> CalendarUser:
    """Read a CAL-ADDRESS; without mailto: its EMAIL parameter counts, as Apple writes it."""
    written = _mail_address(line.value) or _mail_address(line.parameters.get("EMAIL", ""))
    parameters = line.parameters
    sent_by = _mail_address(parameters.get("SENT-BY", ""))
    return CalendarUser(
        address=address_key(written),
        written=written,
        name=line.parameters.get("CN", ""),
        sent_by=address_key(sent_by),
        line=line.text,
        kind=parameters.get("CUTYPE", "").upper(),
        status=parameters.get("PARTSTAT", "").upper(),
        delegated_from=_addresses(parameters.get("DELEGATED-FROM", "")),
        delegated_to=_addresses(parameters.get("DELEGATED-TO", "")),
    )


def _addresses(uris: str) -> tuple[str, ...]:
    """The folded addresses in a list of CAL-ADDRESSes."""
    written = (_mail_address(uri.strip().strip('"')) for uri in uris.split(","))
    return tuple(address_key(address) for address in written if address)


def _mail_address(uri: str) -> str:
    """Return the address in a mailto: URI, or a bare one; empty when there is none."""
    scheme, colon, rest = uri.strip().partition(":")
    if not colon:
        rest = scheme
    elif scheme.lower() != "mailto":
        return ""
    address = rest.strip()
    usable = (
        "@" in address.strip("@") and address.isprintable() and len(address) <= _LONGEST_ADDRESS
    )
    return address if usable and not set(address) & set(' <>",;') else ""
