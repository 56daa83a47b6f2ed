"""The audit of a calendar: too much booked at once, bookings nobody was told of, and rows that do not agree.

Everything is read once and in one state of the database, and nothing is changed.  What is over the capacity counts as
allowed where the bookings can have come there by the rules in force at the time (`mr_accept/excess.py`).  Whether a
booking is held as it was asked for is judged by expanding its source anew, as far ahead as it is held.
"""

import enum
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from mailcore.settings import Settings
from mr_accept.asking import limits_of
from mr_accept.booking_rows import held_of, split_occurrences, zone_of
from mr_accept.change import lineages_of, own_ids
from mr_accept.excess import Claim, Crowd, crowds
from mr_accept.expand import occurrences_of
from mr_accept.horizon import END_OF_TIME
from mr_accept.model import NotForBookingError
from store.bookings import ACCEPTED, CANCELLED, BookingRow, load_all_lineages
from store.calendar_objects import all_objects
from store.calendars import calendar_ids
from store.engine import Database
from store.occurrences import BUSY, OccurrenceRow, StoredOccurrence, all_occurrences
from userstore.resolve import Recipient

_UNKNOWN = "?"


class Kind(enum.Enum):
    """What a finding is about."""

    OVER_CAPACITY = "over-capacity"  # more bookings at an instant than places
    NO_REPLY = "no-reply"  # the organizer was not told, and nothing says why
    ORPHAN = "orphan"  # bookings, their sources, occurrences and calendar objects do not agree


@dataclass(frozen=True, slots=True)
class Excess:
    """How many bookings meet, and some of them by UID and summary."""

    use: int
    capacity: int
    uids: tuple[str, ...]
    summaries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, and what to do about it.

    `uid` and `recurrence_id` name the booking, unless `excess` does; `start` and `end`, in epoch seconds, say when it
    holds the resource, for several occurrences the first one.  What is `allowed` needs nobody's attention.
    """

    kind: Kind
    problem: str
    remedy: str
    uid: str = ""
    recurrence_id: str = ""
    start: int | None = None
    end: int | None = None
    allowed: bool = False
    excess: Excess | None = None


@dataclass(frozen=True, slots=True)
class _Calendar:
    """All that is stored of one resource's bookings."""

    recipient: Recipient
    bookings: tuple[BookingRow, ...]  # by UID
    occurrences: tuple[StoredOccurrence, ...]
    objects: frozenset[str]  # their UIDs

    def command(self, option: str, *words: str) -> str:
        """A kopano-admin command about this resource, to be copied."""
        return shlex.join(["kopano-admin", option, self.recipient.user.name, *words])


def audit(database: Database, recipient: Recipient, settings: Settings) -> list[Finding]:
    """Everything about a resource's bookings that somebody should look at, each kind by time or UID."""
    stored = _load(database, recipient)
    return [
        *_over_capacity(stored),
        *_without_reply(stored),
        *_of_nobody(stored),
        *_without_object(stored),
        *_held_otherwise(stored, settings),
    ]


def _load(database: Database, recipient: Recipient) -> _Calendar:
    with database.snapshot() as connection:
        ((calendar_id, _),) = calendar_ids(connection, recipient.mailbox.id)
        return _Calendar(
            recipient,
            tuple(load_all_lineages(connection, calendar_id)),
            tuple(all_occurrences(connection, calendar_id)),
            frozenset(all_objects(connection, calendar_id)),
        )


# -- too much booked at once


def _over_capacity(stored: _Calendar) -> Iterator[Finding]:
    bookings = {row.id: row for row in stored.bookings}
    places = {row.id: row.places for row in stored.bookings}
    claims = (
        Claim(one.start, one.end, places.get(one.booking_id, 0), one.booking_id)
        for one in stored.occurrences
        if one.busy_type == BUSY
    )
    capacity = stored.recipient.user.places
    for crowd in crowds(claims, capacity):
        found = [bookings[one] for one in crowd.holders if one in bookings]
        uids = tuple(row.uid for row in found) or (_UNKNOWN,)
        excess = Excess(crowd.use, capacity, uids, tuple(row.summary for row in found))
        yield Finding(
            Kind.OVER_CAPACITY,
            f"{crowd.use} bookings where {capacity} may be",
            _advice(stored, crowd, uids),
            start=crowd.start,
            end=crowd.end,
            allowed=crowd.allowed,
            excess=excess,
        )


def _advice(stored: _Calendar, crowd: Crowd, uids: Sequence[str]) -> str:
    if crowd.allowed:
        return "nothing: each was accepted by the rules of its time"
    command = stored.command("--cancel-booking", uids[-1])
    return f"settle who gives way, for example: {command}"


# -- bookings nobody was told of


def _without_reply(stored: _Calendar) -> Iterator[Finding]:
    first = _first_times(stored)
    for uid, rows in groupby(stored.bookings, key=lambda row: row.uid):
        lineages = list(rows)
        for row in _untold(lineages):
            start, end = first.get(row.id, (None, None))
            yield Finding(
                Kind.NO_REPLY,
                f"{row.state}, but {row.organizer or 'the organizer'} got no reply",
                f"tell the organizer; how the request ended: {stored.command('--list-jobs')}",
                uid,
                row.recurrence_id,
                start,
                end,
            )


