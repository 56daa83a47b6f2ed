"""Between stored bookings and the values that decisions are made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailcore.settings import Settings
from mr_accept.calendar_object import compose_object
from mr_accept.change import Row
from mr_accept.fate import UNPROVEN, Known, Origin, StoredOrganizer
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import (
    Instance,
    LineageState,
    Occurrence,
    UnreadableError,
    Zone,
)
from mr_accept.zones import UTC, named_zone
from store.bookings import ACCEPTED, CANCELLED, DECLINED, BookingRow, load_lineages
from store.calendar_objects import drop_object, save_object, save_range
from store.calendars import LockedCalendar
from store.occurrences import OccurrenceRow
from userstore.resolve import Recipient

_STATES = {state.value: state for state in LineageState}


@dataclass(frozen=True, slots=True)
class Held:
    """The lineages of one UID: as stored, and as decisions see them.

    `given_up` are stored lineages that a message is not measured by, and that go when it is settled.
    """

    stored: tuple[BookingRow, ...]
    rows: tuple[Row, ...]
    given_up: tuple[BookingRow, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """Their row ids."""
        return tuple(row.id for row in self.stored)

    @property
    def frees(self) -> bool:
        """Whether something of what is given up holds time."""
        return any(row.state == ACCEPTED for row in self.given_up)

    def without(self, given_up: Collection[BookingRow]) -> "Held":
        """The same for a message that is not measured by some of them."""
        stored = tuple(row for row in self.stored if row not in given_up)
        ids = {row.recurrence_id for row in stored}
        rows = tuple(row for row in self.rows if row.recurrence_id in ids)
        return Held(stored, rows, tuple(given_up))

    @property
    def booked(self) -> bool:
        """Whether any of it holds time."""
        return any(row.state == ACCEPTED for row in self.stored)

    @property
    def unproven(self) -> list[BookingRow]:
        """What was asked for by somebody whom nothing tied to the organizer."""
        return [row for row in self.stored if row.silence in UNPROVEN]

    def find(self, recurrence_id: str) -> BookingRow | None:
        """The lineage of one instance, '' for the master."""
        return next((row for row in self.stored if row.recurrence_id == recurrence_id), None)

    def organizer(self) -> StoredOrganizer | None:
        """Who may change the booking; None where there is none, or only a trace of one that is gone."""
        alive = [row for row in self.stored if row.state == ACCEPTED] or list(self.stored)
        if not alive:
            return None
        return StoredOrganizer(alive[0].organizer, Origin(*alive[0].sender.split("\n")[:2]))


def held_of(stored: Sequence[BookingRow], zone: Zone, limits: Limits) -> Held:
    """Read stored lineages; raises UnreadableError when a source cannot be read any more."""
    sources = {row.source for row in stored if row.state == ACCEPTED}
    read = {source: _instances(source, zone, limits) for source in sources}
    return Held(tuple(stored), tuple(_row(row, read.get(row.source, {}), zone) for row in stored))


def _row(stored: BookingRow, instances: Mapping[str, Instance], zone: Zone) -> Row:
    """One stored lineage as decisions see it."""
    return Row(
        recurrence_id=stored.recurrence_id,
        state=_STATES[stored.state],
        known=Known((stored.seen_sequence, stored.seen_dtstamp), stored.state == CANCELLED),
        instance=_found(stored, instances, zone) if stored.state == ACCEPTED else None,
    )


def object_text(rows: Sequence[BookingRow], zone: Zone) -> str | None:
    """The calendar object of a UID's lineages; None when none of them holds anything."""
    accepted = {row.recurrence_id: row.source for row in rows if row.state == ACCEPTED}
    gone = [row.recurrence_id for row in rows if row.state in (CANCELLED, DECLINED)]
    return compose_object(accepted, [one for one in gone if one], zone) if accepted else None


def renew_object(
    connection: Connection, locked: LockedCalendar, uid: str, zone: Zone, *, ranged: bool = True
) -> int | None:
    """Write a UID's calendar object anew from the lineages that stand now; None when nothing holds anything.

    `zone` is the resource's.  The object's range is that of the occurrences there are; without `ranged` the caller has
    still to write both.
    """
    text = object_text(load_lineages(connection, locked.store_id, uid), zone)
    if text is None:
        drop_object(connection, locked, uid)
        return None
    object_id = save_object(connection, locked, uid, text)
    if ranged:
        save_range(connection, object_id)
    return object_id


def instance_of(stored: BookingRow, zone: Zone, limits: Limits) -> Instance:
    """The VEVENT a lineage stands for, from the source that was kept; raises UnreadableError.

    A floating instance is found only in the zone that it was booked in (`mr_accept/rezone.py` moves it).
    """
    return _found(stored, _instances(stored.source, zone, limits), zone)


def _instances(source: str, zone: Zone, limits: Limits) -> dict[str, Instance]:
    meeting = parse_meeting(source, zone, limits)
    return {instance.recurrence_id: instance for instance in meeting.instances}


def _found(stored: BookingRow, instances: Mapping[str, Instance], zone: Zone) -> Instance:
    instance = instances.get(stored.recurrence_id)
    if instance is None:
        raise UnreadableError(
            f"the booking {stored.uid} has no instance {stored.recurrence_id} in the zone {zone.name}"
        )
    return instance


def zone_of(recipient: Recipient, settings: Settings) -> Zone:
    """The resource's zone: its own, else the default; UTC when neither is known any more."""
    name = recipient.mailbox.timezone or settings.userstore.default_timezone
    return named_zone(name) or UTC


def split_occurrences(
    occurrences: Sequence[Occurrence], overrides: Collection[str]
) -> dict[str, list[OccurrenceRow]]:
    """Give each occurrence to the lineage it belongs to: its own, or the master ('')."""
    parts: dict[str, list[OccurrenceRow]] = {"": [], **{rid: [] for rid in overrides}}
    for item in occurrences:
        owner = item.recurrence_id if item.recurrence_id in overrides else ""
        parts[owner].append(OccurrenceRow(item.start, item.end, item.recurrence_id))
    return parts
