"""What a rehearsed booking would leave behind, seen from inside its transaction before all of it is undone."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from mr_accept.decision import Decision
from mr_accept.model import Occurrence
from mr_accept.reply_text import MOST_TIMES
from store.bookings import ACCEPTED, BookingRow, load_bookings, load_lineages
from store.calendars import calendar_ids
from store.occurrences import HeldTime, busy_between, held_by


class Scene(NamedTuple):
    """The calendar as a message would leave it.

    `held` is the time that its meeting would hold, by start; `in_the_way` the bookings that meet each of the first ten
    clashes of the decision: those of other meetings or, where there is none, its own.
    """

    held: tuple[HeldTime, ...] = ()
    in_the_way: Mapping[Occurrence, tuple[BookingRow, ...]] = {}


def scene_of(
    connection: Connection, store_id: int, uid: str, decision: Decision | None = None
) -> Scene:
    """Look at the meeting with that UID, and at what a decision about it has met."""
    mine = [row.id for row in load_lineages(connection, store_id, uid) if row.state == ACCEPTED]
    clashes = decision.clashes[:MOST_TIMES] if decision else ()
    return Scene(
        tuple(sorted(held_by(connection, mine))),
        {clash: _in_the_way(connection, store_id, clash, mine) for clash in clashes},
    )


def _in_the_way(
    connection: Connection, store_id: int, clash: Occurrence, mine: list[int]
) -> tuple[BookingRow, ...]:
    found = {
        span.booking_id
        for calendar_id, _ in calendar_ids(connection, store_id)
        for span in busy_between(connection, calendar_id, clash.start, clash.end)
    }
    return tuple(load_bookings(connection, found - set(mine) or found))