def _untold(lineages: Sequence[BookingRow]) -> Iterator[BookingRow]:
    """Yield the lineages of a meeting without a reply of their own or of the message that they came with.

    A message about a whole series is answered once, and that answer is kept with the master.
    """
    answered = {row.source for row in lineages if row.reply is not None or row.silence}
    whole = any(row.source in answered for row in lineages if not row.recurrence_id)
    for row in lineages:
        if row.state == CANCELLED or row.source in answered or row.report_due:
            continue
        if not (whole and row.recurrence_id and _about_series(row.source)):
            yield row


def _about_series(source: str) -> bool:
    """Whether a VCALENDAR holds a master, or nothing at all is kept of it."""
    lines = [line[:14].upper() for line in source.splitlines()]
    named = sum(line.startswith(("RECURRENCE-ID:", "RECURRENCE-ID;")) for line in lines)
    return not source or lines.count("BEGIN:VEVENT") > named


def _first_times(stored: _Calendar) -> dict[int, tuple[int, int]]:
    """When each booking holds the resource first."""
    first: dict[int, tuple[int, int]] = {}
    for one in stored.occurrences:
        if one.busy_type == BUSY:
            first.setdefault(one.booking_id, (one.start, one.end))
    return first


# -- rows that do not agree


def _of_nobody(stored: _Calendar) -> Iterator[Finding]:
    """Time that is held for a booking that is not accepted."""
    bookings = {row.id: row for row in stored.bookings}
    loose: dict[int, list[StoredOccurrence]] = defaultdict(list)
    for one in stored.occurrences:
        row = bookings.get(one.booking_id)
        if one.busy_type == BUSY and (row is None or row.state != ACCEPTED):
            loose[one.booking_id].append(one)
    for booking_id, held in loose.items():
        row = bookings.get(booking_id)
        what = f"a {row.state} booking" if row else "no booking of this calendar"
        yield Finding(
            Kind.ORPHAN,
            f"{_occurrences(len(held))} held for {what}",
            stored.command("--rebuild-occurrences"),
            row.uid if row else _UNKNOWN,
            row.recurrence_id if row else "",
            held[0].start,
            held[0].end,
        )


def _without_object(stored: _Calendar) -> Iterator[Finding]:
    """Bookings that calendar programs will not see, and what they would see though it is not booked."""
    booked = {row.uid for row in stored.bookings if row.state == ACCEPTED}
    remedy = stored.command("--rebuild-occurrences")
    for uid in sorted(booked - stored.objects):
        yield Finding(Kind.ORPHAN, "booked, but without a calendar object", remedy, uid)
    for uid in sorted(stored.objects - booked):
        yield Finding(Kind.ORPHAN, "a calendar object of what is not booked", remedy, uid)


def _held_otherwise(stored: _Calendar, settings: Settings) -> Iterator[Finding]:
    """What is held by other times than the booking's source asks for, and sources that cannot be read."""
    held: dict[int, list[StoredOccurrence]] = defaultdict(list)
    for one in stored.occurrences:
        held[one.booking_id].append(one)
    for uid, rows in groupby(stored.bookings, key=lambda row: row.uid):
        lineages = list(rows)
        try:
            yield from _differences(stored, lineages, held, settings)
        except NotForBookingError as error:
            yield Finding(
                Kind.ORPHAN,
                f"the booking cannot be read any more: {error}",
                f"free it, and let the organizer send it anew: {stored.command('--cancel-booking', uid)}",
                uid,
            )


def _differences(
    stored: _Calendar,
    lineages: Sequence[BookingRow],
    held: dict[int, list[StoredOccurrence]],
    settings: Settings,
) -> Iterator[Finding]:
    """Yield what is missing of one meeting and what is too much; raises NotForBookingError."""
    if all(row.state != ACCEPTED for row in lineages):
        return
    limits = limits_of(settings.booking)
    rows = held_of(lineages, zone_of(stored.recipient, settings), limits).rows
    until = max((_held_until(row) for row in lineages), default=0)
    parts = split_occurrences(occurrences_of(lineages_of(rows), until, limits), own_ids(rows))
    for row in lineages:
        if row.state != ACCEPTED:
            continue  # `_of_nobody` has what such a one holds
        wanted = Counter(_times(one for one in parts[row.recurrence_id] if one.end > one.start))
        there = Counter(_times(one for one in held[row.id] if one.busy_type == BUSY))
        finding = partial(_difference, stored, row)
        if missing := list((wanted - there).elements()):
            yield finding(missing, "not held although booked")
        if too_many := list((there - wanted).elements()):
            yield finding(too_many, "held although not booked")


def _held_until(row: BookingRow) -> int:
    """How far a lineage is held; where that is not said, to its end."""
    if row.materialised_until is not None:
        return row.materialised_until
    return END_OF_TIME if row.recurring else 0


_Time = tuple[int, int, str]


def _times(rows: Iterable[OccurrenceRow | StoredOccurrence]) -> Iterator[_Time]:
    return ((one.start, one.end, one.recurrence_id) for one in rows)


def _difference(
    stored: _Calendar, row: BookingRow, times: Sequence[_Time], problem: str
) -> Finding:
    start, end, _ = min(times)
    return Finding(
        Kind.ORPHAN,
        f"{_occurrences(len(times))} {problem}",
        stored.command("--rebuild-occurrences"),
        row.uid,
        row.recurrence_id,
        start,
        end,
    )


def _occurrences(number: int) -> str:
    return f"{number} occurrence{'' if number == 1 else 's'}"
