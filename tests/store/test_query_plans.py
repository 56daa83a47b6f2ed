"""What the statements of a decision look at: never a whole table, never all bookings of a calendar.

Real messages go through the real booker; every statement that SQLite gets is explained afterwards.  Without
statistics its planner does not care how many rows there are, so that a few bookings show what happens with many.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from store.schema import metadata
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.meetings import at

WEEKLY = "FREQ=WEEKLY"
LARGE = {"booking", "occurrence", "calendar_object", "calendar_change"}
CHEAP = {
    # The last entry of the index: SELECT max(starts_at).
    "SEARCH occurrence_1 USING COVERING INDEX ix_occurrence_range (calendar_id=?)",
    # This index holds only the few bookings that are due.
    "SCAN booking USING INDEX ix_booking_report_due",
}


class Watched:
    """A desk on SQLite that remembers the statements its database gets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.statements: list[str] = []
        event.listen(desk.database.engine, "connect", self._watch)
        desk.database.engine.dispose()  # connections that nobody watches

    def _watch(self, connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(self.statements.append)

    def plans(self) -> dict[str, list[str]]:
        """The plan of each statement, by its text with its values."""
        database = sqlite3.connect(str(self.desk.database.url.database))
        words = ("SELECT", "WITH", "UPDATE", "DELETE")
        asked = [one for one in dict.fromkeys(self.statements) if one.startswith(words)]
        try:
            return {
                one: [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {one}")]
                for one in asked
            }
        finally:
            database.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with open_desk(f"sqlite:///{tmp_path / 'kopano.db'}", max_replies_per_hour=20) as desk:
        yield Watched(desk)


def table_of(step: str) -> str:
    """The table that a step of a plan scans or searches; empty for what is no table of the schema."""
    match = re.match(r"(?:SCAN|SEARCH) (\w+)", step)
    name = re.sub(r"_\d+$", "", match[1]) if match else ""
    return name if name in metadata.tables else ""


def is_wide(step: str) -> bool:
    """Whether a step looks at a whole table, or at all that a calendar has in a table that grows with it."""
    if step in CHEAP or not table_of(step):
        return False
    narrow = step.endswith("(calendar_id=?)") and table_of(step) in LARGE
    return step.startswith("SCAN") or narrow


def ask_single(room: Room) -> None:
    assert room.ask("u", at(9)).fate == "accepted"
    assert room.ask("u", at(9)).fate == "repeated"
    assert room.ask("u", at(11), sequence=1).fate == "accepted"
    assert room.ask("other", at(11)).fate == "declined"  # and looks for free times
    assert room.ask("u", at(11), sequence=2, method="CANCEL").fate == "freed"
    assert room.ask("unknown", at(11), method="CANCEL").fate == "tombstone"


def ask_series(room: Room) -> None:
    assert room.ask("s", at(9), rrule=WEEKLY).fate == "accepted"
    moved = {"recurrence_id": at(9, day=7), "sequence": 1}
    assert room.ask("s", at(15, day=7), **moved).fate == "accepted"
    gone = {"recurrence_id": at(9, day=14), "sequence": 1, "method": "CANCEL"}
    assert room.ask("s", at(9, day=14), **gone).fate == "freed"
    assert room.ask("clashing", at(9), rrule=WEEKLY).fate == "declined"
    assert room.ask("s", at(12), rrule=WEEKLY, sequence=2).fate == "accepted"
    assert room.ask("s", at(12), rrule=WEEKLY, sequence=3, method="CANCEL").fate == "freed"


def hold_series_further(room: Room) -> None:
    assert room.ask("s", at(9), rrule=WEEKLY).fate == "accepted"
    before = room.lineages("s")[""].materialised_until or 0
    room.set_policy(book_out_of_policy="@example.net")
    room.ask("far", at(12) + timedelta(days=1000))
    assert (room.lineages("s")[""].materialised_until or 0) > before
    room.desk.worker().report_late_clashes()


@pytest.mark.parametrize("life", [ask_single, ask_series, hold_series_further])
def test_no_statement_of_a_decision_looks_at_everything(
    watched: Watched, life: Callable[[Room], None]
) -> None:
    room = watched.desk.room()
    watched.statements.clear()
    life(room)
    plans = watched.plans()
    assert {table_of(step) for plan in plans.values() for step in plan} >= LARGE
    wide = {
        f"{step}: {' '.join(statement.split()[-40:])}"
        for statement, plan in plans.items()
        for step in plan
        if is_wide(step)
    }
    assert wide == set()
