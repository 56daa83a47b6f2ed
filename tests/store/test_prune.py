"""Retention: what goes, and what must stay."""

import pytest
from sqlalchemy import Table, insert

from mailcore.settings import RetentionSettings
from store.bookings import ACCEPTED, CANCELLED, DECLINED, KEPT
from store.jobs import DONE, PENDING
from store.mailboxes import Mailbox
from store.outbox import FAILED, QUEUED, SENT
from store.prune import prune
from store.schema import (
    booking,
    calendar,
    job,
    ledger,
    login_failure,
    occurrence,
    oof_memory,
    outbox,
)
from tests.support.mailboxes import NOW, PostOffice

KEEP = RetentionSettings(dedup_window=10.0, jobs=20.0, outbox=30.0, tombstones=40.0)
DAY = 86_400.0


@pytest.fixture
def mailbox(empty_office: PostOffice) -> Mailbox:
    return empty_office.mailbox()


def put(office: PostOffice, table: Table, *rows: dict[str, object]) -> None:
    with office.database.write() as connection:
        for row in rows:
            connection.execute(insert(table), [row])


def test_only_what_is_finished_and_old_goes(empty_office: PostOffice, mailbox: Mailbox) -> None:
    office = empty_office
    (found,) = office.rows(calendar, calendar.c.store_id == mailbox.id)
    mine = {"store_id": mailbox.id, "created_at": 0.0}
    queued = {**mine, "content": b"", "trace": b"", "tried_since": 0.0}
    put(
        office,
        job,
        {**queued, "state": PENDING, "subject": "stays: pending"},
        {**queued, "state": DONE, "finished_at": NOW - 20, "subject": "stays"},
        {**queued, "state": DONE, "finished_at": NOW - 21},
    )
    leaving = {**mine, "kind": "reply", "content": b"", "next_attempt_at": 0.0}
    put(
        office,
        outbox,
        {**leaving, "state": QUEUED, "subject": "stays: queued"},
        {**leaving, "state": SENT, "finished_at": NOW - 30, "subject": "stays"},
        {**leaving, "state": SENT, "finished_at": NOW - 31},
        {**leaving, "state": FAILED, "finished_at": NOW - 31},
    )
    put(
        office,
        ledger,
        {"store_id": mailbox.id, "key": b"stays", "created_at": NOW - 10},
        {"store_id": mailbox.id, "key": b"goes", "created_at": NOW - 11},
    )
    kept = {"calendar_id": found.id, "created_at": 0.0}
    put(
        office,
        booking,
        {**kept, "uid": "stays: accepted", "state": ACCEPTED, "updated_at": 0.0},
        {**kept, "uid": "stays", "state": CANCELLED, "updated_at": NOW - 40},
        {**kept, "uid": "cancelled", "state": CANCELLED, "updated_at": NOW - 41},
        {**kept, "uid": "declined", "state": DECLINED, "updated_at": NOW - 41},
        # What its series may not hold is remembered as long as the series is booked.
        {**kept, "uid": "stays: series", "state": ACCEPTED, "updated_at": 0.0},
        *(
            {**kept, **part, "uid": "stays: series", "updated_at": 0.0}
            for part in (
                {"state": CANCELLED, "recurrence_id": "20300101"},
                {"state": DECLINED, "recurrence_id": "20300102"},
                {"state": CANCELLED, "recurrence_id": "20300103+"},
            )
        ),
        {**kept, "uid": "gone", "state": CANCELLED, "updated_at": 0.0},
        {**kept, "uid": "gone", "state": KEPT, "recurrence_id": "20300101", "updated_at": 0.0},
    )
    put(
        office,
        oof_memory,
        {"store_id": mailbox.id, "sender_key": "stays", "answered_at": NOW - 90 * DAY},
        {"store_id": mailbox.id, "sender_key": "goes", "answered_at": NOW - 91 * DAY},
    )
    failed = {"failures": 3, "first_at": 0.0}
    put(
        office,
        login_failure,
        {**failed, "key": "stays", "last_at": NOW - DAY},
        {**failed, "key": "goes", "last_at": NOW - DAY - 1},
    )
    assert prune(office.database, KEEP, NOW) == 10
    assert {row.subject for row in office.rows(job)} == {"stays: pending", "stays"}
    assert {row.subject for row in office.rows(outbox)} == {"stays: queued", "stays"}
    assert [row.key for row in office.rows(ledger)] == [b"stays"]
    kept_rows = {(row.uid, row.recurrence_id) for row in office.rows(booking)}
    series = {"", "20300101", "20300102", "20300103+"}
    assert kept_rows == {
        ("stays: accepted", ""),
        ("stays", ""),
        *(("stays: series", one) for one in series),
    }
    assert [row.sender_key for row in office.rows(oof_memory)] == ["stays"]
    assert [row.key for row in office.rows(login_failure)] == ["stays"]
    assert prune(office.database, KEEP, NOW) == 0


def test_what_a_forgotten_booking_still_showed_goes_with_it(
    empty_office: PostOffice, mailbox: Mailbox
) -> None:
    office = empty_office
    (found,) = office.rows(calendar, calendar.c.store_id == mailbox.id)
    old = {"calendar_id": found.id, "created_at": 0.0, "updated_at": 0.0}
    put(office, booking, {**old, "uid": "u", "state": CANCELLED})
    (row,) = office.rows(booking)
    time = {"starts_at": 1, "ends_at": 2, "busy_type": "busy"}
    put(office, occurrence, {"calendar_id": found.id, "booking_id": row.id, **time})
    assert prune(office.database, KEEP, NOW) == 1
    assert office.count(occurrence) == 0


def test_more_than_one_slice(empty_office: PostOffice, mailbox: Mailbox) -> None:
    rows = [
        {"store_id": mailbox.id, "key": b"%032d" % number, "created_at": 0.0}
        for number in range(2001)
    ]
    with empty_office.database.write() as connection:
        connection.execute(insert(ledger), rows)
    assert prune(empty_office.database, KEEP, NOW) == 2001
    assert empty_office.count(ledger) == 0
