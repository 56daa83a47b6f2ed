"""Meeting messages as programs send them: VEVENTs, VCALENDARs, and the mail around them.

Everything lies in the first week that begins at least four weeks from today, so that it is ahead
of us and before any horizon; times are UTC unless a zone is named.
"""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ANNA = "anna@example.net"
BEN = "ben@example.net"
EVE = "eve@example.com"
STAMP = datetime(2026, 1, 1, tzinfo=UTC)

_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY = _TODAY + timedelta(days=35 - _TODAY.weekday())
_numbers = itertools.count(1)


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    """A time of the test week, in UTC; `day` counts from its Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def basic(moment: datetime) -> str:
    """A time as iCalendar writes it in UTC, which is also how a canonical recurrence id looks."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def event(
    uid: str,
    start: datetime,
    minutes: int = 60,
    *,
    attendees: Sequence[str],
    sequence: int = 0,
    stamp: int | None = None,
    rrule: str = "",
    recurrence_id: datetime | None = None,
    organizer: str = ANNA,
    sent_by: str = "",
    zone: str = "",
    summary: str = "Planning",
    extra: Sequence[str] = (),
) -> str:
    """A VEVENT; `stamp` is DTSTAMP in seconds after STAMP, a minute for each SEQUENCE if not given."""
    stamped = STAMP + timedelta(seconds=60 * sequence if stamp is None else stamp)
    by = f';SENT-BY="mailto:{sent_by}"' if sent_by else ""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{basic(stamped)}",
        f"SEQUENCE:{sequence}",
        _time("DTSTART", start, zone),
        _time("DTEND", start + timedelta(minutes=minutes), zone),
        *([f"RRULE:{rrule}"] if rrule else []),
        *([_time("RECURRENCE-ID", recurrence_id, zone)] if recurrence_id else []),
        f"SUMMARY:{summary}",
        f"ORGANIZER;CN=Organizer{by}:mailto:{organizer}",
        *(f"ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{address}" for address in attendees),
        *extra,
        "END:VEVENT",
    ]
    return "\r\n".join(lines)


def _time(name: str, moment: datetime, zone: str) -> str:
    if not zone:
        return f"{name}:{basic(moment)}"
    return f"{name};TZID={zone}:{moment.astimezone(ZoneInfo(zone)):%Y%m%dT%H%M%S}"


def calendar(*blocks: str, method: str = "REQUEST") -> str:
    """A VCALENDAR of these blocks."""
    head = ["BEGIN:VCALENDAR", "PRODID:-//example//test//EN", "VERSION:2.0", f"METHOD:{method}"]
    return "\r\n".join([*head, *blocks, "END:VCALENDAR", ""])


def mail(
    content: str,
    *,
    method: str = "REQUEST",
    from_: str = ANNA,
    sender: str = "",
    to: str = "room@example.org",
) -> bytes:
    """A mail that is a calendar part; each has a Message-ID of its own."""
    lines = [
        f"From: {from_}",
        *([f"Sender: {sender}"] if sender else []),
        f"To: {to}",
        "Subject: Invitation",
        f"Message-ID: <{next(_numbers)}.{method.lower()}@example.net>",
        "MIME-Version: 1.0",
        f"Content-Type: text/calendar; method={method}; charset=UTF-8",
        "",
        content,
    ]
    return "\r\n".join(lines).encode()


def meeting_mail(
    uid: str,
    start: datetime,
    minutes: int = 60,
    *,
    room: str,
    method: str = "REQUEST",
    from_: str = "",
    sender: str = "",
    **details: Any,
) -> bytes:
    """A mail about one VEVENT to `room`; From is its organizer if not given, `details` as for `event`."""
    details.setdefault("attendees", (room,))
    block = event(uid, start, minutes, **details)
    writer = from_ or details.get("organizer", ANNA)
    content = calendar(block, method=method)
    return mail(content, method=method, from_=writer, sender=sender, to=room)
