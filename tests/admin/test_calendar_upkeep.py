"""Cancelling and rebuilding bookings from the command line."""

import pytest

from store.listed_bookings import list_bookings
from tests.admin.booked import FIRST, IDS, MORNINGS, book_series, in_berlin
from tests.admin.shell import Installed, Shell


def held(installed: Installed, name: str) -> int:
    with installed.database.read() as connection:
        return len(list_bookings(connection, installed.mailbox(name).id))


def test_cancelling_a_series(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    said = shell.ok("--cancel-booking", "aurora", "u1")
    assert said == "Booking cancelled: 3 occurrences freed.\n"
    assert held(installed, "aurora") == 0


def test_cancelling_one_occurrence(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    said = shell.ok("--cancel-booking", "aurora", "u1", IDS[1])
    assert said == "Booking cancelled: 1 occurrence freed.\n"
    left = [booking["start"] for booking in shell.json("--list-bookings", "aurora")]
    assert left == [in_berlin(MORNINGS[0]), in_berlin(MORNINGS[2])]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("aurora", "u2"), "no booking with the UID u2"),
        (("beamers", "u1"), "no booking with the UID u1"),
        (("aurora", "u1", IDS[3]), f"no occurrence {IDS[3]}"),
        (("aurora", "u1", IDS[1], "again"), "too many words"),
        (("nobody", "u1"), "no such user"),
    ],
)
def test_what_cannot_be_cancelled(
    embedded: tuple[Shell, Installed], words: tuple[str, ...], says: str
) -> None:
    shell, installed = embedded
    book_series(installed, "aurora", "u1")
    before = installed.contents()
    assert says in shell.refuses("--cancel-booking", *words)
    assert installed.contents() == before


@pytest.mark.parametrize("named", [True, False])
def test_rebuilding(shell: Shell, installed: Installed, named: bool) -> None:
    book_series(installed, "aurora", "u1")
    with installed.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM occurrence WHERE starts_at > {FIRST.timestamp()}")
    assert held(installed, "aurora") == 1
    said = shell.ok("--rebuild-occurrences", *(["aurora"] if named else []))
    assert said == "aurora: 3 occurrences written.\n"
    assert held(installed, "aurora") == 3


def test_an_orphaned_calendar_is_left_out(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    shell.ok("-d", "aurora")
    assert shell.ok("--rebuild-occurrences") == ""
