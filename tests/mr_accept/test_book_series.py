"""Series and their instances, the policies of resources, and the hourly limit, on both databases."""

import time
from datetime import timedelta
from typing import Any

import pytest

from tests.support.booking_desk import Desk, Reply, Room
from tests.support.meetings import (
    BEN,
    at,
    basic,
    calendar,
    event,
    mail,
    meeting_mail,
)

NINE = at(9)
DAILY = "FREQ=DAILY;COUNT=4"
DAYS = [at(9, day=day) for day in range(4)]


def held(room: Room) -> list[tuple[str, object]]:
    return list(room.held())


# -- series and their instances


def series(room: Room, rrule: str = DAILY, **details: Any) -> None:
    assert room.ask("series", NINE, rrule=rrule, **details).fate == "accepted"


def starts(room: Room) -> list[object]:
    return [start for _, start in room.held()]


def test_a_series_is_booked_whole_or_not_at_all(room: Room) -> None:
    room.ask("other", DAYS[2])
    assert room.ask("series", NINE, rrule=DAILY).fate == "declined"
    assert held(room) == [("other", DAYS[2])]
    room.ask("other", DAYS[2], method="CANCEL")
    assert room.ask("series", NINE, rrule=DAILY, sequence=1).fate == "accepted"
    assert starts(room) == DAYS
    assert room.ask("late", DAYS[3]).fate == "declined"


@pytest.mark.parametrize("zone", ["", "Europe/Berlin"])
def test_a_single_occurrence_is_moved_cancelled_and_invited_again(room: Room, zone: str) -> None:
    series(room, zone=zone)
    moved = room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=1, zone=zone)
    assert moved.fate == "accepted"
    assert "RECURRENCE-ID" in room.replies(moved)[0].calendar
    assert starts(room) == [DAYS[0], at(15, day=1), *DAYS[2:]]
    gone = room.ask("series", DAYS[2], recurrence_id=DAYS[2], method="CANCEL", sequence=1)
    assert (gone.fate, starts(room)) == ("freed", [DAYS[0], at(15, day=1), DAYS[3]])
    assert room.ask("other", DAYS[1]).fate == "accepted"
    back = room.ask("series", DAYS[2], recurrence_id=DAYS[2], sequence=2)
    assert (back.fate, starts(room)) == (
        "accepted",
        [DAYS[0], DAYS[1], at(15, day=1), *DAYS[2:]],
    )


def test_the_calendar_object_follows(room: Room) -> None:
    series(room)
    (booked,) = room.objects()
    assert booked.range_end == int(DAYS[3].timestamp()) + 3600
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=1)
    room.ask("series", DAYS[2], recurrence_id=DAYS[2], method="CANCEL", sequence=1)
    (found,) = room.objects()
    last = int(DAYS[3].timestamp()) + 3600
    assert (found.uid, found.range_start, found.range_end) == ("series", NINE.timestamp(), last)
    assert found.content.count("BEGIN:VEVENT") == 2
    assert f"EXDATE:{basic(DAYS[2])}" in found.content
    room.ask("series", at(16, day=1), recurrence_id=DAYS[1], sequence=2)
    (changed,) = room.objects()
    assert changed.content.count("BEGIN:VEVENT") == 2
    assert changed.etag != found.etag
    assert changed.href == found.href
    room.ask("series", NINE, method="CANCEL", sequence=3)
    assert room.objects() == []


def test_an_occurrence_that_does_not_fit_stays_where_it_was(room: Room) -> None:
    series(room)
    room.ask("other", at(15, day=1))
    for attempt in (1, 2):  # neither beside another meeting nor beside its own series
        where = at(15, day=1) if attempt == 1 else DAYS[2]
        moved = room.ask("series", where, recurrence_id=DAYS[1], sequence=attempt)
        assert moved.fate == "declined"
        assert starts(room) == [DAYS[0], DAYS[1], at(15, day=1), *DAYS[2:]]


@pytest.mark.parametrize(
    ("sequence", "stamp", "fate"),
    [(1, 60, "stale"), (3, 50, "stale"), (2, 60, "accepted"), (1, 90, "accepted")],
)
def test_what_is_added_is_as_new_as_its_series(
    room: Room, sequence: int, stamp: int, fate: str
) -> None:
    series(room, sequence=2, stamp=60)
    more = {"method": "ADD", "sequence": sequence, "stamp": stamp}
    assert room.ask("series", at(15, day=1), **more).fate == fate
    assert (at(15, day=1) in starts(room)) is (fate == "accepted")


