"""Whether what a resource holds, its calendar objects and the audit agree, whatever a case is about."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mailcore.settings import Settings
from mr_accept.audit import audit
from mr_accept.booking_rows import zone_of
from mr_accept.expand import occurrences_of
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import Lineage, LineageState, UnreadableError, Zone
from tests.support.booking_desk import Room

_A_YEAR = 366 * 86_400  # seconds

Times = list[tuple[int, int]]
"""Starts and ends in epoch seconds, sorted."""


def disagreements(room: Room, settings: Settings) -> Iterator[str]:
    """Yield where the objects of the calendar tell other times than are held, and what the audit finds."""
    zone = zone_of(room.recipient, settings)
    held: dict[str, Times] = {}
    for slot in room.slots():
        if slot.status == "accepted":
            times = (int(slot.start.timestamp()), int(slot.end.timestamp()))
            held.setdefault(slot.uid, []).append(times)
    objects = {row.uid: row.content for row in room.objects()}
    for uid, text in objects.items():
        mine = sorted(held.get(uid, []))
        try:
            told = _told(text, zone, mine[-1][0] if mine else 0)
        except UnreadableError as error:
            yield f"the calendar object of {uid} cannot be read: {error}"
            continue
        if told != mine:
            yield f"the calendar object of {uid} tells of {_words(told)} instead of {_words(mine)}"
    yield from (f"{uid} has no calendar object" for uid in set(held) - set(objects))
    for finding in audit(room.desk.database, room.recipient, settings):
        if not finding.allowed:
            yield f"the audit finds: {finding.kind.value}: {finding.problem} {finding.uid}"


def _told(text: str, zone: Zone, last: int) -> Times:
    """The times that an object tells: of an endless series up to the `last` start that is held, else a year on.

    What has no length takes no time.
    """
    request = text.replace("BEGIN:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", 1)
    meeting = parse_meeting(request, zone, Limits())
    lineages = [
        Lineage(
            item.recurrence_id,
            LineageState.CANCELLED if item.cancelled else LineageState.ACCEPTED,
            item,
        )
        for item in meeting.instances
    ]
    rules = [item.rule for item in meeting.instances if item.rule]
    endless = any(rule.count is None and rule.until is None for rule in rules)
    begin = max([last, *(item.start.epoch for item in meeting.instances)])
    until = last + 1 if endless and last else begin + _A_YEAR
    found = occurrences_of(lineages, until, Limits())
    return sorted((one.start, one.end) for one in found if one.start < min(one.end, until))


def _words(times: Times) -> str:
    moments = (
        tuple(f"{datetime.fromtimestamp(one, UTC):%d %b %H:%M}" for one in pair) for pair in times
    )
    return ", ".join(" to ".join(pair) for pair in moments) or "nothing"
