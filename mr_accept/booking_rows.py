"""Between stored bookings and the values that decisions are made of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mailcore.html_text import is_html, text_of_html
from mailcore.inside import domain_of, inside_of, read_domains
from mailcore.settings import Settings
from mailcore.window import within
from mr_accept.calendar_object import compose_object
from mr_accept.change import Row
from mr_accept.fate import Known, Origin, StoredOrganizer
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import (
    Instance,
    LineageState,
    Occurrence,
    UnreadableError,
    Zone,
)
from mr_accept.policy import BookingPolicy
from mr_accept.zones import UTC, named_zone
from store.bookings import ACCEPTED, CANCELLED, BookingRow
from store.occurrences import OccurrenceRow
from userstore.resolve import Recipient

_STATES = {ACCEPTED: LineageState.ACCEPTED, CANCELLED: LineageState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Held:
    """The lineages of one UID: as stored, and as decisions see them."""

    stored: tuple[BookingRow, ...]
    rows: tuple[Row, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """Their row ids."""
        return tuple(row.id for row in self.stored)

    def find(self, recurrence_id: str) -> BookingRow | None:
        """The lineage of one instance, '' for the master."""
        return next((row for row in self.stored if row.recurrence_id == recurrence_id), None)

    def organizer(self) -> StoredOrganizer | None:
        """Who may change the booking; None where there is none, or only a trace of one that is gone."""
        alive = [row for row in self.stored if row.state != CANCELLED] or list(self.stored)
        if not alive:
            return None
        return StoredOrganizer(alive[0].organizer, Origin(*alive[0].sender.split("\n")[:2]))


def held_of(stored: Sequence[BookingRow], zone: Zone, limits: Limits) -> Held:
    """Read stored lineages; raises UnreadableError when a source cannot be read any more."""
    return Held(tuple(stored), tuple(row_of(row, zone, limits) for row in stored))


def row_of(stored: BookingRow, zone: Zone, limits: Limits) -> Row:
    """One stored lineage as decisions see it."""
    return Row(
        recurrence_id=stored.recurrence_id,
        state=_STATES.get(stored.state, LineageState.DECLINED),
        known=Known((stored.seen_sequence, stored.seen_dtstamp), stored.state == CANCELLED),
        instance=instance_of(stored, zone, limits) if stored.state == ACCEPTED else None,
    )


def object_text(rows: Sequence[BookingRow]) -> str | None:
    """The calendar object of a UID's lineages; None when none of them holds anything."""
    accepted = {row.recurrence_id: row.source for row in rows if row.state == ACCEPTED}
    cancelled = [row.recurrence_id for row in rows if row.state == CANCELLED and row.recurrence_id]
    return compose_object(accepted, cancelled) if accepted else None


def instance_of(stored: BookingRow, zone: Zone, limits: Limits) -> Instance:
    """The VEVENT a lineage stands for, from the source that was kept; raises UnreadableError.

    A floating instance is found only in the zone that it was booked in (`mr_accept/rezone.py` moves it).
    """
    meeting = parse_meeting(stored.source, zone, limits)
    for instance in meeting.instances:
        if instance.recurrence_id == stored.recurrence_id:
            return instance
    raise UnreadableError(
        f"the booking {stored.uid} has no instance {stored.recurrence_id} in the zone {zone.name}"
    )


def zone_of(recipient: Recipient, settings: Settings) -> Zone:
    """The resource's zone: its own, else the default; UTC when neither is known any more."""
    name = recipient.mailbox.timezone or settings.userstore.default_timezone
    return named_zone(name) or UTC


def policy_of(recipient: Recipient) -> BookingPolicy:
    """The rules of a resource for booking."""
    return BookingPolicy(
        capacity=recipient.user.places,
        decline_conflict=recipient.mailbox.mr_decline_conflict,
        decline_recurring=recipient.mailbox.mr_decline_recurring,
    )


def policy_for(
    recipient: Recipient, organizer: str, settings: Settings, now: float
) -> BookingPolicy:
    """The rules for what an organizer asks at `now` (epoch seconds): as they are, or those of an absence."""
    absence = _absence(recipient, organizer, settings, now)
    return replace(policy_of(recipient), absence=absence)


def _absence(recipient: Recipient, organizer: str, settings: Settings, now: float) -> str | None:
    """The out-of-office text for an organizer, while the mailbox declines meetings because of its absence; else None.

    Who is outside gets an empty text unless everybody there is answered.
    """
    oof = recipient.mailbox.oof
    if oof is None or not (oof.enabled and oof.decline_meetings):
        return None
    if not within(now, oof.starts_at, oof.ends_at):
        return None
    domains = read_domains(settings.delivery.internal_domains)
    if domain_of(organizer) in inside_of(recipient.user.addresses, domains):
        text = oof.internal_message or oof.message
    else:
        text = (oof.external_message or oof.message) if oof.external == "all" else ""
    return text_of_html(text) if is_html(text) else text


def split_occurrences(
    occurrences: Sequence[Occurrence], overrides: Collection[str]
) -> dict[str, list[OccurrenceRow]]:
    """Give each occurrence to the lineage it belongs to: its own, or the master ('')."""
    parts: dict[str, list[OccurrenceRow]] = {"": [], **{rid: [] for rid in overrides}}
    for item in occurrences:
        owner = item.recurrence_id if item.recurrence_id in overrides else ""
        parts[owner].append(OccurrenceRow(item.start, item.end, item.recurrence_id))
    return parts
