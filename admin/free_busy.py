"""Free/busy: when a resource is taken, for people, for programs, and as iCalendar to publish."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from admin.bookings import parse_time
from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, print_json, print_raw, print_table
from mailcore.errors import UsageError
from mr_accept.booking_rows import zone_of
from mr_accept.busy_time import load_busy
from mr_accept.free_busy import Stretch, compose_free_busy, stretches
from mr_accept.policies import load_policy
from userstore.resolve import Recipient

_DAYS_BEFORE, _DAYS_AFTER = 7, 180  # what the manual's system publishes
_LONGEST = 3660  # days
_END_OF_TIME = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())


class _Range(NamedTuple):
    """Some time, in epoch seconds, half-open."""

    start: int
    end: int


def publish(installation: Installation, options: Options) -> None:
    """Print when nothing more can be booked between two times: a table, JSON, or a VFREEBUSY."""
    if options.json and options.ics:
        raise UsageError("--json or --ics: one at a time")
    recipient = installation.recipient(str(options.free_busy))
    if options.ics and not recipient.user.address:
        raise UsageError(
            f"{recipient.user.name} has no mail address, and free/busy is published by it"
        )
    zone, now = installation.zone_of(recipient), int(time.time())
    asked = _asked_range(options, zone, now)
    found = _taken(installation, recipient, asked)
    if options.ics:
        text = compose_free_busy(recipient.user.address, found, *asked, now)
        print_raw(text.encode())
        return
    records = [
        {
            "start": iso_time(one.start, zone),
            "end": iso_time(one.end, zone),
            "type": one.kind.value,
        }
        for one in found
    ]
    if options.json:
        print_json(records)
    else:
        print_table(("Start", "End", "Type"), [tuple(record.values()) for record in records])


def _taken(installation: Installation, recipient: Recipient, asked: _Range) -> tuple[Stretch, ...]:
    settings = installation.settings
    with installation.database.snapshot() as connection:
        policy = load_policy(connection, recipient, settings)
        held = load_busy(connection, recipient, settings, *asked)
    return stretches(held, policy, zone_of(recipient, settings), *asked)


def _asked_range(options: Options, zone: ZoneInfo, now: int) -> _Range:
    """The time between --from and --until; raises UsageError where it is none, or longer than ten years."""
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0)
    start = parse_time(options.from_, zone, "--from")
    if start is None:
        start = int((today - timedelta(days=_DAYS_BEFORE)).timestamp())
    end = parse_time(options.until, zone, "--until")
    if end is None:
        end = int((today + timedelta(days=_DAYS_AFTER)).timestamp())
    if start >= end:
        raise UsageError(
            f"nothing lies between {iso_time(start, zone)} and {iso_time(end, zone)}: --until has to be after --from"
        )
    if start < 0 or end > _END_OF_TIME:
        raise UsageError("--from and --until: expected years from 1970 to 8999")
    if end - start > timedelta(days=_LONGEST).total_seconds():
        raise UsageError(f"--from and --until: at most {_LONGEST} days at a time")
    return _Range(start, end)