def test_a_series_that_leaves_the_resource_out_takes_its_instances_along(room: Room) -> None:
    """Nothing is remembered of each: they are back with the series, whatever their SEQUENCE was."""
    series(room)
    others = {"attendees": (BEN,)}
    master = event("series", NINE, rrule=DAILY, sequence=2, **others)
    written = {**others, "sequence": 9, "stamp": 120}  # together with the series
    instance = event("series", at(15, day=1), recurrence_id=DAYS[1], **written)
    assert room.ask_together(master, instance).fate == "freed"
    assert {one.state for one in room.lineages("series").values()} == {"cancelled"}
    series(room, sequence=3)
    assert starts(room) == DAYS


def test_no_time_of_its_own_series_is_offered(room: Room) -> None:
    room.ask("series", NINE, rrule="FREQ=HOURLY;INTERVAL=2;COUNT=5")  # the last at five
    room.ask("other", at(16))
    (reply,) = room.replies(room.ask("series", at(16), recurrence_id=NINE, sequence=1))
    content = reply.entry.mail.content
    assert (b"17:00 to 18:00" in content, b"18:00 to 19:00" in content) == (False, True)


def test_an_occurrence_may_have_a_lower_sequence_than_its_series(room: Room) -> None:
    series(room, sequence=3)
    moved = room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1, stamp=10_000)
    assert (moved.fate, starts(room)[0]) == ("accepted", at(15))
    old = room.ask("series", at(17), recurrence_id=DAYS[1], sequence=1, stamp=1)
    assert old.fate == "stale"  # said before the series was last told anew


def test_a_late_cancel_of_an_occurrence_frees_nothing(room: Room) -> None:
    series(room, sequence=3)
    late = room.ask("series", DAYS[1], recurrence_id=DAYS[1], method="CANCEL", sequence=1)
    assert (late.fate, starts(room)) == ("stale", DAYS)


def test_a_series_told_anew_drops_older_overrides_and_keeps_newer_ones(room: Room) -> None:
    series(room)
    room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1)
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=9)
    assert room.ask("series", NINE, rrule=DAILY, sequence=2).fate == "accepted"
    assert starts(room) == [DAYS[0], at(15, day=1), *DAYS[2:]]
    assert set(room.lineages("series")) == {"", basic(DAYS[1])}


def test_a_cancelled_series_takes_its_overrides_along(room: Room) -> None:
    series(room)
    room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1)
    assert room.ask("series", NINE, method="CANCEL", sequence=2).fate == "freed"
    assert held(room) == []
    assert room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1).fate == "stale"
    assert room.ask("series", at(15), recurrence_id=DAYS[0], sequence=3).fate == "accepted"


def test_an_instance_without_its_series(room: Room) -> None:
    assert room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1).fate == "accepted"
    assert held(room) == [("series", at(15))]
    series(room, sequence=2)
    assert starts(room) == DAYS  # the series was told after it, and does not mention it
    assert room.ask("series", NINE, method="CANCEL", sequence=3).fate == "freed"
    assert held(room) == []


def test_the_whole_of_what_is_booked_by_instances_is_cancelled(room: Room) -> None:
    room.ask("series", at(15), recurrence_id=DAYS[0])
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1])
    assert room.ask("series", NINE, method="CANCEL", sequence=1).fate == "freed"
    assert held(room) == []


def test_a_series_with_an_override_that_leaves_the_resource_out(room: Room) -> None:
    without = event("series", DAYS[1], recurrence_id=DAYS[1], attendees=(BEN,))
    whole = event("series", NINE, rrule=DAILY, attendees=(room.address,))
    outcome = room.ask_together(whole, without)
    assert outcome.fate == "accepted"
    assert starts(room) == [DAYS[0], *DAYS[2:]]
    assert room.ask("other", DAYS[1]).fate == "accepted"
    assert len(room.replies(outcome)) == 1


def test_a_series_of_which_the_resource_is_asked_for_one_occurrence_only(room: Room) -> None:
    whole = event("series", NINE, rrule=DAILY, attendees=(BEN,))
    mine = event("series", DAYS[2], recurrence_id=DAYS[2], attendees=(room.address,))
    outcome = room.ask_together(whole, mine)
    assert (outcome.fate, starts(room)) == ("accepted", [DAYS[2]])
    (reply,) = room.replies(outcome)
    assert reply.calendar["RECURRENCE-ID"] == basic(DAYS[2])  # no promise for the others
    again = room.ask_together(whole, mine)
    assert [r.entry.mail for r in room.replies(again)] == [reply.entry.mail]


def test_two_instances_in_one_mail_are_answered_one_by_one(room: Room) -> None:
    mails = [
        event("series", at(15, day=day), recurrence_id=DAYS[day], attendees=(room.address,))
        for day in (0, 1)
    ]
    first = room.ask_together(*mails)
    ids = [reply.calendar["RECURRENCE-ID"] for reply in room.replies(first)]
    assert ids == [basic(DAYS[0]), basic(DAYS[1])]
    again = room.ask_together(*mails)
    assert again.fate == "repeated"
    assert [r.entry.mail for r in room.replies(again)] == [
        r.entry.mail for r in room.replies(first)
    ]


