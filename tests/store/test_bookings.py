"""Bookings, their calendar objects, and what readers are told of changes."""

import pytest

from store.calendars import (
    ACCEPTED,
    CLASH,
    DECLINED,
    HeldTime,
    LockedCalendar,
    OccurrenceRow,
    add_occurrences,
    drop_bookings,
    drop_object,
    drop_occurrence,
    held_between,
    list_bookings,
    load_all_lineages,
    load_lineages,
    lock_calendar,
    replace_occurrences,
    save_booking,
    save_object,
    save_range,
    set_zone_data,
    short_series,
    touch_store,
)
from store.mailboxes import Mailbox
from store.schema import booking, calendar_change, calendar_object
from tests.support.calendars import book, calendar_of, held
from tests.support.mailboxes import PostOffice


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


def test_lineages_come_master_first(post_office: PostOffice, room: Mailbox) -> None:
    for recurrence_id in ("20300102T090000Z", "", "20300101T090000Z"):
        book(post_office, room, "series", recurrence_id=recurrence_id, sequence=3)
    book(post_office, room, "another")
    with post_office.database.read() as connection:
        found = load_lineages(connection, room.id, "series")
        everything = load_all_lineages(connection, calendar_of(post_office, room).id)
        assert load_lineages(connection, -1, "series") == []
    keys = ["", "20300101T090000Z", "20300102T090000Z"]
    assert [one.recurrence_id for one in found] == keys
    assert {(one.uid, one.state, one.sequence) for one in found} == {("series", ACCEPTED, 3)}
    assert [one.uid for one in everything] == ["another", *["series"] * 3]


def test_a_lineage_is_changed_in_place(post_office: PostOffice, room: Mailbox) -> None:
    booking_id = book(post_office, room, "u", (0, 10))
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        values = {"state": DECLINED, "reply": b"\0\xff", "source": "BEGIN"}
        assert save_booking(connection, locked, booking_id, values) == booking_id
        replace_occurrences(connection, locked, booking_id, None, [OccurrenceRow(50, 60, "x")])
        assert held_between(connection, locked, 0, 100) == [HeldTime(50, 60, booking_id)]
        assert drop_occurrence(connection, booking_id, "x") == 1
        assert drop_occurrence(connection, booking_id, "x") == 0
        assert held_between(connection, locked, 0, 100) == []
        (found,) = load_lineages(connection, room.id, "u")
    assert (found.state, found.reply, found.source) == (DECLINED, b"\0\xff", "BEGIN")
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.updated_at > row.created_at


def test_dropped_bookings_hold_nothing_any_more(post_office: PostOffice, room: Mailbox) -> None:
    gone = [book(post_office, room, uid, (0, 10)) for uid in "ab"]
    stays = book(post_office, room, "c", (0, 10))
    with post_office.database.write() as connection:
        drop_bookings(connection, gone)
        drop_bookings(connection, [])
    assert [one.booking_id for one in held(post_office, room, 0, 10)] == [stays]
    assert not post_office.rows(booking, booking.c.id.in_(gone))


def test_the_series_that_are_not_held_far_enough(post_office: PostOffice, room: Mailbox) -> None:
    for uid, until in (("ends", None), ("near", 100), ("far", 200), ("nearer", 50)):
        book(post_office, room, uid, materialised_until=until)
    with post_office.database.read() as connection:
        found = short_series(connection, calendar_of(post_office, room).id, 200)
    assert [one.uid for one in found] == ["near", "nearer"]  # oldest booking first


def test_bookings_are_listed_by_their_time(post_office: PostOffice, room: Mailbox) -> None:
    series = book(post_office, room, "series", (30, 40), (10, 20), recurring=True)
    book(post_office, room, "single", (15, 25), organizer="anna@example.org", sequence=2)
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        clash = [OccurrenceRow(50, 60, "50", CLASH)]
        add_occurrences(connection, locked, series, None, clash)

    def listed(*window: int | None) -> list[tuple[str, int]]:
        with post_office.database.read() as connection:
            return [(one.uid, one.start) for one in list_bookings(connection, room.id, *window)]

    everything = [("series", 10), ("single", 15), ("series", 30), ("series", 50)]
    assert listed() == everything
    assert listed(20) == everything[1:]  # half-open, as everywhere
    assert listed(None, 30) == everything[:2]
    assert listed(25, 50) == everything[2:3]
    with post_office.database.read() as connection:
        found = list_bookings(connection, room.id)
    assert [one.status for one in found] == [ACCEPTED] * 3 + [CLASH]
    assert [one.recurring for one in found] == [True, False, True, True]
    assert (found[1].organizer, found[1].sequence, found[1].end) == ("anna@example.org", 2, 25)


# --- objects and changes ------------------------------------------------------------------------


def changes(office: PostOffice, locked: LockedCalendar) -> list[int]:
    rows = office.rows(calendar_change, calendar_change.c.calendar_id == locked.id)
    return [row.number for row in rows]


def test_an_object_follows_its_bookings(post_office: PostOffice, room: Mailbox) -> None:
    booking_id = book(post_office, room, "u\u00fc")
    book(post_office, room, "declined", state=DECLINED)
    objects = []
    for content in ("BEGIN:VCALENDAR one", "BEGIN:VCALENDAR two"):
        with post_office.database.write() as connection:
            locked = lock_calendar(connection, room.id)
            objects.append(save_object(connection, locked, "u\u00fc", content))
            rows = [OccurrenceRow(10, 20, "a"), OccurrenceRow(30, 45, "b")]
            replace_occurrences(connection, locked, booking_id, objects[-1], rows)
            save_range(connection, objects[-1])
    assert objects[0] == objects[1]
    assert changes(post_office, locked) == [locked.version]  # once, with the newest number
    (stored,) = post_office.rows(calendar_object, calendar_object.c.id == objects[0])
    assert (stored.content, stored.uid) == ("BEGIN:VCALENDAR two", "u\u00fc")
    assert (stored.range_start, stored.range_end, stored.component) == (10, 45, "VEVENT")
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.object_id == objects[0]
    with post_office.database.write() as connection:
        later = lock_calendar(connection, room.id)
        drop_object(connection, later, "u\u00fc")
        drop_object(connection, later, "declined")  # which has none
    assert not post_office.rows(calendar_object, calendar_object.c.id == objects[0])
    assert changes(post_office, later) == [later.version]
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.object_id is None
    assert len(held(post_office, room, 0, 100)) == 2  # the time is the booking's, not the object's


def test_an_etag_is_of_the_content(post_office: PostOffice, room: Mailbox) -> None:
    etags = []
    for content in ("one", "two", "one"):
        with post_office.database.write() as connection:
            locked = lock_calendar(connection, room.id)
            object_id = save_object(connection, locked, "u", content)
        (row,) = post_office.rows(calendar_object, calendar_object.c.id == object_id)
        etags.append(row.etag)
    assert etags[0] == etags[2] != etags[1]


def test_marks_on_calendar_and_store(post_office: PostOffice, room: Mailbox) -> None:
    before = post_office.store(room).change_number
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        assert locked.zone_data == ""
        set_zone_data(connection, locked, "2030a")
        touch_store(connection, room.id)
    assert calendar_of(post_office, room).zone_data == "2030a"
    assert post_office.store(room).change_number == before + 1
