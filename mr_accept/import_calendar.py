"""Migration day: the events of an .ics file become bookings of a resource, with a report of what clashes.

What stood in the old calendar is booked, clashes included: people rely on it, and only they can say who gives way.
An event that cannot be read is left out and named.  A UID that is booked already stays as it is.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import Asked, limits_of
from mr_accept.booking_rows import Held, zone_of
from mr_accept.calendar_writer import CalendarWriter, Written
from mr_accept.change import Change
from mr_accept.decision import Decision, Verdict
from mr_accept.expand import expand, goes_past
from mr_accept.fate import Origin
from mr_accept.grammar import Component, parse_component
from mr_accept.horizon import extend_series, held_until, horizon_of
from mr_accept.itip import parse_meeting
from mr_accept.kept import kept_source
from mr_accept.limits import Limits
from mr_accept.model import Interval, Meeting, NotForBookingError, Occurrence
from mr_accept.policies import load_policy
from mr_accept.sweep import instants_over, peak_use
from store.bookings import load_lineages
from store.calendars import lock_calendar, touch_store
from store.engine import Database
from store.occurrences import HeldTime, held_between
from userstore.resolve import Recipient

_FILE_LIMITS = Limits(max_components=200_000, max_source=200_000_000, max_lines=5_000_000)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the events: how many were booked, which were left out and why, and the occurrences that
    do not fit beside the others (summary, start, end in epoch seconds)."""

    imported: int
    skipped: tuple[tuple[str, str], ...]
    clashes: tuple[tuple[str, int, int], ...]


def import_calendar(
    database: Database, recipient: Recipient, text: str, settings: Settings
) -> ImportReport:
    """Book the events of a VCALENDAR; a meeting per transaction, so that a large file blocks nobody for long.

    Raises UnreadableError when the file as a whole is no calendar.  Safe to repeat.
    """
    calendar = parse_component(text, _FILE_LIMITS)
    imported = 0
    skipped: list[tuple[str, str]] = []
    clashes: list[tuple[str, int, int]] = []
    for uid, source in _meetings(calendar, recipient.user.address):
        try:
            found = _import_one(database, recipient, source, settings)
        except NotForBookingError as error:
            skipped.append((uid, str(error)))
            continue
        if found is None:
            skipped.append((uid, "booked already"))
            continue
        imported += 1
        clashes.extend(found)
    return ImportReport(imported, tuple(skipped), tuple(clashes))


def _meetings(calendar: Component, address: str) -> Iterator[tuple[str, str]]:
    """Yield (UID, VCALENDAR text) of each meeting, as if it had been requested."""
    events: dict[str, list[Component]] = {}
    for number, event in enumerate(calendar.named("VEVENT")):
        line = next(event.all("UID"), None)
        uid = line.value if line and line.value else f"imported-{number}"
        events.setdefault(uid, []).append(_completed(event, uid, address))
    zones = calendar.named("VTIMEZONE")
    for uid, together in events.items():
        whole = Component("VCALENDAR", ["VERSION:2.0", "METHOD:REQUEST"], [*zones, *together])
        yield uid, "\r\n".join(whole.whole()) + "\r\n"


def _completed(event: Component, uid: str, address: str) -> Component:
    """An event with what a calendar file may leave out but a request may not."""
    lines = list(event.lines)
    stamp = datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y%m%dT%H%M%SZ")
    for name, line in (
        ("UID", f"UID:{uid}"),
        ("DTSTAMP", f"DTSTAMP:{stamp}"),
        ("ORGANIZER", f"ORGANIZER:mailto:{address}"),
    ):
        if not any(True for _ in event.all(name)):
            lines.append(line)
    return Component(event.name, lines, event.children)


def _import_one(
    database: Database, recipient: Recipient, source: str, settings: Settings
) -> list[tuple[str, int, int]] | None:
    """Book one meeting; return its clashes, or None when its UID is there already."""
    limits = limits_of(settings.booking)
    zone = zone_of(recipient, settings)
    meeting = parse_meeting(source, zone, limits)
    if all(instance.cancelled for instance in meeting.instances):
        raise NotForBookingError("cancelled")
    store_id = recipient.mailbox.id
    with database.write() as connection:
        locked = lock_calendar(connection, store_id)
        if load_lineages(connection, store_id, meeting.uid):
            return None
        policy = load_policy(connection, recipient, settings)
        horizon = horizon_of(connection, store_id, policy, int(time.time()))
        until = held_until(meeting.instances, horizon, policy)
        occurrences = expand(meeting.instances, until, limits)
        last = max((item.end for item in occurrences), default=0)
        extend_series(connection, locked, recipient, settings, until=last)
        clashes = [
            (meeting.instances[0].summary, item.start, item.end)
            for item in occurrences
            if _clashes(held_between(connection, locked, item.start, item.end), item, recipient)
        ]
        if clashes or instants_over(occurrences, policy.capacity):
            policy = replace(policy, decline_conflict=False)
        kept = kept_source(meeting.source, policy, meeting.organizer, limits)
        asked, written = _asked(meeting, limits), Written(kept, zone, "imported")
        writer = CalendarWriter(connection, locked, asked, Held((), ()), policy, written)
        held = until if goes_past(meeting.instances, until, limits) else None
        writer.accept(Change(meeting.instances), occurrences, Decision(Verdict.ACCEPTED), (), held)
        touch_store(connection, store_id)
    return clashes


def _clashes(held: Sequence[HeldTime], item: Occurrence, recipient: Recipient) -> bool:
    busy = [Interval(one.start, one.end) for one in held]
    return peak_use(busy, item.start, item.end) >= recipient.user.places


def _asked(meeting: Meeting, limits: Limits) -> Asked:
    origin = Origin(meeting.organizer.address)
    return Asked(MessageView(b""), meeting, meeting.instances, None, origin, frozenset(), limits)