def test_a_series_that_clashes_with_itself_is_declined(room: Room) -> None:
    overlapping = room.ask("series", NINE, 25 * 60, rrule="FREQ=DAILY;COUNT=2")
    assert (overlapping.fate, held(room)) == ("declined", [])


# -- policies


def test_the_reply_comes_from_the_address_that_was_invited(desk: Desk) -> None:
    room = desk.room(alias=True)
    alias = room.address.replace("@", "@rooms.")
    raw = meeting_mail("one", NINE, room=alias)
    outcome = room.send(raw, to=alias)
    (reply,) = room.replies(outcome)
    assert reply.message["From"].addresses[0].addr_spec == alias
    assert reply.calendar["ATTENDEE"].endswith(f":mailto:{alias}")
    assert reply.entry.mail.mail_from == room.address


def test_a_resource_that_takes_no_series(desk: Desk) -> None:
    room = desk.room(mr_decline_recurring=True)
    outcome = room.ask("series", NINE, rrule=DAILY)
    assert (outcome.fate, outcome.reason) == ("declined", "recurring meetings are not allowed")
    assert room.ask("one", NINE).fate == "accepted"


def test_a_resource_that_takes_conflicts(desk: Desk) -> None:
    room = desk.room(mr_decline_conflict=False)
    assert {room.ask(str(n), NINE).fate for n in range(3)} == {"accepted"}
    assert len(held(room)) == 3


def test_equipment_is_lent_as_often_as_there_are_pieces(desk: Desk) -> None:
    beamers = desk.room(capacity=5)
    fates = [beamers.ask(f"m{n}", at(9, 5 * n)).fate for n in range(7)]
    assert fates == ["accepted"] * 5 + ["declined"] * 2
    # Two halves one after the other use one piece, not two.
    assert beamers.ask("before", at(8), 60).fate == "accepted"
    assert beamers.ask("long", at(8), 180).fate == "declined"


def test_an_event_of_no_length_holds_nothing(room: Room) -> None:
    room.ask("one", NINE)
    assert room.ask("moment", at(9, 30), 0).fate == "accepted"
    assert held(room) == [("one", NINE)]


# -- the hourly limit


def test_more_replies_than_one_organizer_gets_an_hour_wait(desk: Desk) -> None:
    room, organizer, now = desk.room(), "flood@example.net", time.time()
    for number in range(5):
        raw = meeting_mail(f"m{number}", at(number), room=room.address, organizer=organizer)
        assert room.send(raw, max_replies_per_hour=2).fate == "accepted"
    waits = [reply.entry.next_attempt_at - now for reply in room.replies()]
    assert [round(wait / 3600) for wait in waits] == [0, 0, 1, 1, 2]
    assert [copy.message_id for copy in room.mails("Sent Items")] == [
        reply.entry.mail.message_id for reply in room.replies()
    ]


def test_the_limit_counts_the_replies_to_one_mail_too(desk: Desk) -> None:
    room, organizer, now = desk.room(), "many@example.net", time.time()
    events = [
        event(
            "series",
            at(15, day=day),
            recurrence_id=at(9, day=day),
            attendees=(room.address,),
            organizer=organizer,
        )
        for day in range(5)
    ]
    room.send(mail(calendar(*events), from_=organizer), max_replies_per_hour=2)
    waits = [reply.entry.next_attempt_at - now for reply in room.replies()]
    assert [round(wait / 3600) for wait in waits] == [0, 0, 1, 1, 2]


def test_another_organizer_does_not_wait(desk: Desk) -> None:
    room = desk.room()
    replies: list[Reply] = []
    for number in range(4):
        raw = meeting_mail(
            f"m{number}", at(number), room=room.address, organizer=f"o{number}@x.org"
        )
        replies += room.replies(room.send(raw, max_replies_per_hour=1))
    assert all(reply.entry.next_attempt_at <= time.time() for reply in replies)


def test_the_rest_of_a_series_that_has_ended_is_nothing_to_change(room: Room) -> None:
    week = timedelta(days=7)
    room.ask("s", at(10), rrule="FREQ=WEEKLY;COUNT=4")
    onwards = f"RECURRENCE-ID;RANGE=THISANDFUTURE:{basic(at(10) + 10 * week)}"
    outcome = room.ask("s", at(14) + 10 * week, sequence=1, extra=[onwards])
    assert outcome.fate == "ordinary"
    assert [start for _, start in room.held()] == [at(10) + n * week for n in range(4)]
